"""The list of breaches as pages and the API show it: of what somebody may look at, and no more."""

from dataclasses import replace

from services.api.parts import Parts
from services.api.uses.reach import sees, visible_to
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.store.breaches import Breach, Kind, Wish, breaches, sourced
from services.control.store.clocks.calendars import read_calendar

_LOOKS = {
    Kind.CASE: Action.CASE_LOOK,
    Kind.TICKET: Action.TICKET_LOOK,
    Kind.ENTRY: Action.CATALOGUE_LOOK_UNPUBLISHED,
    Kind.OBJECTION: Action.OBJECTION_LOOK,
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
    asked = replace(wish, visible_to=visible_to(parts, principal, Action.CASE_LOOK))
    with parts.database.reading() as connection:
        found = breaches(connection, read_calendar(connection), parts.clock(), asked)
        seen = [each for each in found if _sees(principal, each)]
        return sourced(connection, seen[start : start + limit]), len(seen)


def _sees(principal: Principal, breach: Breach) -> bool:
    return sees(principal, _LOOKS[breach.kind], Whose(breach.provider, breach.consumer))
