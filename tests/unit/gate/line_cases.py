"""Changes of persons for tests of the gate's line, and its decisions in a form to compare."""

from collections.abc import Mapping
from datetime import date

from services.gate.line import decide
from services.gate.outcome import Decision
from services.gate.plan import GatePlan, compile_gate
from services.gate.stopped import StoppedEntry
from tests.support.debezium import (
    PERSON_TOPIC,
    SCHEMAS,
)
from tests.support.policy import sample_policy
from topics.engine.reference import ReferenceCodec
from topics.event import EntityKey, KafkaRecord, Record, RecordId
from topics.wire import split

PLAN: GatePlan = compile_gate(sample_policy())
CODECS = {schema_id: ReferenceCodec(schema) for schema_id, schema in SCHEMAS.items()}


ID_A = "11010519491231002X"
ID_B = "440524188001010014"
BIRTH_A = (date(1949, 12, 31) - date(1970, 1, 1)).days
BIRTH_B = (date(1880, 1, 1) - date(1970, 1, 1)).days
PERSON: Mapping[str, object] = {
    "id": 1,
    "id_number": ID_A,
    "name": "王小明",
    "birth_date": BIRTH_A,
    "sex": "2",
    "address": "平江路1号",
    "household_district": "320508",
    "updated_at": 1_790_000_000_000,
}
ENROLMENT: Mapping[str, object] = {
    "id": 7,
    "id_number": ID_A,
    "name": "王大明",
    "address": "别处",
    "insurance_type": "110",
    "enrolled_on": 10_000,
    "monthly_base": "5000.00",
    "status": "1",
    "updated_at": 1_790_000_000_000,
}


def person(**changed: object) -> dict[str, object]:
    return {**PERSON, **changed}


def other_identity(**changed: object) -> dict[str, object]:
    return person(id_number=ID_B, birth_date=BIRTH_B, sex="1", **changed)


def decided(record: KafkaRecord, entry: StoppedEntry | None = None, plan: GatePlan = PLAN) -> Decision:
    return decide(record, plan, CODECS, entry)


def canonical_of(decision: Decision) -> list[tuple[EntityKey, Record | None]]:
    """The canonical records that a decision writes, decoded."""
    source = PLAN.sources[PERSON_TOPIC]
    found = []
    for output in decision.outputs:
        if output.topic.startswith("resource."):
            key = source.canonical_key.decode(split(output.key or b"")[1])
            value = None if output.value is None else source.envelope.decode(split(output.value)[1])
            found.append((EntityKey(str(key["identity"]), RecordId(str(key["record_id"]))), value))
    return found


def topics_of(decision: Decision) -> list[str]:
    return [output.topic for output in decision.outputs]


def entry_with(key: EntityKey | None, first: int = 5, last: int = 5, *, known: bool = True) -> StoppedEntry:
    return StoppedEntry(known, key, first, last)


KEY_A = EntityKey(f"resident_id:{ID_A}", RecordId("1"))


KEY_B = EntityKey(f"resident_id:{ID_B}", RecordId("1"))
