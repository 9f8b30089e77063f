"""The start page and the list of tasks: what waits, what is overdue, what is new; each one click away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.security.asking import Asker, asker_of
from services.api.security.cookies import parts_of
from services.api.uses import maintenance, tasks
from services.api.uses.lately import lately_of
from services.api.uses.reach import own, sees
from services.api.uses.task import Kind, Matter, Task
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.cases.words import State as CaseState
from services.control.catalogue.lifecycle import State as EntryState
from services.control.clocks.calendar import civil_day
from services.control.credential_life import Standing
from services.control.demand.words import State as NeedState
from services.control.docket.report_clock import ReportDuty
from services.control.epochs.state import EpochState
from services.control.objections.words import State as ObjectionState
from services.control.replays.life import State as ReplayState
from services.control.store.cases.listing import Breach, breaches
from services.control.store.notices import inbox
from services.control.tickets.words import State as TicketState
from services.portal.forms import go
from services.portal.languages import tongue_of
from services.portal.lists import address_of
from services.portal.operations.asked import page_asked
from services.portal.rendering import page
from services.portal.uses.notices import text_for

router = APIRouter(include_in_schema=False)
_SHOWN: Final = 10
_PER_PAGE: Final = 100
_NEXT: Final = 3
_STATES: Final[dict[Kind, type[StrEnum]]] = {
    Kind.CASE: CaseState,
    Kind.ENTRY: EntryState,
    Kind.TICKET: TicketState,
    Kind.NEED: NeedState,
    Kind.OBJECTION: ObjectionState,
    Kind.REPORT: ReportDuty,
    Kind.CONFLICT: Matter,
    Kind.REPLAY: ReplayState,
    Kind.QUARANTINE: Matter,
    Kind.CREDENTIAL: Standing,
    Kind.VOLUME: EpochState,
}
_FOLDERS: Final = {
    Kind.CASE: "/cases",
    Kind.ENTRY: "/catalogue/entries",
    Kind.TICKET: "/tickets",
    Kind.NEED: "/demand",
    Kind.OBJECTION: "/objections",
    Kind.REPORT: "/reports",
    Kind.CONFLICT: "/conflicts",
    Kind.REPLAY: "/replays",
    Kind.QUARANTINE: "/quarantine",
    Kind.CREDENTIAL: "/credentials",
    Kind.VOLUME: "/volumes",
}
_BY_NUMBER: Final = frozenset({Kind.TICKET, Kind.NEED, Kind.OBJECTION, Kind.REPLAY})
"""What has its page under its number."""
_BY_NAME: Final = frozenset({Kind.CONFLICT, Kind.QUARANTINE, Kind.VOLUME})
"""What has its page under its name."""
_ON_ONE_PAGE: Final = frozenset({Kind.REPORT, Kind.CREDENTIAL})
"""What has all of them on one page."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task as a page shows it: its page and the word for its state."""

    task: Task
    path: str
    state: StrEnum

    @property
    def overdue(self) -> bool:
        """Whether its last day is over."""
        return self.task.days_left is not None and self.task.days_left < 0


@router.get("/")
def start_page(request: Request) -> Response:
    """What a person needs first."""
    asker = asker_of(request)
    if asker.person.must_change_password:
        return go("/account?first=yes")
    parts = parts_of(request)
    waiting = _waiting(request, asker)
    with parts.database.reading() as connection:
        late = [each for each in breaches(connection, civil_day(parts.clock())) if _sees(asker, each)]
        received = inbox.page(connection, asker.person.department, asker.name, limit=5)
        unread = inbox.unread_count(connection, asker.person.department, asker.name)
    tongue = tongue_of(request)
    return page(
        request,
        "start.html",
        tasks=waiting[:_SHOWN],
        count=len(waiting),
        late=[each for each in waiting if each.overdue],
        overdue=late[:_SHOWN],
        received=[(each, text_for(each.happened, tongue)) for each in received],
        unread=unread,
        coming=_coming(request, asker),
    )


@router.get("/tasks")
def tasks_page(request: Request) -> Response:
    """Everything that waits for a person."""
    waiting, here = _waiting(request, asker_of(request)), address_of(request)
    kinds = {kind.value: sum(each.task.kind is kind for each in waiting) for kind in Kind}
    shown = [
        each
        for each in waiting
        if here.get("kind") in ("", each.task.kind.value) and (each.overdue or not here.get("late"))
    ]
    number = page_asked(request)
    begin, end = (number - 1) * _PER_PAGE, number * _PER_PAGE
    return page(
        request,
        "tasks.html",
        tasks=_sorted(shown, here.get("sort"))[begin:end],
        following=number + 1 if end < len(shown) else None,
        count=len(waiting),
        kinds=kinds,
        late=[each for each in waiting if each.overdue],
    )


def _waiting(request: Request, asker: Asker) -> list[Waiting]:
    found = tasks.of(parts_of(request), asker.principal, tasks.MOST, lately_of(request))
    return [Waiting(each, _path(each), _STATES[each.kind](each.state)) for each in found]


def _path(task: Task) -> str:
    folder = _FOLDERS[task.kind]
    if task.kind in _ON_ONE_PAGE:
        return folder
    if task.kind in _BY_NAME:
        return f"{folder}/{quote(task.name)}"
    return f"{folder}/{task.number if task.kind in _BY_NUMBER else task.id}"


def _sorted(waiting: Sequence[Waiting], sort: str) -> list[Waiting]:
    keys: dict[str, Callable[[Waiting], Any]] = {
        "number": lambda each: each.task.number or 0,
        "name": lambda each: each.task.name,
        "state": lambda each: each.task.state,
        "other": lambda each: each.task.department,
        "due": lambda each: (each.task.due_on is None, str(each.task.due_on)),
        "since": lambda each: each.task.since,
    }
    key = keys.get(sort.removeprefix("-"))
    return list(waiting) if key is None else sorted(waiting, key=key, reverse=sort.startswith("-"))


def _coming(request: Request, asker: Asker) -> list[maintenance.Planned]:
    """The next maintenance; nothing for whoever has no role yet."""
    if not sees(asker.principal, Action.CATALOGUE_LOOK, own(asker.principal)):
        return []
    return maintenance.coming(parts_of(request), asker.principal)[:_NEXT]


def _sees(asker: Asker, breach: Breach) -> bool:
    return sees(asker.principal, Action.CASE_LOOK, Whose(breach.provider, breach.consumer))
