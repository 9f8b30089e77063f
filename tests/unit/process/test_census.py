"""The census counts what stands in a topic, and the ledger's sums know the year of each block."""

from datetime import UTC, datetime

import pytest

from services.control.process.census import Holding, holding
from services.control.process.collecting.ledger_sums import Followed, follow
from services.ledger.decode import Decoder
from tests.support.memory_bus import MemoryCity, MemoryReader
from tests.unit.ledger.test_city import person
from topics.event import TopicName
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE

TOPIC = TopicName("resource.population.person.v1")


@pytest.mark.requirement("A12-04")
def test_only_the_newest_state_of_what_was_not_withdrawn_counts() -> None:
    reader = MemoryReader()
    for partition, key, value in (
        (0, b"a", b"12345"),
        (0, b"b", b"1"),
        (0, b"a", b"123"),
        (0, b"b", None),
        (1, b"c", b""),
    ):
        reader.add(TOPIC, partition, key, value)
    assert holding(reader, TOPIC) == Holding(records=2, bytes=1 + 3 + 1)
    assert holding(reader, TopicName("resource.other.v1")) == Holding(0, 0)


@pytest.mark.requirement("A12-04")
def test_blocks_are_added_up_by_the_official_year_in_which_they_were_written() -> None:
    city = MemoryCity()
    city.change("c", after=person())
    city.clock = int(datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC).timestamp() * 1000)
    city.pump()
    city.change("u", before=person(), after=person(household_district="320505"))
    city.clock = int(datetime(2026, 12, 31, 16, 0, tzinfo=UTC).timestamp() * 1000)
    city.pump()
    decoder = Decoder(city.registry)
    intake = follow(Followed({}, {}), LEDGER_INTAKE, city.memory, decoder.value)
    (sums,) = intake.sums.values()
    assert {year: each["accepted"] for year, each in sums["years"].items()} == {"2026": 1, "2027": 1}
    assert sums["accepted"] == 2
    delivery = follow(Followed({}, {}), LEDGER_DELIVERY, city.memory, decoder.value)
    for each in delivery.sums.values():
        for outcome in ("delivered", "tombstoned"):
            assert sum(year[outcome] for year in each["years"].values()) == each[outcome]


def test_sums_of_an_older_program_are_counted_anew_with_their_years() -> None:
    old = {"positions": {"0": 7}, "sums": {"raw.a": {"accepted": 7}}, "behind": 0}
    assert Followed.of(old) == Followed({}, {})
    kept = Followed({"0": 7}, {"raw.a": {"accepted": 7, "years": {}}})
    assert Followed.of(kept.document()) == kept
