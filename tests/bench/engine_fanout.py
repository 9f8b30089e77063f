"""The fan-out's engine alone: events per second of one core, per implementation and per share of the work.

Twelve items of a person in about 133 bytes; five grants with five projections, one mask each, one row
filter; two of the grants have canonical keys, three pseudonyms.
``python tests/bench/engine_fanout.py`` prints the figures as JSON.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from services.fanout.engine import LineReference, make_engine
from services.fanout.plan import FanoutPlan, spec_of
from tests.support.fanout_cases import (
    PARTITION,
    TOPIC,
    WRITER,
    GrantCase,
    canonical_record,
    item_schema,
    plan_of,
)
from topics.canonical import envelope_schema
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.fanout import Decided, FanoutEngine
from topics.engine.generated_fanout import GeneratedFanout
from topics.engine.records import PartitionRecords, Records
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord
from topics.grants.declaration import DistrictMask, PartialMask, RowFilter, YearMask

BATCH: Final = 5_000
SCOPE: Final = ("household_district",)
STREETS: Final = ("人民路", "中山路", "平江路")
DISTRICTS: Final = ("320508", "320505", "320506", "320507", "320509")


def _nullable(name: str, avro_type: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", avro_type], "default": None}


ITEMS: Final = item_schema(
    [
        {"name": "id", "type": "long"},
        {"name": "id_number", "type": "string"},
        {"name": "name", "type": "string"},
        _nullable("birth_date", {"type": "int", "logicalType": "date"}),
        _nullable("sex", "string"),
        _nullable("address", "string"),
        _nullable("household_district", "string"),
        _nullable("phone", "string"),
        _nullable("education", "string"),
        _nullable("household_size", "int"),
        _nullable("registered_at", {"type": "long", "logicalType": "timestamp-millis"}),
        _nullable("updated_at", {"type": "long", "logicalType": "timestamp-millis"}),
    ]
)
GRANTS: Final = (
    GrantCase(
        ("name", "birth_date", "sex", "household_district", "education", "updated_at"),
        {"birth_date": YearMask()},
    ),
    GrantCase(
        ("id", "id_number", "name", "birth_date", "sex", "household_district"),
        {"name": PartialMask(keep_first=1)},
        canonical_key=True,
    ),
    GrantCase(
        ("id_number", "name", "address", "household_size", "registered_at", "updated_at"),
        {"id_number": PartialMask(keep_first=6, keep_last=4)},
    ),
    GrantCase(
        ("id_number", "name", "birth_date", "sex", "address", "phone"),
        {"id_number": DistrictMask()},
        (RowFilter(item="household_district", values=("320508",)),),
    ),
    GrantCase(
        ("id", "id_number", "name", "address", "phone", "updated_at"),
        {"phone": PartialMask(keep_first=3, keep_last=4)},
        canonical_key=True,
    ),
)


def measure_fanout(seconds: float = 1.0) -> dict[str, dict[str, int]]:
    """Events per second of one core: implementation → what it did → figure, rounded to 1,000."""
    made = [Implementation.GENERATED, *([Implementation.NATIVE] if native.compiled() else [])]
    found: dict[str, dict[str, int]] = {}
    for implementation in reversed(made):
        found[implementation.value] = {
            "checks_and_projections": events_per_second(implementation, seconds, digests=False, parts=""),
            "and_keys": events_per_second(implementation, seconds, digests=False, parts="keys"),
            "and_headers": events_per_second(implementation, seconds, digests=False, parts="headers"),
            "and_digests": events_per_second(implementation, seconds, parts=""),
            "everything": events_per_second(implementation, seconds),
        }
    found["reference"] = {"everything": events_per_second(Implementation.REFERENCE, seconds)}
    return found


def events_per_second(
    implementation: Implementation, seconds: float, *, digests: bool = True, parts: str = "keys headers"
) -> int:
    """How many canonical records one core decides in a second; the best of several runs."""
    plan, codecs = plan_of(ITEMS, GRANTS), {WRITER: ReferenceCodec(envelope_schema(ITEMS, SCOPE))}
    engine = _engine(implementation, plan, codecs, parts)
    records = _batch(
        implementation, records_of(BATCH if implementation is not Implementation.REFERENCE else 500)
    )
    types = {WRITER: codecs[WRITER].type}

    def work() -> Decided:
        found = engine.decide(records, types)
        if digests:
            for lane in found.lanes:
                lane.digest()
        return found

    return round(len(records) / _shortest(work, seconds) / 1_000) * 1_000


def _engine(implementation: Implementation, plan: FanoutPlan, codecs: Any, parts: str) -> FanoutEngine:
    resource = plan.resources[TOPIC]
    reference = LineReference(plan, resource, codecs)
    keys, headers = "keys" in parts, "headers" in parts
    if implementation is Implementation.GENERATED:
        return GeneratedFanout(spec_of(plan, resource), reference, keys=keys, headers=headers)
    engine: Any = make_engine(implementation, plan, resource, codecs)
    if implementation is Implementation.NATIVE:
        engine.with_keys, engine.with_headers = keys, headers
    made: FanoutEngine = engine
    return made


def _batch(implementation: Implementation, records: Sequence[KafkaRecord]) -> Records:
    if implementation is not Implementation.NATIVE:
        return PartitionRecords(TOPIC, PARTITION, records)
    found: Records = native.module("topics.engine.native_batch").NativeRecords.from_records(
        TOPIC, PARTITION, records
    )
    return found


def _shortest(work: Callable[[], object], seconds: float) -> float:
    """The shortest run, in CPU seconds: other load on the machine only makes a run longer."""
    until = time.process_time() + seconds
    shortest = float("inf")
    while time.process_time() < until:
        begun = time.process_time()
        work()
        shortest = min(shortest, time.process_time() - begun)
    return shortest


def records_of(count: int, seed: int = 1) -> list[KafkaRecord]:
    """Canonical records of made-up persons: creates, and updates in place."""
    rng = random.Random(seed)  # noqa: S311 - test data
    return [_record(rng, number) for number in range(count)]


def _record(rng: random.Random, number: int) -> KafkaRecord:
    district = DISTRICTS[number % len(DISTRICTS)]
    id_number = (
        f"{district}19{rng.randint(50, 99)}0{rng.randint(1, 9)}{rng.randint(10, 28)}{rng.randint(1000, 9999)}"
    )
    state = {
        "id": number,
        "id_number": id_number,
        "name": rng.choice("王李张刘陈") + "".join(rng.sample("伟芳娜敏静丽强磊", rng.randint(1, 2))),
        "birth_date": rng.randint(-14_000, 18_000),
        "sex": rng.choice("12"),
        "address": f"姑苏区{rng.choice(STREETS)}{rng.randint(1, 399)}号{rng.randint(101, 1804)}室",
        "household_district": district,
        "phone": f"1{rng.randint(3_000_000_000, 9_999_999_999)}",
        "education": rng.choice(("10", "20", "30")),
        "household_size": rng.randint(1, 7),
        "registered_at": 1_700_000_000_000 - rng.randrange(86_400_000),
        "updated_at": 1_700_000_000_000 + number,
    }
    updated = number % 2 == 1
    return canonical_record(
        ITEMS,
        SCOPE,
        state,
        offset=number,
        identity=f"resident_id:{id_number}",
        operation="update" if updated else "create",
        previous={"household_district": district} if updated else None,
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure_fanout(), indent=2) + "\n")
