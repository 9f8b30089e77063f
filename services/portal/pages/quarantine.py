"""Quarantine: how many events of whom were stopped and why, one of them looked at, many of them worked on."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem
from services.api.running import BusUnavailable
from services.api.security.asking import principal_of, require
from services.api.security.cookies import parts_of
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.store.operations import rounds
from services.control.store.outbox import Act, Fact, append, is_id
from services.control.store.snapshots import Kind, all_of
from services.ledger.bus import Bus
from services.ledger.quarantine import (
    OPEN,
    STATES,
    Disposition,
    Quarantined,
    histogram,
    read_quarantine,
    rule_histogram,
    was_released,
)
from services.ledger.quarantine_view import as_detail, as_row
from services.ledger.quarantine_work import Chosen, Worked, discard_all, release_all
from services.ledger.reader import KafkaUnavailable, ReadRefused
from services.ledger.writer import WriteRefused
from services.portal.forms import Form, go, text, texts, ticked
from services.portal.languages import tongue_of
from services.portal.lists import Address
from services.portal.operations.asked import PAGE, asked, page_asked, seeing
from services.portal.operations.doors import Operations, operations_of
from services.portal.operations.revealing import LONGEST_REASON, ReasonMissing
from services.portal.operations.revealing import Wanted as Look
from services.portal.operations.shown import from_ms, login_of
from services.portal.operations.sight import may_look
from services.portal.operations.tailing import text_of
from services.portal.operations.working import Deed, Run, Task
from services.portal.rendering import page
from services.portal.words_of_operation import coded, mended_by
from topics.event import ProviderId, Step, StopReason, SupersededReason

router = APIRouter(include_in_schema=False)
ALL: Final = "all"
_KIND: Final = "stopped_event"
_DECIDED_WITHIN_S: Final = 30.0
_FIRST_S: Final = 3.0
_DOWN: Final = (KafkaUnavailable, ReadRefused, WriteRefused)
_ACTIONS: Final = {
    Deed.RELEASE: Action.QUARANTINE_RELEASE,
    Deed.RESUBMIT: Action.QUARANTINE_RESUBMIT,
    Deed.DISCARD: Action.QUARANTINE_DISCARD,
}


@router.get("/quarantine")
def overview(request: Request) -> Response:
    """Each provider's stopped events by the snapshot, with the reasons."""
    principal, _ = seeing(request, Action.QUARANTINE_LOOK)
    with parts_of(request).database.reading() as connection:
        snapshot, round_ = all_of(connection, Kind.QUARANTINE), rounds(connection).get(Kind.QUARANTINE)
    rows = [
        (name.removeprefix("quarantine."), document)
        for name, document in snapshot.documents.items()
        if may_look(principal, Action.QUARANTINE_LOOK, _of(name.removeprefix("quarantine.")))
    ]
    return page(request, "quarantine/overview.html", rows=rows, round=round_, **_words(request))


@router.get("/quarantine/{provider}")
def browser(request: Request, provider: str) -> Response:
    """One provider's stopped events: histogram, a page of them, and what may be done with those chosen."""
    require(request, Action.QUARANTINE_LOOK, _of(provider))
    operations = operations_of(request)
    look = operations.quarantine.look(provider, _FIRST_S)
    chosen = [entry for entry in look.value or [] if _covers(request, entry)]
    number = page_asked(request)
    newest = sorted(chosen, key=lambda entry: entry.raw.timestamp_ms, reverse=True)
    return page(
        request,
        "quarantine/browser.html",
        provider=provider,
        look=look,
        rows=[as_row(entry) for entry in newest[(number - 1) * PAGE : number * PAGE]],
        total=len(chosen),
        following=number + 1 if number * PAGE < len(chosen) else None,
        reasons=histogram(chosen),
        rules=rule_histogram(chosen),
        states=Counter(entry.state for entry in look.value or []),
        choices={"reasons": [reason.value for reason in StopReason], "states": [OPEN, *sorted(STATES), ALL]},
        tasks=operations.tasks.of(provider)[:5],
        deeds=_deeds(principal_of(request), provider),
        chosen_state=asked(request, "state") or OPEN,
        from_ms=from_ms,
        longest=LONGEST_REASON,
        **_words(request),
    )


