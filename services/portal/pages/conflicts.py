"""One source for each item: who claimed what of another, which values differ, who decided what."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.running import BusUnavailable
from services.api.security.asking import principal_of, require
from services.api.security.cookies import parts_of
from services.api.uses import rulings
from services.api.uses.reach import sees
from services.api.uses.rulings import About, claimed_column
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Problem
from services.control.ownership.decided import DecidedRuling
from services.control.ruling_order import Affected
from services.ledger.claims import ClaimView
from services.ledger.reader import KafkaUnavailable
from services.ledger.writer import WriteRefused
from services.portal.forms import Form, go, text, ticked
from services.portal.operations.asked import PAGE, page_asked, seeing
from services.portal.operations.conflicts import Conflict, row_of, summed
from services.portal.operations.doors import operations_of
from services.portal.operations.lately import CLAIMS
from services.portal.operations.revealing import LONGEST_REASON, ReasonMissing
from services.portal.operations.revealing import Wanted as Look
from services.portal.operations.shown import from_ms, login_of
from services.portal.rendering import page, problems_in, speak
from topics.event import ProviderId
from topics.ownership import Decision

router = APIRouter(include_in_schema=False)
_FIRST_S = 3.0
_LOOK = "claims"
_LONGEST = 500


@router.get("/conflicts")
def conflicts_page(request: Request) -> Response:
    """Items that two departments publish, those with most differing values first."""
    principal, _ = seeing(request, Action.CLAIM_LOOK)
    look = operations_of(request).claims.look(CLAIMS, _FIRST_S)
    found = [each for each in summed(look.value or []) if _may_see(principal, each.claimant, each.owner)]
    number = page_asked(request)
    return page(
        request,
        "conflicts/list.html",
        look=look,
        rows=found[(number - 1) * PAGE : number * PAGE],
        following=number + 1 if number * PAGE < len(found) else None,
        from_ms=from_ms,
    )


@router.get("/conflicts/{claimant}/{resource}/{item}")
def conflict_page(request: Request, claimant: str, resource: str, item: str) -> Response:
    """One conflict: its claims, what was decided, and what a decision would change."""
    return _show(request, claimant, resource, item)


@router.post("/conflicts/{claimant}/{resource}/{item}/reveal")
def reveal(request: Request, claimant: str, resource: str, item: str, form: Form) -> Response:
    """Record who looks at the values of his own department and why, then show those."""
    operations = operations_of(request)
    conflict, _ = _found(request, claimant, resource, item)
    principal = _reader(request, conflict)
    name, own = object_name(claimant, resource, item), _own(principal, conflict) or claimant
    wanted = Look(Action.DATA_REVEAL, _LOOK, name, ProviderId(own), text(form, "reason"))
    try:
        with operations.open_bus() as bus:
            number = operations.revealing.record(principal.person, wanted, bus.writer)
    except ReasonMissing as error:
        raise AnswerProblem(Code.INVALID) from error
    except (KafkaUnavailable, WriteRefused) as error:
        raise BusUnavailable(type(error).__name__) from error
    return go(f"{conflict.path}?look={number}")


@router.post("/conflicts/{claimant}/{resource}/{item}/decide")
def decide(request: Request, claimant: str, resource: str, item: str, form: Form) -> Response:
    """The authority's decision; tried first, it only says what would change."""
    parts, principal = parts_of(request), principal_of(request)
    given = {name: text(form, name) for name in ("decision", "basis", "text")}
    try:
        decision = Decision(given["decision"])
    except ValueError as error:
        raise AnswerProblem(Code.INVALID) from error
    about = About(claimant, resource, item)
    wanted = rulings.Wanted(about, decision, given["basis"][:_LONGEST], given["text"][:_LONGEST])
    policy = operations_of(request).policy_if_known()
    try:
        change = rulings.tried(parts, principal, policy, wanted)
    except AnswerProblem as error:
        if not error.problems:
            raise
        problems = problems_in(request, error)
        return _show(request, claimant, resource, item, problems, given, status=error.code.status)
    if ticked(form, "dry_run"):
        return _show(request, claimant, resource, item, (), given, change)
    if text(form, "confirm") != item:
        what, remedy = (
            speak(request, "that is not the name of the item"),
            speak(request, "type it to confirm"),
        )
        problem = Problem("NOT_CONFIRMED", "confirm", what, remedy)
        return _show(request, claimant, resource, item, (problem,), given, status=Code.INVALID.status)
    with parts.database.begin() as connection:
        rulings.given(parts, principal, connection, policy, wanted)
    return go(f"/conflicts/{claimant}/{resource}/{item}?done=yes")


