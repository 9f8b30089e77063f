"""Whatever bytes come, the gate's line raises nothing and gives the record exactly one outcome."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.load import control_schema
from services.gate.line import decide
from services.gate.outcome import Decision, OutcomeKind
from services.gate.plan import compile_gate
from services.gate.processor import GateProcessor
from services.gate.stopped import StoppedEntry
from services.gate.versions import AcceptedVersion, Remembered
from services.processor.contract import InputPartition
from tests.support.debezium import (
    ENROLMENT_SCHEMA_ID,
    ENROLMENT_TOPIC,
    PERSON_SCHEMA_ID,
    PERSON_TOPIC,
    SCHEMAS,
    raw,
    raw_key,
)
from tests.support.examples import examples
from tests.support.policy import sample_policy
from tests.support.publication import PERMIT_SCHEMA, PERMIT_SCHEMA_ID, PERMIT_TOPIC, permit, published
from topics.engine.records import by_partition
from topics.engine.reference import ReferenceCodec
from topics.event import EntityKey, KafkaRecord, RecordId, SchemaId, TopicName
from topics.wire import frame, split

POLICY = sample_policy()
PLAN = compile_gate(POLICY)
BLOCKS = ReferenceCodec(control_schema("DecisionBlock"))
LOOSE_SCHEMA_ID = SchemaId(60)
ANYTHING = ["null", "boolean", "long", "double", "string", "bytes", {"type": "array", "items": "string"}]
LOOSE_ROW = {"type": "map", "values": ANYTHING}
FIELDS = (
    "before",
    "after",
    "source",
    "op",
    "version",
    "operation",
    "previous_identity",
    "occurred",
    "record",
)
LOOSE_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Loose",
    "fields": [{"name": name, "type": [*ANYTHING, LOOSE_ROW]} for name in FIELDS],
}
"""An envelope whose every part may be anything: what somebody else's schema may bring to a topic."""
CODECS = {
    **{schema_id: ReferenceCodec(schema) for schema_id, schema in SCHEMAS.items()},
    PERMIT_SCHEMA_ID: ReferenceCodec(PERMIT_SCHEMA),
    LOOSE_SCHEMA_ID: ReferenceCodec(LOOSE_SCHEMA),
}
PERSON: Mapping[str, object] = {
    "id": 1,
    "id_number": "11010519491231002X",
    "name": "王小明",
    "birth_date": -7_306,
    "sex": "2",
    "address": "平江路1号",
    "household_district": "320508",
    "updated_at": 1_790_000_000_000,
}
SOUND = [
    raw("c", 10, after=PERSON),
    raw("u", 10, PERSON, {**PERSON, "household_district": "320506"}),
    raw("d", 10, before=PERSON),
    raw("r", 10, after=PERSON),
    raw("t", 10),
    published(5),
    published(5, operation="delete"),
]
TOPICS = [PERSON_TOPIC, ENROLMENT_TOPIC, PERMIT_TOPIC, TopicName("raw.police.public.nobody")]
SCHEMA_IDS = [PERSON_SCHEMA_ID, ENROLMENT_SCHEMA_ID, PERMIT_SCHEMA_ID, LOOSE_SCHEMA_ID, SchemaId(99)]

offsets = st.integers(0, 2**63 - 1)
texts = st.one_of(
    st.text(max_size=20), st.sampled_from(["c", "u", "d", "r", "t", "m", "upsert", "delete", ""])
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), texts, st.binary()
)
columns = st.one_of(st.sampled_from([*PERSON, *permit(), "sequence", "ts_ms", "lsn"]), texts)
rows = st.dictionaries(columns, scalars | st.lists(texts, max_size=3), max_size=12)
anything = st.one_of(scalars, st.lists(texts, max_size=3), rows)


