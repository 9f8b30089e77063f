"""Reads a canonical topic up to the cut: what it says of every key, and how long its changes took."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import fastavro

from services.ledger.decode import SchemaSource
from services.reconcile.rows import RowForm, key_bytes, key_digest
from services.reconcile.spill import NOTHING, Spill, State
from services.reconcile.window import Behind
from topics.engine.reference import without_logical_types
from topics.event import KafkaRecord, SchemaId, TopicName
from topics.wire import PREFIX_LENGTH, NotFramed, split

_TOLD_EVERY: Final = 20_000


class Unreadable(Exception):  # noqa: N818 - named after what the record is
    """A canonical record is no datum of its schema."""


@dataclass(slots=True)
class Delays:
    """How long changes took from the source to the canonical topic, by powers of two of milliseconds."""

    counts: Counter[int] = field(default_factory=Counter)
    longest_ms: int = 0
    newest_ms: int = 0
    """When the newest change happened at the source."""
    late: int = 0
    """How many took longer than the update cycle allows."""

    def add(self, source_ms: int, written_ms: int, allowed_ms: float) -> None:
        """Count one change."""
        delay = max(0, written_ms - source_ms)
        self.counts[delay.bit_length()] += 1
        self.longest_ms = max(self.longest_ms, delay)
        self.newest_ms = max(self.newest_ms, source_ms)
        self.late += delay > allowed_ms

    @property
    def changes(self) -> int:
        """How many were counted."""
        return self.counts.total()

    def at_most_ms(self, share: float) -> int | None:
        """Within how many milliseconds that share of the changes came, rounded up to a power of two."""
        left = self.changes * share
        for bits in sorted(self.counts):
            left -= self.counts[bits]
            if left <= 0:
                return min(1 << bits, self.longest_ms)
        return None


class CanonicalReader:
    """Takes canonical records, each partition in order, into a spill."""

    def __init__(
        self,
        envelope_schema: Mapping[str, Any],
        value_schema_id: SchemaId,
        form: RowForm,
        schemas: SchemaSource,
        raw_topic: TopicName,
        behind: Behind,
        allowed_ms: float,
    ) -> None:
        self._envelope = fastavro.parse_schema(without_logical_types(dict(envelope_schema)))
        self._prefix = _without_state(envelope_schema) if form.is_whole else None
        self._value_schema_id = value_schema_id
        self._writers: dict[SchemaId, Any] = {value_schema_id: None}
        self._schemas, self._form = schemas, form
        self._raw_topic, self._behind, self._allowed_ms = raw_topic, behind, allowed_ms
        self._passed: dict[int, bytes | None] = {}
        self.delays = Delays()

    def read(
        self, records: Iterable[KafkaRecord], spill: Spill, progress: Callable[[int], None] = lambda _: None
    ) -> int:
        """Take all records; how many there were."""
        count = 0
        for count, record in enumerate(records, 1):
            self._take(record, spill)
            if count % _TOLD_EVERY == 0:
                progress(count)
        spill.flush()
        return count

    def envelope(self, record: KafkaRecord) -> dict[str, Any]:
        """The record's value as the policy's schema has it.

        Raises:
            Unreadable: it is no datum of its schema.
        """
        try:
            schema_id, avro = split(record.value or b"")
            writer = self._writer(schema_id)
            stream = BytesIO(avro)
            if writer is None:
                found = fastavro.schemaless_reader(stream, self._envelope, None)
            else:
                found = fastavro.schemaless_reader(stream, writer, self._envelope)
        except NotFramed as error:
            raise Unreadable(str(error)) from error
        except Exception as error:
            raise Unreadable(f"{record.coordinates}: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise Unreadable(record.coordinates)
        return found

    def _take(self, record: KafkaRecord, spill: Spill) -> None:
        framed = record.key or b""
        if record.value is None:
            # After the last record of a key comes its tombstone: if that lies behind the cut, so does this.
            if self._passed.get(record.partition) != framed:
                self._gone(framed, record, spill)
            return
        try:
            envelope, state = self._opened(record)
        except Unreadable:
            _, record_id = split_key(framed)
            spill.add(
                record_id.encode(), NOTHING, key_digest(framed), State.UNFIT, record.partition, record.offset
            )
            return
        if envelope["raw_topic"] == self._raw_topic and self._behind.holds(
            envelope["raw_partition"], envelope["raw_offset"]
        ):
            self._passed[record.partition] = framed
            return
        self._passed[record.partition] = None
        self.delays.add(envelope["source_time"], record.timestamp_ms, self._allowed_ms)
        if envelope["operation"] == "delete" or state is None:
            self._gone(framed, record, spill)
            return
        self._state(framed, state, record, spill)

    def _opened(self, record: KafkaRecord) -> tuple[dict[str, Any], bytes | Mapping[str, Any] | None]:
        """The envelope and the state: its bytes, where it was written as it would be today."""
        value = record.value or b""
        if self._prefix is None or int.from_bytes(value[1:PREFIX_LENGTH], "big") != self._value_schema_id:
            envelope = self.envelope(record)
            return envelope, envelope["state"]
        stream = BytesIO(value)
        stream.seek(PREFIX_LENGTH)
        try:
            found: Any = fastavro.schemaless_reader(stream, self._prefix, None)
            # The state comes last: which of null and record it is, then all that is left.
            branch, state = value[stream.tell()], value[stream.tell() + 1 :]
        except Exception as error:
            raise Unreadable(f"{record.coordinates}: {type(error).__name__}") from error
        return found, state if branch else None

    def _state(
        self, framed: bytes, state: bytes | Mapping[str, Any], record: KafkaRecord, spill: Spill
    ) -> None:
        identity, record_id = split_key(framed)
        key = key_bytes(identity, record_id)
        if isinstance(state, bytes):
            digest: bytes | None = self._form.digest_of(key, state)
        else:
            digest = self._form.digest(key, state)
        found = State.UNFIT if digest is None else State.ROW
        spill.add(
            record_id.encode(), digest or NOTHING, key_digest(framed), found, record.partition, record.offset
        )

    def _gone(self, framed: bytes, record: KafkaRecord, spill: Spill) -> None:
        _, record_id = split_key(framed)
        spill.add(
            record_id.encode(), NOTHING, key_digest(framed), State.GONE, record.partition, record.offset
        )

    def _writer(self, schema_id: SchemaId) -> Any:
        if schema_id not in self._writers:
            schema = without_logical_types(dict(self._schemas.schema(schema_id)))
            self._writers[schema_id] = fastavro.parse_schema(schema)
        return self._writers[schema_id]


def _without_state(envelope_schema: Mapping[str, Any]) -> Any:
    """The schema of everything before a record's state (topics/canonical.py puts the state last)."""
    plain = without_logical_types(dict(envelope_schema))
    fields = plain["fields"]
    if fields[-1]["name"] != "state":
        return None
    return fastavro.parse_schema({**plain, "fields": fields[:-1]})


def split_key(framed: bytes) -> tuple[str, str]:
    """Identity and record id of a canonical key: two texts behind the five bytes of the frame.

    Raises:
        Unreadable: it is no canonical key.
    """
    at, parts = PREFIX_LENGTH, []
    try:
        for _ in range(2):
            length = shift = 0
            while True:
                byte = framed[at]
                at += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            length >>= 1
            parts.append(framed[at : at + length].decode())
            at += length
    except (IndexError, UnicodeDecodeError) as error:
        raise Unreadable("a canonical key") from error
    return parts[0], parts[1]
