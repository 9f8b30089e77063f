"""Explain says which items a delivery names as disputed: made again by number, or as the delivery says."""

from dataclasses import replace

import pytest

from services.control.copier import CopyLine
from services.ledger.coordinates import parse_coordinate
from services.ledger.disputed import find
from services.ledger.explain import Explanation, explain
from services.ledger.explain_delivery import GrantExplanation
from services.ledger.lookup import Lookup
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import PERSON
from topics.disputes import Act, Contested, DisputeChange
from topics.event import GrantId, PolicyNumber, TopicName
from topics.grants.declaration import GrantState
from topics.names import DISPUTES

SECRETS = {1: bytes(32)}
CANONICAL = TopicName("resource.population.person.v1")
HEALTH = GrantId("health-persons-gusu")
MOVED = {**PERSON, "name": "王小铭"}
RIGHT = {**MOVED, "address": "平江路2号"}


@pytest.fixture
def city() -> MemoryCity:
    found = MemoryCity()
    found.change("c", after=PERSON)
    found.pump()
    return found


def last(city: MemoryCity) -> str:
    [found] = [
        records[-1].coordinates for place, records in city.memory.records.items() if place.topic == CANONICAL
    ]
    return found


def disputed(city: MemoryCity, *items: str) -> Contested:
    return find(city.lookup, parse_coordinate(last(city)), items, SECRETS).contested


def of_health(explanation: Explanation) -> GrantExplanation:
    return next(each for each in explanation.grants if each.grant == HEALTH)


def explained(city: MemoryCity, at: str, lookup: Lookup | None = None) -> GrantExplanation:
    return of_health(explain(lookup or city.lookup, parse_coordinate(at)))


@pytest.mark.requirement("A9-06")
def test_explain_says_what_was_disputed_when_it_was_delivered_and_with_which_number(
    city: MemoryCity,
) -> None:
    before = last(city)
    city.dispute([DisputeChange(1, Act.OPEN, "t.1", disputed(city, "address"))])
    city.change("u", PERSON, MOVED)
    city.pump()
    marked = last(city)
    city.change("u", MOVED, RIGHT)
    city.pump()
    corrected = last(city)
    city.dispute([DisputeChange(2, Act.CLOSE, "t.1")])
    found = [explained(city, at) for at in (before, marked, corrected)]
    assert [(each.disputed, each.disputes) for each in found] == [((), 0), (("address",), 1), ((), 1)]
    assert all(each.outcome == "delivered" and each.at for each in found)


def test_who_has_not_the_master_secret_is_told_what_the_delivery_says(city: MemoryCity) -> None:
    city.dispute([DisputeChange(1, Act.OPEN, "t.1", disputed(city, "address"))])
    city.change("u", PERSON, MOVED)
    city.pump()
    city.dispute([DisputeChange(2, Act.CLOSE, "t.1")])
    without = replace(city.lookup, dispute_keys=None)
    assert explained(city, last(city), without).disputed == ("address",)
    for place, records in city.memory.records.items():
        if place.topic.startswith("sub."):
            records.clear()
    assert explained(city, last(city), without).disputed is None
    assert explained(city, last(city)).disputed == ("address",), "made again, it needs no delivery"


def test_a_number_that_the_topic_does_not_hold_is_not_guessed(city: MemoryCity) -> None:
    city.dispute([DisputeChange(1, Act.OPEN, "t.1", disputed(city))])
    city.change("u", PERSON, MOVED)
    city.pump()
    for place, records in city.memory.records.items():
        if place.topic == DISPUTES:
            records.clear()
    found = explained(city, last(city))
    assert (found.disputed, found.disputes) == (("*",), 1)


def test_what_a_copier_marked_is_explained_too(city: MemoryCity) -> None:
    city.dispute([DisputeChange(1, Act.OPEN, "t.1", disputed(city, "address"))])
    entry = city.policy.grants[HEALTH]
    filling = entry.model_copy(
        update={"grant": entry.grant.model_copy(update={"state": GrantState.FILLING}), "generation": 2}
    )
    policy = city.policy.model_copy(
        update={"version": PolicyNumber(2), "grants": {**city.policy.grants, HEALTH: filling}}
    )
    city.adopt(policy)
    city.change("u", PERSON, MOVED)
    city.pump()
    place = parse_coordinate(last(city)).place
    line = CopyLine(policy, filling, SECRETS, city.clock, disputes=city.disputes.disputes())
    line.codecs.learn(city.registry.schemas)  # type: ignore[arg-type]
    city.write(line.decide(city.memory.records[place]))
    found = explained(city, last(city))
    assert found.reason == "FILLED_BY_EPOCH"
    assert found.epoch is not None
    assert (found.epoch.by, found.epoch.disputed, found.epoch.disputes) == ("copier", ("address",), 1)
