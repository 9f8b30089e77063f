"""The whole sample city through each engine: what the line decides, and hardly anything by the line."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest

from services.demo.city import CITY_DAY, generate_enrolments, generate_enterprises, generate_persons
from services.demo.rows import ACCEPTED, Labelled
from services.gate.desk import PartitionDesk
from tests.support.debezium import (
    ENROLMENT_SCHEMA_ID,
    ENROLMENT_TOPIC,
    PERSON_SCHEMA_ID,
    PERSON_TOPIC,
    SCHEMAS,
    raw_key,
)
from tests.support.policy import sample_policy
from tests.unit.demo.judged import as_item, seeded
from tests.unit.demo.test_city_at_the_gate import ENTERPRISE_SCHEMA, ENTERPRISE_SCHEMA_ID, ENTERPRISE_TOPIC
from tests.unit.engine.test_gate_engines import FAST, decided
from topics.engine.choose import Implementation
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, OutputRecord, SchemaId, TopicName
from topics.resource import Conversion
from topics.wire import frame

ALL_SCHEMAS = {**SCHEMAS, ENTERPRISE_SCHEMA_ID: ENTERPRISE_SCHEMA}
CODECS = {schema_id: ReferenceCodec(schema) for schema_id, schema in ALL_SCHEMAS.items()}
PERSONS = list(generate_persons(600, seeded(21), CITY_DAY, mistakes=0.2))
TABLES: list[tuple[TopicName, SchemaId, Sequence[Labelled[Any]]]] = [
    (PERSON_TOPIC, PERSON_SCHEMA_ID, PERSONS),
    (ENROLMENT_TOPIC, ENROLMENT_SCHEMA_ID, list(generate_enrolments(PERSONS, seeded(22), CITY_DAY))),
    (ENTERPRISE_TOPIC, ENTERPRISE_SCHEMA_ID, list(generate_enterprises(300, seeded(23), CITY_DAY))),
]


def city() -> list[KafkaRecord]:
    """Each row is created; then some are updated to the next row's content, and some are deleted."""
    found = []
    for topic, schema_id, labelled in TABLES:
        rows = [
            {name: as_item(v, Conversion.NONE) for name, v in asdict(each.row).items()} for each in labelled
        ]
        changes: list[tuple[str, Any, Any]] = [("c", None, row) for row in rows]
        for row, following in zip(rows[::3], rows[1::3], strict=False):
            changes.append(("u", row, {**following, "id": row["id"]}))
        changes += [("d", row, None) for row in rows[2::3]]
        for offset, (operation, before, after) in enumerate(changes):
            position = f'["{offset * 10}","{offset * 10 + 5}"]'
            source = {"ts_ms": 1_790_000_000_000, "snapshot": None, "sequence": position, "lsn": offset}
            envelope = {"before": before, "after": after, "source": source, "op": operation}
            value = frame(schema_id, CODECS[schema_id].encode(envelope))
            row = after or before
            found.append(KafkaRecord(topic, 0, offset, 1_790_000_000_500, raw_key(int(row["id"])), value))
    return found


@pytest.mark.parametrize("implementation", FAST)
def test_the_city_is_decided_as_the_line_decides_it(
    implementation: Implementation, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = city()
    expected = decided(Implementation.REFERENCE, sample_policy(), ALL_SCHEMAS, [records])
    referred: list[KafkaRecord] = []
    refer = PartitionDesk.refer

    def counted(desk: PartitionDesk, record: KafkaRecord) -> Sequence[OutputRecord]:
        referred.append(record)
        return refer(desk, record)

    monkeypatch.setattr(PartitionDesk, "refer", counted)
    assert decided(implementation, sample_policy(), ALL_SCHEMAS, [records]) == expected
    stopped = sum(each.expected.outcome != ACCEPTED for _, _, rows in TABLES for each in rows)
    # What the line is asked for is at most each later change of a row whose first one was stopped.
    assert len(referred) <= 2 * stopped < len(records) / 4
