"""Problem data: the list, a report with its evidence, a ticket with its clocks and its recipients."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.api.codes import Code
from services.api.problems import AnswerProblem, document_of
from services.api.running import NothingThere
from services.api.security.asking import principal_of, require
from services.api.security.cookies import parts_of
from services.api.uses import tickets
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action as Asked
from services.control.cases.words import Problem
from services.control.clocks.calendar import civil_day
from services.control.clocks.running import State as ClockState
from services.control.store.tickets.reading import Wish
from services.control.tickets.evidence import LARGEST_FILE, MOST_EVIDENCE, Evidence
from services.control.tickets.table import TRANSITIONS, Demand
from services.control.tickets.ticket import TERMINAL, Given
from services.control.tickets.words import Action, Duty, NoticeKind, RefusalReason, State
from services.portal.forms import Form, go, text, texts, upload
from services.portal.lists import page_number
from services.portal.operations.asked import PAGE, asked
from services.portal.rendering import page, speak
from services.portal.uses.acting import key_of, new_key

router = APIRouter(include_in_schema=False)
FILES: Final = tuple(f"evidence_{number}" for number in range(5))
NAMED: Final = frozenset({Action.WITHDRAW, Action.DISMISS})
"""What ends a ticket for good and asks for its number."""
WITH_EVIDENCE: Final = frozenset({Action.SUPPLEMENT, Action.REOPEN, Action.ESCALATE})
WORDS: Final = {
    "action": Action,
    "duty": Duty,
    "notice": NoticeKind,
    "reason": RefusalReason,
    "clock": ClockState,
}
"""The lists whose words stand in a shown ticket as texts."""
_PIECE: Final = 1 << 20


@router.get("/tickets")
def list_page(request: Request) -> Response:
    """The tickets that the reader sees, the newest first."""
    parts, principal = parts_of(request), principal_of(request)
    today = civil_day(parts.clock())
    overdue = request.query_params.get("overdue") == "yes"
    wish = Wish(
        state=_state(request),
        reporter=asked(request, "reporter"),
        provider=asked(request, "provider"),
        resource=asked(request, "resource"),
        overdue_on=today if overdue else None,
    )
    before = page_number(request.query_params.get("after", ""))
    found = tickets.all_of(parts, principal, wish, before, PAGE + 1)
    return page(
        request,
        "tickets/list.html",
        rows=found[:PAGE],
        following=found[PAGE - 1].number if len(found) > PAGE else None,
        states=tuple(State),
        filtered=wish != Wish(),
        may_report=_may_report(request),
    )


@router.get("/tickets/new")
def report_page(request: Request) -> Response:
    """The form of a report."""
    require(request, Asked.TICKET_REPORT, own(principal_of(request)))
    at = request.query_params.get("at", "")
    given = {"at": at, "items": "", "statement": "", "key": new_key(request)}
    return _report_form(request, given)


@router.post("/tickets/new")
def report(request: Request, form: Form) -> Response:
    """File a report; its attachments are kept for the parties, of the record keyed hashes."""
    principal = require(request, Asked.TICKET_REPORT, own(principal_of(request)))
    items = [item for item in text(form, "items").replace("，", ",").replace(",", " ").split() if item]
    evidence, files = _evidence(form)
    wanted = tickets.Report(text(form, "at"), items, text(form, "statement"), evidence, files)
    given = {name: text(form, name) for name in ("at", "items", "statement", "key")}
    try:
        answer = tickets.reported(parts_of(request), principal, wanted, key_of(form))
    except NothingThere:
        return _report_form(request, given, (_unknown(request),), Code.INVALID.status)
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _report_form(request, given, document_of(request, error).problems, error.code.status)
    return go(f"/tickets/{answer.number}?done=report")


@router.get("/tickets/{number}")
def ticket_page(request: Request, number: int) -> Response:
    """One ticket as its reader may see it."""
    return _show(request, number)


@router.post("/tickets/{number}/{action}")
def act(request: Request, number: int, action: Action, form: Form) -> Response:
    """Take an action; what stands against it is said beside its form, and nothing has changed."""
    if action in NAMED and text(form, "confirm") != str(number):
        return _show(request, number, tried=action, status=Code.INVALID.status, unconfirmed=True)
    at = text(form, "at")
    evidence, files = _evidence(form) if action in WITH_EVIDENCE else ((), ())
    wanted = tickets.Wanted(
        action,
        Given(
            text=text(form, "text"),
            refusal_reason=_reason(text(form, "refusal_reason")),
            acceptable_if=text(form, "acceptable_if"),
            evidence=evidence,
        ),
        key_of(form),
        page_number(text(form, "version")),
        at if action is Action.REOPEN else None,
        files,
    )
    try:
        tickets.acted(parts_of(request), principal_of(request), number, wanted)
    except NothingThere:
        return _show(request, number, (_unknown(request),), action, Code.INVALID.status)
    except AnswerProblem as error:
        if not error.problems:
            raise
        return _show(request, number, document_of(request, error).problems, action, error.code.status)
    return go(f"/tickets/{number}?done={action.value}")


@router.get("/tickets/{number}/evidence/{sha256}")
def attachment(request: Request, number: int, sha256: str) -> Response:
    """One attachment, to be saved and never shown by the browser itself: nobody knows what it holds."""
    found = tickets.attachment(parts_of(request), principal_of(request), number, sha256)
    disposition = f'attachment; filename="ticket-{number}-{sha256[:12]}"'
    return Response(
        found, media_type="application/octet-stream", headers={"content-disposition": disposition}
    )


def _show(
    request: Request,
    number: int,
    problems: tuple[Problem, ...] = (),
    tried: Action | None = None,
    status: int = 200,
    *,
    unconfirmed: bool = False,
) -> Response:
    shown = tickets.shown(parts_of(request), principal_of(request), number)
    state = State(shown["state"])
    forms = [_form(state, Action(each)) for each in shown["allowed"]]
    return page(
        request,
        "tickets/ticket.html",
        status,
        ticket=shown,
        state=state,
        over=state in TERMINAL,
        forms=forms,
        problems=problems,
        tried=tried,
        unconfirmed=unconfirmed,
        reasons=tuple(RefusalReason),
        files=FILES,
        key=new_key(request),
        words={
            "action": Action,
            "duty": Duty,
            "notice": NoticeKind,
            "reason": RefusalReason,
            "clock": ClockState,
        },
    )


def _form(state: State, action: Action) -> Mapping[str, Any]:
    """What the form of an action asks for: what the life cycle demands."""
    demands = TRANSITIONS[state, action].demands
    return {
        "action": action,
        "text": Demand.TEXT in demands,
        "refusal": Demand.REFUSAL_REASON in demands,
        "record": Demand.REPORTED in demands,
        "evidence": action in WITH_EVIDENCE,
        "named": action in NAMED,
    }


def _report_form(
    request: Request, given: Mapping[str, str], problems: tuple[Problem, ...] = (), status: int = 200
) -> Response:
    return page(
        request,
        "tickets/new.html",
        status,
        given=given,
        problems=problems,
        files=FILES,
    )


def _unknown(request: Request) -> Problem:
    what = speak(request, "no version of a record stands there, or it has not these items")
    remedy = speak(request, "name a record of your grant's topic and its items")
    return Problem("RECORD_UNKNOWN", "at", what, remedy)


def _evidence(form: FormData) -> tuple[tuple[Evidence, ...], tuple[bytes, ...]]:
    """The digests of what was attached, and what of it is small enough to be kept.

    Titles that were typed stand for the names of files.
    """
    titles, found, kept = texts(form, "title"), [], []
    for place, name in enumerate(FILES[:MOST_EVIDENCE]):
        file = upload(form, name)
        if file is None:
            continue
        digest, size, head = hashlib.sha256(), 0, bytearray()
        while piece := file.file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            head += piece if size <= LARGEST_FILE else b""
        title = titles[place] if place < len(titles) else file.filename or ""
        found.append(Evidence(digest.hexdigest(), size, title))
        if size <= LARGEST_FILE:
            kept.append(bytes(head))
    return tuple(found), tuple(kept)


def _reason(value: str) -> RefusalReason | None:
    try:
        return RefusalReason(value)
    except ValueError:
        return None


def _state(request: Request) -> State | None:
    try:
        return State(request.query_params.get("state", ""))
    except ValueError:
        return None


def _may_report(request: Request) -> bool:
    principal = principal_of(request)
    return sees(principal, Asked.TICKET_REPORT, own(principal))
