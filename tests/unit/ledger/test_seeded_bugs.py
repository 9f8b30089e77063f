"""The checkers are checked: each bug that is put into a bus that works is noticed, by the named checker.

The sample city runs with the real processors over topics in memory. A bug is put into what they write, into
what they are told, into what is captured, or into the topics afterwards; then balance, digests, verifier,
replay and reconciliation are asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from services.fanout.processor import FanoutProcessor
from services.ledger.counts import Place
from services.processor.contract import InputPartition
from tests.support.seeded_bugs import (
    BuggyCity,
    Caught,
    block_with,
    checked,
    cut_in_ledger,
    once,
    sealed_log,
)
from tests.unit.cli.called import PERSON
from topics.event import GrantId, KafkaRecord, OutputRecord, ResourceId, TopicName
from topics.policy import Policy

OTHER: Final = "440524188001010014"
CORRECTED: Final = "110105194912310021"
HEALTH: Final = "sub.health."
EDUCATION: Final = "sub.education."
PERSONS: Final = ResourceId("population.person.v1")
Bug = Callable[[BuggyCity], None]


def person(**changed: Any) -> dict[str, Any]:
    return {**PERSON, **changed}


def live(city: BuggyCity) -> None:
    """Two rounds of a register's life: creates, a correction, a stop, moves in and out, a delete."""
    for row in range(1, 7):
        city.happen("c", after=person(id=row))
    city.happen("c", after=person(id=7, id_number=OTHER, household_district="320506"))
    city.garbage(b"\x01garbage")
    city.pump()
    city.happen("u", person(id=1), person(id=1, id_number=CORRECTED))
    city.happen("u", person(id=2), person(id=2, household_district="320506"))
    city.happen("u", person(id=3), person(id=3, name="王晓明"))
    city.happen("u", person(id=3, name="王晓明"), person(id=3, name="王小明"))
    city.happen("u", person(id=5), person(id=5, sex="?"))
    city.happen("d", before=person(id=4))
    city.pump()


def place_of(city: BuggyCity, prefix: str, least: int = 1) -> Place:
    return next(
        place
        for place, found in city.memory.records.items()
        if place.topic.startswith(prefix) and len(found) >= least
    )


def writing(change: Callable[[OutputRecord], Iterable[OutputRecord]], prefix: str, which: int = 0) -> Bug:
    """The processors have the defect while they work."""

    def bug(city: BuggyCity) -> None:
        city.defect = once(change, prefix, which)
        live(city)

    return bug


def afterwards(
    prefix: str, change: Callable[[Sequence[KafkaRecord]], Sequence[KafkaRecord]], least: int = 1
) -> Bug:
    """All is well, and then a partition is changed on the broker."""

    def bug(city: BuggyCity) -> None:
        live(city)
        city.rewrite(place_of(city, prefix, least), change)

    return bug


def telling(change: Callable[[dict[str, Any]], dict[str, Any]], prefix: str) -> Bug:
    """A block of the ledger says something else than was done."""

    def bug(city: BuggyCity) -> None:
        city.defect = once(lambda record: [block_with(city, record, change)], prefix)
        live(city)

    return bug


def dropped(_: OutputRecord) -> Iterable[OutputRecord]:
    return []


def twice(record: OutputRecord) -> Iterable[OutputRecord]:
    return [record, record]


def flipped(record: OutputRecord) -> Iterable[OutputRecord]:
    value = record.value or b""
    return [replace(record, value=value[:-1] + bytes([value[-1] ^ 1]))]


def misdirected(record: OutputRecord) -> Iterable[OutputRecord]:
    return [replace(record, topic=TopicName("sub.education.population.person.v1.education-persons"))]


def elsewhere(record: OutputRecord) -> Iterable[OutputRecord]:
    return [replace(record, partition=(record.partition + 1) % 4)]


def without_header(record: OutputRecord) -> Iterable[OutputRecord]:
    return [replace(record, headers=record.headers[1:])]


