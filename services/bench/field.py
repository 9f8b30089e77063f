"""The race of one processor against the field: same records, same outputs, in both compressions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AclOperation, ResourcePatternType, ResourceType

from services.bench import build
from services.bench.contender import Bus, Contender, Program
from services.bench.description import PREFIX
from services.bench.race import (
    BUS,
    Course,
    Limits,
    Race,
    Runs,
    client_time,
    more_processor_time,
    processor_time,
    ratios,
    summary,
    throughput,
)
from services.bench.ride import Ride
from services.stack.acls import allow, ensure_acls
from topics.event import KafkaRecord
from topics.names import instance_id

Samples = Mapping[str, Sequence[KafkaRecord]]
USER: Final = "bench"
BATCH_RECORDS: Final = 6_000
"""Records per transaction of the comparators that say so: as many as the bus takes."""
COMPARATORS: Final = ("copy_loop", "c_loop", "kafka_streams", "quix", "faust")
"""In the order of a round, the bus before them."""
BARE: Final = "c_loop_bare"
"""The loop in C without headers, to tell what they cost."""
TUNED: Final = "copy_loop_tuned"
"""The Python copy loop with the allocator set as the processors set theirs, which it is not by itself."""
OPEN: Final = "govbus_open"
"""The fan-out under grants whose keys are canonical, to tell what pseudonyms cost."""
TWO: Final = "govbus_two"
"""The bus as two processes that share the partitions."""
_MERGING: Final = {"GLIBC_TUNABLES": "glibc.malloc.mxfast=0"}
"""What services/processor/allocator.py does, from outside."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large and how often."""

    events: int
    rounds: Mapping[str, int]
    """Compression → rounds; the first one's ratios are the bench's own."""
    limits: Limits
    extras: bool = True
    """Whether also those run that answer a question of their own."""


@dataclass(frozen=True, slots=True)
class Processes:
    """One processor of the bus."""

    group: str
    start: Callable[[Mapping[str, str], int], int]
    """Starts the instance of that number with these settings; returns its process id."""
    instances: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """The processor that is measured: how it is started and what it reads and writes."""

    kind: str
    processes: Processes
    variants: Mapping[str, Processes]
    """The same under another policy, by the name that its figures have."""
    course: Course
    ledger: str
    describe: Callable[[Samples], Mapping[str, Any]]
    """From what the bus wrote to the parts of the description: ``copies``, ``ledger``, ``<kind>``."""


def race(ride: Ride, entry: Entry, plan: Plan) -> dict[str, Any]:
    """Run everybody and return the answer's part about one processor."""
    io, course = ride.io, entry.course
    io.make_clearable(course.cleared)
    io.make({PREFIX + topic: io.partitions(topic) for topic in course.bus_outputs})
    _allow_user(ride, course)
    bus = _bus(ride, entry.processes, course, BUS)
    run = Race(io, course, ride.pid("kafka"), plan.limits, ride.say, PREFIX)
    samples = run.learn(bus)
    description = _description(ride, entry, samples)
    others, left_out = comparators(ride, description)
    everybody = [bus, *others, *(_extras(ride, entry, description) if plan.extras else ())]
    found = {
        compression: run.run(everybody, rounds, compression)
        for compression, rounds in plan.rounds.items()
        if rounds
    }
    return answer(found, left_out) | {"outputs": _outputs(description, samples)}


def _bus(ride: Ride, processes: Processes, course: Course, name: str) -> Bus:
    group = processes.group
    numbers = range(processes.instances)

    def rewind() -> None:
        low = {place: bounds[0] for place, bounds in ride.io.bounds(course.inputs).items()}
        ride.io.reset_group(group, {TopicPartition(p.topic, p.partition): at for p, at in low.items()})

    def start(settings: Mapping[str, str]) -> tuple[int, ...]:
        return tuple(processes.start(settings, number) for number in numbers)

    def stop() -> None:
        for number in numbers:
            ride.machinery.stop(instance_id(group, number))

    return Bus(name, group, start, stop, rewind, ride.log(instance_id(group, 0)))


def _extras(ride: Ride, entry: Entry, description: Mapping[str, Any]) -> list[Contender]:
    """What other policies cost, what a second process brings, and what headers cost."""
    variants = {**entry.variants, TWO: replace(entry.processes, instances=2)}
    found: list[Contender] = [_bus(ride, variant, entry.course, name) for name, variant in variants.items()]
    tuned = replace(build.python_program("copy_loop"), environment=_MERGING)
    found.append(Program(TUNED, tuned, description, ride.folder))
    bare = [{**copy, "headers": []} for copy in description["copies"]]
    if any(copy["headers"] for copy in description["copies"]):
        try:
            program = build.c_program(ride.cache)
        except build.CannotBuild:
            return found
        found.append(Program(BARE, program, {**description, "copies": bare}, ride.folder))
    return found


