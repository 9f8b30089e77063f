"""The gate's own line decides every generated row as its label says."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pytest

from services.demo.city import CITY_DAY, generate_enrolments, generate_enterprises, generate_persons
from services.demo.rows import ACCEPTED, Labelled
from services.gate.line import decide
from services.gate.outcome import Decision
from services.gate.plan import compile_gate
from tests.support.debezium import (
    ENROLMENT_SCHEMA_ID,
    ENROLMENT_TOPIC,
    PERSON_SCHEMA_ID,
    PERSON_TOPIC,
    SCHEMAS,
    envelope_schema,
    raw_key,
)
from tests.support.policy import sample_policy
from tests.unit.demo.judged import as_item, seeded
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, SchemaId, TopicName
from topics.resource import Conversion
from topics.wire import frame

ENTERPRISE_TOPIC = TopicName("raw.market_regulation.public.enterprise")
ENTERPRISE_SCHEMA_ID = SchemaId(54)
_DATES = ("established_on", "term_from", "term_until")
ENTERPRISE_SCHEMA = envelope_schema(
    {
        "type": "record",
        "name": "Value",
        "fields": [
            {"name": "id", "type": "long"},
            *(
                {"name": name, "type": ["null", "string"]}
                for name in (
                    "credit_code",
                    "name",
                    "legal_representative",
                    "registered_capital",
                    "status",
                    "district",
                )
            ),
            *({"name": name, "type": ["null", "int"]} for name in _DATES),
            {"name": "updated_at", "type": ["null", "long"]},
        ],
    }
)
_SOURCE = {"ts_ms": 1_790_000_000_000, "snapshot": None, "sequence": '["10","15"]', "lsn": 15}
PLAN = compile_gate(sample_policy())
CODECS: Mapping[SchemaId, ReferenceCodec] = {
    schema_id: ReferenceCodec(schema)
    for schema_id, schema in {**SCHEMAS, ENTERPRISE_SCHEMA_ID: ENTERPRISE_SCHEMA}.items()
}
PERSONS = list(generate_persons(1_500, seeded(11), CITY_DAY, mistakes=0.3))
CASES: list[tuple[TopicName, SchemaId, Sequence[Labelled[Any]]]] = [
    (PERSON_TOPIC, PERSON_SCHEMA_ID, PERSONS),
    (
        ENROLMENT_TOPIC,
        ENROLMENT_SCHEMA_ID,
        list(generate_enrolments(PERSONS, seeded(12), CITY_DAY, mistakes=0.2)),
    ),
    (
        ENTERPRISE_TOPIC,
        ENTERPRISE_SCHEMA_ID,
        list(generate_enterprises(500, seeded(13), CITY_DAY, mistakes=0.4)),
    ),
]


def decision_of(topic: TopicName, schema_id: SchemaId, row: Any) -> Decision:
    captured = {name: as_item(value, Conversion.NONE) for name, value in asdict(row).items()}
    envelope = {"before": None, "after": captured, "source": _SOURCE, "op": "c"}
    value = frame(schema_id, CODECS[schema_id].encode(envelope))
    record = KafkaRecord(topic, 0, 1, 1_790_000_000_500, raw_key(row.id), value)
    return decide(record, PLAN, CODECS, None)


@pytest.mark.parametrize(("topic", "schema_id", "rows"), CASES, ids=["person", "enrolment", "enterprise"])
def test_the_gate_decides_every_generated_row_as_labelled(
    topic: TopicName, schema_id: SchemaId, rows: Sequence[Labelled[Any]]
) -> None:
    for each in rows:
        decision, expected = decision_of(topic, schema_id, each.row), each.expected
        claims = sum(output.topic.startswith("claims.") for output in decision.outputs)
        if expected.outcome == ACCEPTED:
            assert decision.kind == ACCEPTED, each
            assert decision.key is not None
            assert decision.key.identity.rpartition(":")[2] == expected.identity
            assert len(decision.marks) == len(expected.marks), each
            assert claims == len(expected.claims), each
        else:
            assert decision.stopped is not None, each
            assert decision.stopped.reason == expected.outcome, each
            assert all(code in decision.stopped.detail for code in expected.codes), (each, decision.stopped)
