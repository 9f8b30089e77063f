"""Corrupted records by the million through the compiled engines: no crash, bounded memory, same decisions.

``python -m tests.bench.fuzz [INPUTS] [SEED]`` prints one JSON object, and on standard error how far it is.
Half of the inputs go to the gate's engine, half to the fan-out's: sound records of the benches with one to
four faults each. For the sake of speed, what the compiled engine does not decide itself is only noted, but
one in twenty is decided by the line, which must have an answer. Every fortieth batch is decided whole by all
implementations, which must agree to the byte. An exception, in the engine or in the line, is counted by its
name and ends the run with 1.
"""

import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.fanout.engine import LineReference
from services.fanout.plan import spec_of
from services.gate.engine import GateEngines
from services.gate.line import decide
from services.gate.outcome import Decision
from services.gate.plan import compile_gate
from services.gate.processor import GateProcessor
from services.processor.contract import InputPartition
from tests.bench.engine_fanout import GRANTS, ITEMS, SCOPE, records_of
from tests.bench.engine_gate import COLUMNS, bench_policy, bench_records
from tests.support.fanout_cases import WRITER, assert_alike, plan_of
from tests.support.gate_tables import SCHEMA_ID, debezium_schema
from topics.canonical import envelope_schema
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.fanout import Before, Reference
from topics.engine.gate_engine import Known
from topics.engine.records import PartitionRecords, Records
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, OutputRecord, Stopped, WithheldReason

BATCH: Final = 500
COMPARED_ONE_IN: Final = 40
BY_LINE_ONE_IN: Final = 20
RAISED: Final = "raised "
"""Begins what is counted of exceptions."""
MOST_GROWTH: Final = 64_000_000
"""Bytes by which the process may grow once every path has been walked."""
_TOLD_SECONDS: Final = 10.0
_FRAME: Final = 5
_ENDLESS: Final = (b"\xff" * 9 + b"\x01", b"\xff" * 11, b"\x80" * 10, b"\x80" * 5 + b"\x00", b"\x01")
"""The greatest and the smallest number, numbers without end, a zero in six bytes, minus one."""


@dataclass(slots=True)
class NotingDesk:
    """A desk of the gate that counts what the engine handed over, and has the line decide some of it."""

    line: Callable[[KafkaRecord], Decision]
    noted: Counter[str] = field(default_factory=Counter)

    def entries(self) -> Sequence[Collection[bytes]]:
        """Nothing is remembered of any key."""
        return ()

    def refer(self, record: KafkaRecord) -> Sequence[OutputRecord]:
        """The engine does not decide it."""
        self.noted["referred"] += 1
        if self.noted["referred"] % BY_LINE_ONE_IN == 0:
            self.noted[self._by_line(record)] += 1
        return ()

    def _by_line(self, record: KafkaRecord) -> str:
        try:
            decision = self.line(record)
        except Exception as error:  # noqa: BLE001 - that there is none is what is to be shown
            return f"{RAISED}{type(error).__name__} in the line"
        return " ".join(filter(None, ("line:", decision.kind.value, decision.reason)))

    def stop(self, record: KafkaRecord, stop: Stopped, last: Known) -> Sequence[OutputRecord]:
        """The engine stops it."""
        self.noted[f"stopped {stop.reason.value}"] += 1
        return ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is delivered to a grant."""

    withheld: WithheldReason | None = WithheldReason.INTERNAL
    output: OutputRecord | None = None


class NotingReference:
    """A reference of the fan-out that delivers nothing: it counts, and has the line decide some of it."""

    def __init__(self, grants: int, line: Reference) -> None:
        self.noted = Counter[str]()
        self._refused, self._line = (Refused(),) * grants, line

    def __call__(self, record: KafkaRecord, before: Before | None) -> Sequence[Refused]:
        """The engine does not decide it."""
        self.noted["referred"] += 1
        if self.noted["referred"] % BY_LINE_ONE_IN == 0:
            outcomes = self._line(record, before)
            self.noted.update(f"line: {outcome.withheld or 'delivered'}" for outcome in outcomes)
        return self._refused


def corrupted(rng: random.Random, data: bytes) -> bytes:
    """One to four faults: a byte, an end, something put in, taken out, repeated, or a number without end."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(_FRAME, len(data) + 1) if len(data) > _FRAME else len(data)
        data = _FAULTS[rng.randrange(len(_FAULTS))](rng, data, at)
    return data


def _piece(rng: random.Random, data: bytes, at: int) -> bytes:
    return data[at : at + rng.randrange(1, 24)]


def _another_bit(rng: random.Random, data: bytes, at: int) -> bytes:
    return data[:at] + bytes(each ^ 1 << rng.randrange(8) for each in data[at : at + 1]) + data[at + 1 :]


_FAULTS: Final[tuple[Callable[[random.Random, bytes, int], bytes], ...]] = (
    _another_bit,
    lambda rng, data, at: data[:at] + bytes((rng.randrange(256),)) + data[at + 1 :],
    lambda rng, data, at: data[:at] + bytes((rng.choice(b"\x00\x01\x02\x03\x7f\x80\xff"),)) + data[at + 1 :],
    lambda rng, data, at: data[:at] + rng.choice(_ENDLESS) + data[at + rng.randrange(2) :],
    lambda rng, data, at: data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:],
    lambda rng, data, at: data[:at] + data[at + rng.randrange(1, 24) :],
    lambda rng, data, at: data[:at] + _piece(rng, data, at) * rng.randrange(2, 5) + data[at:],
    lambda _, data, at: data[:at],
)


