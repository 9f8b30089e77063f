"""The demand list: what departments need, merged for each resource and item, with who needs it and why.

Needs are for the same data where they lead to the same entry, or are called the same but for spaces, width,
case and punctuation; the authority may give several one name when it assigns them. (Requirement A2-09.)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from services.control.catalogue.text import comparable
from services.control.demand.words import DeclineReason, State

OVER = frozenset({State.DECLINED, State.WITHDRAWN})
"""What drives the catalogue no longer."""


@dataclass(frozen=True, slots=True)
class NeedLine:
    """A need as lists show it."""

    id: UUID
    number: int
    version: int
    department: str
    stated_at: datetime
    moved_at: datetime
    subject: str
    items: tuple[str, ...]
    scenario: str
    basis_document: str
    basis_article: str
    state: State
    assigned_to: str | None
    code: str | None
    """Of the entry that has the data, or was begun for it and has a code by now."""
    entry: str | None
    """The id of the entry that was begun for it."""
    published: bool
    """Whether the data stands in the published catalogue."""
    reason: DeclineReason | None
    answer: str
    """What was said when it was declined."""


@dataclass(frozen=True, slots=True)
class ItemWanted:
    """An item, and the departments that need it."""

    item: str
    departments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Demanded:
    """Data that is needed: under which name and entry, by whom and why, item by item."""

    subject: str
    code: str | None
    published: bool
    assigned_to: tuple[str, ...]
    departments: tuple[str, ...]
    needs: tuple[NeedLine, ...]
    items: tuple[ItemWanted, ...]


class NeedKey(NamedTuple):
    """What it takes to merge a need, and no more: of thousands of needs a page shows a few."""

    number: int
    department: str
    subject: str
    state: State
    code: str | None
    entry: str | None


Mergeable = TypeVar("Mergeable", NeedLine, NeedKey)


def demand_list(needs: Iterable[NeedLine]) -> tuple[Demanded, ...]:
    """Merge needs, those of the most departments first; what was declined or withdrawn is left out.

    Args:
        needs: in the order in which they were stated; the first one names what is merged.
    """
    return tuple(map(_demanded, merged(needs)))


def merged(needs: Iterable[Mergeable]) -> list[list[Mergeable]]:
    """The needs for the same data together, in the order of the demand list; see ``demand_list``."""
    wanted = [each for each in needs if each.state not in OVER]
    places = {comparable(each.subject): _place(each) for each in wanted if _place(each)}
    found: dict[str, list[Mergeable]] = {}
    for each in wanted:
        key = comparable(each.subject)
        found.setdefault(_place(each) or places.get(key) or f"name {key}", []).append(each)
    return sorted(
        found.values(), key=lambda some: (-len({each.department for each in some}), some[0].subject)
    )


def _place(need: NeedLine | NeedKey) -> str:
    """The entry that a need leads to; empty where there is none yet."""
    return need.code or need.entry or ""


def _demanded(needs: list[NeedLine]) -> Demanded:
    return Demanded(
        subject=needs[0].subject,
        code=next((each.code for each in needs if each.code), None),
        published=any(each.published for each in needs),
        assigned_to=_once(each.assigned_to for each in needs if each.assigned_to),
        departments=_once(each.department for each in needs),
        needs=tuple(needs),
        items=_items(needs),
    )


def _items(needs: list[NeedLine]) -> tuple[ItemWanted, ...]:
    names: dict[str, str] = {}
    who: dict[str, list[str]] = {}
    for need in needs:
        for item in need.items:
            key = comparable(item)
            names.setdefault(key, item)
            who.setdefault(key, []).append(need.department)
    return tuple(ItemWanted(name, _once(who[key])) for key, name in names.items())


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
