"""How many events a second the gate's engine decides alone: records in memory to lanes in memory, one thread.

``python -m tests.bench.engine_gate [seconds]`` prints one JSON object.
"""

import gc
import json
import random
import sys
import time
from datetime import date, timedelta
from functools import cache
from typing import Any

from services.demo.numbers import credit_code, resident_number
from services.gate.processor import GateProcessor
from services.processor.contract import InputPartition
from tests.support.gate_tables import (
    SCHEMA_ID,
    debezium_schema,
    envelope_value,
    made_record,
    policy_of,
    resource_of,
    source_block,
)
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.records import PartitionRecords, Records
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord
from topics.policy import Policy

BATCH = 5_000
BAD_SHARE = 0.01
_TEXT = ["null", "string"]
_EPOCH = date(1970, 1, 1)

COLUMNS: list[dict[str, Any]] = [
    {"name": "id", "type": "long"},
    {"name": "number", "type": _TEXT},
    *({"name": name, "type": _TEXT} for name in ("name", "sex", "address", "district", "phone", "status")),
    {"name": "born_on", "type": ["null", {"type": "int", "connect.name": "io.debezium.time.Date"}]},
    {"name": "registered_on", "type": ["null", "int"]},
    {"name": "capital", "type": _TEXT},
    {"name": "updated_at", "type": ["null", "long"]},
]
_CONVERSIONS = {"number": "normalise", "name": "trim", "address": "trim", "updated_at": "microseconds"}
_RULES: list[dict[str, Any]] = [
    {"rule": "required", "item": "name"},
    {"rule": "length", "item": "name", "min": 1, "max": 50},
    {"rule": "code_list", "item": "sex", "list": "sex", "version": "2003"},
    {"rule": "length", "item": "address", "max": 200},
    {"rule": "required", "item": "district"},
    {"rule": "pattern", "item": "district", "pattern": "^[1-9][0-9]{5}$"},
    {"rule": "type", "item": "capital", "type": "decimal", "precision": 18, "scale": 2},
    {"rule": "range", "item": "registered_on", "unit": "date", "max": "now", "severity": "mark"},
    {"rule": "date_order", "earlier": "born_on", "later": "registered_on"},
]
_PERSON_RULE = {"rule": "identity_birth_date", "identity_item": "number", "birth_date_item": "born_on"}
_ORGANISATION_RULE = {"rule": "range", "item": "capital", "min": 0}


def _resource(name: str, kind: str, rule: dict[str, Any]) -> Any:
    items = [{"name": c["name"], "conversion": _CONVERSIONS.get(c["name"], "none")} for c in COLUMNS]
    # The status is another department's to tell.
    items = [
        {**item, **({"owner": "market_regulation"} if item["name"] == "status" else {})} for item in items
    ]
    return resource_of(
        name,
        ["id"],
        {"kind": kind, "item": "number"},
        items,
        rules=[*_RULES, rule],
        scope_items=["district"],
    )


@cache
def bench_policy() -> Policy:
    """Persons and organisations of 12 items and 10 rules each, one item owned by another department."""
    fields = [
        {**column, "type": "string" if column["name"] == "number" else column["type"]} for column in COLUMNS
    ]
    person = _resource("person", "resident_id", _PERSON_RULE)
    organisation = _resource("organisation", "credit_code", _ORGANISATION_RULE)
    return policy_of([(person, fields), (organisation, fields)])


def _row(rng: random.Random, number: int, person: bool) -> dict[str, object]:
    born = date(1940, 1, 1) + timedelta(days=rng.randrange(25_000))
    identity = resident_number("320508", born, rng.randrange(1_000)) if person else credit_code(rng)
    return {
        "id": number,
        "number": identity,
        "name": "欧阳" + rng.choice("明华芳强军"),
        "sex": rng.choice("12"),
        "address": f"姑苏区平江路{number % 900}号{number % 60}室",
        "district": "320508",
        "phone": f"139{number:08}",
        "status": None,
        "born_on": (born - _EPOCH).days,
        "registered_on": 18_000 + number % 2_000,
        "capital": f"{number}.50",
        "updated_at": 1_789_000_000_000_000 + number,
    }


