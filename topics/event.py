"""The vocabulary of the event path: records, changes, positions and the outcomes that a stage may return.

Everything here is an immutable value. A stage takes one of these and returns another; it never raises for
bad data (see ``Stopped``), so that nothing can be dropped in silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

TopicName = NewType("TopicName", str)
ProviderId = NewType("ProviderId", str)
ConsumerId = NewType("ConsumerId", str)
GrantId = NewType("GrantId", str)
ResourceId = NewType("ResourceId", str)
"""``<domain>.<name>.v<N>``"""
RecordId = NewType("RecordId", str)
"""The source's primary key as text; a JSON array where it has several parts."""
SchemaId = NewType("SchemaId", int)
PolicyNumber = NewType("PolicyNumber", int)

Headers = tuple[tuple[str, bytes], ...]
Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """One record as it was read from a topic, bytes untouched."""

    topic: TopicName
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def coordinates(self) -> str:
        """``topic:partition:offset``, the name of this record everywhere."""
        return f"{self.topic}:{self.partition}:{self.offset}"

    def header(self, name: str) -> bytes | None:
        """The last header of that name, or None."""
        return next((value for key, value in reversed(self.headers) if key == name), None)


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """One record to be written; ``partition`` is always decided by the line, never by a client's hash."""

    topic: TopicName
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Operation(StrEnum):
    """What happened at the source."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    READ = "read"


@dataclass(frozen=True, slots=True, order=True)
class SourcePosition:
    """Where a change stands in its source; later changes of one canonical key compare greater.

    ``generation`` rises with a full-volume epoch, ``incarnation`` with a new slot or timeline of the source,
    ``commit`` is the commit position (an LSN; a version for direct publishers), ``ordinal`` orders within it
    (the raw offset of the change, kept by a release).
    """

    generation: int
    incarnation: int
    commit: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class Change:
    """A provider's change in the provider's own columns, whichever way it came in."""

    operation: Operation
    record_id: RecordId
    before: Record | None
    after: Record | None
    position: SourcePosition
    source_time_ms: int
    previous_identity: str | None = None
    """Only from direct publishers, who have no ``before``."""

    @property
    def row(self) -> Record | None:
        """The row that the change is about: after it, or for a delete before it."""
        return self.before if self.operation is Operation.DELETE else self.after


@dataclass(frozen=True, slots=True)
class EntityKey:
    """The canonical key: who the record is about and which of the source's rows it is."""

    identity: str
    """Kind and number, e.g. ``resident_id:11010519491231002X``."""
    record_id: RecordId


class Step(StrEnum):
    """The stages of the gate, in order; a stopped event names the one that stopped it."""

    DECODE = "decode"
    INTERPRET = "interpret"
    VERSION = "version"
    IDENTIFY = "identify"
    ONE_SOURCE = "one-source"
    ASSESS = "assess"
    RELEASE = "release"
    ENCODE = "encode"


class StopReason(StrEnum):
    """Why an event is in quarantine: a closed list, documented in docs/reasons.md."""

    UNDECODABLE = "UNDECODABLE"
    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"
    TOO_LARGE = "TOO_LARGE"
    UNKNOWN_SOURCE = "UNKNOWN_SOURCE"
    UNKNOWN_OPERATION = "UNKNOWN_OPERATION"
    NO_RECORD_ID = "NO_RECORD_ID"
    NO_POSITION = "NO_POSITION"
    WRONG_KEY = "WRONG_KEY"
    VERSION_REUSED = "VERSION_REUSED"
    ITEM_MISSING = "ITEM_MISSING"
    ITEM_UNAVAILABLE = "ITEM_UNAVAILABLE"
    CONVERSION_FAILED = "CONVERSION_FAILED"
    IDENTITY_MISSING = "IDENTITY_MISSING"
    IDENTITY_INVALID = "IDENTITY_INVALID"
    PREVIOUS_STATE_MISSING = "PREVIOUS_STATE_MISSING"
    NOT_THE_SOURCE = "NOT_THE_SOURCE"
    QUALITY = "QUALITY"
    DOES_NOT_FIT_SCHEMA = "DOES_NOT_FIT_SCHEMA"
    INTERNAL = "INTERNAL"


class ControlReason(StrEnum):
    """Raw records that carry no change of a record."""

    TOMBSTONE = "TOMBSTONE"
    TRUNCATE = "TRUNCATE"
    MESSAGE = "MESSAGE"
    WITHDRAWAL_ANNOUNCED = "WITHDRAWAL_ANNOUNCED"


class SupersededReason(StrEnum):
    """Why nothing came of a release or a late version: an older record never overwrites a newer one."""

    NOTHING_PENDING = "NOTHING_PENDING"
    OLDER_THAN_PENDING = "OLDER_THAN_PENDING"
    OLDER_VERSION = "OLDER_VERSION"


class WithheldReason(StrEnum):
    """Why a grant delivered nothing of a canonical record: a closed list, documented in docs/reasons.md."""

    NO_GRANT = "NO_GRANT"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"
    OUTSIDE_ROWS = "OUTSIDE_ROWS"
    FILLED_BY_EPOCH = "FILLED_BY_EPOCH"
    INTERNAL = "INTERNAL"


class EndedReason(StrEnum):
    """Why no fan-out's decision of a record can be shown: a closed list, documented in docs/reasons.md."""

    STOPPED_AT_GATE = "STOPPED_AT_GATE"
    CONTROL_AT_GATE = "CONTROL_AT_GATE"
    DUPLICATE_AT_GATE = "DUPLICATE_AT_GATE"
    SUPERSEDED_AT_GATE = "SUPERSEDED_AT_GATE"
    CANONICAL_REPLACED = "CANONICAL_REPLACED"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The event goes to quarantine with its original bytes; ``detail`` holds no personal data."""

    step: Step
    reason: StopReason
    detail: str
    rules: tuple[str, ...] = ()
