"""The ledger browser: which checkpoint covers a block, whether it is in it, and the first fault."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.evidence.browsing import Book, Followed, Leaf, Standing, followed, leaf
from services.evidence.checkpoints import Checkpoint
from services.evidence.entries import INTAKE, Place
from services.evidence.faults import Fault
from services.evidence.sealed import Sealed, sealed_text
from services.evidence.trust import Trust
from services.ledger.counts import Place as TopicPlace
from services.ledger.reader import KafkaUnavailable, TopicReader
from tests.unit.evidence.test_ledger_log import NOW, Bench
from tests.unit.ledger.test_city import person
from topics.event import KafkaRecord
from topics.names import LEDGER_CHECKPOINTS


class Browsed(Bench):
    """A city whose checkpoints stand in its topic, with a transaction's marker behind each."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.told = 0

    def change(self, number: int) -> None:
        self.city.change("c", after=person(id=number))
        self.city.pump()

    def publish(self, *more: Sealed) -> None:
        for sealed in (*self.kept.log[self.told :], *more):
            self.city.memory.add(LEDGER_CHECKPOINTS, 0, None, sealed_text(sealed), skip=1)
        self.told = len(self.kept.log)

    def trust(self) -> Trust:
        log = self.kept.log
        return Trust(log[0].signed.checkpoint.log, self.keys.public(), log[-1].signed)

    def place(self) -> Place:
        """A partition of the intake in which something stands."""
        entries = self.log.since({}, 1000).entries
        return next(each.place for each in entries if each.topic == INTAKE)

    def look(self, book: Book, before: int | None = None, many: int = 50) -> Leaf:
        return leaf(book, self.log, self.place(), before, many)


@pytest.fixture
def bench(tmp_path: Path) -> Browsed:
    found = Browsed(tmp_path)
    found.change(1)
    found.seal()
    found.publish()
    return found


@pytest.mark.requirement("A11-02")
def test_a_block_is_verified_once_its_checkpoint_is_followed_and_waits_before(bench: Browsed) -> None:
    book = followed(Book(), bench.city.memory, bench.trust())
    assert (book.fault, book.witness) == (None, bench.kept.log[-1].number)
    lines = bench.look(book).lines
    assert [each.standing for each in lines] == [Standing.VERIFIED]
    assert lines[0].checkpoint == 1
    assert [each.standing for each in bench.look(Book()).lines] == [Standing.WAITING]
    bench.change(1)
    assert bench.look(book).lines[0].standing is Standing.WAITING
    bench.seal()
    bench.publish()
    assert bench.look(followed(book, bench.city.memory, bench.trust())).lines[0].standing is Standing.VERIFIED


def test_without_a_trust_file_inclusion_is_all_that_is_claimed(bench: Browsed) -> None:
    book = followed(Book(), bench.city.memory, None)
    assert [each.standing for each in bench.look(book).lines] == [Standing.UNSIGNED]


def test_a_block_that_was_changed_after_it_was_sealed_is_faulty(bench: Browsed) -> None:
    book = followed(Book(), bench.city.memory, bench.trust())
    for place, records in bench.city.memory.records.items():
        if place.topic == INTAKE:
            records[:] = [replace(each, timestamp_ms=NOW + 1) for each in records]
    assert [each.standing for each in bench.look(book).lines] == [Standing.FAULTY]


def test_the_first_checkpoint_that_does_not_hold_is_named_and_covers_nothing(bench: Browsed) -> None:
    bench.change(1)
    bench.seal()
    last = bench.kept.log.pop()
    bench.publish(replace(last, leaves=last.leaves[:-1]))
    book = followed(Book(), bench.city.memory, bench.trust())
    assert book.fault is not None
    assert (book.fault.fault, book.fault.where) == (Fault.ROOT_DIFFERS, "checkpoint 2")
    assert bench.look(book).lines[0].standing is Standing.FAULTY
    assert bench.look(book).lines[-1].standing is Standing.VERIFIED


def test_a_checkpoint_that_is_missing_is_named(bench: Browsed) -> None:
    bench.change(1)
    bench.seal()
    bench.change(2)
    bench.seal()
    bench.told = 2
    bench.publish()
    book = followed(Book(), bench.city.memory, bench.trust())
    assert book.fault is not None
    assert (book.fault.fault, book.fault.where) == (Fault.CHECKPOINT_CHAIN, "checkpoint 3")


