"""What is remembered of very many keys is taken over while everybody else has the event loop."""

import asyncio
from collections.abc import Mapping
from itertools import chain
from typing import Any

import pytest

from services.gate.processor import GateProcessor
from services.gate.stopped import StoppedEntry
from services.gate.versions import AcceptedVersion
from services.processor.consumer import Owned, Stage
from services.processor.contract import InputPartition
from services.processor.errors import WaitAndRetry
from services.processor.partition_reader import PartitionReader
from services.processor.positions import Positions
from tests.support.debezium import PERSON_TOPIC
from tests.support.policy import sample_policy
from tests.support.publication import PERMIT_SCHEMA, PERMIT_SCHEMA_ID, PERMIT_TOPIC, permit, published
from tests.unit.gate.test_published_versions import with_permits
from tests.unit.processor.fakes import FakeInput
from topics.engine.records import PartitionRecords
from topics.engine.reference import ReferenceCodec
from topics.event import EntityKey, KafkaRecord, RecordId, TopicName
from topics.wire import frame

PARTITIONS = 8
ENTRIES = 200_000
EACH = ENTRIES // PARTITIONS
AT_ONCE = 1_000
"""Messages that one turn of the loop may look at: some milliseconds."""
SOURCE = InputPartition(PERMIT_TOPIC, published(1).partition)


class Message:
    """One entry as it stands in Kafka; the class counts those that somebody holds."""

    held = 0

    def __init__(self, place: tuple[str, int], offset: int, value: bytes) -> None:
        self._place, self._offset, self._value = place, offset, value
        Message.held += 1

    def __del__(self) -> None:
        Message.held -= 1

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return self._place[0]

    def partition(self) -> int:
        return self._place[1]

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"SP-0001" if self._offset == 0 else b"%d" % self._offset

    def value(self) -> bytes:
        return self._value


class State:
    """Partitions that hold ``count`` entries each, and what was done with them."""

    def __init__(self, value: bytes, count: int = EACH) -> None:
        self.value, self.count = value, count
        self.looked_at = self.most_held = 0
        self.clients: list[Consumer] = []

    def consumer(self, _settings: Mapping[str, Any]) -> "Consumer":
        self.clients.append(Consumer(self))
        return self.clients[-1]


class Consumer:
    """A client of Kafka that has everything there at once."""

    def __init__(self, state: State) -> None:
        self._state, self._next, self._place = state, 0, ("", 0)
        self.placed = 0

    def get_watermark_offsets(self, _place: Any, **_: Any) -> tuple[int, int]:
        return 0, self._state.count

    def list_topics(self, *_: Any, **__: Any) -> None:
        return

    def assign(self, places: list[Any]) -> None:
        [place] = places
        self._place, self._next = (place.topic, place.partition), place.offset
        self.placed += 1

    def unassign(self) -> None:
        return

    def close(self) -> None:
        return

    def consume(self, most: int, _timeout: float) -> list[Message]:
        numbers = range(self._next, min(self._next + most, self._state.count))
        self._next = numbers.stop
        found = [Message(self._place, number, self._state.value) for number in numbers]
        self._state.looked_at += len(found)
        self._state.most_held = max(self._state.most_held, Message.held)
        return found


class Desk:
    """A gate whose partitions have all just come, each with its entries in Kafka."""

    def __init__(self) -> None:
        self.gate = GateProcessor("gate.0")
        self.gate.adopt(with_permits(scope_items=("kind",)))
        schema_id, self.codec = self.gate.plan.control.remembered(published=True)
        entry = AcceptedVersion(1, 5, b"123456789012", EntityKey("credit_code:1", RecordId("SP-0001")))
        self.state = State(frame(schema_id, self.codec.encode(entry.record())))
        self.input = FakeInput([])
        self.input.topics = frozenset({PERMIT_TOPIC})
        self.input.owned = {InputPartition(PERMIT_TOPIC, number): Owned() for number in range(PARTITIONS)}
        self.reader = PartitionReader({}, "gate", make=self.state.consumer)
        parts: tuple[Any, ...] = (self.input, self.reader, self.gate)
        self.positions = Positions(*parts)

    async def take(self) -> list[int]:
        """Take all partitions; how many entries each turn of the loop looked at."""
        turns = [0]

        async def others() -> None:
            while True:
                before = self.state.looked_at
                await asyncio.sleep(0)
                turns.append(self.state.looked_at - before)

        beside = asyncio.create_task(others())
        assert await self.positions.take(1)
        beside.cancel()
        return turns


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[ReferenceCodec]:
    """The codec of each datum that is decoded."""
    found: list[ReferenceCodec] = []
    decode = ReferenceCodec.decode

    def noted(codec: ReferenceCodec, data: bytes) -> Any:
        found.append(codec)
        return decode(codec, data)

    monkeypatch.setattr(ReferenceCodec, "decode", noted)
    return found


