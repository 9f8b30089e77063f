"""Reads Debezium's envelope of a captured row as a change: pure, after the Avro bytes were decoded.

The commit position is the end of the last transaction that was committed before the change, from
``source.sequence`` (``["<last commit>","<own>"]``), and not ``source.lsn``: PostgreSQL streams transactions
in the order of their commits, while their own positions may overlap. It never falls within an incarnation;
what shares it is ordered by the raw offset. Before the first commit was seen there is none: a row of the
first snapshot then stands at 0, before everything that streams, and a streamed change at its own position,
which is before the end of its transaction and so before the next one's.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from topics.event import (
    Change,
    ControlReason,
    Headers,
    Operation,
    Record,
    RecordId,
    SourcePosition,
    Step,
    Stopped,
    StopReason,
)

INCARNATION_HEADER: Final = "govbus.incarnation"
"""Header of every captured raw record: the incarnation of its source, as decimal digits."""

UNAVAILABLE: Final = "__debezium_unavailable_value"
"""Stands where PostgreSQL did not send a large value that an update left alone. Never data."""

_UNAVAILABLE_BYTES: Final = UNAVAILABLE.encode()
_OPERATIONS: Final = {
    "c": Operation.CREATE,
    "u": Operation.UPDATE,
    "d": Operation.DELETE,
    "r": Operation.READ,
}
_LONGEST_INCARNATION: Final = 18


def is_unavailable(value: object) -> bool:
    """Whether the value is Debezium's placeholder: as text, as bytes, or alone inside an array or map."""
    if isinstance(value, str):
        return value == UNAVAILABLE
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value) == _UNAVAILABLE_BYTES
    if isinstance(value, Mapping):
        return len(value) == 1 and all(is_unavailable(part) for part in (*value.keys(), *value.values()))
    if isinstance(value, Sequence):
        return _is_unavailable_array(value)
    return False


def _is_unavailable_array(values: Sequence[object]) -> bool:
    if len(values) == 1:
        return is_unavailable(values[0])
    # Arrays of numbers hold the placeholder's bytes one by one.
    if len(values) != len(_UNAVAILABLE_BYTES):
        return False
    return all(
        not isinstance(part, bool) and part == code
        for part, code in zip(values, _UNAVAILABLE_BYTES, strict=True)
    )


def incarnation_of(headers: Headers) -> int | None:
    """The incarnation that a raw record carries; None if it carries none that can be read."""
    found = next((value for name, value in reversed(headers) if name == INCARNATION_HEADER), None)
    if found is None or not found.isdigit() or len(found) > _LONGEST_INCARNATION:
        return None
    return int(found)


def change_from_envelope(
    key: Mapping[str, Any] | None,
    envelope: Mapping[str, Any] | None,
    primary_key: tuple[str, ...],
    incarnation: int,
    generation: int,
    raw_offset: int,
) -> Change | Stopped | ControlReason:
    """Read one captured record.

    Args:
        key: the decoded key, the columns of the primary key.
        envelope: the decoded value; None for a tombstone.
        primary_key: the declared columns of the primary key, in order.
        incarnation: the source's incarnation (see ``incarnation_of``).
        generation: the resource's generation at this record.
        raw_offset: offset of the record in its raw partition.

    Returns:
        The change; or why the record carries none; or why it cannot be read.
    """
    if envelope is None:
        return ControlReason.TOMBSTONE
    operation = envelope.get("op")
    if operation == "t":
        return ControlReason.TRUNCATE
    if operation == "m":
        return ControlReason.MESSAGE
    if not isinstance(operation, str) or operation not in _OPERATIONS:
        return _stopped(
            StopReason.UNKNOWN_OPERATION, "the envelope has none of the operations c, u, d, r, t, m"
        )
    return _change(
        key or {}, envelope, _OPERATIONS[operation], primary_key, (generation, incarnation, raw_offset)
    )


def _change(
    key: Mapping[str, Any],
    envelope: Mapping[str, Any],
    operation: Operation,
    primary_key: tuple[str, ...],
    place: tuple[int, int, int],
) -> Change | Stopped:
    record_id = record_id_of(key, primary_key)
    if record_id is None:
        return _stopped(StopReason.NO_RECORD_ID, f"the key has no value for all of: {', '.join(primary_key)}")
    before, after = _row(envelope.get("before")), _row(envelope.get("after"))
    if operation is Operation.DELETE and before is None:
        return _stopped(StopReason.PREVIOUS_STATE_MISSING, "a delete without the row before it")
    if operation is not Operation.DELETE and after is None:
        return _stopped(StopReason.ITEM_MISSING, f"a {operation} without the row after it")
    source = _row(envelope.get("source")) or {}
    commit, time_ms = commit_position(source, operation), source.get("ts_ms")
    if commit is None or not isinstance(time_ms, int):
        return _stopped(StopReason.NO_POSITION, "source has no sequence, lsn or ts_ms that can be read")
    generation, incarnation, raw_offset = place
    return Change(
        operation=operation,
        record_id=record_id,
        before=before,
        after=None if operation is Operation.DELETE else after,
        position=SourcePosition(generation, incarnation, commit, raw_offset),
        source_time_ms=time_ms,
    )


def commit_position(source: Mapping[str, Any], operation: Operation) -> int | None:
    """The commit position as the module says; None if the source block has none that can be read."""
    last_commit, own = _sequence(source.get("sequence"))
    if last_commit is not None:
        return last_commit
    if operation is Operation.READ:
        return 0
    lsn = source.get("lsn")
    return lsn if _is_position(lsn) else own


def record_id_of(values: Mapping[str, Any], primary_key: tuple[str, ...]) -> RecordId | None:
    """The values of the primary key as text, as a JSON array if there are several; None if one is missing."""
    parts = [_as_text(values.get(column)) for column in primary_key]
    texts = [part for part in parts if part is not None]
    if not texts or len(texts) != len(parts):
        return None
    if len(texts) == 1:
        return RecordId(texts[0])
    return RecordId(json.dumps(texts, ensure_ascii=False, separators=(",", ":")))


def _sequence(text: object) -> tuple[int | None, int | None]:
    if not isinstance(text, str):
        return None, None
    try:
        parts = json.loads(text)
    except ValueError:
        return None, None
    if not isinstance(parts, list) or len(parts) != 2:
        return None, None
    return _as_position(parts[0]), _as_position(parts[1])


def _as_position(part: object) -> int | None:
    if isinstance(part, str) and part.isascii() and part.isdigit() and len(part) <= 20:
        return int(part)
    return None


def _is_position(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _as_text(value: object) -> str | None:
    """A value of a primary key as text; the same value always gives the same text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, Decimal, UUID)):
        return str(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return None


def _row(part: object) -> Record | None:
    """A part of the envelope that holds columns; None for what somebody else's schema put in its place."""
    return dict(part) if isinstance(part, Mapping) else None


def _stopped(reason: StopReason, detail: str) -> Stopped:
    return Stopped(Step.INTERPRET, reason, detail)
