"""Cities in memory whose ledger is decided again: what replays are tried on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.ledger.counts import Place
from services.ledger.replay.scope import Scope
from services.ledger.replay.what_if import with_grant
from services.ledger.replay.what_is_known import Known
from tests.support.memory_bus import MemoryCity
from tests.unit.ledger.test_city import ENROLMENT, PERSON, person
from topics.event import GrantId, PolicyNumber, ResourceId
from topics.grants.declaration import GrantState
from topics.policy import Policy

ALL = Scope(from_ms=1)
PERSONS = ResourceId("population.person.v1")
HEALTH = GrantId("health-persons-gusu")
NOW = datetime(2026, 11, 27, tzinfo=UTC)
HOUR = 3_600_000
BEGIN = 1_790_000_001_000
"""Where the clock of a city in memory begins."""


def known(city: MemoryCity) -> Known:
    return Known(city.memory, city.registry, lambda _: bytes(32))


def next_version(city: MemoryCity, grant: GrantId, **changed: object) -> Policy:
    """The next policy version, with one grant declared otherwise."""
    entry = city.policy.grants[grant]
    changed_entry = entry.model_copy(update={"grant": entry.grant.model_copy(update=changed)})
    policy = with_grant(city.policy, changed_entry)
    return policy.model_copy(update={"version": PolicyNumber(city.policy.version + 1)})


def corrected_city() -> MemoryCity:
    """Corrections, a stopped key, a release of nothing, published versions, and a policy in the middle."""
    city = MemoryCity()
    city.change("c", after=PERSON)
    city.pump()
    city.change("u", PERSON, person(id_number="bad"))
    city.pump()
    city.adopt(next_version(city, HEALTH, state=GrantState.SUSPENDED))
    city.change("u", person(id_number="bad"), person(name="王小红"))
    city.garbage(b"zz")
    city.change("c", after=ENROLMENT, enrolment=True)
    city.pump()
    city.publish(1)
    city.pump()
    city.publish(2)
    city.publish(2)
    city.pump()
    return city


def receiving(city: MemoryCity) -> GrantId:
    return next(
        each.grant.id
        for each in city.policy.grants.values()
        if each.grant.resource == PERSONS and each.grant.id != HEALTH
    )


def hourly(steps: Sequence[str]) -> MemoryCity:
    """A city in which something is decided every hour: a good change, a bad one, a published version."""
    city, before = MemoryCity(), None
    for number, step in enumerate(steps):
        city.clock = BEGIN + number * HOUR
        if step == "version":
            record = city.publish(number + 1, occurred_ms=city.clock)
            place = Place(record.topic, record.partition)
            city.memory.records[place][-1] = replace(record, timestamp_ms=city.clock)
        else:
            row = person(id_number="bad") if step == "bad" else person(name=step)
            city.change("u" if before else "c", before, row, at_ms=city.clock)
            before = row
        city.pump()
    return city
