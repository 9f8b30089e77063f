"""The ledger is told what departments have acquired: once a step forward, and by nobody else's groups."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from services.control.process.loops import NotYet
from services.control.process.tracing.acquiring import ACQUIRED, KIND, AcquiredTurn
from services.control.store.database import ControlDatabase
from services.control.store.outbox import Act, acts_on
from services.control.store.trace.acquired import newest
from services.control.store.trace.reading import acquired_past
from services.ledger.counts import Place
from tests.support.policy import sample_policy
from tests.support.tracing import NOW
from topics.event import GrantId, TopicName
from topics.names import sink_group
from topics.policy import Policy

GRANT = GrantId("health-persons-gusu")
MONTH = timedelta(days=30)
TOPIC = sample_policy().grants[GRANT].grant.topic


@dataclass
class Bus:
    """Where groups are; the policy may be missing."""

    groups: dict[str, Mapping[Place, int]] = field(default_factory=dict)
    there: bool = True

    def policy(self) -> Policy | None:
        return sample_policy() if self.there else None

    def committed(self, wanted: Callable[[str], bool]) -> Mapping[str, Mapping[Place, int]]:
        return {group: places for group, places in self.groups.items() if wanted(group)}


def at(partition: int, offset: int, topic: TopicName = TOPIC) -> dict[Place, int]:
    return {Place(topic, partition): offset}


def turn(database: ControlDatabase, bus: Bus, now: datetime = NOW) -> list[Act]:
    AcquiredTurn(database, bus, lambda: now).turn()
    with database.begin() as connection:
        return acts_on(connection, KIND, "health")


@pytest.mark.requirement("A11-01")
def test_what_a_group_has_committed_is_told_once_for_each_step_forward(
    control_database: ControlDatabase,
) -> None:
    bus = Bus({"health.app": {**at(0, 5), **at(1, 2)}, sink_group(GRANT): at(0, 1)})
    (first,) = turn(control_database, bus)
    assert (first.who, first.what, first.when) == ("control", ACQUIRED, NOW)
    assert first.facts == {
        f"{GRANT}/0/health.app": 5,
        f"{GRANT}/1/health.app": 2,
        f"{GRANT}/0/{sink_group(GRANT)}": 1,
    }
    assert len(turn(control_database, bus)) == 1, "nothing moved, so nothing is told"
    bus.groups["health.app"] = {**at(0, 3), **at(1, 4)}
    _, second = turn(control_database, bus)
    assert second.facts == {f"{GRANT}/1/health.app": 4}, "who goes back has acquired it all the same"
    with control_database.begin() as connection:
        known = {(group, partition): at for (_, group, partition), at in newest(connection).items()}
    assert known == {("health.app", 0): 5, ("health.app", 1): 4, (sink_group(GRANT), 0): 1}


@pytest.mark.requirement("A11-01")
def test_a_record_was_acquired_by_the_first_step_past_it_however_far_its_group_went_on(
    control_database: ControlDatabase,
) -> None:
    bus = Bus({"health.app": at(0, 5)})
    turn(control_database, bus)
    for number, offset in enumerate((9, 40, 41), 1):
        bus.groups["health.app"] = at(0, offset)
        turn(control_database, bus, NOW + number * MONTH)
    bus.groups["health.other"] = at(0, 60)
    turn(control_database, bus, NOW + 9 * MONTH)
    with control_database.begin() as connection:
        firsts = {
            offset: sorted(
                (each.group, (each.seen_at - NOW) // MONTH)
                for each in acquired_past(connection, [(GRANT, 0, offset)])
            )
            for offset in (4, 5, 8, 9, 40, 50, 60)
        }
        assert acquired_past(connection, []) == []
        assert acquired_past(connection, [(GRANT, 1, 0), ("another", 0, 0)]) == []
    other = ("health.other", 9)
    assert firsts == {
        4: [("health.app", 0), other],
        5: [("health.app", 1), other],
        8: [("health.app", 1), other],
        9: [("health.app", 2), other],
        40: [("health.app", 3), other],
        50: [other],
        60: [],
    }


@pytest.mark.parametrize("group", ["tax.app", "healthy", "gate", "connect-sink.another"])
def test_a_group_of_somebody_else_acquires_nothing_for_the_department(
    control_database: ControlDatabase, group: str
) -> None:
    assert turn(control_database, Bus({group: at(0, 5)})) == []


def test_a_position_in_another_topic_is_none_in_the_grants(control_database: ControlDatabase) -> None:
    assert turn(control_database, Bus({"health.app": at(0, 5, TopicName("parked.health"))})) == []


def test_before_the_first_policy_there_is_nothing_to_tell(control_database: ControlDatabase) -> None:
    with pytest.raises(NotYet):
        turn(control_database, Bus(there=False))