def nearly(sound: Mapping[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """A sound mapping with some of its values replaced by anything flat."""
    return st.builds(
        lambda changed: {**sound, **changed}, st.dictionaries(st.sampled_from([*sound]), scalars, max_size=2)
    )


near_rows = st.sampled_from([PERSON, permit(), {**PERSON, "id": 7}]).flatmap(nearly)
sources = nearly({"ts_ms": 1_790_000_000_000, "sequence": '["10","15"]', "lsn": 15})
SOUND_PARTS: Mapping[str, st.SearchStrategy[object]] = {
    "before": near_rows,
    "after": near_rows,
    "source": sources,
    "op": st.sampled_from(["c", "u", "d", "r", "t", "m"]),
    "version": offsets,
    "operation": st.sampled_from(["upsert", "delete"]),
    "previous_identity": st.none(),
    "occurred": offsets,
    "record": near_rows,
}
loose = st.lists(st.sampled_from(FIELDS), max_size=3).flatmap(
    lambda broken: st.fixed_dictionaries(
        {name: anything if name in broken else SOUND_PARTS[name] for name in FIELDS}
    )
)
keys = st.one_of(st.none(), st.binary(max_size=12), st.sampled_from([raw_key(1), b"SP-0001", b""]))
headers = st.lists(
    st.tuples(
        st.sampled_from(["govbus_release", "govbus.incarnation", "x"]),
        st.binary(max_size=30) | st.sampled_from([b"3", b"10", b"11", b"9" * 30, b"-1", "٣".encode()]),
    ),
    max_size=3,
).map(tuple)
identities = st.one_of(st.none(), st.builds(EntityKey, texts, st.builds(RecordId, texts)))
entries: st.SearchStrategy[Remembered | None] = st.one_of(
    st.none(),
    st.builds(StoppedEntry, st.booleans(), identities, st.integers(0, 12), st.integers(0, 12)),
    st.builds(AcceptedVersion, st.integers(0, 2), offsets, st.binary(max_size=12), identities),
)


@st.composite
def corrupted(draw: st.DrawFn) -> bytes:
    """A sound value with some of its bytes changed, cut off or added."""
    value = bytearray(draw(st.sampled_from(SOUND)).value or b"")
    for position, byte in draw(
        st.lists(st.tuples(st.integers(0, len(value) - 1), st.integers(0, 255)), max_size=4)
    ):
        value[position] = byte
    return bytes(value[: draw(st.integers(0, len(value)))] + draw(st.binary(max_size=4)))


values = st.one_of(
    st.none(),
    st.binary(max_size=80),
    corrupted(),
    st.builds(frame, st.sampled_from(SCHEMA_IDS), st.binary(max_size=80)),
    loose.map(lambda envelope: frame(LOOSE_SCHEMA_ID, CODECS[LOOSE_SCHEMA_ID].encode(envelope))),
)
records = st.builds(
    KafkaRecord,
    st.sampled_from(TOPICS),
    st.integers(0, 3),
    st.integers(0, 12),
    st.integers(-1, 2**42),
    keys,
    values,
    headers,
)


def assert_one_outcome(record: KafkaRecord, decision: Decision) -> None:
    """The decision is of one kind, and has what that kind has and nothing of another."""
    kind = decision.kind
    assert kind in OutcomeKind
    assert (decision.stopped is not None) == (kind is OutcomeKind.STOPPED)
    quarantined = [output for output in decision.outputs if output.topic.startswith("quarantine.")]
    assert len(quarantined) == (kind is OutcomeKind.STOPPED)
    for output in quarantined:
        kept = PLAN.control.quarantined_event.decode(split(output.value or b"")[1])
        assert (kept["key"], kept["value"]) == (record.key, record.value)
    if kind in (OutcomeKind.DUPLICATE, OutcomeKind.SUPERSEDED):
        assert (decision.outputs, decision.entry_changed) == ((), False)
    if kind is not OutcomeKind.ACCEPTED:
        assert not any(output.topic.startswith("resource.") for output in decision.outputs)
    if decision.entry_changed:
        assert record.key is not None


@examples(300)
@given(records, entries)
def test_the_line_never_raises_and_gives_one_outcome(record: KafkaRecord, entry: Remembered | None) -> None:
    # Entries are remembered by the record's key: without one, there is none.
    known = entry if record.key is not None else None
    assert_one_outcome(record, decide(record, PLAN, CODECS, known))


@examples(300)
@given(loose, st.sampled_from(TOPICS), entries)
def test_an_envelope_of_anything_in_anything_is_stopped_and_never_raises(
    envelope: dict[str, Any], topic: TopicName, entry: Remembered | None
) -> None:
    value = frame(LOOSE_SCHEMA_ID, CODECS[LOOSE_SCHEMA_ID].encode(envelope))
    place = published(1) if topic == PERMIT_TOPIC else raw("c", 10, after=PERSON)
    record = KafkaRecord(topic, place.partition, 10, 1_790_000_000_000, place.key, value)
    assert_one_outcome(record, decide(record, PLAN, CODECS, entry))


PROCESSOR = GateProcessor()
PROCESSOR.adopt(POLICY)


@examples(60)
@given(st.lists(records, max_size=8))
def test_a_batch_has_as_many_outcomes_as_records(batch: list[KafkaRecord]) -> None:
    for record in batch:
        PROCESSOR.revoke(InputPartition(record.topic, record.partition))
    schemas = {**SCHEMAS, PERMIT_SCHEMA_ID: PERMIT_SCHEMA, LOOSE_SCHEMA_ID: LOOSE_SCHEMA}
    numbered = [replace(record, offset=offset) for offset, record in enumerate(batch)]
    result = PROCESSOR.process(by_partition(numbered), schemas)
    blocks: list[Any] = [
        BLOCKS.decode(split(output.value or b"")[1])
        for output in chain.from_iterable(result.lanes)
        if output.topic == "ledger.intake"
    ]
    assert sum(block["records"] for block in blocks) == len(batch)
    assert sum(sum(block["outcomes"].values()) for block in blocks) == len(batch)
    assert not any("INTERNAL" in block["reasons"] for block in blocks)