def _spoilt(rng: random.Random, row: dict[str, object]) -> dict[str, object]:
    number = str(row["number"])
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    return {**row, **rng.choice([{"number": wrong}, {"district": "0"}, {"name": "  "}, {"sex": "7"}])}


def bench_records(
    person: bool, count: int = BATCH, seed: int = 7, bad_share: float = BAD_SHARE
) -> list[KafkaRecord]:
    """Creates, updates with the row before, deletes: 60, 35 and 5 of 100; so many are bad."""
    rng = random.Random(seed)  # noqa: S311
    topic = next(t for t in bench_policy().by_raw_topic() if ("person" in t) is person)
    codec = ReferenceCodec(debezium_schema(COLUMNS))
    found = []
    for offset in range(count):
        row = _row(rng, offset, person)
        operation = rng.choices("cud", (60, 35, 5))[0]
        before = None if operation == "c" else {**row, "address": "旧址"}
        after = None if operation == "d" else row
        if after is not None and rng.random() < bad_share:
            after = _spoilt(rng, after)
        envelope = envelope_value(operation, before, after, source_block(offset * 64))
        found.append(made_record(topic, offset, codec, envelope, offset.to_bytes(8, "big")))
    return found


def _batch(records: list[KafkaRecord], implementation: Implementation) -> Records:
    topic = records[0].topic
    if implementation is Implementation.NATIVE:
        found: Records = native.module("topics.engine.native_batch").NativeRecords.from_records(
            topic, 0, records
        )
        return found
    return PartitionRecords(topic, 0, records)


def prepared(
    implementation: Implementation, bad_share: float = BAD_SHARE
) -> tuple[GateProcessor, list[Records]]:
    """A gate under the bench's policy that remembers nothing yet, and a batch of each of its sources."""
    processor = GateProcessor("bench", implementation)
    processor.adopt(bench_policy())
    made = (bench_records(person, bad_share=bad_share) for person in (True, False))
    batches = [_batch(records, implementation) for records in made]
    forget(processor, batches)
    processor.process(batches, {SCHEMA_ID: debezium_schema(COLUMNS)})
    return processor, batches


def forget(processor: GateProcessor, batches: list[Records]) -> None:
    """Take the partitions anew, without what is remembered of stopped keys."""
    for records in batches:
        source = InputPartition(records.topic, 0)
        processor.revoke(source)
        processor.assign(source, 0)


def measure_gate(seconds: float = 2.0) -> dict[str, int]:
    """Events per second of one core, decision blocks included: implementation → figure.

    Two more tell what stops cost: none at all, and every stopped key met again with its entry.
    """
    made = [each for each in Implementation if each is not Implementation.NATIVE or native.compiled()]
    found = {each.value: events_per_second(each, seconds) for each in made}
    best = made[0]
    found[f"{best.value} nothing_stopped"] = events_per_second(best, seconds, bad_share=0.0)
    found[f"{best.value} stopped_keys_met_again"] = events_per_second(best, seconds, again=True)
    return {name: round(figure) for name, figure in found.items()}


def events_per_second(
    implementation: Implementation, seconds: float, bad_share: float = BAD_SHARE, *, again: bool = False
) -> float:
    """What one implementation decides in a second of one core.

    ``again``: the keys that it stopped are met again, with their entries.
    """
    processor, batches = prepared(implementation, bad_share)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        decided, begun = 0, time.process_time()
        while time.process_time() - begun < seconds:
            if not again:
                forget(processor, batches)
            for records in batches:
                processor.process([records], {})
                decided += len(records)
        return decided / (time.process_time() - begun)
    finally:
        gc.enable()
        gc.unfreeze()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure_gate(*map(float, sys.argv[1:])), indent=2) + "\n")
