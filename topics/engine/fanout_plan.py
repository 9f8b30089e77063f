"""A fan-out compiled for one writer's schema: which bytes of a canonical record go where, as plain numbers.

Both fast engines read it. What a plan cannot say (``rest``) is decided by the reference.
"""

import dataclasses
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from topics.engine.skip import Code

NEVER: Final = -1
"""Instead of a predicate's number: no record matches."""


class Action(IntEnum):
    """What happens to a value that is there, between its bytes and the bytes delivered."""

    SLICE = 0
    LONG_TO_FLOAT = 1
    LONG_TO_DOUBLE = 2
    FLOAT_TO_DOUBLE = 3
    BYTES_TO_TEXT = 4
    PARTIAL = 5
    HASH = 6
    YEAR = 7
    PREFIX = 8


@dataclass(frozen=True, slots=True)
class Walk:
    """How one field is walked over: its code, the index of its null branch (-1: none), what the code needs.

    ``place`` is where the skip program of a nested type begins; such a field is walked over, never delivered.
    """

    code: Code
    null: int = -1
    size: int = 0
    place: int = -1


@dataclass(frozen=True, slots=True)
class Copy:
    """The bytes from the begin of one field to the begin of another."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Constant:
    """The same bytes for every record."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Convert:
    """One field, changed.

    ``null_from`` and ``null_to`` are the null branches before and after, -1 where there is none. A null that
    may not be delivered is a defect of the grant's schema and withheld as such.
    """

    field: int
    null_from: int
    null_to: int
    action: Action
    first: int = 0
    last: int = 0
    secret: bytes = dataclasses.field(default=b"", repr=False)
    label: bytes = b""


Op = Copy | Constant | Convert


@dataclass(frozen=True, slots=True)
class Predicate:
    """Whether the bytes of one field are among these."""

    in_state: bool
    field: int
    allowed: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class GrantPlan:
    """One grant: predicates that must all hold, now and before, and which projection it gets."""

    index: int
    projection: int
    inside: tuple[int, ...]
    before: tuple[int, ...] | None
    """None: the previous record cannot tell, a tombstone is owed."""


@dataclass(frozen=True, slots=True)
class CompiledFanout:
    """A fan-out for one writer's schema."""

    program: tuple[int, ...]
    marks_place: int
    previous: tuple[Walk, ...]
    state: tuple[Walk, ...]
    predicates: tuple[Predicate, ...]
    projections: tuple[tuple[Op, ...], ...]
    grants: tuple[GrantPlan, ...]
    rest: tuple[tuple[int, str], ...]
    """Grants left to the reference, by their index in the spec, each with the reason."""
