"""The policy is read from near its end: as the whole topic would be, at the cost of a few versions."""

from functools import cache
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from services.processor import followed_topic
from services.processor.policy_reader import PolicyReader
from services.processor.schema_source import SchemaSource
from tests.support.policy import sample_policy
from tests.unit.processor.test_policy_reader import SCHEMA_ID, Message, Registry, body
from topics.event import PolicyNumber
from topics.wire import frame

SMALL = sample_policy().model_copy(
    update={name: {} for name in ("providers", "consumers", "resources", "grants", "code_lists")}
)
UNREADABLE = b"not framed"
MARK = None
"""An offset that holds the end of a transaction, or what an aborted one wrote: nothing that is read."""


@cache
def record(number: int, *, other: bool = False) -> bytes:
    """A version; under one number there can be another content."""
    policy = SMALL.model_copy(update={"version": PolicyNumber(number), "issued_ms": int(other)})
    return frame(SCHEMA_ID, body(policy))


class Log:
    """The policy topic, and each of its consumers; counts what was read of it."""

    def __init__(self, *offsets: bytes | None, first: int = 0) -> None:
        self.offsets = dict(enumerate(offsets, first))
        self.first = first
        self.read = 0
        self.begun_at: list[int] = []
        self.made = self.closed = 0
        self.refusals: list[int] = []
        self._next = self._told = -1

    @property
    def end(self) -> int:
        return self.first + len(self.offsets)

    def append(self, *offsets: bytes | None) -> None:
        self.offsets |= dict(enumerate(offsets, self.end))

    def __call__(self) -> Any:
        self.made += 1
        return self

    def get_watermark_offsets(self, _part: TopicPartition, **_: object) -> tuple[int, int]:
        if self.refusals:
            raise KafkaException(KafkaError(self.refusals.pop()))
        return self.first, self.end

    def assign(self, parts: list[TopicPartition]) -> None:
        [self._next] = [part.offset for part in parts]
        assert self.first <= self._next <= self.end
        self.begun_at.append(self._next)
        self._told = -1

    def consume(self, count: int, _seconds: float) -> list[Message]:
        found: list[Message] = []
        while self._next < self.end and len(found) < count:
            value = self.offsets[self._next]
            if value is not None:
                found.append(Message(value, offset=self._next))
            self._next += 1
        self.read += len(found)
        if self._next == self.end and self._told < self.end:
            self._told = self.end
            found.append(Message(code=KafkaError._PARTITION_EOF))
        return found

    def close(self) -> None:
        self.closed += 1


def reader_of(log: Log) -> PolicyReader:
    return PolicyReader(log, SchemaSource(Registry()))


async def caught_up(reader: PolicyReader) -> PolicyReader:
    for _ in range(1_000):
        await reader.step()
        if reader.caught_up:
            return reader
    raise AssertionError("it never caught up")


def written(first: int, end: int) -> list[bytes | None]:
    """Versions as the writer leaves them: each with the mark of its transaction."""
    return [value for number in range(first, end) for value in (record(number), MARK)]


@pytest.mark.parametrize("versions", [2, 50, 500])
async def test_of_however_many_versions_two_are_read(versions: int) -> None:
    log = Log(*written(1, versions + 1))
    reader = await caught_up(reader_of(log))
    assert reader.newest is not None
    assert (reader.newest.version, reader.problem, reader.blocked) == (versions, None, None)
    assert log.read == 2


@pytest.mark.parametrize("aborted", [1, 3, 20, 200])
async def test_behind_aborted_writes_it_looks_further_back(aborted: int) -> None:
    log = Log(*written(1, 101), *[MARK] * aborted)
    reader = await caught_up(reader_of(log))
    assert reader.newest is not None
    assert reader.newest.version == 100
    assert log.read <= 4 * (2 + aborted)
    assert log.begun_at == sorted(log.begun_at, reverse=True)


async def test_a_second_content_of_the_newest_number_closes_the_processor_though_the_first_is_far() -> None:
    log = Log(*written(1, 9), *[MARK] * 30, record(8, other=True), MARK)
    reader = await caught_up(reader_of(log))
    assert reader.blocked is not None
    assert "twice" in reader.blocked


