"""A redelivery gives the newest states again, as far as today allows, and nothing that is not its grant's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.control.replays.asking import fitting
from services.control.replays.life import Order, Refused, Replay, State, requested
from services.control.replays.redelivering import HEADER, NotAuthorised, redeliver
from services.control.replays.running import audit_answer
from services.ledger.replay.audit import audit
from services.ledger.replay.pace import Cancelled, Pace
from services.ledger.replay.scope import Scope
from services.ledger.replay.words import Purpose
from tests.support.memory_bus import MemoryCity
from tests.support.replaying import ALL, HEALTH, NOW, PERSONS, known, next_version, receiving
from tests.unit.ledger.test_city import books, person
from topics.disputes import Disputes
from topics.event import (
    ConsumerId,
    GrantId,
    OutputRecord,
    ProviderId,
    ResourceId,
    TopicName,
)
from topics.grants.declaration import GrantState
from topics.policy import Policy


class Hand:
    """A deliverer in memory; ``meanwhile`` happens before each commit."""

    def __init__(self, city: MemoryCity, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.city, self.meanwhile = city, meanwhile
        self.committed: list[OutputRecord] = []
        self.made: list[tuple[TopicName, int]] = []

    def make(self, topic: TopicName, partitions: int) -> None:
        self.made.append((topic, partitions))
        self.city.memory.make(topic, partitions)

    def policy(self) -> Policy:
        return self.city.policy

    def disputes(self) -> Disputes:
        return Disputes()

    def write(self, grant: GrantId, records: Sequence[OutputRecord], still: Callable[[], bool]) -> bool:
        self.meanwhile()
        if not still():
            return False
        self.committed += records
        return True


def redelivery(grant: GrantId, **options: Any) -> Replay:
    order = Order(Purpose.REDELIVER, Scope(grant=grant), "lost", "contract 7", options)
    return Replay(7, order, State.RUNNING, 3, "anna", NOW, "bo")


def test_a_redelivery_gives_the_newest_state_marked_and_is_on_the_ledger(city: MemoryCity) -> None:
    hand = Hand(city)
    grant = receiving(city)
    found = redeliver(known(city), redelivery(grant), hand, Pace(), lambda: NOW)
    *records, block = hand.committed
    assert found["delivered"] == len(records) == 1
    assert (HEADER, b"7") in records[0].headers
    said: Any = known(city).decoder.decode(block.value or b"")
    assert [each["records"] for each in said["outputs"]] == [1]


def test_a_separate_redelivery_writes_to_a_topic_of_its_own_and_the_books_close(city: MemoryCity) -> None:
    hand, grant = Hand(city), receiving(city)
    topic = city.policy.grants[grant].grant.topic
    partitions = city.policy.resources[PERSONS].resource.partitions
    found = redeliver(known(city), redelivery(grant, separate=True), hand, Pace(), lambda: NOW)
    assert found["topic"] == f"{topic}.replay.7"
    assert hand.made == [(f"{topic}.replay.7", partitions)]
    *records, block = hand.committed
    assert [(each.topic, dict(each.headers)[HEADER]) for each in records] == [(f"{topic}.replay.7", b"7")]
    said: Any = known(city).decoder.decode(block.value or b"")
    assert [each["topic"] for each in said["outputs"]] == [f"{topic}.replay.7"]
    for each in hand.committed:
        city._append(each)
    assert books(city).differences == []


def test_a_separate_redelivery_is_as_authorised_as_any(city: MemoryCity) -> None:
    grant = receiving(city)
    hand = Hand(city, lambda: city.adopt(next_version(city, grant, state=GrantState.SUSPENDED)))
    with pytest.raises(NotAuthorised):
        redeliver(known(city), redelivery(grant, separate=True), hand, Pace(), lambda: NOW)
    assert hand.committed == []


def filled_anew(generation: int) -> int:
    """What an earlier run kept, which began before the grant was filled anew."""
    return generation - 1


def test_a_separate_topic_is_not_gone_on_with_once_the_grant_was_filled_anew(city: MemoryCity) -> None:
    hand, replay = Hand(city), redelivery(receiving(city), separate=True)
    with pytest.raises(Refused, match="filled anew since: ask for a new redelivery"):
        redeliver(known(city), replay, hand, Pace(), lambda: NOW, filled_anew)
    assert (hand.committed, hand.made) == ([], [])


def test_on_the_grants_own_topic_each_generation_is_counted_by_itself(city: MemoryCity) -> None:
    hand, replay = Hand(city), redelivery(receiving(city))
    redeliver(known(city), replay, hand, Pace(), lambda: NOW, filled_anew)
    assert hand.committed


def test_nothing_but_a_redelivery_goes_to_a_separate_topic() -> None:
    order = replace(redelivery(HEALTH, separate=True).order, purpose=Purpose.AUDIT)
    with pytest.raises(Refused, match="only a redelivery"):
        requested(order)


def test_an_audit_says_that_it_did_not_judge_what_a_copier_wrote(city: MemoryCity) -> None:
    hand = Hand(city)
    redeliver(known(city), redelivery(receiving(city)), hand, Pace(), lambda: NOW)
    assert audit_answer(audit(known(city), ALL))["said"] == "identical"
    city._append(hand.committed[-1])
    answer = audit_answer(audit(known(city), ALL))
    assert (answer["verdict"], answer["copier_blocks"]) == ("identical", 1)
    assert answer["said"] == "identical; 1 copier block not judged"


@pytest.mark.parametrize("state", [GrantState.REVOKED, GrantState.SUSPENDED, GrantState.FILLING])
def test_a_redelivery_reaches_no_grant_that_is_not_active_today(city: MemoryCity, state: GrantState) -> None:
    grant, hand = receiving(city), Hand(city)
    city.adopt(next_version(city, grant, state=state))
    with pytest.raises(NotAuthorised):
        redeliver(known(city), redelivery(grant), hand, Pace(), lambda: NOW)
    assert hand.committed == []


def test_a_grant_that_is_revoked_while_it_is_written_gets_nothing(city: MemoryCity) -> None:
    grant = receiving(city)
    hand = Hand(city, lambda: city.adopt(next_version(city, grant, state=GrantState.REVOKED)))
    with pytest.raises(NotAuthorised):
        redeliver(known(city), redelivery(grant), hand, Pace(), lambda: NOW)
    assert hand.committed == []


def test_a_state_that_is_replaced_while_it_is_written_is_never_delivered(city: MemoryCity) -> None:
    pending = [(person(name="王小红"), person(name="王小红", household_district="320506"))]

    def meanwhile() -> None:
        while pending:
            city.change("u", *pending.pop())
            city.pump()

    hand = Hand(city, meanwhile)
    redeliver(known(city), redelivery(receiving(city)), hand, Pace(), lambda: NOW)
    [record, _] = hand.committed
    assert b"320506" in (record.value or b"")


def many(count: int) -> MemoryCity:
    """So many records of one person."""
    city = MemoryCity()
    for row in range(1, count + 1):
        city.change("c", after={**person(), "id": row})
    city.pump()
    return city


def lasting_until(city: MemoryCity, grant: GrantId, day: date) -> None:
    city.adopt(next_version(city, grant, valid_until=day))


@pytest.mark.parametrize("at", [1, 2], ids=["before a transaction", "between two"])
def test_a_redelivery_ends_with_the_last_day_of_its_grant_though_it_began_before(at: int) -> None:
    city = many(2 * at)
    grant = receiving(city)
    lasting_until(city, grant, NOW.date())
    moment = [datetime(2026, 11, 27, 15, 59, tzinfo=UTC)]
    turns: list[int] = []

    def meanwhile() -> None:
        turns.append(1)
        moment[0] += timedelta(minutes=1) if len(turns) == at else timedelta(0)

    hand = Hand(city, meanwhile)
    with pytest.raises(NotAuthorised, match="days"):
        redeliver(known(city), redelivery(grant), hand, Pace(1), lambda: moment[0])
    assert len(hand.committed) == 2 * (at - 1), "a record and its block for each transaction of that day"


def test_a_redelivery_is_throttled_and_cancelled_between_two_transactions() -> None:
    city = many(6)
    now, waited = [0.0], []
    hand = Hand(city)

    def wait(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    pace = Pace(2, cancelled=lambda: len(hand.committed) >= 6, clock=lambda: now[0], wait=wait)
    with pytest.raises(Cancelled):
        redeliver(known(city), redelivery(receiving(city)), hand, pace, lambda: NOW)
    assert len(hand.committed) == 6, "two transactions of two records and a block each"
    assert sum(waited) == 2.0


@pytest.mark.parametrize("throttle", [None, 1, 4])
def test_a_redelivery_in_many_transactions_gives_each_key_once(throttle: int | None) -> None:
    city = many(6)
    hand, told = Hand(city), []
    pace = Pace(throttle, lambda done, of, _: told.append((done, of)), clock=lambda: 0.0, wait=lambda _: None)
    found = redeliver(known(city), redelivery(receiving(city)), hand, pace, lambda: NOW)
    keys = [record.key for record in hand.committed if record.topic == found["topic"]]
    assert (found["delivered"], len(keys), len(set(keys))) == (6, 6, 6)
    assert told[-1] == (6, 6)


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (Scope(grant=HEALTH, resource=ResourceId("licence.permit.v1")), "the resource of grant"),
        (Scope(grant=HEALTH, provider=ProviderId("tax")), "the provider of grant"),
        (Scope(grant=HEALTH, consumer=ConsumerId("education")), "the consumer of grant"),
        (Scope(grant=HEALTH, topic=TopicName("resource.licence.permit.v1")), "the topic of grant"),
        (Scope(grant=HEALTH, topic=TopicName(f"resource.{PERSONS}"), partition=99), "no partition 99"),
    ],
)
def test_a_redelivery_of_what_is_not_its_grants_is_refused_and_says_what_to_do(
    scope: Scope, said: str
) -> None:
    city = many(1)
    hand = Hand(city)
    order = replace(redelivery(HEALTH).order, scope=scope)
    with pytest.raises(Refused, match=said):
        redeliver(known(city), replace(redelivery(HEALTH), order=order), hand, Pace(), lambda: NOW)
    assert hand.committed == []
    if scope.partition is None:
        with pytest.raises(Refused, match="follows from the grant"):
            fitting(scope, city.policy)


def test_a_redelivery_goes_by_canonical_offsets_and_never_by_raw_ones() -> None:
    order = Order(
        Purpose.REDELIVER, Scope(grant=HEALTH, topic=TopicName("raw.x.y")), "lost", "contract 7", {}
    )
    with pytest.raises(Refused, match="name the canonical topic"):
        requested(order)
    canonical = Scope(grant=HEALTH, topic=TopicName(f"resource.{PERSONS}"))
    assert requested(replace(order, scope=canonical)).scope == canonical
    with pytest.raises(Refused, match="no grant"):
        fitting(Scope(grant=GrantId("nobody")), MemoryCity().policy)
