"""The list of breaches as pages and the API show it: of what somebody may look at, and no more."""

from dataclasses import replace
from functools import partial

from services.api.parts import Parts
from services.api.uses.reach import own, sees, visible_to
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.store.breaches import Breach, Kind, Wish, breaches
from services.control.store.clocks.calendars import read_calendar
from services.control.store.parties import Parties

_LOOKS = {
    Kind.CASE: Action.CASE_LOOK,
    Kind.TICKET: Action.TICKET_LOOK,
    Kind.ENTRY: Action.CATALOGUE_LOOK_UNPUBLISHED,
    Kind.OBJECTION: Action.OBJECTION_LOOK,
    Kind.REPORT: Action.REPORT_LOOK,
}


def listed(
    parts: Parts, principal: Principal, wish: Wish, start: int = 0, limit: int = 50
) -> tuple[list[Breach], int]:
    """Breaches that somebody sees, the oldest first, and how many there are.

    Args:
        parts: what requests are answered with.
        principal: who asks.
        wish: which.
        start: how many are passed over.
        limit: how many at most, each with its article.
    """
    asked = replace(
        wish,
        cases_of=visible_to(parts, principal, Action.CASE_LOOK),
        tickets_of=_tickets_of(parts, principal),
        sees=partial(_sees, principal),
    )
    with parts.database.reading() as connection:
        return breaches(connection, read_calendar(connection), parts.clock(), asked, start, limit)


def _tickets_of(parts: Parts, principal: Principal) -> Parties | None:
    """Who may not look at tickets sees cases alone."""
    if not sees(principal, Action.TICKET_LOOK, own(principal)):
        return Parties()
    return visible_to(parts, principal, Action.TICKET_LOOK)


def _sees(principal: Principal, breach: Breach) -> bool:
    return sees(principal, _LOOKS[breach.kind], Whose(breach.provider, breach.consumer))