def _show(
    request: Request,
    claimant: str,
    resource: str,
    item: str,
    problems: tuple[Problem, ...] = (),
    given: dict[str, str] | None = None,
    change: Affected | None = None,
    status: int = 200,
) -> Response:
    conflict, views = _found(request, claimant, resource, item)
    principal, parts, operations = principal_of(request), parts_of(request), operations_of(request)
    column = claimed_column(parts.definitions, conflict.about)
    number = request.query_params.get("look", "")
    own = _own(principal, conflict)
    name = object_name(claimant, resource, item)
    decided = [] if column is None else _decided(request, principal, conflict)
    with parts.database.reading() as connection:
        revealed = own is not None and operations.revealing.is_recorded(
            connection, principal.person, _LOOK, name, number
        )
    where = page_asked(request)
    newest = sorted(views, key=lambda view: (-view.timestamp_ms, view.at))
    return page(
        request,
        "conflicts/conflict.html",
        status,
        conflict=conflict,
        column=column,
        rows=[row_of(view, own if revealed else None) for view in newest[(where - 1) * PAGE : where * PAGE]],
        following=where + 1 if where * PAGE < len(newest) else None,
        decided=decided,
        follows=request.method == "GET" and any(each.is_under_way for each, *_ in decided),
        may_decide=column is not None and sees(principal, Action.CLAIM_DECIDE, Whose(provider=claimant)),
        may_reveal=own is not None,
        revealed=revealed,
        lapsed=bool(number) and not revealed,
        problems=problems,
        given=given or {"decision": "", "basis": "", "text": ""},
        change=change,
        from_ms=from_ms,
        longest=LONGEST_REASON,
    )


def _decided(
    request: Request, principal: Principal, conflict: Conflict
) -> list[tuple[DecidedRuling, str, list[str]]]:
    """Each ruling with who gave it and whose records follow."""
    parts = parts_of(request)
    return [
        (each, login_of(request, each.given.by), rulings.providers_of(parts.definitions, each))
        for each in rulings.listed(parts, principal, conflict.about)
    ]


def _found(request: Request, claimant: str, resource: str, item: str) -> tuple[Conflict, list[ClaimView]]:
    """The conflict and its claims, if its reader may see it."""
    principal, _ = seeing(request, Action.CLAIM_LOOK)
    look = operations_of(request).claims.look(CLAIMS, _FIRST_S)
    if look.value is None:
        raise BusUnavailable(look.failure or "it is being read")
    views = [
        view for view in look.value if (view.claimant, view.resource, view.item) == (claimant, resource, item)
    ]
    if not views:
        raise AnswerProblem(Code.NOT_FOUND)
    [conflict, *_] = summed(views)
    if not _may_see(principal, conflict.claimant, conflict.owner):
        require(request, Action.CLAIM_LOOK, Whose(provider=claimant))
    return conflict, views


def _may_see(principal: Principal, *departments: str) -> bool:
    return any(sees(principal, Action.CLAIM_LOOK, Whose(provider=each)) for each in departments)


def _own(principal: Principal, conflict: Conflict) -> str | None:
    """The side of the conflict whose values somebody may look at: his own department's."""
    sides = (conflict.claimant, conflict.owner)
    return next(
        (each for each in sides if sees(principal, Action.DATA_REVEAL, Whose(provider=each))),
        None,
    )


def _reader(request: Request, conflict: Conflict) -> Principal:
    own = _own(principal_of(request), conflict)
    return require(request, Action.DATA_REVEAL, Whose(provider=own or conflict.claimant))


def object_name(claimant: str, resource: str, item: str) -> str:
    """What a look at a conflict's values is a look at, for the ledger."""
    return f"claims.{claimant}/{resource}/{item}"