async def test_a_lower_version_behind_the_newest_opens_nothing_of_its_own() -> None:
    log = Log(*written(1, 9), *[MARK] * 30, record(3), MARK, record(3), MARK)
    reader = await caught_up(reader_of(log))
    assert reader.newest is not None
    assert reader.newest.version == 8


@pytest.mark.parametrize("behind", [0, 40])
async def test_an_unreadable_record_at_the_end_closes_the_processor_until_a_higher_version(
    behind: int,
) -> None:
    log = Log(*written(1, 9), UNREADABLE, *[MARK] * behind)
    reader = await caught_up(reader_of(log))
    assert reader.newest is not None
    assert reader.newest.version == 8
    assert reader.blocked is not None
    log.append(record(8), MARK)
    await caught_up(reader)
    assert reader.blocked is not None, "what is known already opens nothing"
    log.append(record(9), MARK)
    await caught_up(reader)
    assert reader.blocked is None
    assert reader.newest.version == 9


async def test_until_enough_was_read_it_is_not_caught_up() -> None:
    log = Log(*written(1, 9), *[MARK] * 30)
    reader = reader_of(log)
    await reader.step()
    assert not reader.caught_up
    assert (reader.newest, reader.blocked) == (None, None)
    assert reader.problem is not None


async def test_the_one_version_that_there_is_is_enough() -> None:
    reader = await caught_up(reader_of(Log(*written(1, 2))))
    assert reader.newest is not None
    assert reader.newest.version == 1


async def test_where_the_first_records_are_gone_the_topic_begins_with_the_first_that_is_left() -> None:
    reader = await caught_up(reader_of(Log(record(7), MARK, first=12)))
    assert reader.newest is not None
    assert reader.newest.version == 7


async def test_what_comes_later_is_followed_and_what_a_new_producer_must_know_is_read_to_its_end() -> None:
    log = Log(*written(1, 30))
    reader = await caught_up(reader_of(log))
    log.append(*written(30, 33))
    reader.read_again()
    assert not reader.caught_up
    await caught_up(reader)
    assert reader.newest is not None
    assert reader.newest.version == 32
    assert log.read == 5
    assert log.made == 1


async def test_while_kafka_does_not_say_where_the_topic_ends_nothing_is_known_and_it_is_asked_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(followed_topic, "_PAUSE_SECONDS", 0.0)
    log = Log(*written(1, 5))
    log.refusals = [KafkaError._TIMED_OUT, KafkaError.UNKNOWN_TOPIC_OR_PART]
    reader = reader_of(log)
    await reader.step()
    assert reader.problem == "topic policy: UNKNOWN_TOPIC_OR_PART"
    assert not reader.caught_up
    await caught_up(reader)
    assert reader.problem is None
    assert (log.made, log.closed) == (3, 2), "one that knew the broker before a restart is not asked again"
    await reader.close()
    assert log.closed == 3


NOISE = st.sampled_from(["higher", "higher", "higher", "same", "other", "lower", "unreadable", "mark"])


def history(kinds: list[str]) -> list[bytes | None]:
    """A topic of such records; behind a lower version never comes its next number."""
    newest = 3
    found: list[bytes | None] = [record(3)]
    for kind in kinds:
        newest += kind == "higher"
        found.append(
            {
                "higher": record(newest),
                "same": record(newest),
                "other": record(newest, other=True),
                "lower": record(1),
                "unreadable": UNREADABLE,
                "mark": MARK,
            }[kind]
        )
    return found


@given(st.lists(NOISE, max_size=40))
async def test_whatever_the_topic_holds_it_leads_to_the_same_as_reading_it_whole(kinds: list[str]) -> None:
    offsets = history(kinds)
    tail = await caught_up(reader_of(Log(*offsets)))
    later = Log()
    whole = await caught_up(reader_of(later))
    later.append(*offsets)
    whole.read_again()
    await caught_up(whole)
    assert later.begun_at == [0, 0]
    assert (tail.newest, tail.blocked is None) == (whole.newest, whole.blocked is None)
