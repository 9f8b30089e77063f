"""Where a canonical record came from, read out of its bytes: the same as by decoding it."""

from io import BytesIO
from typing import Any

import fastavro
from hypothesis import given
from hypothesis import strategies as st

from services.reconcile.origin import Origin, OriginBytes
from services.reconcile.rows import RowForm
from services.reconcile.values import CanonicalValues, Unreadable, WrittenState
from tests.support.debezium import PERSON_TOPIC
from tests.unit.gate.line_cases import PERSON
from tests.unit.reconcile.test_behind import FORM, SOURCE, Schemas
from topics.engine.reference import without_logical_types
from topics.event import Operation
from topics.wire import frame

SCHEMA_ID = SOURCE.canonical_value_schema_id
ENVELOPE = without_logical_types(dict(SOURCE.envelope_schema))
ORIGINS = OriginBytes(ENVELOPE["fields"][:-1], SCHEMA_ID, PERSON_TOPIC)
READING = CanonicalValues(SOURCE.envelope_schema, SCHEMA_ID, PERSON_TOPIC, FORM, Schemas())
# Where an item is left out, its bytes are not what is compared: every record is decoded.
SOME_ITEMS = RowForm(ENVELOPE["fields"][-1]["type"][1], ("address",))
DECODING = CanonicalValues(SOURCE.envelope_schema, SCHEMA_ID, PERSON_TOPIC, SOME_ITEMS, Schemas())

STATE = {name: value for name, value in PERSON.items() if name != "id"}
LONGS = st.integers(-(2**63), 2**63 - 1)
USUAL = {
    "operation": st.sampled_from(Operation).map(str),
    **dict.fromkeys(("generation", "incarnation", "commit", "ordinal", "source_time"), st.integers(0, 2**50)),
    "raw_topic": st.just(str(PERSON_TOPIC)),
    "raw_partition": st.integers(0, 200),
    "raw_offset": st.integers(0, 2**50),
    "policy_version": st.integers(0, 10_000),
    "marks": st.lists(st.text(max_size=15), max_size=3),
    "previous_known": st.booleans(),
    "previous": st.none() | st.fixed_dictionaries({"household_district": st.none() | st.text(max_size=90)}),
    "state": st.none() | st.just(STATE),
}
ANY = {
    **USUAL,
    "operation": st.text(max_size=8),
    **dict.fromkeys(("generation", "incarnation", "commit", "ordinal", "source_time", "raw_offset"), LONGS),
    "raw_topic": st.just(str(PERSON_TOPIC)) | st.text(max_size=200),
    "raw_partition": st.integers(-(2**31), 2**31 - 1),
    "marks": st.lists(st.text(max_size=90), max_size=3),
}
PARSED = fastavro.parse_schema(ENVELOPE)


def written(envelope: dict[str, Any]) -> bytes:
    stream = BytesIO()
    fastavro.schemaless_writer(stream, PARSED, envelope)
    return frame(SCHEMA_ID, stream.getvalue())


def origin_of(envelope: dict[str, Any]) -> Origin:
    return Origin(*(envelope[name] for name in Origin._fields))


def opened(values: CanonicalValues, value: bytes) -> tuple[Origin, WrittenState | None] | None:
    try:
        return values.opened(value, "somewhere")
    except Unreadable:
        return None


@given(st.fixed_dictionaries(USUAL))
def test_a_usual_record_is_read_without_decoding_it(envelope: dict[str, Any]) -> None:
    found = ORIGINS.read(written(envelope))
    assert found is not None
    origin, state = found
    assert origin == origin_of(envelope)
    assert (state is None) == (envelope["state"] is None)


@given(st.fixed_dictionaries(ANY))
def test_any_record_has_the_origin_that_was_written(envelope: dict[str, Any]) -> None:
    value = written(envelope)
    origin, state = READING.opened(value, "somewhere")
    assert origin == origin_of(envelope)
    assert DECODING.opened(value, "somewhere") == (origin, envelope["state"])
    if isinstance(state, bytes):
        assert FORM.digest_of(b"", state) == FORM.digest(b"", envelope["state"])


@given(
    envelope=st.fixed_dictionaries(USUAL), at=st.integers(0, 200), byte=st.integers(0, 255), cut=st.booleans()
)
def test_corrupted_bytes_are_unreadable_or_have_the_origin_that_decoding_finds(
    envelope: dict[str, Any], at: int, byte: int, *, cut: bool
) -> None:
    value = written(envelope)
    at %= len(value)
    broken = value[:at] if cut else value[:at] + bytes([byte]) + value[at + 1 :]
    read, decoded = opened(READING, broken), opened(DECODING, broken)
    if read is not None and decoded is not None:
        assert read[0] == decoded[0]


def test_an_envelope_of_another_form_is_left_to_decoding() -> None:
    value = written(
        {
            **dict.fromkeys(("generation", "incarnation", "commit", "ordinal", "source_time"), 1),
            **dict.fromkeys(("raw_partition", "raw_offset", "policy_version"), 1),
            "operation": "create",
            "raw_topic": str(PERSON_TOPIC),
            "marks": [],
            "previous_known": True,
            "previous": None,
            "state": STATE,
        }
    )
    *before, previous = ENVELOPE["fields"][:-1]
    other = OriginBytes([*before, {"name": "added", "type": "long"}, previous], SCHEMA_ID, PERSON_TOPIC)
    assert ORIGINS.read(value) is not None
    assert other.read(value) is None