def test_a_page_reads_so_many_offsets_and_says_where_the_older_one_ends(bench: Browsed) -> None:
    for _ in range(3):
        bench.change(1)
    newest = bench.look(Book(), many=2)
    assert len(newest.lines) <= 2
    assert newest.before is not None
    offsets = [each.entry.offset for each in newest.lines]
    assert offsets == sorted(offsets, reverse=True)
    older = bench.look(Book(), newest.before, 50)
    assert older.before is None
    assert len(newest.lines) + len(older.lines) == 4


class Interrupting:
    """Kafka, from which something is done each time before records are read."""

    def __init__(self, reader: Any, happens: Callable[[], object]) -> None:
        self._reader, self._happens = reader, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def read_all(self, ranges: Any) -> Iterator[KafkaRecord]:
        self._happens()
        return self._reader.read_all(ranges)  # type: ignore[no-any-return]


def test_a_checkpoint_that_is_followed_while_a_page_is_read_takes_nothing_for_faulty(bench: Browsed) -> None:
    book = followed(Book(), bench.city.memory, bench.trust())
    bench.change(1)
    bench.seal()
    bench.publish()
    meanwhile = Interrupting(bench.city.memory, lambda: followed(book, bench.city.memory, bench.trust()))
    found = leaf(book, replace(bench.log, reader=cast(TopicReader, meanwhile)), bench.place(), None, 50)
    assert [each.standing for each in found.lines] == [Standing.WAITING, Standing.VERIFIED]


def test_a_look_that_fails_in_between_leaves_nothing_behind(bench: Browsed) -> None:
    bench.change(1)
    bench.seal()
    bench.publish()

    def broken(ranges: Any) -> Iterator[KafkaRecord]:
        yield next(bench.city.memory.read_all(ranges))
        raise KafkaUnavailable("away")

    breaking = Interrupting(bench.city.memory, lambda: None)
    breaking.read_all = broken  # type: ignore[method-assign]
    book = Book()
    for _ in range(3):
        with pytest.raises(KafkaUnavailable):
            followed(book, cast(TopicReader, breaking), bench.trust())
    assert (len(book.known), book.many) == (1, 0)
    assert [each.standing for each in bench.look(book).lines] == [Standing.WAITING, Standing.WAITING]
    whole = followed(book, bench.city.memory, bench.trust())
    assert (len(whole.known), whole.many, whole.fault) == (2, 2, None)


def test_a_number_beyond_every_offset_is_a_fault_and_what_follows_is_read(bench: Browsed) -> None:
    bench.change(1)
    bench.seal()
    last = bench.kept.log.pop()
    signed = last.signed
    ends = dict.fromkeys(signed.checkpoint.ends, 2**63)
    bench.publish(replace(last, signed=replace(signed, checkpoint=replace(signed.checkpoint, ends=ends))))
    book = followed(Book(), bench.city.memory, bench.trust())
    assert book.fault is not None
    assert book.fault.fault is Fault.CHECKPOINT_CHAIN
    assert (book.many, book.read) == (1, bench.city.memory.bounds(TopicPlace(LEDGER_CHECKPOINTS, 0)).end)


PLACES = [Place(INTAKE, 0), Place(INTAKE, 1), Place("policy", 0)]


@given(st.lists(st.dictionaries(st.sampled_from(PLACES), st.integers(0, 20))), st.integers(0, 21))
def test_an_offset_is_covered_by_the_first_checkpoint_that_reached_it(
    ends: list[dict[Place, int]], offset: int
) -> None:
    known = Followed()
    for number, each in enumerate(ends, 1):
        one = Checkpoint("log", number, 0, "", (), each, 0, "", "key")
        known.add(one, number * 2, sound=number % 3 > 0)
    for place in PLACES:
        first = next((n for n, each in enumerate(ends, 1) if each.get(place, 0) > offset), None)
        found = known.covering(place, offset, len(ends))
        assert (None if found is None else (found.number, found.offset, found.sound)) == (
            None if first is None else (first, first * 2, first % 3 > 0)
        )
