"""What the index of the person trace keeps of a record: keyed hashes and coordinates, no name and no value.

A canonical record says about whom it is; a record of a grant's topic says from which change it came. Both
name the change by the coordinates of its raw record, so one leads to the other without the keys of grants.
A correction of an identity writes two canonical records from one change: the old key is withdrawn, the new
one begins. That is how the trace goes from the one hash to the other.
(Requirements A11-01, A11-02; docs/adr/0076-the-trace-is-an-index-of-keyed-hashes.md)
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from topics.canonical import CANONICAL_KEY_SCHEMA
from topics.delivery import NotADelivery, event_id, read_delivery
from topics.engine.reference import ReferenceCodec, Undecodable
from topics.event import EntityKey, KafkaRecord, Operation, RecordId, ResourceId, TopicName
from topics.grants.keys import joined
from topics.wire import NotFramed, split

_CANONICAL: Final = "resource."
_CHANGE_BYTES: Final = 8
_ENVELOPE: Final = ("operation", "generation", "incarnation", "commit", "ordinal", "source_time")
"""What an envelope begins with; the coordinates of the raw record follow (topics/canonical.py)."""


class NotTraceable(Exception):  # noqa: N818 - named after what the record is not
    """The record is neither a canonical one nor a delivery; count it, and say that there are such."""


class Written(IntEnum):
    """What a record of a grant's topic did for its consumer."""

    DELIVERED = 1
    TOMBSTONED = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """One canonical record: about whom (as hashes), of which change, and where it stands."""

    subject: uuid.UUID
    entity: uuid.UUID
    """The subject together with the source's row: what a correction moves from one subject to another."""
    change: int
    withdrawn: bool
    """Whether the key was withdrawn: deleted at the source, or left by a correction."""


@dataclass(frozen=True, slots=True)
class Handed:
    """One record of a grant's topic: of which change, under which generation and policy version."""

    change: int
    generation: int
    policy_version: int
    written: Written


def trace_key(master: bytes, version: int) -> bytes:
    """The key of all hashes of the trace, derived from that version of the master secret."""
    return hmac.new(master, joined("trace-key", str(version)), hashlib.sha256).digest()


def subject_hash(key: bytes, identity: str) -> uuid.UUID:
    """The hash of a person or an organisation, given as in canonical keys: kind, colon, number."""
    return _hashed(key, joined("trace-subject", identity))


def entity_hash(key: bytes, resource: ResourceId, entity: EntityKey) -> uuid.UUID:
    """The hash of one row of one resource under one identity."""
    return _hashed(key, joined("trace-entity", resource, entity.identity, entity.record_id))


def change_of(raw_topic: TopicName, partition: int, offset: int) -> int:
    """The number by which the index knows a change: 64 bits of a digest of its coordinates, signed."""
    return _change(event_id(raw_topic, partition, offset))


def _change(ce_id: str) -> int:
    digest = hashlib.blake2b(ce_id.encode(), digest_size=_CHANGE_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)


def _hashed(key: bytes, text: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=hmac.digest(key, text, "sha256")[:16])


class SubjectReader:
    """Reads canonical records; the values of their items are never looked at."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._keys = ReferenceCodec(CANONICAL_KEY_SCHEMA)

    def read(self, record: KafkaRecord) -> Subject | None:
        """What the index keeps of it; None for the tombstone behind a deletion, which says nothing more.

        Raises:
            NotTraceable: key or envelope is malformed.
        """
        if record.value is None:
            return None
        try:
            found = self._keys.decode(split(record.key or b"")[1])
            operation, change = _envelope(split(record.value)[1])
        except (NotFramed, Undecodable, IndexError, UnicodeDecodeError) as error:
            raise NotTraceable(f"{record.coordinates} is no canonical record") from error
        entity = EntityKey(str(found["identity"]), RecordId(str(found["record_id"])))
        resource = ResourceId(record.topic.removeprefix(_CANONICAL))
        return Subject(
            subject=subject_hash(self._key, entity.identity),
            entity=entity_hash(self._key, resource, entity),
            change=change,
            withdrawn=operation == Operation.DELETE,
        )


def read_handed(record: KafkaRecord) -> Handed:
    """What the index keeps of a record of a grant's topic: headers only.

    Raises:
        NotTraceable: its headers are not those of a delivery.
    """
    try:
        delivery = read_delivery(record.headers)
    except NotADelivery as error:
        raise NotTraceable(f"{record.coordinates} is no delivery: {error}") from error
    return Handed(
        change=_change(delivery.ce_id),
        generation=delivery.grant_generation,
        policy_version=int(delivery.policy_version),
        written=Written.TOMBSTONED if record.value is None else Written.DELIVERED,
    )


def _envelope(avro: bytes) -> tuple[str, int]:
    """Operation and change of a canonical value: its first fields, which no resource's schema alters.

    Raises:
        IndexError, UnicodeDecodeError: it is cut off, or no envelope.
    """
    operation, at = _text(avro, 0)
    for _ in _ENVELOPE[1:]:
        _, at = _number(avro, at)
    topic, at = _text(avro, at)
    partition, at = _number(avro, at)
    offset, _ = _number(avro, at)
    return operation, change_of(TopicName(topic), partition, offset)


def _text(avro: bytes, at: int) -> tuple[str, int]:
    length, at = _number(avro, at)
    end = at + length
    if length < 0 or end > len(avro):
        raise IndexError("a text goes beyond the end")
    return avro[at:end].decode(), end


def _number(avro: bytes, at: int) -> tuple[int, int]:
    """An Avro long: zig-zag, seven bits a byte, the lowest first (Avro 1.12, binary encoding)."""
    found = shift = 0
    while True:
        byte = avro[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (found >> 1) ^ -(found & 1), at
        shift += 7
        if shift > 63:
            raise IndexError("a number is too long")