@router.post("/quarantine/{provider}/work")
def work(request: Request, provider: str, form: Form) -> Response:
    """Release, resubmit or discard what is chosen, or only say what that would do."""
    try:
        deed = Deed(text(form, "deed"))
    except ValueError as error:
        raise AnswerProblem(Code.INVALID) from error
    principal = require(request, _ACTIONS[deed], _of(provider))
    operations, dry_run, reason = operations_of(request), ticked(form, "dry_run"), text(form, "reason")
    if not dry_run and (not 0 < len(reason) <= LONGEST_REASON or text(form, "confirm") != provider):
        raise AnswerProblem(Code.INVALID)
    named = frozenset(texts(form, "event"))
    task = _task(request, deed, provider, principal, reason, dry_run)
    if not dry_run:
        _owe(request, task, principal, len(named))

    def meant(entry: Quarantined) -> bool:
        return _workable(deed, entry) and _meant(form, named, entry)

    started = operations.tasks.start(task, _runner(operations, task, meant))
    if started is None:
        raise AnswerProblem(Code.BUSY, headers={"retry-after": "30"})
    return go(f"/quarantine/{provider}/tasks/{task.id}")


@router.get("/quarantine/{provider}/tasks/{id_}")
def task_page(request: Request, provider: str, id_: str) -> Response:
    """How far a work is, and what became of each event."""
    require(request, Action.QUARANTINE_LOOK, _of(provider))
    task = operations_of(request).tasks.find(id_)
    if task is None or task.provider != provider:
        raise AnswerProblem(Code.NOT_FOUND)
    by = login_of(request, task.by)
    return page(request, "quarantine/task.html", task=task, provider=provider, by=by, **_words(request))


@router.get("/quarantine/{provider}/event")
def event_page(request: Request, provider: str) -> Response:
    """One stopped event, masked unless a look at it was recorded."""
    principal = require(request, Action.QUARANTINE_LOOK, _of(provider))
    operations, at = operations_of(request), request.query_params.get("at", "")
    look = operations.quarantine.look(provider, _FIRST_S)
    if look.value is None:
        raise BusUnavailable(look.failure or "it is being read")
    entry = next((each for each in look.value if each.raw.coordinates == at), None)
    if entry is None:
        raise AnswerProblem(Code.NOT_FOUND)
    may_reveal = may_look(principal, Action.QUARANTINE_REVEAL, _of(provider))
    number = request.query_params.get("look", "")
    revealed = may_reveal and bool(number) and _is_recorded(request, principal, at, number)
    try:
        with operations.open_bus() as bus:
            detail = as_detail(bus.lookup, entry, reveal=revealed)
    except _DOWN as error:
        raise BusUnavailable(type(error).__name__) from error
    return page(
        request,
        "quarantine/event.html",
        provider=provider,
        detail=detail,
        key=text_of(detail["key"]),
        value=text_of(detail["value"]),
        revealed=revealed,
        lapsed=bool(number) and not revealed,
        may_reveal=may_reveal,
        mended_by=mended_by(entry.reason, tongue_of(request).language),
        from_ms=from_ms,
        longest=LONGEST_REASON,
        **_words(request),
    )


@router.post("/quarantine/{provider}/event/reveal")
def reveal(request: Request, provider: str, form: Form) -> Response:
    """Record who looks at the values of an event and why, then show them."""
    principal = require(request, Action.QUARANTINE_REVEAL, _of(provider))
    operations, at = operations_of(request), text(form, "at")
    wanted = Look(Action.QUARANTINE_REVEAL, _KIND, at, ProviderId(provider), text(form, "reason"))
    try:
        with operations.open_bus() as bus:
            number = operations.revealing.record(principal.person, wanted, bus.writer)
    except ReasonMissing as error:
        raise AnswerProblem(Code.INVALID) from error
    except _DOWN as error:
        raise BusUnavailable(type(error).__name__) from error
    return go(Address(f"/quarantine/{provider}/event").to(at=at, look=number))


