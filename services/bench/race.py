"""Runs the contenders one after the other, round by round, over the same records, and compares them.

Interleaved (A B C, A B C, …), because the machine is not equally busy all the time: only what ran within one
round is compared with each other.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.bench.contender import Contender, Running, wait_until_gone
from services.bench.probe import (
    CommittedOffsets,
    Measured,
    NothingMeasured,
    ProcessEnded,
    measured,
    spread,
    watch,
)
from services.bench.topics_io import TopicsIo
from services.stack.errors import StackError
from topics.event import KafkaRecord

Say = Callable[[str], None]
BUS: Final = "govbus"
_COPY_ONLY: Final = frozenset({"copy_loop", "copy_loop_tuned", "c_loop", "c_loop_bare"})
"""What these write is made to be as large, not to be the same."""
_SAMPLE: Final = 300
_LEARN_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a contender may take to begin, and how long it is watched from its first commit on."""

    start_s: float = 60.0
    run_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Course:
    """What all run over: input topics with their partitions, the outputs to be emptied after each run."""

    inputs: Mapping[str, int]
    total: int
    bus_outputs: Sequence[str]
    """What the bus writes, which comparators are held against."""
    cleared: Sequence[str]
    """What is emptied after each run of the bus: that, and what it writes under other policies."""
    outputs: Sequence[str]
    """What comparators write."""
    identify: Callable[[str, KafkaRecord], object | None]
    """Which input record an output comes from; None for outputs that are not compared."""


@dataclass(slots=True)
class Runs:
    """What became of one contender's runs, by round."""

    by_round: dict[int, Measured] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    compared: int = 0
    equal: int = 0


@dataclass(slots=True)
class Race:
    """One race: call ``run`` once per compression."""

    io: TopicsIo
    course: Course
    broker: int
    limits: Limits
    say: Say
    prefix: str
    """Of the topics that comparators write to."""
    _starts: int = 0
    _reference: dict[str, dict[object, KafkaRecord]] = field(default_factory=dict)

    def learn(self, bus: Contender) -> dict[str, list[KafkaRecord]]:
        """Let the bus run first, unmeasured: what it writes says what the others are to write.

        Raises:
            NothingMeasured, ProcessEnded: the bus itself does not get on.
        """
        self.say("the bus runs once to learn what it writes, which warms up the broker too")
        running = self._started(bus, "lz4")
        try:
            self._until_all_is_written(running)
        except (NothingMeasured, ProcessEnded) as error:
            raise type(error)(f"{error}: {bus.why()}") from error
        finally:
            self._stopped(bus, running)
        samples = {topic: self.io.sample(topic, _SAMPLE) for topic in self.course.bus_outputs}
        self._reference = {topic: self._identified(topic, records) for topic, records in samples.items()}
        self.io.clear(self.course.cleared)
        return samples

    def _until_all_is_written(self, running: Running) -> None:
        """Until the input is done, or something stands in every topic of the bus."""
        deadline = time.monotonic() + _LEARN_S
        while time.monotonic() < deadline:
            done = self._watch(running, self.limits.run_s).complete
            bounds = self.io.bounds(self.course.bus_outputs)
            written = {place.topic for place, (low, high) in bounds.items() if high > low}
            if done or written == set(self.course.bus_outputs):
                return

    def run(self, contenders: Sequence[Contender], rounds: int, compression: str) -> dict[str, Runs]:
        """All contenders in turn, so many times."""
        found = {contender.name: Runs() for contender in contenders}
        for number in range(rounds):
            for contender in contenders:
                self._run_one(contender, number, compression, found[contender.name])
        return found

    def _run_one(self, contender: Contender, number: int, compression: str, runs: Runs) -> None:
        begin = time.monotonic()
        try:
            result = self._measure(contender, compression)
        except (NothingMeasured, ProcessEnded, StackError, OSError) as error:
            what = str(error).partition("\n")[0][:200]
            runs.failures.append(f"{what}: {contender.why()}")
            self.say(f"{compression} {number + 1} {contender.name}: failed, {runs.failures[-1]}")
        else:
            runs.by_round[number] = result
            self._compare(contender, runs)
            took = time.monotonic() - begin
            self.say(
                f"{compression} {number + 1} {contender.name}: {result.events_per_second:,.0f} events/s, "
                f"{result.client_us_per_event:.1f} + {result.broker_us_per_event:.1f} µs, "
                f"{result.resident_mb:.0f} MB ({took:.0f} s)"
            )
        self.io.clear(self.course.cleared if contender.name.startswith(BUS) else self.course.outputs)

    def _measure(self, contender: Contender, compression: str) -> Measured:
        running = self._started(contender, compression)
        try:
            return self._watch(running, self.limits.run_s)
        finally:
            self._stopped(contender, running)

    def _started(self, contender: Contender, compression: str) -> Running:
        self._starts += 1
        try:
            return contender.start(self._starts, compression)
        except BaseException:
            contender.stop()
            raise

    def _stopped(self, contender: Contender, running: Running) -> None:
        contender.stop()
        for pid in running.pids:
            wait_until_gone(pid)

    def _watch(self, running: Running, run_s: float) -> Measured:
        offsets = CommittedOffsets(self.io.kafka, running.group, self.course.inputs)
        try:
            samples = watch(
                offsets,
                running.pids,
                self.broker,
                self.course.total,
                start_s=self.limits.start_s,
                run_s=run_s,
            )
        finally:
            offsets.close()
        return measured(samples, self.course.total)

    def _compare(self, contender: Contender, runs: Runs) -> None:
        """Hold what a comparator wrote against what the bus wrote for the same input records."""
        if contender.name.startswith(BUS) or contender.name in _COPY_ONLY or runs.compared:
            return
        for topic, wanted in self._reference.items():
            written = self._identified(topic, self.io.sample(self.prefix + topic, _SAMPLE))
            common = wanted.keys() & written.keys()
            runs.compared += len(common)
            runs.equal += sum(_same(wanted[place], written[place]) for place in common)

    def _identified(self, topic: str, records: Iterable[KafkaRecord]) -> dict[object, KafkaRecord]:
        found = {self.course.identify(topic, record): record for record in records}
        return {place: record for place, record in found.items() if place is not None}


