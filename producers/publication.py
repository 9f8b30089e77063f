"""The envelope in which a provider's application publishes directly, and how it is read as a change.

The record's key on the raw topic is the record id as UTF-8 text, so that all changes of one record meet in
one partition in the order in which they were sent.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from producers.debezium import record_id_of
from topics.canonical import partition_of
from topics.event import Change, Operation, SourcePosition, Step, Stopped, StopReason

UPSERT: Final = "upsert"
DELETE: Final = "delete"
_MILLISECOND: Final = timedelta(milliseconds=1)


def publication_schema(item_schema: dict[str, Any]) -> dict[str, Any]:
    """The Avro schema of a published record's value, around the resource's own schema.

    ``version`` rises with every change of one record; ``previous_identity`` is given when a change corrects
    the identity; ``record`` of a delete holds the last known state, with its identity.
    """
    return {
        "type": "record",
        "name": f"Publication{item_schema['name']}",
        "namespace": "govbus.publication",
        "fields": [
            {"name": "version", "type": "long"},
            {"name": "operation", "type": "string"},
            {"name": "previous_identity", "type": ["null", "string"], "default": None},
            {"name": "occurred", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "record", "type": ["null", item_schema]},
        ],
    }


def publication(
    record: Mapping[str, Any],
    operation: str,
    version: int,
    occurred_ms: int,
    previous_identity: str | None,
) -> dict[str, Any]:
    """The value that ``publication_schema`` describes."""
    return {
        "version": version,
        "operation": operation,
        "previous_identity": previous_identity,
        "occurred": occurred_ms,
        "record": dict(record),
    }


def change_from_publication(
    publication: Mapping[str, Any],
    primary_key: tuple[str, ...],
    incarnation: int,
    generation: int,
    raw_offset: int,
) -> Change | Stopped:
    """Read one published record: an upsert is an update without the row before it, so its scope is unknown.

    Args:
        publication: the decoded value.
        primary_key: the items that make the record id, in order.
        incarnation: of the provider.
        generation: the resource's generation at this record.
        raw_offset: offset of the record in its raw partition.
    """
    operation, record = publication.get("operation"), publication.get("record")
    if operation not in (UPSERT, DELETE):
        return _stopped(StopReason.UNKNOWN_OPERATION, f"the operation is neither {UPSERT} nor {DELETE}")
    if not isinstance(record, Mapping):
        return _stopped(StopReason.ITEM_MISSING, f"an {operation} without its record")
    record_id = record_id_of(record, primary_key)
    if record_id is None:
        return _stopped(StopReason.NO_RECORD_ID, f"no value for all of: {', '.join(primary_key)}")
    version, occurred_ms = publication.get("version"), _as_ms(publication.get("occurred"))
    if not isinstance(version, int) or isinstance(version, bool) or version < 0 or occurred_ms is None:
        return _stopped(StopReason.NO_POSITION, "the version or the time of occurrence cannot be read")
    is_delete = operation == DELETE
    previous = publication.get("previous_identity")
    return Change(
        operation=Operation.DELETE if is_delete else Operation.UPDATE,
        record_id=record_id,
        before=dict(record) if is_delete else None,
        after=None if is_delete else dict(record),
        position=SourcePosition(generation, incarnation, version, raw_offset),
        source_time_ms=occurred_ms,
        previous_identity=None if previous is None else str(previous),
    )


def in_its_place(
    change: Change, raw_key: bytes | None, raw_partition: int, partitions: int
) -> Change | Stopped:
    """A published record stands under its record id, or the versions of one record would not meet."""
    if raw_key == change.record_id.encode() and raw_partition == partition_of(change.record_id, partitions):
        return change
    detail = "the raw key or partition is not that of the record id, so its versions cannot be put in order"
    return _stopped(StopReason.WRONG_KEY, detail)


def _as_ms(value: object) -> int | None:
    """Milliseconds since the epoch; fastavro gives a time of day in UTC for the logical type."""
    if isinstance(value, datetime):
        return (value - datetime.fromtimestamp(0, value.tzinfo)) // _MILLISECOND
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _stopped(reason: StopReason, detail: str) -> Stopped:
    return Stopped(Step.INTERPRET, reason, detail)
