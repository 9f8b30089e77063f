"""Cities in memory whose ledger is decided again: what replays are tried on."""

from datetime import UTC, datetime

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
