"""Orders for receipts: made once, waited for, refused with a reason, carried on by another after a death."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from services.control.accounts.decision import Whose
from services.control.evidence.ordering import PATIENCE, Obstacle, Order, State, Subject, Wish
from services.control.evidence.stating import IndexBehind, NothingToProve
from services.control.process.forgetting import ForgettingTurn
from services.control.process.loops import NotYet
from services.control.process.receipts import ReceiptsTurn
from services.control.store.database import ControlDatabase, Task
from services.control.store.outbox import OUTBOX
from services.control.store.receipts import orders
from services.evidence.checkpoints import Signed
from services.evidence.entries import ACTS
from services.evidence.making import LedgerDiffers, NothingSealed
from services.evidence.sealed import Sealed
from services.ledger.coordinates import Coordinate
from services.ledger.lookup import RecordMissing
from services.ledger.reader import KafkaUnavailable, TopicMissing
from tests.support.evidence import log_of
from topics.event import TopicName

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
WITNESS = log_of()[1].signed
OWN = log_of()[0].signed
DELIVERY = Subject(2, 41, grant="health-persons-gusu")
RECORD = Subject(0, 17, topic="raw.police.public.person", withdrawn=True)
CONTENT = b"receipt.json"


@dataclass(frozen=True)
class Maker:
    """Makes receipts, or fails in its turn as it is told."""

    witnesses: Sequence[Signed]
    shown: Collection[str]
    log: Sequence[Sealed]
    fails: list[BaseException]
    calls: list[tuple[Any, ...]]

    def of_delivery(self, *asked: Any) -> bytes:
        return self._made(*asked)

    def of_record(self, raw: Coordinate, *, withdrawn: bool) -> bytes:
        return self._made(raw, withdrawn)

    def _made(self, *asked: Any) -> bytes:
        self.calls.append((*asked, sorted(self.shown), list(self.witnesses)))
        if self.fails:
            raise self.fails.pop(0)
        return CONTENT


@dataclass
class Office:
    """A database with a control process of which the time is set."""

    database: ControlDatabase
    now: datetime = NOW
    fails: list[BaseException] = field(default_factory=list)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    closed: Exception | None = None
    """Why nothing can be opened by which receipts are made."""

    def turn(self) -> bool:
        opened: Callable[[], Any] = self._opened
        return ReceiptsTurn(self.database, opened, lambda: self.now).turn()

    def later(self, time: timedelta) -> "Office":
        self.now += time
        return self

    def ask(self, subject: Subject = DELIVERY, witness: bytes | None = None) -> int:
        wish = Wish(subject, frozenset({ACTS}), "chen", "health", Whose("police", "health"), witness)
        with self.database.begin() as connection:
            return orders.ask(connection, wish, self.now).number

    def order(self, number: int) -> Order:
        with self.database.reading() as connection:
            found = orders.load(connection, number)
        assert found is not None
        return found

    def content(self, number: int) -> bytes | None:
        with self.database.reading() as connection:
            return orders.content(connection, number)

    def acts(self) -> list[tuple[str, str, dict[str, Any]]]:
        with self.database.reading() as connection:
            rows = connection.execute(OUTBOX.select().order_by(OUTBOX.c.id))
            return [(row.what, row.object, row.facts) for row in rows if row.kind == orders.KIND]

    @contextmanager
    def _opened(self) -> Iterator[Maker]:
        if self.closed is not None:
            raise self.closed
        yield Maker([OWN], (), log_of(), self.fails, self.calls)


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


@pytest.mark.requirement("A11-01")
def test_a_receipt_is_made_once_kept_and_owed_to_the_ledger_by_its_digest(office: Office) -> None:
    number = office.ask(RECORD, WITNESS.text())
    assert office.order(number).state is State.ASKED
    assert office.turn()
    assert not office.turn()
    raw = Coordinate(TopicName("raw.police.public.person"), 0, 17)
    assert office.calls == [(raw, True, [ACTS], [OWN, WITNESS])]
    order, digest = office.order(number), sha256(CONTENT).hexdigest()
    assert (order.state, order.digest, order.size) == (State.MADE, digest, len(CONTENT))
    assert office.content(number) == CONTENT
    of = {"of": "raw.police.public.person:0:17", "withdrawn": True}
    assert office.acts() == [
        ("evidence.ask", str(number), of),
        ("evidence.receipt", digest, {**of, "open": False}),
    ]


def test_of_a_delivery_the_grants_record_is_asked_for(office: Office) -> None:
    office.ask()
    office.turn()
    assert office.calls == [("health-persons-gusu", 2, 41, [ACTS], [OWN])]


@pytest.mark.parametrize(
    ("error", "obstacle"),
    [
        (IndexBehind("behind"), Obstacle.INDEX_BEHIND),
        (NothingSealed("none"), Obstacle.NOT_SEALED),
        (NothingToProve("nothing speaks of it"), Obstacle.NOTHING_TO_PROVE),
    ],
)
def test_what_time_makes_possible_is_waited_for_and_said_and_refused_in_the_end(
    office: Office, error: Exception, obstacle: Obstacle
) -> None:
    number = office.ask()
    office.fails += [error, error]
    office.turn()
    order = office.order(number)
    assert (order.state, order.obstacle, order.detail) == (State.ASKED, obstacle, str(error))
    assert not office.later(timedelta(seconds=9)).turn(), "it is not due yet"
    office.later(PATIENCE[obstacle]).turn()
    order = office.order(number)
    assert (order.state, order.obstacle, order.ended_at) == (State.REFUSED, obstacle, office.now)


def test_what_was_waited_for_is_made_in_the_end(office: Office) -> None:
    number = office.ask()
    office.fails += [IndexBehind("behind")]
    office.turn()
    office.later(timedelta(seconds=10)).turn()
    order = office.order(number)
    assert (order.state, order.obstacle, order.detail) == (State.MADE, None, "")


@pytest.mark.parametrize(
    ("error", "obstacle"),
    [
        (RecordMissing("gone"), Obstacle.NOT_THERE),
        (TopicMissing("gone"), Obstacle.NOT_THERE),
        (LedgerDiffers("changed"), Obstacle.LEDGER_DIFFERS),
    ],
)
def test_what_cannot_be_proven_is_refused_with_its_reason_and_the_next_goes_on(
    office: Office, error: Exception, obstacle: Obstacle
) -> None:
    first, second = office.ask(), office.ask(RECORD)
    office.fails += [error]
    office.turn()
    order = office.order(first)
    assert (order.state, order.obstacle, order.detail) == (State.REFUSED, obstacle, str(error))
    assert office.order(second).state is State.MADE


def test_where_kafka_does_not_answer_whoever_asked_waits_and_no_attempt_counts(office: Office) -> None:
    number = office.ask()
    for _ in range(5):
        office.fails += [KafkaUnavailable("no broker")]
        with pytest.raises(KafkaUnavailable):
            office.turn()
        office.later(timedelta(seconds=10))
    order = office.order(number)
    assert (order.state, order.obstacle, order.attempts) == (State.ASKED, Obstacle.BUS_SILENT, 0)
    office.turn()
    assert office.order(number).state is State.MADE


@pytest.mark.parametrize(
    ("error", "obstacle", "state"),
    [
        (NotYet("no ledger"), Obstacle.NOT_SEALED, State.ASKED),
        (KafkaUnavailable("no broker"), Obstacle.BUS_SILENT, State.ASKED),
        (LedgerDiffers("the checkpoints cannot be read"), Obstacle.LEDGER_DIFFERS, State.REFUSED),
    ],
)
def test_where_nothing_can_be_opened_whoever_asked_is_told_why_and_not_for_ever(
    office: Office, error: Exception, obstacle: Obstacle, state: State
) -> None:
    number = office.ask()
    office.closed = error
    with pytest.raises(type(error)):
        office.turn()
    assert (office.order(number).state, office.order(number).obstacle) == (state, obstacle)
    if state is State.ASKED:
        with pytest.raises(type(error)):
            office.later(timedelta(hours=1)).turn()
    assert office.order(number).state is State.REFUSED


def test_a_trust_file_of_another_installation_makes_no_receipt(office: Office) -> None:
    other = replace(WITNESS.checkpoint, log="f" * 32)
    number = office.ask(witness=replace(WITNESS, checkpoint=other).text())
    office.turn()
    assert (office.order(number).state, office.order(number).obstacle) == (State.REFUSED, Obstacle.OTHER_LOG)
    assert office.calls == []


def test_who_comes_second_keeps_no_receipt_and_owes_no_act(office: Office) -> None:
    number = office.ask()
    order = office.order(number)
    for content in (CONTENT, b"another"):
        with office.database.begin() as connection:
            orders.made(connection, order, content, NOW)
    assert office.content(number) == CONTENT
    assert [what for what, _, _ in office.acts()] == ["evidence.ask", "evidence.receipt"]


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt()], ids=["a defect", "a death"])
def test_an_order_over_which_making_fails_lets_others_go_first_and_is_given_up(
    office: Office, error: BaseException
) -> None:
    broken = office.ask()
    for died in range(1, 4):
        office.fails += [error]
        with suppress(KeyboardInterrupt):
            office.turn()
        assert office.order(broken).attempts == died
        other = office.ask(RECORD)
        office.turn()
        assert office.order(other).state is State.MADE, "the broken one is not due for a minute"
        office.later(timedelta(minutes=1))
    office.turn()
    assert (office.order(broken).state, office.order(broken).obstacle) == (State.REFUSED, Obstacle.FAILED)


def test_one_process_at_a_time_makes_receipts(office: Office) -> None:
    office.ask()
    with office.database.alone(Task.RECEIPTS):
        assert not office.turn()
    assert office.turn()


def test_receipts_are_forgotten_after_thirty_days_and_what_is_not_made_yet_never(office: Office) -> None:
    made, asked = office.ask(), office.ask(RECORD)
    with office.database.begin() as connection:
        orders.begun(connection, asked, NOW + timedelta(days=60))
    office.turn()
    for days, kept in ((30, True), (31, False)):
        office.now = NOW + timedelta(days=days)
        ForgettingTurn(office.database, lambda: office.now).turn()
        with office.database.reading() as connection:
            assert (orders.load(connection, made) is not None) is kept
    assert office.order(asked).state is State.ASKED