async def test_no_turn_looks_at_more_than_some_entries_however_many_partitions_come() -> None:
    desk = Desk()
    turns = await desk.take()
    assert sum(turns) == ENTRIES
    assert max(turns) <= AT_ONCE
    assert desk.input.in_stage(Stage.BEHIND) == sorted(desk.input.owned)
    assert sum(map(len, desk.gate._entries.values())) == ENTRIES


async def test_of_what_was_read_nothing_but_keys_and_entries_is_held() -> None:
    desk = Desk()
    before = Message.held
    await desk.take()
    assert desk.state.most_held - before <= 5 * AT_ONCE, "each client its own"
    assert Message.held == before


async def test_few_partitions_are_read_at_a_time_since_each_needs_a_client() -> None:
    desk = Desk()
    await desk.take()
    readers = [client for client in desk.state.clients if client.placed]
    assert len(readers) <= 4
    assert sum(client.placed for client in readers) == PARTITIONS


async def test_an_entry_is_decoded_when_its_key_comes_and_not_before(decoded: list[ReferenceCodec]) -> None:
    desk = Desk()
    await desk.take()
    assert decoded == []
    known = published(4, permit(), partition=SOURCE.partition)
    records = [known, published(9, key=b"SP-0002", partition=SOURCE.partition)]
    batch = [PartitionRecords(*SOURCE, records)]
    outcomes = desk.gate.process(batch, {PERMIT_SCHEMA_ID: PERMIT_SCHEMA}).outcomes
    assert outcomes == {"OLDER_VERSION": 1, "WRONG_KEY": 1}
    assert decoded.count(desk.codec) == 1


async def test_where_nothing_comes_it_is_told_after_a_while() -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 5.0
        return now

    state = State(b"")
    reader = PartitionReader({}, "gate", make=state.consumer, clock=clock)
    reader._idle.append(state.consumer({}))
    state.clients[0].consume = lambda *_: []  # type: ignore[method-assign]
    with pytest.raises(WaitAndRetry, match=f"cannot be read up to offset {EACH}"):
        await reader.last_values(InputPartition(TopicName("state"), 0))
    assert reader._idle == []


@pytest.mark.parametrize("unreadable", [b"", b"\x00", b"\x00\x00\x00\x00\x01\xff"])
def test_a_record_whose_entry_cannot_be_read_is_quarantined_and_the_others_go_on(unreadable: bytes) -> None:
    gate = Desk().gate
    gate.assign(SOURCE, 0)
    gate.load(SOURCE, {b"SP-0001": unreadable})
    records = [published(9, permit(), partition=SOURCE.partition), KafkaRecord(*SOURCE, 10, 0, b"k", None)]
    result = gate.process([PartitionRecords(*SOURCE, records)], {PERMIT_SCHEMA_ID: PERMIT_SCHEMA})
    assert result.outcomes == {"INTERNAL": 1, "TOMBSTONE": 1}
    written = [output.topic for output in chain.from_iterable(result.lanes)]
    assert written == ["quarantine.market_regulation", "ledger.intake"]
    assert gate._entries[SOURCE] == {b"SP-0001": unreadable}
    again = gate.stop_internal(records[0], "ProcessDied")
    assert again.outcomes == {"INTERNAL": 1}


def test_a_captured_key_whose_entry_cannot_be_read_goes_on_with_one_that_knows_of_no_accepted_state() -> None:
    source = InputPartition(PERSON_TOPIC, 0)
    gate = GateProcessor("gate.0")
    gate.adopt(sample_policy())
    gate.assign(source, 0)
    gate.load(source, {b"k": b"\x00"})
    record = KafkaRecord(*source, 7, 1_790_000_000_000, b"k", b"?")
    assert gate.process([PartitionRecords(*source, [record])], {}).outcomes == {"INTERNAL": 1}
    assert gate._entry(record) == StoppedEntry(False, None, 7, 7)
