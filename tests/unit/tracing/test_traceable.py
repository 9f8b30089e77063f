"""What the index keeps of a record is read from its first bytes and headers, and names nobody."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.policy import sample_policy
from topics.canonical import CANONICAL_KEY_SCHEMA
from topics.engine.reference import ReferenceCodec
from topics.event import EntityKey, KafkaRecord, RecordId, ResourceId, SchemaId, TopicName
from topics.trace import (
    NotTraceable,
    SubjectReader,
    Written,
    change_of,
    entity_hash,
    read_handed,
    subject_hash,
    trace_key,
)
from topics.wire import frame

KEY = trace_key(bytes(32), 1)
PERSONS = sample_policy().resources[ResourceId("population.person.v1")]
CODEC = ReferenceCodec(json.loads(PERSONS.envelope_schema))
KEYS = ReferenceCodec(CANONICAL_KEY_SCHEMA)
NUMBER = "resident_id:11010519491231002X"
LONGS = st.integers(-(2**63), 2**63 - 1)


def canonical(operation: str, topic: str, partition: int, offset: int, **numbers: int) -> KafkaRecord:
    """A withdrawal, whose state need not be known."""
    envelope: dict[str, Any] = {
        "operation": operation,
        "generation": numbers.get("generation", 0),
        "incarnation": numbers.get("incarnation", 1),
        "commit": numbers.get("commit", 7),
        "ordinal": numbers.get("ordinal", 0),
        "source_time": numbers.get("source_time", 1),
        "raw_topic": topic,
        "raw_partition": partition,
        "raw_offset": offset,
        "policy_version": 1,
        "marks": [],
        "previous_known": False,
        "previous": None,
        "state": None,
    }
    key = frame(SchemaId(1), KEYS.encode({"identity": NUMBER, "record_id": "1"}))
    value = frame(SchemaId(100), CODEC.encode(envelope))
    return KafkaRecord(TopicName("resource.population.person.v1"), 0, 5, 1_000, key, value)


@given(
    operation=st.sampled_from(["create", "update", "delete", "read"]),
    topic=st.text(min_size=1, max_size=60),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    numbers=st.fixed_dictionaries(
        dict.fromkeys(("generation", "incarnation", "commit", "ordinal", "source_time"), LONGS)
    ),
)
def test_the_change_of_a_canonical_record_is_read_as_the_codec_wrote_it(
    operation: str, topic: str, partition: int, offset: int, numbers: dict[str, int]
) -> None:
    found = SubjectReader(KEY).read(canonical(operation, topic, partition, offset, **numbers))
    assert found is not None
    assert found.change == change_of(TopicName(topic), partition, offset)
    assert found.withdrawn is (operation == "delete")
    assert found.subject == subject_hash(KEY, NUMBER)


def test_the_tombstone_behind_a_deletion_says_nothing_more() -> None:
    record = canonical("delete", "raw.police.public.person", 0, 1)
    tombstone = KafkaRecord(record.topic, 0, 6, 1_000, record.key, None)
    assert SubjectReader(KEY).read(tombstone) is None


@pytest.mark.requirement("A11-13")
def test_hashes_differ_by_key_person_resource_and_row_and_show_none_of_them() -> None:
    persons, permits = ResourceId("population.person.v1"), ResourceId("licence.permit.v1")
    one, two = (EntityKey(NUMBER, RecordId(row)) for row in ("1", "2"))
    found = {
        subject_hash(KEY, NUMBER),
        subject_hash(KEY, NUMBER[:-1] + "0"),
        subject_hash(trace_key(bytes(32), 2), NUMBER),
        subject_hash(trace_key(b"x" * 32, 1), NUMBER),
        *(entity_hash(KEY, resource, entity) for resource in (persons, permits) for entity in (one, two)),
    }
    assert len(found) == 8
    assert all(isinstance(each, uuid.UUID) and "1101" not in str(each)[:8] for each in found)


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_canonical_record_that_is_cut_off_is_counted_and_not_guessed_at(cut: int) -> None:
    record = canonical("create", "raw.police.public.person", 0, 1)
    assert record.value is not None
    short = KafkaRecord(record.topic, 0, 5, 1_000, record.key, record.value[:cut])
    with pytest.raises(NotTraceable):
        SubjectReader(KEY).read(short)


@pytest.mark.parametrize("key", [None, b"", b"\x00\x00", b"\x00\x00\x00\x00\x01\x04a"])
def test_a_canonical_record_without_a_key_is_nobodys(key: bytes | None) -> None:
    record = canonical("create", "raw.police.public.person", 0, 1)
    with pytest.raises(NotTraceable):
        SubjectReader(KEY).read(KafkaRecord(record.topic, 0, 5, 1_000, key, record.value))


def test_a_delivery_is_known_by_its_headers() -> None:
    headers = tuple(
        (name, text.encode())
        for name, text in (
            ("ce_id", "raw.police.public.person/2/17"),
            ("ce_source", "/govbus/population.person.v1"),
            ("ce_type", "govbus.record.update"),
            ("ce_time", "2026-11-26T09:00:00.000Z"),
            ("govbus_position", "0.1.7.0"),
            ("govbus_grant", "health-persons@3"),
            ("govbus_policy", "12"),
        )
    )
    record = KafkaRecord(TopicName("sub.health.population.person.v1.g"), 2, 9, 1, b"k", b"v", headers)
    found = read_handed(record)
    assert found.change == change_of(TopicName("raw.police.public.person"), 2, 17)
    assert (found.generation, found.policy_version, found.written) == (3, 12, Written.DELIVERED)
    gone = KafkaRecord(record.topic, 2, 10, 1, b"k", None, headers)
    assert read_handed(gone).written is Written.TOMBSTONED
    with pytest.raises(NotTraceable):
        read_handed(KafkaRecord(record.topic, 2, 9, 1, b"k", b"v", headers[1:]))
