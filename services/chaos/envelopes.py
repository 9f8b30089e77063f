"""Writes the events of a chaos run as Debezium and Connect would: envelopes, keys, headers; pure."""

from dataclasses import asdict
from typing import Any, Final

from producers.debezium import INCARNATION_HEADER
from services.chaos.workload import Event, Kind, Person
from topics.engine.reference import ReferenceCodec
from topics.event import Headers, SchemaId
from topics.wire import frame

EVENT_HEADER: Final = "chaos-event"
"""Number of the event in the stream, as decimal digits."""
NO_SUCH_SCHEMA: Final = SchemaId(999_999_999)

_TEXT: Final = ["null", "string"]
_ROW: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Value",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "id_number", "type": _TEXT, "default": None},
        {"name": "name", "type": _TEXT, "default": None},
        {"name": "birth_date", "type": ["null", "int"], "default": None},
        {"name": "sex", "type": _TEXT, "default": None},
        {"name": "address", "type": _TEXT, "default": None},
        {"name": "household_district", "type": _TEXT, "default": None},
        {"name": "updated_at", "type": ["null", "long"], "default": None},
    ],
}
KEY_SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Key",
    "namespace": "raw.police.public.person",
    "fields": [{"name": "id", "type": "long"}],
}
ENVELOPE_SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Envelope",
    "namespace": "raw.police.public.person",
    "fields": [
        {"name": "before", "type": ["null", _ROW], "default": None},
        {"name": "after", "type": ["null", "Value"], "default": None},
        {
            "name": "source",
            "type": {
                "type": "record",
                "name": "Source",
                "fields": [
                    {"name": "ts_ms", "type": "long"},
                    {"name": "snapshot", "type": _TEXT, "default": None},
                    {"name": "sequence", "type": _TEXT, "default": None},
                    {"name": "lsn", "type": ["null", "long"], "default": None},
                ],
            },
        },
        {"name": "op", "type": "string"},
    ],
}
_OPERATIONS: Final = {Kind.CREATE: "c", Kind.DELETE: "d"}
_TIME_MS: Final = 1_790_000_000_000
"""When the source says that it committed the first event: the same in each run, and long ago."""
MARKS: Final = ("timeliness",)
"""So every accepted change is late, and marked for it."""


def commit_of(event: Event) -> int:
    """The commit position that the event's envelope claims."""
    return event.number * 10


class Envelopes:
    """Encodes events under the ids that the registry gave."""

    def __init__(self, key_schema: SchemaId, value_schema: SchemaId) -> None:
        self._key_id, self._value_id = key_schema, value_schema
        self._key, self._value = ReferenceCodec(KEY_SCHEMA), ReferenceCodec(ENVELOPE_SCHEMA)

    def key(self, event: Event) -> bytes:
        """The raw key: the row's primary key."""
        return frame(self._key_id, self._key.encode({"id": event.row}))

    def value(self, event: Event) -> bytes | None:
        """The raw value; None after a delete, bytes without sense for garbage."""
        if event.kind is Kind.TOMBSTONE:
            return None
        if event.kind is Kind.GARBAGE:
            return _garbage(event, self._value_id)
        commit = commit_of(event)
        envelope = {
            "before": _row(event.row, event.before),
            "after": None if event.kind is Kind.DELETE else _row(event.row, event.after),
            "source": {
                "ts_ms": _TIME_MS + event.number,
                "snapshot": "false",
                "sequence": f'["{commit}","{commit + 5}"]',
                "lsn": commit + 5,
            },
            "op": _OPERATIONS.get(event.kind, "u"),
        }
        return frame(self._value_id, self._value.encode(envelope))

    def headers(self, event: Event) -> Headers:
        """The incarnation that a connector adds, and the number by which the checker knows the event."""
        return ((INCARNATION_HEADER, b"1"), (EVENT_HEADER, str(event.number).encode()))


def _row(row: int, person: Person | None) -> dict[str, object] | None:
    return None if person is None else {"id": row, **asdict(person)}


def _garbage(event: Event, value_id: SchemaId) -> bytes:
    """A schema that nobody registered, no frame at all, or a frame around what is no envelope."""
    text = f"garbage {event.number}".encode()
    if event.number % 2:
        return frame(NO_SUCH_SCHEMA, text)
    return frame(value_id, text) if event.number % 4 else b"\x01" + text