def batches(rng: random.Random, sound: Sequence[KafkaRecord]) -> Iterator[list[KafkaRecord]]:
    """Endless batches of corrupted records, at ascending offsets."""
    offset = 0
    while True:
        chosen = rng.choices(sound, k=BATCH)
        yield [
            replace(record, offset=offset + number, value=corrupted(rng, record.value or b""))
            for number, record in enumerate(chosen)
        ]
        offset += BATCH


def fuzz_gate(rng: random.Random, inputs: int, tell: Callable[[int], None]) -> Counter[str]:
    """The gate's engine over so many inputs; returns what became of them."""
    plan, codecs = compile_gate(bench_policy()), {SCHEMA_ID: ReferenceCodec(debezium_schema(COLUMNS))}
    desk = NotingDesk(lambda record: decide(record, plan, codecs, None))
    engines = GateEngines(Implementation.NATIVE)
    engines.adopt(plan)
    types = {SCHEMA_ID: codecs[SCHEMA_ID].type}
    used: dict[int, Any] = {}
    streams = [batches(rng, bench_records(person)) for person in (True, False)]
    for number in range(inputs // BATCH):
        records = next(streams[number % len(streams)])
        run, lanes = _native(records), engines.lane_book()
        lanes.begin()
        engine = engines.engine_for(run, types)
        used[id(engine)] = engine
        tally = engine.decide(run, desk, lanes)
        desk.noted["accepted"] += tally.accepted
        desk.noted["tombstones"] += tally.tombstones
        if number % COMPARED_ONE_IN == 0:
            _compare_gates(records)
            desk.noted["compared"] += len(records)
        tell(len(records))
    for engine in used.values():
        desk.noted.update({f"{RAISED}{name} in the engine": count for name, count in engine.raised.items()})
    return desk.noted


def _compare_gates(records: list[KafkaRecord]) -> None:
    expected: object = None
    for implementation in reversed(Implementation):
        processor = GateProcessor("fuzz", implementation)
        processor.adopt(bench_policy())
        processor.assign(InputPartition(records[0].topic, records[0].partition), 0)
        part = _native(records) if implementation is Implementation.NATIVE else _plain(records)
        result = processor.process([part], {SCHEMA_ID: debezium_schema(COLUMNS)})
        seen = ({(lane.topic, lane.partition): list(lane) for lane in result.lanes}, result.outcomes)
        expected = expected or seen
        if seen != expected:
            raise SystemExit(f"the {implementation} gate decides otherwise than the line")


def fuzz_fanout(rng: random.Random, inputs: int, tell: Callable[[int], None]) -> Counter[str]:
    """The fan-out's engine over so many inputs; returns what became of them."""
    plan, noted = plan_of(ITEMS, GRANTS), Counter[str]()
    [resource_plan] = plan.resources.values()
    writer = envelope_schema(ITEMS, SCOPE)
    codecs = {WRITER: ReferenceCodec(writer)}
    types = {WRITER: codecs[WRITER].type}
    reference = NotingReference(len(GRANTS), LineReference(plan, resource_plan, codecs))
    engine = native.module("topics.engine.native_fanout").NativeFanout(
        spec_of(plan, resource_plan), reference
    )
    stream = batches(rng, records_of(5_000))
    for number in range(inputs // BATCH):
        records = next(stream)
        found = engine.decide(_native(records), types)
        for count in found.grants:
            noted["delivered"] += count.delivered
            noted["tombstoned"] += count.tombstoned
            noted["withheld"] += sum(count.withheld.values())
        if number % COMPARED_ONE_IN == 0:
            assert_alike(plan, writer, records)
            noted["compared"] += len(records)
        tell(len(records))
    return noted + reference.noted


def _native(records: list[KafkaRecord]) -> Records:
    first = records[0]
    found: Records = native.module("topics.engine.native_batch").NativeRecords.from_records(
        first.topic, first.partition, records
    )
    return found


def _plain(records: list[KafkaRecord]) -> Records:
    return PartitionRecords(records[0].topic, records[0].partition, records)


class Progress:
    """Tells how far it is, and how much the process has grown since the first tenth."""

    def __init__(self, inputs: int) -> None:
        self.inputs, self.done, self.base = inputs, 0, 0
        self._begun = self._told = time.monotonic()

    def __call__(self, more: int) -> None:
        """So many more are through."""
        self.done += more
        if not self.base and self.done >= self.inputs // 10:
            self.base = _resident()
        if time.monotonic() - self._told > _TOLD_SECONDS:
            self._told = time.monotonic()
            sys.stderr.write(f"{self.done:,} of {self.inputs:,}, {self._told - self._begun:.0f} s\n")

    @property
    def growth(self) -> int:
        """Bytes since the first tenth."""
        return _resident() - self.base


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(inputs: int = 1_000_000, seed: int = 1) -> int:
    """Both engines, half of the inputs each, in turns of a tenth."""
    rng, progress, begun = random.Random(seed), Progress(inputs), time.process_time()  # noqa: S311
    found: dict[str, Counter[str]] = {"gate": Counter(), "fanout": Counter()}
    for _ in range(10):
        found["gate"] += fuzz_gate(rng, inputs // 20, progress)
        found["fanout"] += fuzz_fanout(rng, inputs // 20, progress)
    answer = {
        "inputs": progress.done,
        "seed": seed,
        "cpu_seconds": round(time.process_time() - begun),
        "resident_mb": _resident() // 1_000_000,
        "growth_mb": progress.growth // 1_000_000,
        **{name: dict(sorted(counts.items())) for name, counts in found.items()},
    }
    sys.stdout.write(json.dumps(answer) + "\n")
    raised = any(name.startswith(RAISED) for counts in found.values() for name in counts)
    return 1 if raised or progress.growth > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
