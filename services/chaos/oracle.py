"""What must become of each event of a chaos run, by rules of its own; pure.

The gate's and the fan-out's lines are not called here. What a row alone leads to is said by the sample city's
oracle; what its history adds (withdrawals, previous scopes, tombstones) is worked out below from the table of
what was accepted, and not from the entries of stopped keys that the gate keeps.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Final

from services.chaos.workload import Event, Kind, Person
from services.demo.oracle import expect_person
from services.demo.rows import ACCEPTED, PersonRow

_EPOCH: Final = date(1970, 1, 1)
_TODAY: Final = date(2026, 1, 1)
_SOME_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
CONTROL: Final = "control"
_GARBAGE: Final = ("UNDECODABLE", "UNKNOWN_SCHEMA")
Items = tuple[tuple[str, object], ...]


class Form(IntEnum):
    """What kind of record a change leads to."""

    STATE = 0
    LAST = 1
    """The canonical record before a tombstone: it says what the scope was."""
    TOMBSTONE = 2


@dataclass(frozen=True, slots=True)
class Effect:
    """One canonical record that must stand in its topic."""

    identity: str
    row: int
    form: Form
    operation: str
    known: bool
    """Whether the previous scope can be told."""
    previous: str | None
    """The district before; None where there was no record before, or it cannot be told."""
    state: Person | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of one raw record: accepted, control, or the reason for which it is stopped."""

    outcome: str
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """One grant as the oracle sees it."""

    grant: str
    topic: str
    district: str | None
    """The one district that the grant shows, or None for all."""
    shown: Callable[[Person], Items]


def school_places(person: Person) -> Items:
    """Items of the grant education-persons: first character, year of birth, district."""
    name = person.name or ""
    born = (_EPOCH + timedelta(days=person.birth_date)).replace(month=1, day=1)
    return (
        ("birth_date", (born - _EPOCH).days),
        ("household_district", person.household_district[:6]),
        ("name", name[:1] + "*" * (len(name) - 1)),
    )


def everything(person: Person) -> Items:
    """Every item, sorted by name."""
    return tuple((name, getattr(person, name)) for name in sorted(Person.__slots__))


@dataclass(slots=True)
class _Pending:
    """A row with a stopped change since its last accepted one."""

    known: bool
    identity: str | None


class Oracle:
    """Takes the events in their order and says what each must lead to."""

    def __init__(self) -> None:
        self._accepted: dict[int, str] = {}
        """Row → identity under which it stands in the canonical topic."""
        self._source: dict[int, Person] = {}
        self._pending: dict[int, _Pending] = {}

    def judge(self, event: Event) -> Judgement:
        """What must become of the next event."""
        if event.kind is Kind.TOMBSTONE:
            return Judgement(CONTROL)
        if event.kind is Kind.GARBAGE:
            self._pending.setdefault(event.row, _Pending(False, None))
            return Judgement(garbage_reason(event))
        if event.kind is Kind.DELETE:
            return Judgement(ACCEPTED, tuple(self._deleted(event)))
        outcome = _outcome(event.after)
        if outcome != ACCEPTED:
            self._stopped(event)
            return Judgement(outcome)
        return Judgement(ACCEPTED, tuple(self._changed(event)))

    def _stopped(self, event: Event) -> None:
        known = self._accepted.get(event.row)
        self._pending.setdefault(event.row, _Pending(True, known))

    def _changed(self, event: Event) -> Iterator[Effect]:
        after, before, pending = event.after, event.before, self._pending.pop(event.row, None)
        if after is None:
            raise ValueError(f"event {event.number} has no row")
        identity, told = _identity(after), None if before is None else _valid_identity(before)
        left = pending.identity if pending is not None and pending.known else told
        if left is not None and left != identity:
            # Only the change itself can tell the old scope, and only where nothing was stopped in between.
            old = before if pending is None or not pending.known else None
            yield from _withdrawal(left, event.row, old, with_state=True)
        known, previous = self._previous(event, identity, told, pending)
        operation = "create" if event.kind is Kind.CREATE else "update"
        self._accepted[event.row] = identity
        yield Effect(identity, event.row, Form.STATE, operation, known, previous, after)

    def _previous(
        self, event: Event, identity: str, told: str | None, pending: _Pending | None
    ) -> tuple[bool, str | None]:
        if pending is not None:
            return False, None
        if event.before is None:
            return True, None
        return (True, event.before.household_district) if told == identity else (True, None)

    def _deleted(self, event: Event) -> Iterator[Effect]:
        before, pending = event.before, self._pending.pop(event.row, None)
        if before is None:
            raise ValueError(f"event {event.number} deletes nothing")
        self._accepted.pop(event.row, None)
        if pending is None:
            yield from _withdrawal(_identity(before), event.row, before, with_state=True)
            return
        left = pending.identity if pending.known else _valid_identity(before)
        if left is not None:
            yield from _withdrawal(left, event.row, None, with_state=False)


