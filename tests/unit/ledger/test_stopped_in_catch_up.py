"""A record that Kafka refuses in a catch-up is withheld with its reason: books close, explain says so."""

from collections.abc import Iterator
from itertools import chain

import pytest

from services.ledger.balance import balance
from services.ledger.coordinates import parse_coordinate
from services.ledger.counts import Place
from services.ledger.evidence import Gatherer
from services.ledger.explain import explain
from services.ledger.explain_delivery import GrantExplanation
from services.ledger.proof import Balance
from services.processor.contract import InputPartition
from services.processor.pieces import Pieces
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import PERSON
from topics.engine.lanes import Lane
from topics.event import GrantId, KafkaRecord, PolicyNumber, TopicName
from topics.grants.declaration import GrantState
from topics.policy import Policy

CANONICAL = TopicName("resource.population.person.v1")
HEALTH = GrantId("health-persons-gusu")
REFUSED, LAST = 1, 2


@pytest.fixture
def city() -> MemoryCity:
    """Three states of one person, which live delivery leaves to the second epoch of the grant."""
    city = MemoryCity()
    city.adopt(version(city, 2, GrantState.FILLING))
    states = [{**PERSON, "name": name} for name in ("王一", "王二", "王三")]
    city.change("c", after=states[0])
    city.change("u", states[0], states[1])
    city.change("u", states[1], states[2])
    city.pump()
    city.adopt(version(city, 3, GrantState.ACTIVE))
    return city


def version(city: MemoryCity, number: int, state: GrantState) -> Policy:
    """The next version: the grant in this state, from the beginning of each partition on."""
    entry = city.policy.grants[HEALTH]
    active = state is GrantState.ACTIVE
    changed = entry.model_copy(
        update={
            "grant": entry.grant.model_copy(update={"state": state}),
            "generation": 2,
            "active_since": PolicyNumber(number if active else 0),
            "starts_at": dict.fromkeys(range(4), 0) if active else {},
        }
    )
    grants = {**city.policy.grants, HEALTH: changed}
    return city.policy.model_copy(update={"version": PolicyNumber(number), "grants": grants})


def place_of(city: MemoryCity) -> Place:
    [found] = [place for place in city.memory.records if place.topic == CANONICAL]
    return found


def catch_up(city: MemoryCity, refused: int | None) -> None:
    """What a processor writes once it has found the record that Kafka refuses."""
    place = place_of(city)
    [due] = city.fanout.catch_ups(InputPartition(*place), city.memory.ends[place], 2)
    found, pieces = city.memory.records[place], Pieces()
    while refused is not None and all(piece.defect is None for piece in pieces.of(due, found)):
        [guilty] = [each for each in pieces.of(due, found) if refused in [one.offset for one in each.records]]
        pieces.broke(guilty, "OutputRefused")

    def lanes() -> Iterator[Lane]:
        for piece in pieces.of(due, found):
            if piece.defect is not None:
                yield from city.fanout.stop_catch_up(piece.catch_up, piece.records[0], piece.defect).lanes
            else:
                yield from city.fanout.process_catch_up(piece.catch_up, piece.records, {}).lanes

    city.write(list(chain.from_iterable(lanes())))


def books(city: MemoryCity) -> Balance:
    gatherer = Gatherer(city.lookup.reader, city.lookup.decoder, compaction_lag_ms=7 * 86_400_000)
    return balance(gatherer.gather(now_ms=city.clock))


def explained(city: MemoryCity, record: KafkaRecord) -> GrantExplanation:
    answer = explain(city.lookup, parse_coordinate(record.coordinates))
    return next(each for each in answer.grants if each.grant == HEALTH)


def of_epoch(city: MemoryCity, offset: int) -> tuple[str | None, str, str | None]:
    found = explained(city, city.memory.records[place_of(city)][offset]).epoch
    assert found is not None
    return found.by, found.outcome, found.reason


def test_the_books_close_and_name_the_record_that_the_consumer_lacks(city: MemoryCity) -> None:
    catch_up(city, REFUSED)
    result = books(city)
    assert (result.differences, result.complete) == ([], True)
    [filled] = [found for found in result.grants if (found.grant, found.generation) == (HEALTH, 2)]
    assert filled.caught_up == 2
    assert any("INTERNAL, catch-up" in note and "lacks" in note for note in result.notes)


def test_books_without_that_record_do_not_close(city: MemoryCity) -> None:
    catch_up(city, None)
    for place, records in city.memory.records.items():
        if place.topic.startswith("sub.health"):
            del records[REFUSED]
    assert books(city).differences


def test_explain_says_that_the_record_was_withheld_and_what_came_after_it_delivered(
    city: MemoryCity,
) -> None:
    catch_up(city, REFUSED)
    assert of_epoch(city, REFUSED) == ("catch-up", "withheld", "INTERNAL")
    assert of_epoch(city, LAST) == ("catch-up", "delivered", None)


def test_a_record_that_was_stopped_live_is_explained_as_withheld_too(
    city: MemoryCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = {**PERSON, "name": "王三"}
    monkeypatch.setattr(
        city.fanout, "process", lambda batch, _: city.fanout.stop_internal(batch[0][0], "OutputRefused")
    )
    city.change("u", last, {**last, "name": "王四"})
    city.pump()
    found = explained(city, city.memory.records[place_of(city)][-1])
    assert (found.outcome, found.reason, found.at) == ("withheld", "INTERNAL", None)
