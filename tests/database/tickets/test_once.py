"""The tickets' loop reads the ledger once in a turn, however many tickets are open."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from services.control.process.tickets import TicketsTurn
from services.control.store.database import ControlDatabase
from services.control.tickets.evidence import Reported
from services.control.tickets.words import Action
from services.ledger.coordinates import parse_coordinate
from services.ledger.counts import Place
from services.ledger.disputed import find
from services.ledger.lookup import Lookup
from services.ledger.reader import Bounds
from tests.database.tickets.filing import file, read, take
from tests.support.memory_bus import MemoryCity
from tests.support.tickets import BUREAU, NOW
from tests.unit.cli.called import PERSON
from topics.event import KafkaRecord
from topics.names import LEDGER_DELIVERY

SECRETS = {1: bytes(32)}
CANONICAL = "resource.population.person.v1"
NUMBERS = ("11010519491231002X", "110105194912310046", "110105194912310062", "110105194912310089")


@pytest.fixture
def city() -> MemoryCity:
    """Four persons, each delivered to two departments."""
    found = MemoryCity()
    for number, identity in enumerate(NUMBERS, start=1):
        found.change("c", after={**PERSON, "id": number, "id_number": identity})
    found.pump()
    return found


@pytest.fixture
def ledger_reads(city: MemoryCity, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that the delivery ledger is read whole."""
    reads: list[int] = []
    kind, inner = type(city.memory), type(city.memory).read_all

    def counted(self: object, ranges: Mapping[Place, Bounds]) -> Iterator[KafkaRecord]:
        if any(place.topic == LEDGER_DELIVERY for place in ranges):
            reads.append(len(ranges))
        return inner(self, ranges)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "read_all", counted)
    return reads


def filed(city: MemoryCity, database: ControlDatabase, many: int) -> list[str]:
    """So many tickets, each about another record, with the provider."""
    found = []
    places = city.memory.places(CANONICAL)  # type: ignore[arg-type]
    standing = [record for place in places for record in city.memory.records.get(place, [])]
    for number, record in enumerate(standing[:many]):
        seen = find(city.lookup, parse_coordinate(record.coordinates), ["address"], SECRETS)
        reported = Reported(seen.provider, seen.contested, str(seen.version.at), seen.version.position)
        id_ = f"0198a000-0000-7000-8000-00000000001{number}"
        file(database, id_, reported=reported)
        take(database, id_, Action.DISPATCH, BUREAU)
        found.append(id_)
    assert len(found) == many
    return found


@pytest.mark.parametrize("many", [1, 4])
def test_the_ledger_is_read_once_for_all_open_tickets(
    city: MemoryCity, control_database: ControlDatabase, ledger_reads: list[int], many: int
) -> None:
    @contextmanager
    def opened() -> Iterator[Lookup]:
        yield city.lookup.fresh()

    tickets = filed(city, control_database, many)
    turn = TicketsTurn(control_database, opened, lambda _lookup: SECRETS, lambda: NOW)
    assert turn.turn()
    assert len(ledger_reads) == 1, f"once for {many} tickets"
    for each in tickets:
        receivers = {receipt.consumer for receipt in read(control_database, each).receipts}
        assert receivers == {"education", "health"}, "each ticket knows who received its own record"
    assert not turn.turn()
    assert len(ledger_reads) == 2, "to see that nothing is new"
    assert not turn.turn()
    assert len(ledger_reads) == 2, "where no topic and no ticket moved, nothing is read"