def delivery(effect: Effect, view: View) -> tuple[Form, Items] | None:
    """What the grant's topic must hold of a canonical record; None where nothing is owed."""
    if effect.form is Form.TOMBSTONE:
        return None
    state = effect.state if effect.form is Form.STATE else None
    if state is not None and view.district in (None, state.household_district):
        return Form.STATE, view.shown(state)
    if not effect.known:
        return Form.TOMBSTONE, ()
    if effect.previous is None or view.district not in (None, effect.previous):
        return None
    return Form.TOMBSTONE, ()


def pseudonym(master: bytes, grant: str, identity: str, row: int) -> str:
    """The key on a grant's topic."""
    own = _key_of_grant(master, grant)
    return hmac.new(own, _joined("record-key", identity, str(row)), hashlib.sha256).hexdigest()[:32]


@lru_cache(maxsize=100)
def _key_of_grant(master: bytes, grant: str) -> bytes:
    return hmac.new(master, _joined("grant-key", grant, "1"), hashlib.sha256).digest()


def partition_of(identity: str, partitions: int) -> int:
    """The canonical partition of an identity."""
    return int(hashlib.sha256(identity.encode()).hexdigest()[:16], 16) % partitions


def garbage_reason(event: Event) -> str:
    """Why garbage is stopped; ``services.chaos.envelopes`` makes it of the same number."""
    return _GARBAGE[event.number % 2]


def _withdrawal(identity: str, row: int, old: Person | None, *, with_state: bool) -> Iterator[Effect]:
    """A last record with its scope, then the tombstone."""
    scope = None if old is None else old.household_district
    state = old if with_state else None
    yield Effect(identity, row, Form.LAST, "delete", old is not None, scope, state)
    yield Effect(identity, row, Form.TOMBSTONE, "delete", old is not None, scope, None)


def _identity(person: Person) -> str:
    return f"resident_id:{person.id_number}"


def _valid_identity(person: Person) -> str | None:
    """The identity of a row that may have been refused: a number with a wrong check digit names nobody."""
    return None if _outcome(person) == "IDENTITY_INVALID" else _identity(person)


def _outcome(person: Person | None) -> str:
    if person is None:
        raise ValueError("a change without a row")
    return _judged(person.id_number, person.name, person.birth_date, person.sex, person.household_district)


@lru_cache(maxsize=200_000)
def _judged(id_number: str, name: str | None, birth_date: int, sex: str, district: str) -> str:
    born = _EPOCH + timedelta(days=birth_date)
    row = PersonRow(0, id_number, name, born, sex, "somewhere", district, _SOME_TIME)
    found = expect_person(row, _TODAY)
    if found.marks:
        raise ValueError("the stream's rows are right or wrong, never marked")
    return found.outcome


def _joined(*parts: str) -> bytes:
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