def _words(request: Request) -> dict[str, Any]:
    """How pages say codes of reasons and steps; one that nobody here has heard of is shown as it is."""
    language = tongue_of(request).language

    def reason_word(code: str) -> str:
        found = coded(StopReason, code, language) or coded(SupersededReason, code, language)
        return found or code

    return {
        "reason_word": reason_word,
        "step_word": lambda code: coded(Step, code, language) or code,
    }


def _of(provider: str) -> Whose:
    return Whose(provider=provider)


def _covers(request: Request, entry: Quarantined) -> bool:
    state = asked(request, "state") or OPEN
    rule = asked(request, "rule")
    return (
        state in (ALL, entry.state)
        and asked(request, "reason") in (None, entry.reason)
        and (rule is None or rule in entry.rules)
        and asked(request, "topic") in (None, entry.raw.topic)
    )


def _meant(form: Form, named: frozenset[str], entry: Quarantined) -> bool:
    """Those that were ticked, or where none was all that the filter shows."""
    if named:
        return entry.raw.coordinates in named
    reason, rule, topic = (text(form, name) for name in ("filter_reason", "filter_rule", "filter_topic"))
    return (
        reason in ("", entry.reason)
        and (not rule or rule in entry.rules)
        and topic in ("", str(entry.raw.topic))
    )


def _workable(deed: Deed, entry: Quarantined) -> bool:
    """What was released before and stopped again is resubmitted; a release that nobody waited for goes on."""
    if deed is Deed.DISCARD:
        return entry.state == OPEN
    if entry.state not in (OPEN, Disposition.RELEASING.value):
        return False
    return was_released(entry) == (deed is Deed.RESUBMIT)


def _deeds(principal: Principal, provider: str) -> Sequence[Deed]:
    return [deed for deed in Deed if may_look(principal, _ACTIONS[deed], _of(provider))]


def _task(
    request: Request,
    deed: Deed,
    provider: str,
    principal: Principal,
    reason: str,
    dry_run: bool,
) -> Task:
    now = parts_of(request).clock()
    id_ = str(parts_of(request).new_id(now))
    return Task(id_, deed, provider, principal.person, reason, dry_run, now)


def _owe(request: Request, task: Task, principal: Principal, named: int) -> None:
    """The order stands in the ledger before the first event is touched; each event's note follows."""
    facts: dict[str, Fact] = {"named": named, "work": task.id, "department": principal.department}
    what = _ACTIONS[task.deed].value
    act = Act(task.by, what, "quarantine", task.provider, task.began, task.reason, facts)
    if not is_id(task.provider):
        raise AnswerProblem(Code.NOT_FOUND)
    with parts_of(request).database.begin() as connection:
        append(connection, act)


def _runner(operations: Operations, task: Task, meant: Callable[[Quarantined], bool]) -> Run:
    """Reads the events anew: what somebody has done meanwhile is not done twice."""
    provider = ProviderId(task.provider)

    def run(told: Callable[[Worked], None], counted: Callable[[int], None]) -> list[Worked]:
        with operations.open_bus() as bus:
            pairs = [(provider, entry) for entry in read_quarantine(bus.lookup, provider) if meant(entry)]
            counted(len(pairs))
            done = _done(bus, pairs, told)
        operations.quarantine.forget(task.provider)
        return done

    def _done(bus: Bus, pairs: Chosen, told: Callable[[Worked], None]) -> list[Worked]:
        if task.deed is Deed.DISCARD:
            return discard_all(bus, pairs, task.by, task.reason, dry_run=task.dry_run)
        within = _DECIDED_WITHIN_S
        return release_all(bus, pairs, task.by, task.reason, within, dry_run=task.dry_run, told=told)

    return run


def _is_recorded(request: Request, principal: Principal, at: str, number: str) -> bool:
    with parts_of(request).database.reading() as connection:
        revealing = operations_of(request).revealing
        return revealing.is_recorded(connection, principal.person, _KIND, at, number)