def under_another_key(record: OutputRecord) -> Iterable[OutputRecord]:
    key = record.key or b""
    return [replace(record, key=key[:-1] + bytes([key[-1] ^ 1]))]


def swapped(records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
    *before, first, second = records
    return [*before, replace(second, offset=first.offset), replace(first, offset=second.offset)]


def fewer(block: dict[str, Any]) -> dict[str, Any]:
    grants = [dict(grant) for grant in block["grants"]]
    worked = next(grant for grant in grants if grant["delivered"])
    worked["delivered"] -= 1
    return {**block, "grants": grants}


def unstopped(block: dict[str, Any]) -> dict[str, Any]:
    stopped = block["outcomes"].get("stopped", 0)
    return {
        **block,
        "outcomes": {**block["outcomes"], "stopped": 0, "accepted": block["outcomes"]["accepted"] + stopped},
    }


def shorter(block: dict[str, Any]) -> dict[str, Any]:
    return {**block, "to_offset": block["to_offset"] - 1}


def lawless(block: dict[str, Any]) -> dict[str, Any]:
    return {**block, "policy_version": 77}


def less(records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
    return records[1:]


def copied(records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
    return [replace(records[0], value=records[-1].value), *records[1:]]


def later(
    change: Callable[[Sequence[KafkaRecord]], Sequence[KafkaRecord]], prefix: str
) -> Callable[[BuggyCity], list[Any]]:
    """Somebody changes the ledger after it was sealed."""

    def bug(city: BuggyCity) -> list[Any]:
        live(city)
        log = [sealed_log(city)]
        city.rewrite(place_of(city, prefix), change)
        return log

    return bug


def deciding(change: Callable[[Policy], Policy]) -> Bug:
    """The processors decide by another policy than the one whose number they write down."""

    def bug(city: BuggyCity) -> None:
        for processor in (city.gate, city.fanout):
            processor.adopt(change(city.policy))
        live(city)

    return bug


def with_grant(grant: str, **changes: Any) -> Callable[[Policy], Policy]:
    def change(policy: Policy) -> Policy:
        entry = policy.grants[GrantId(grant)]
        changed = entry.model_copy(update={"grant": entry.grant.model_copy(update=changes)})
        return policy.model_copy(update={"grants": {**policy.grants, entry.grant.id: changed}})

    return change


def with_resource(**changes: Any) -> Callable[[Policy], Policy]:
    def change(policy: Policy) -> Policy:
        entry = policy.resources[PERSONS]
        changed = entry.model_copy(update={"resource": entry.resource.model_copy(update=changes)})
        return policy.model_copy(update={"resources": {**policy.resources, PERSONS: changed}})

    return change


def by_another_secret(city: BuggyCity) -> None:
    fanout = FanoutProcessor("default", {1: bytes(31) + b"x"})
    fanout.adopt(city.policy)
    for topic in fanout.topics():
        for place in city.memory.places(topic):
            fanout.assign(InputPartition(topic, place.partition), 0)
    city.fanout = fanout
    live(city)


def rolled_back(city: BuggyCity) -> None:
    """What the capture reads was never committed."""
    live(city)
    city.change("c", after=person(id=8))
    city.pump()


def not_captured(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Bug:
    """The source commits a change that the capture never reads."""

    def bug(city: BuggyCity) -> None:
        live(city)
        city.source.commit(before, after)

    return bug


def after_its_cut(city: BuggyCity) -> None:
    """The grant is suspended and cut, and a fan-out that knows nothing of it goes on delivering."""
    for row in range(1, 4):
        city.happen("c", after=person(id=row))
    city.pump()
    cut_in_ledger(city, GrantId("health-persons-gusu"), policy_version=2)
    live(city)


@dataclass(frozen=True, slots=True)
class Seeded:
    """A bug, and who must notice it."""

    name: str
    bug: Callable[[BuggyCity], Any]
    caught_by: frozenset[str]


def seeded(name: str, bug: Callable[[BuggyCity], Any], *caught_by: str) -> Seeded:
    return Seeded(name, bug, frozenset(caught_by))


EVERYBODY: Final = ("balance", "digests", "verifier", "replay")
COUNTED: Final = ("balance", "digests")
BUT_DIGESTS: Final = ("balance", "verifier", "replay")
BUGS: Final = (
    seeded("a delivery is dropped", writing(dropped, HEALTH, 2), "balance", "digests"),
    seeded("a delivery is written twice", writing(twice, HEALTH, 2), "balance", "digests"),
    seeded("a canonical record that soon ends is dropped", writing(dropped, "resource.", 3), *COUNTED),
    seeded("a canonical record is dropped", writing(dropped, "resource.", 5), *COUNTED, "reconciliation"),
    seeded(
        "one bit of a canonical value flips", writing(flipped, "resource.", 5), "digests", "reconciliation"
    ),
    seeded("a stopped event is in no quarantine", writing(dropped, "quarantine."), "balance", "digests"),
    seeded("two changes of one key are swapped", afterwards(HEALTH, swapped, 2), "digests"),
    seeded("one bit of a delivered value flips", writing(flipped, HEALTH, 2), "digests"),
    seeded("a delivery stands under another key", writing(under_another_key, HEALTH, 2), "digests"),
    seeded("a delivery lacks a header", writing(without_header, HEALTH, 2), "digests"),
    seeded("a delivery goes to another consumer", writing(misdirected, HEALTH, 2), "balance", "digests"),
    seeded("a delivery goes to another partition", writing(elsewhere, HEALTH, 2), "balance", "digests"),
    seeded("a decision block is not written", writing(dropped, "ledger.delivery"), "balance", "digests"),
    seeded("a decision block is written twice", writing(twice, "ledger.intake"), *EVERYBODY),
    seeded("a grant counts less than it wrote", telling(fewer, "ledger.delivery"), *BUT_DIGESTS),
    seeded(
        "the gate calls a stopped event accepted", telling(unstopped, "ledger.intake"), "balance", "replay"
    ),
    seeded("a block covers less than it decided", telling(shorter, "ledger.intake"), *BUT_DIGESTS),
    seeded(
        "a delivery names a policy that never was", telling(lawless, "ledger.delivery"), "verifier", "replay"
    ),
    seeded(
        "an entry of the ledger is removed", later(less, "ledger.delivery"), "balance", "digests", "verifier"
    ),
    seeded("an entry of the ledger is altered", later(copied, "ledger.intake"), *EVERYBODY),
    seeded("a masked item is delivered bare", deciding(with_grant("education-persons", masks={})), "replay"),
    seeded(
        "rows outside the grant are delivered", deciding(with_grant("health-persons-gusu", rows=())), "replay"
    ),
    seeded("pseudonyms are made with another secret", by_another_secret, "replay"),
    seeded("the gate leaves out its quality rules", deciding(with_resource(rules=())), "replay"),
    seeded("a grant is served after its cut", after_its_cut, "verifier"),
    seeded("a row that was rolled back is delivered", rolled_back, "reconciliation"),
    seeded("a committed row is not captured", not_captured(None, person(id=8)), "reconciliation"),
    seeded("an update is lost", not_captured(person(id=3), person(id=3, name="王大明")), "reconciliation"),
    seeded("a deletion is lost", not_captured(person(id=6), None), "reconciliation"),
)


@pytest.fixture(scope="module")
def honest() -> Caught:
    city = BuggyCity()
    live(city)
    return checked(city)


def test_nobody_finds_anything_on_a_bus_without_a_bug(honest: Caught) -> None:
    assert honest == Caught()


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize("one", BUGS, ids=lambda one: one.name)
def test_every_seeded_bug_is_noticed_by_whom_it_must_be_noticed(one: Seeded) -> None:
    city = BuggyCity()
    log = one.bug(city) or ()
    found = checked(city, log)
    assert found.by() == one.caught_by, found
