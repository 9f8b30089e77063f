"""Bench 1: canonical topic to five grants and the ledger, exactly once, against the field."""

from collections.abc import Mapping
from typing import Any, Final

from services.bench.description import copies, fanout_outputs, fanout_work, ledger
from services.bench.field import OPEN, Entry, Plan, Processes, Samples, race
from services.bench.race import Course
from services.bench.ride import Ride
from services.bench.workload import PERSON, canonical_records
from topics import names
from topics.event import KafkaRecord

GROUP: Final = "default"
OPEN_GROUP: Final = "open"
"""The same grants with canonical keys where rows allow it."""
ROWS_EVERY: Final = 5
"""The workload has five districts in turn; the grant with a row filter covers one."""


def run(ride: Ride, plan: Plan) -> dict[str, Any]:
    """Fill the canonical topic, race, and return the answer."""
    policy = ride.machinery.policy()
    topic = policy.resources[PERSON].resource.canonical_topic
    ride.say(f"{plan.events} canonical records are written to {topic}")
    ride.io.fill(canonical_records(policy, PERSON, plan.events, ride.seed))
    wanted = fanout_outputs(policy, GROUP, ROWS_EVERY)

    def describe(samples: Samples) -> dict[str, Any]:
        return {
            "copies": copies(wanted, samples),
            "ledger": ledger(names.LEDGER_DELIVERY, samples),
            "fanout": fanout_work(policy, GROUP, PERSON, ride.master_secret(), samples),
        }

    outputs = [*(copied.topic for copied in wanted), names.LEDGER_DELIVERY]
    course = Course(
        inputs={topic: ride.io.partitions(topic)},
        total=plan.events,
        bus_outputs=outputs,
        cleared=[*outputs, *(entry.grant.topic for entry in policy.grants_of(OPEN_GROUP))],
        outputs=[f"bench.{name}" for name in outputs],
        identify=_source_of,
    )
    entry = Entry(
        "fanout",
        _processes(ride, GROUP),
        {OPEN: _processes(ride, OPEN_GROUP)},
        course,
        names.LEDGER_DELIVERY,
        describe,
    )
    return {"events": plan.events, **race(ride, entry, plan)}


def _processes(ride: Ride, group: str) -> Processes:
    def start(settings: Mapping[str, str], instance: int) -> int:
        return ride.machinery.start_fanout(group, settings, instance)

    return Processes(names.fanout_group(group), start)


def _source_of(_topic: str, record: KafkaRecord) -> object | None:
    """The change that a delivered record comes from, by its headers."""
    return record.header("ce_id")