def _description(ride: Ride, entry: Entry, samples: Samples) -> dict[str, Any]:
    kafka = {name: value for name, value in ride.stack.kafka_config(USER).items() if name != "log_level"}
    return {
        "kind": entry.kind,
        "kafka": kafka,
        "inputs": list(entry.course.inputs),
        "batch_records": BATCH_RECORDS,
        **entry.describe(samples),
    }


def comparators(ride: Ride, description: Mapping[str, Any]) -> tuple[list[Contender], dict[str, str]]:
    """Those that can run here, and why the others cannot."""
    makers: dict[str, Callable[[], build.Built]] = {
        "copy_loop": lambda: build.python_program("copy_loop"),
        "c_loop": lambda: build.c_program(ride.cache),
        "kafka_streams": lambda: build.streams_program(ride.cache),
        "quix": lambda: build.quix_program(ride.cache),
        "faust": lambda: build.python_program("faust_agent"),
    }
    found: list[Contender] = []
    left_out: dict[str, str] = {}
    for name in COMPARATORS:
        try:
            found.append(Program(name, makers[name](), description, ride.folder))
        except build.CannotBuild as error:
            left_out[name] = str(error)
            ride.say(f"{name} is left out: {error}")
    return found, left_out


def answer(found: Mapping[str, Mapping[str, Runs]], left_out: Mapping[str, str]) -> dict[str, Any]:
    """Figures per compression, and the ratios of the first one at the top."""
    by_compression = {compression: _one(runs) for compression, runs in found.items()}
    first = next(iter(by_compression.values()), None)
    top = {f"ratio_{name}": (first or {}).get(f"ratio_{name}") for name in COMPARATORS}
    return {**top, "compressions": by_compression, "left_out": dict(left_out)}


def _one(runs: Mapping[str, Runs]) -> dict[str, Any]:
    nothing = Runs()
    bus, bare = runs[BUS], runs.get(BARE, nothing)
    canonical = runs.get(OPEN, nothing)
    others = {name: runs.get(name, nothing) for name in COMPARATORS}
    extras = {name: runs[name] for name in (OPEN, TWO, TUNED, BARE) if name in runs}
    return {
        **{f"ratio_{name}": ratios(bus, other, throughput) for name, other in others.items()},
        "cpu_ratios": {name: ratios(bus, other, processor_time) for name, other in others.items()},
        "client_cpu_ratios": {name: ratios(bus, other, client_time) for name, other in others.items()},
        "contenders": {name: summary(one) for name, one in {BUS: bus, **others, **extras}.items()},
        "two_processes": ratios(runs.get(TWO, nothing), bus, throughput),
        "pseudonyms_us_per_event": ratios(bus, canonical, more_processor_time),
        "headers_us_per_event": ratios(runs.get("c_loop", nothing), bare, more_processor_time),
        "failures": {name: one.failures for name, one in runs.items() if one.failures},
    }


def _outputs(description: Mapping[str, Any], samples: Samples) -> dict[str, Any]:
    """What one record out looks like, from what the bus wrote."""
    return {
        copy["topic"].removeprefix(PREFIX): {
            "one_in": copy["every"],
            "key_bytes": copy["key_bytes"],
            "value_bytes": copy["value_bytes"],
            "header_bytes": sum(len(name) + len(value.encode()) for name, value in copy["headers"]),
            "headers": len(copy["headers"]),
            "seen": len(samples[copy["topic"].removeprefix(PREFIX)]),
        }
        for copy in description["copies"]
    }


def _allow_user(ride: Ride, course: Course) -> None:
    """A user of the bench's own, checked by the broker like those of the bus."""
    ride.stack.users().ensure(USER)
    read, write, describe = AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE
    prefixed = ResourcePatternType.PREFIXED
    bindings = allow(USER, ResourceType.TOPIC, PREFIX, [AclOperation.ALL], prefixed)
    bindings += allow(USER, ResourceType.GROUP, PREFIX, [read], prefixed)
    bindings += allow(USER, ResourceType.TRANSACTIONAL_ID, PREFIX, [write, describe], prefixed)
    for topic in course.inputs:
        bindings += allow(USER, ResourceType.TOPIC, topic, [read, AclOperation.DESCRIBE_CONFIGS])
    ensure_acls(ride.stack.admin(), bindings)
