"""Replays: the list, the wizard with its dry run, one of them with its life, result and difference."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.security.asking import permit, principal_of
from services.api.security.cookies import parts_of
from services.api.uses import replays
from services.api.uses.reach import own
from services.control.replays.asking import asks
from services.control.replays.difference import csv_text
from services.control.replays.life import Replay, State, Step
from services.ledger.replay.scope import Scope
from services.ledger.replay.words import Fate, Purpose, Verdict
from services.portal.forms import Form, go, text, values
from services.portal.lists import page_number
from services.portal.operations.asked import PAGE, asked, page_asked
from services.portal.operations.doors import operations_of
from services.portal.operations.kept import Look
from services.portal.operations.replaying import Counts
from services.portal.operations.shown import from_ms, login_of, logins_of
from services.portal.rendering import page, saying
from services.portal.uses.replay_form import LONGEST, LONGEST_GRANT, read

router = APIRouter(include_in_schema=False)
_MOST_SUGGESTED: Final = 500
_MOST_BARS: Final = 20
_VERDICTS: Final = {each.value: each for each in Verdict}


@router.get("/replays")
def list_page(request: Request) -> Response:
    """Replays, the newest first; the address says in which state, and below which number."""
    chosen = request.query_params.get("state", "")
    state = State(chosen) if chosen in set(State) else None
    before = page_number(request.query_params.get("before", ""))
    parts, principal = parts_of(request), principal_of(request)
    found = replays.some(parts, principal, state, before, PAGE + 1)
    rows = found[:PAGE]
    people = (person for each in rows for person in (each.requested_by, each.approved_by))
    return page(
        request,
        "replays/list.html",
        rows=rows,
        people=logins_of(request, people),
        states=State,
        state=state,
        following=rows[-1].number if len(found) > PAGE else None,
        may_ask=bool(replays.may_ask_for(principal)),
        from_ms=from_ms,
        verdicts=_VERDICTS,
    )


@router.get("/replays/new")
def new_page(request: Request) -> Response:
    """The wizard: what for, about what, and what it would take."""
    purposes = _purposes(request)
    chosen = request.query_params.get("purpose", "")
    return _wizard(request, purposes, {"purpose": chosen if chosen in purposes else purposes[0].value})


@router.post("/replays/new")
def ask(request: Request, form: Form) -> Response:
    """Count what a replay would take, or ask for it."""
    purposes, chosen = _purposes(request), text(form, "purpose")
    if chosen not in set(Purpose):
        raise AnswerProblem(Code.INVALID)
    parts, principal, purpose = parts_of(request), principal_of(request), Purpose(chosen)
    permit(parts, principal, asks(purpose), own(principal))
    newest = operations_of(request).policy_if_known()
    found, typed = read(form, purpose, newest, saying(request)), dict(values(form))
    if text(form, "do") == "count" and found.only_words_are_missing:
        look = operations_of(request).counting.look(found.order.scope)
        return _wizard(request, purposes, typed, look=look)
    if found.problems:
        return _wizard(request, purposes, typed, 422, problems=found.problems)
    return go(f"/replays/{replays.ask(parts, principal, found.order).number}")


@router.get("/replays/{number}")
def one_page(request: Request, number: str) -> Response:
    """One of them: its life, what can be done now, its result; counted anew where the address says so."""
    return _one(request, _number(number))


@router.get("/replays/{number}/difference.csv")
def difference(request: Request, number: str) -> Response:
    """The whole difference that a what-if came to, as a file."""
    found = replays.one(parts_of(request), principal_of(request), _number(number)).replay
    rows = (found.result or {}).get("rows")
    if rows is None:
        raise AnswerProblem(Code.NOT_FOUND)
    headers = {"content-disposition": f'attachment; filename="replay-{found.number}.csv"'}
    return Response(csv_text(rows), headers=headers, media_type="text/csv; charset=utf-8")


@router.post("/replays/{number}/approve")
def approve(request: Request, number: str) -> Response:
    """Approve what another person asked for."""
    found = replays.take(parts_of(request), principal_of(request), _number(number), Step.APPROVE)
    return go(f"/replays/{found.number}")


@router.post("/replays/{number}/cancel")
def cancel(request: Request, number: str, form: Form) -> Response:
    """Cancel it, once it is clear that just this one is meant; a run stops between two batches."""
    wanted = _number(number)
    if text(form, "confirm") != str(wanted):
        return _one(request, wanted, 422, unconfirmed=True)
    found = replays.take(parts_of(request), principal_of(request), wanted, Step.CANCEL)
    return go(f"/replays/{found.number}")


def _purposes(request: Request) -> tuple[Purpose, ...]:
    """The purposes of which somebody may ask for a replay.

    Raises:
        AnswerProblem: of none.
    """
    principal = principal_of(request)
    found = replays.may_ask_for(principal)
    if not found:
        permit(parts_of(request), principal, asks(Purpose.AUDIT), own(principal))
    return found


def _number(text_: str) -> int:
    found = page_number(text_)
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return found


def _wizard(
    request: Request,
    purposes: tuple[Purpose, ...],
    typed: Mapping[str, str],
    status: int = 200,
    **more: Any,
) -> Response:
    shown: dict[str, Any] = {"problems": (), "look": None, **more}
    return page(
        request,
        "replays/new.html",
        status,
        purposes=purposes,
        typed=typed,
        suggested=_suggested(request),
        longest=LONGEST,
        longest_grant=LONGEST_GRANT,
        **shown,
    )


def _suggested(request: Request) -> dict[str, list[str]]:
    """What the fields of the scope offer, from the policy in force; older versions knew more."""
    policy = operations_of(request).policy_if_known()
    if policy is None:
        return {}
    resources = [each.resource for each in policy.resources.values()]
    grants = [each.grant for each in policy.grants.values()]
    found = {
        "resource": {str(each.id) for each in resources},
        "provider": {str(each.provider) for each in resources},
        "consumer": {str(each.consumer) for each in grants},
        "grant": {str(each.id) for each in grants},
        "topic": {str(topic) for each in resources for topic in (each.raw_topic, each.canonical_topic)},
    }
    return {name: sorted(names)[:_MOST_SUGGESTED] for name, names in found.items()}


def _one(request: Request, number: int, status: int = 200, *, unconfirmed: bool = False) -> Response:
    principal = principal_of(request)
    found = replays.one(parts_of(request), principal, number)
    replay = found.replay
    people = (replay.requested_by, replay.approved_by, *(act.who for act in found.acts))
    may_ask = replay.order.purpose in replays.may_ask_for(principal)
    return page(
        request,
        "replays/one.html",
        status,
        replay=replay,
        acts=found.acts,
        steps={f"replay.{step.value}": step for step in Step},
        people=logins_of(request, people),
        possible=replays.possible(principal, replay),
        own_request=principal.person == replay.requested_by,
        may_ask=may_ask,
        login=login_of(request, principal.person) if may_ask else "LOGIN",
        look=_counted(request, replay.order.scope),
        unconfirmed=unconfirmed,
        from_ms=from_ms,
        verdicts=_VERDICTS,
        fates=Fate,
        Step=Step,
        **_difference(request, replay),
    )


def _counted(request: Request, scope: Scope) -> Look[Counts] | None:
    """The counts of the scope, where the address asks for them."""
    if request.query_params.get("count", "") != "yes":
        return None
    return operations_of(request).counting.look(scope)


def _difference(request: Request, replay: Replay) -> dict[str, Any]:
    """A page of the rows, the largest first, those of one grant where the address names it; and the sums."""
    rows = list((replay.result or {}).get("rows", ()))
    sums: Counter[str] = Counter()
    for each in rows:
        sums[str(each["subject"])] += int(each["records"])
    only, at = asked(request, "grant"), page_asked(request)
    chosen = [each for each in rows if only in (None, each["subject"])]
    chosen.sort(key=lambda each: -int(each["records"]))
    return {
        "rows": chosen[(at - 1) * PAGE : at * PAGE],
        "total": len(chosen),
        "sums": dict(sums.most_common(_MOST_BARS)),
        "only": only,
        "following": at + 1 if at * PAGE < len(chosen) else None,
    }