def _same(left: KafkaRecord, right: KafkaRecord) -> bool:
    return (left.key, left.value, left.headers) == (right.key, right.value, right.headers)


def summary(runs: Runs) -> dict[str, Any] | None:
    """One contender's figures; None if no run of it succeeded."""
    done = list(runs.by_round.values())
    if not done:
        return None
    return {
        "runs": len(done),
        "failures": runs.failures,
        "events_per_second": spread(each.events_per_second for each in done),
        "client_us_per_event": spread(each.client_us_per_event for each in done),
        "broker_us_per_event": spread(each.broker_us_per_event for each in done),
        "us_per_event": spread(each.us_per_event for each in done),
        "resident_mb": spread(each.resident_mb for each in done),
        "complete": all(each.complete for each in done),
        "same_records": {"compared": runs.compared, "equal": runs.equal} if runs.compared else None,
    }


def ratios(bus: Runs, other: Runs, of: Callable[[Measured, Measured], float]) -> dict[str, float] | None:
    """A ratio of the two in each round that both finished; None where there is none."""
    rounds = sorted(bus.by_round.keys() & other.by_round.keys())
    return spread(of(bus.by_round[number], other.by_round[number]) for number in rounds)


def throughput(bus: Measured, other: Measured) -> float:
    """How many times as many events per second the bus does."""
    return bus.events_per_second / other.events_per_second


def processor_time(bus: Measured, other: Measured) -> float:
    """How many times the processor time of the bus the other takes per event, client and broker."""
    return other.us_per_event / bus.us_per_event if bus.us_per_event else 0.0


def more_processor_time(left: Measured, right: Measured) -> float:
    """Microseconds per event that the left takes more than the right, client and broker together."""
    return left.us_per_event - right.us_per_event


def client_time(bus: Measured, other: Measured) -> float:
    """The same of the client processes alone."""
    return other.client_us_per_event / bus.client_us_per_event if bus.client_us_per_event else 0.0
