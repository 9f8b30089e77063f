"""Bench 2: captured changes to canonical, quarantine and the ledger, against the field."""

import json
from collections.abc import Callable
from itertools import chain
from typing import Any, Final

from schemas.registry import RegistryCredentials, SchemaRegistry
from services.bench.description import copies, gate_outputs, gate_work, ledger
from services.bench.field import Entry, Plan, Processes, Samples, race
from services.bench.race import Course
from services.bench.ride import Ride
from services.bench.workload import ENTERPRISE, PERSON, RawSchemas, raw_records, raw_schemas
from topics import names
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, ResourceId
from topics.policy import Policy
from topics.wire import split

RESOURCES: Final = (PERSON, ENTERPRISE)
"""Half of the workload each: one with the check digit of resident numbers, one with both of credit codes."""


def run(ride: Ride, plan: Plan) -> dict[str, Any]:
    """Fill the raw topics, race, and return the answer."""
    policy = ride.machinery.policy()
    raw = {name: _registered(ride, policy, name) for name in RESOURCES}
    each = plan.events // len(RESOURCES)
    ride.say(f"{each} captured changes each are written for {', '.join(RESOURCES)}")
    changes = (raw_records(policy, name, raw[name], each, ride.seed) for name in RESOURCES)
    total = ride.io.fill(chain.from_iterable(changes))
    wanted = gate_outputs(policy, RESOURCES)

    def describe(samples: Samples) -> dict[str, Any]:
        return {
            "copies": copies(wanted, samples),
            "ledger": ledger(names.LEDGER_INTAKE, samples),
            "gate": gate_work(policy, raw),
        }

    outputs = [*(copied.topic for copied in wanted), names.LEDGER_INTAKE]
    inputs = [policy.resources[name].resource.raw_topic for name in RESOURCES]
    course = Course(
        inputs={topic: ride.io.partitions(topic) for topic in inputs},
        total=total,
        bus_outputs=outputs,
        cleared=outputs,
        outputs=[f"bench.{name}" for name in outputs],
        identify=_identify(policy),
    )
    entry = Entry(
        "gate",
        Processes(names.GATE_GROUP, ride.machinery.start_gate),
        {},
        course,
        names.LEDGER_INTAKE,
        describe,
    )
    return {"events": total, **race(ride, entry, plan)}


def _registered(ride: Ride, policy: Policy, name: ResourceId) -> RawSchemas:
    """Register what Connect would register for the captured table."""
    user, password = ride.stack.registry_auth("connect")
    registry = SchemaRegistry(RegistryCredentials(ride.stack.endpoints().registry_url, user, password))
    key, value = raw_schemas(policy, name)
    topic = policy.resources[name].resource.raw_topic
    return RawSchemas(
        key,
        value,
        registry.register(names.key_subject(topic), key),
        registry.register(names.value_subject(topic), value),
    )


def _identify(policy: Policy) -> Callable[[str, KafkaRecord], object | None]:
    """The raw coordinates that a canonical record names; other outputs are not compared."""
    codecs = {
        f"{prefix}{policy.resources[name].resource.canonical_topic}": ReferenceCodec(
            json.loads(policy.resources[name].envelope_schema)
        )
        for name in RESOURCES
        for prefix in ("", "bench.")
    }

    def identify(topic: str, record: KafkaRecord) -> object | None:
        codec = codecs.get(topic)
        if codec is None or record.value is None:
            return None
        found = codec.decode(split(record.value)[1])
        return found["raw_topic"], found["raw_partition"], found["raw_offset"]

    return identify
