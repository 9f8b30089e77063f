"""A whole catalogue into the store, in one transaction: all of it, or what stands against it and nothing.

An entry is known by its resource code. A new one is opened as a draft. A draft gets the new content. What is
published or withdrawn gets a new draft beside it. What is under review is not touched: the import is refused.
What says the same as its newest version stays as it is, and so does what the catalogue does not name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, func, select

from services.control.catalogue.checks import entry_problems
from services.control.catalogue.entry import Entry
from services.control.catalogue.lifecycle import (
    Action,
    Actor,
    Dossier,
    Refusal,
    Refused,
    Role,
    State,
    act,
    edit,
    open_dossier,
)
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.text import comparable
from services.control.store.catalogue.dossiers import Change, EntryId, Stored, by_codes, write
from services.control.store.catalogue.tables import ENTRIES

NewId = Callable[[datetime], UUID]
Progress = Callable[[int], None]
"""Takes how many entries were written."""
_LOCK: Final = 4_207_003
_AT_ONCE: Final = 500


class Outcome(StrEnum):
    """What becomes of an entry of the file."""

    OPENED = "opened"
    EDITED = "edited"
    REVISED = "revised"
    UNCHANGED = "unchanged"


class Against(StrEnum):
    """What stands against an entry of the file."""

    NO_CODE = "NO_CODE"
    CODE_TWICE = "CODE_TWICE"
    INVALID = "INVALID"
    UNDER_REVIEW = "UNDER_REVIEW"
    OTHER_DEPARTMENT = "OTHER_DEPARTMENT"
    NAME_TAKEN = "NAME_TAKEN"
    PROVIDER_DIFFERS = "PROVIDER_DIFFERS"


@dataclass(frozen=True, slots=True)
class Clash:
    """Why an entry cannot be taken; ``other`` is what it clashes with, ``number`` its place from 1."""

    number: int
    code: str
    name: str
    against: Against
    other: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was written."""

    outcomes: Mapping[Outcome, int]


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """Everything that stands against the catalogue; nothing was written."""

    clashes: tuple[Clash, ...]


@dataclass(frozen=True, slots=True)
class Loading:
    """Who loads a catalogue, when, why, and by which rules."""

    person: str
    when: datetime
    why: str
    rules: CatalogueRules
    new_id: NewId
    recorder: str = ""
    """The account that enters it, where that is not the one that loads."""


def load(
    connection: Connection,
    entries: Sequence[Entry],
    loading: Loading,
    progress: Progress = lambda _count: None,
) -> Loaded | NotLoaded:
    """Take a catalogue whole; imports wait for one another.

    Raises:
        ReadAgain: somebody changed one of the entries meanwhile; nothing is written if the caller's
            transaction ends with this error.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    clashes = [*_between(connection, entries)]
    changes: list[Change] = []
    outcomes: Counter[Outcome] = Counter()
    for first in range(0, len(entries), _AT_ONCE):
        some = entries[first : first + _AT_ONCE]
        known = by_codes(connection, [entry.code for entry in some if entry.code is not None])
        for number, entry in enumerate(some, start=first + 1):
            before = known.get(str(entry.code))
            found = _next(before, entry, loading)
            if isinstance(found, Against):
                clashes.append(_clash(number, entry, found, before))
                continue
            outcome, after = found
            outcomes[outcome] += 1
            if after is not None:
                changes.append(Change(_id(before, loading), before, after, loading.recorder))
    if clashes:
        return NotLoaded(tuple(sorted(clashes, key=lambda clash: clash.number)))
    for first in range(0, len(changes), _AT_ONCE):
        write(connection, changes[first : first + _AT_ONCE])
        progress(min(first + _AT_ONCE, len(changes)))
    return Loaded(dict(outcomes))


def _id(before: Stored | None, loading: Loading) -> EntryId:
    return EntryId(loading.new_id(loading.when)) if before is None else before.id


def _next(before: Stored | None, entry: Entry, loading: Loading) -> tuple[Outcome, Dossier | None] | Against:
    if entry.code is None:
        return Against.NO_CODE
    who = Actor(loading.person, Role.PROVIDER, entry.provider.credit_code)
    if any(entry_problems(entry, loading.rules)):
        return Against.INVALID
    if before is None:
        return _outcome(Outcome.OPENED, open_dossier(entry, who, loading.when))
    newest = before.dossier.versions[-1]
    if _same(newest.entry, entry):
        return Outcome.UNCHANGED, None
    if before.dossier.department != who.department:
        return Against.OTHER_DEPARTMENT
    if newest.state is State.DRAFT:
        return _outcome(Outcome.EDITED, edit(before.dossier, entry, who, loading.when))
    revised = act(before.dossier, Action.REVISE, who, loading.when, lambda _entry: (), loading.why)
    if isinstance(revised, Refused) and revised.refusal is Refusal.WRONG_STATE:
        return Against.UNDER_REVIEW
    _, draft = _outcome(Outcome.REVISED, revised)
    return _outcome(Outcome.REVISED, edit(draft, entry, who, loading.when))


def _outcome(outcome: Outcome, after: Dossier | Refused) -> tuple[Outcome, Dossier]:
    if isinstance(after, Refused):
        # The cases in which the life refuses were asked for above.
        raise RuntimeError(f"an import was refused: {after.refusal.value}")  # noqa: TRY004 - a defect
    return outcome, after


def _same(stored: Entry, entry: Entry) -> bool:
    """Whether nothing is said anew; the day of publication is the store's to say."""
    return replace(stored, published_on=None) == replace(entry, published_on=None)


def _clash(number: int, entry: Entry, against: Against, before: Stored | None) -> Clash:
    other = ""
    if before is not None:
        last = before.dossier.versions[-1]
        other = last.state.value if against is Against.UNDER_REVIEW else last.entry.provider.name
    return Clash(number, str(entry.code or ""), entry.name, against, other)


def _between(connection: Connection, entries: Sequence[Entry]) -> Iterator[Clash]:
    """What the file says twice, or otherwise than entries of the store that it does not name."""
    own = Counter(str(entry.code) for entry in entries if entry.code is not None)
    columns = (ENTRIES.c.code, ENTRIES.c.name_key, ENTRIES.c.provider, ENTRIES.c.provider_code)
    others = [row for row in connection.execute(select(*columns)) if row.code not in own]
    names = {(row.provider_code, row.name_key): row.code or "" for row in others if row.name_key}
    pairs = _pairs((row.provider, row.provider_code) for row in others)
    for number, entry in enumerate(entries, start=1):
        code, provider = str(entry.code or ""), entry.provider
        if own[code] > 1:
            yield Clash(number, code, entry.name, Against.CODE_TWICE)
        taken = names.get((provider.credit_code, comparable(entry.name)))
        if taken is not None:
            yield Clash(number, code, entry.name, Against.NAME_TAKEN, taken)
        pair = (provider.name, provider.credit_code)
        other = next((pairs[each] for each in pair if each and pairs.get(each, pair) != pair), None)
        if other is not None:
            yield Clash(number, code, entry.name, Against.PROVIDER_DIFFERS, " ".join(other))


def _pairs(found: Iterable[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Name and credit code of each department, by either."""
    return {each: pair for pair in found if all(pair) for each in pair}
