"""The kill switch in threads: orders run by themselves, can be looked at, and are found after a restart."""

import threading
from dataclasses import dataclass, field, replace
from typing import Any

from services.control.revoke import WithdrawalStuck
from services.control.suspension.journal import Journal, JournalUnreadable
from services.control.suspension.receipt import HeldGrant, Receipt, Step
from services.control.suspension.resumption import Resumption
from services.control.suspension.suspend import Order, Say, Suspend
from services.control.suspension.switch import KillSwitch, Machine, Progress, Trouble, Verb, Work
from tests.support.suspending import EDUCATION, HEALTH, ORDER, MemoryBus, MemoryJournal
from tests.support.waiting import eventually
from topics.event import GrantId
from topics.grants.hold import HoldScope

DEADLINE_S = 20.0
LIFT = Order(HoldScope.GRANT, HEALTH, "operator-7", "the market is closed")


@dataclass
class SlowBus(MemoryBus):
    """Waits before the cut until the test lets it go on."""

    gate: threading.Event = field(default_factory=threading.Event)
    failing: bool = False

    def cut(self, held: HeldGrant) -> dict[int, int]:
        assert self.gate.wait(DEADLINE_S)
        if self.failing:
            raise WithdrawalStuck("a transaction stays open")
        return super().cut(held)


@dataclass
class Lifting:
    """Resumes at once, unless a grant has to be confirmed."""

    journal: Journal
    confirmed: tuple[str, ...]
    waits_for: str | None = None

    def order(self, order: Order, new_id: str, unfinished: Any = ()) -> Resumption:
        done = Resumption(new_id, "s-1", order.scope, order.name, order.by, order.reason, 5)
        if self.waits_for is not None and self.waits_for not in self.confirmed:
            done = Resumption(
                new_id,
                "s-1",
                order.scope,
                order.name,
                order.by,
                order.reason,
                5,
                waiting={GrantId(HEALTH): "much"},
            )
        self.journal.save(done.id, done.saved())
        return done


class Bench:
    """A switch over a bus and journals in memory."""

    def __init__(self, bus: MemoryBus | None = None, waits_for: str | None = None) -> None:
        self.bus = bus or MemoryBus()
        self.suspensions, self.resumptions = MemoryJournal(), MemoryJournal()
        self.errors: list[tuple[str, Exception]] = []
        self.waits_for = waits_for
        self.switch = self.restarted()

    def restarted(self) -> KillSwitch:
        ticks = iter(range(1_000, 100_000))

        def suspend(journal: Journal, say: Say) -> Suspend:
            return Suspend(self.bus, journal, lambda: next(ticks), say)

        def resume(journal: Journal, _say: Say, confirmed: tuple[str, ...]) -> Lifting:
            return Lifting(journal, confirmed, self.waits_for)

        machine = Machine(self.suspensions, self.resumptions, suspend, resume)
        return KillSwitch(machine, lambda id_, error: self.errors.append((id_, error)))


def over(switch: KillSwitch, id_: str) -> Work:
    """The work once nothing happens to it any more."""
    seen = -1
    while True:
        work = switch.wait(id_, seen, DEADLINE_S)
        assert work is not None
        if work.is_over:
            return work
        assert work.changes > seen, "nothing happened before the deadline"
        seen = work.changes


def reached(switch: KillSwitch, id_: str, step: Step) -> Work:
    """The work once that step is done."""
    seen = -1
    while True:
        work = switch.wait(id_, seen, DEADLINE_S)
        assert work is not None
        if work.document and step.value in work.document["steps"]:
            return work
        assert work.changes > seen, "nothing happened before the deadline"
        seen = work.changes


def test_an_order_answers_at_once_and_its_steps_can_be_read_while_it_runs() -> None:
    bus = SlowBus()
    bench = Bench(bus)
    assert bench.switch.suspend(ORDER, "s-a").progress is Progress.RUNNING
    half = reached(bench.switch, "s-a", Step.FENCED)
    assert half.progress is Progress.RUNNING
    assert half.document is not None
    assert Step.CUT.value not in half.document["steps"]
    bus.gate.set()
    done = over(bench.switch, "s-a")
    assert done.progress is Progress.DONE
    receipt = Receipt.from_json(done.document or {})
    assert set(receipt.steps) == set(Step)
    assert receipt.grants[0].cut == {number: 10 + number for number in range(receipt.grants[0].partitions)}
    assert len(done.said) == len(Step)


def test_the_same_order_while_it_runs_is_the_same_work_and_another_is_not() -> None:
    bus = SlowBus()
    bench = Bench(bus)
    bench.switch.suspend(ORDER, "s-a")
    other = Order(HoldScope.GRANT, EDUCATION, "operator-7", "another")
    assert bench.switch.suspend(ORDER, "s-b").id == "s-a"
    assert bench.switch.suspend(other, "s-c").id == "s-c"
    bus.gate.set()
    over(bench.switch, "s-a")
    over(bench.switch, "s-c")
    assert sorted(bench.suspensions.documents) == ["s-a", "s-c"]
    joined = bench.switch.find("s-b")
    assert joined is not None
    assert joined.id == "s-a"


def test_the_order_of_another_stands_beside_the_one_that_is_still_running() -> None:
    bus = SlowBus()
    bench = Bench(bus)
    bench.switch.suspend(ORDER, "s-1")
    above = bench.switch.suspend(replace(ORDER, by="authority-1", reason="a ruling"), "s-2")
    assert above.id == "s-2"
    bus.gate.set()
    for id_ in ("s-1", "s-2"):
        assert over(bench.switch, id_).progress is Progress.DONE
    saved = bench.suspensions.load("s-1")
    assert saved is not None
    (again,) = Receipt.from_json(saved).again
    assert (again.id, again.by, again.reason) == ("s-2", "authority-1", "a ruling")
    found = bench.restarted().find("s-2")
    assert found is not None


def test_a_journal_that_cannot_be_read_hides_no_other_order() -> None:
    bench = Bench()
    bench.switch.suspend(ORDER, "s-2")
    over(bench.switch, "s-2")
    bench.switch.suspend(replace(ORDER, by="authority-1"), "s-3")
    over(bench.switch, "s-3")
    bench.suspensions.documents["s-1"] = {}
    load = bench.suspensions.load

    def damaged(key: str) -> dict[str, Any] | None:
        if key == "s-1":
            raise JournalUnreadable("s-1 is cut off")
        return load(key)

    bench.suspensions.load = damaged  # type: ignore[method-assign]
    found = bench.restarted().find("s-3")
    assert found is not None


def test_what_is_suspended_already_answers_with_its_first_receipt_under_both_ids() -> None:
    bench = Bench()
    bench.switch.suspend(ORDER, "s-a")
    over(bench.switch, "s-a")
    bench.switch.suspend(ORDER, "s-b")
    assert (over(bench.switch, "s-b").document or {})["id"] == "s-a"
    found = bench.switch.find("s-a")
    assert found is not None
    assert found.progress is Progress.DONE


def test_what_ends_early_says_why_and_the_same_order_goes_on_where_it_was() -> None:
    bus = SlowBus(failing=True)
    bus.gate.set()
    bench = Bench(bus)
    bench.switch.suspend(ORDER, "s-a")
    failed = over(bench.switch, "s-a")
    assert (failed.progress, failed.trouble) == (Progress.FAILED, Trouble.TRANSACTION_OPEN)
    assert failed.detail == "a transaction stays open"
    assert [each.id for each in bench.switch.unfinished()] == ["s-a"]
    bus.failing = False
    bench.switch.suspend(ORDER, "s-b")
    done = over(bench.switch, "s-b")
    assert (done.document or {})["id"] == "s-a"
    assert bench.switch.unfinished() == []


def test_an_unknown_name_is_told_as_such_and_leaves_nothing_behind() -> None:
    bench = Bench()
    bench.switch.suspend(Order(HoldScope.GRANT, "nobody", "operator-7", "a typing error"), "s-a")
    failed = over(bench.switch, "s-a")
    assert failed.trouble is Trouble.UNKNOWN_NAME
    assert bench.suspensions.documents == {}


def test_an_error_that_nobody_expects_is_reported_and_its_words_are_not_shown() -> None:
    bus = SlowBus()
    bus.now = None  # type: ignore[assignment]
    bench = Bench(bus)
    bench.switch.suspend(ORDER, "s-a")
    failed = over(bench.switch, "s-a")
    assert (failed.trouble, failed.detail) == (Trouble.UNEXPECTED, "AttributeError")
    assert [id_ for id_, _ in bench.errors] == ["s-a"]


def test_after_a_restart_the_journal_tells_of_what_was_done_and_of_what_was_interrupted() -> None:
    bus = SlowBus(failing=True)
    bus.gate.set()
    bench = Bench(bus)
    bench.switch.suspend(ORDER, "s-a")
    over(bench.switch, "s-a")
    switch = bench.restarted()
    found = switch.find("s-a")
    assert found is not None
    assert (found.verb, found.progress, found.order.name) == (Verb.SUSPEND, Progress.INTERRUPTED, HEALTH)
    bus.failing = False
    switch.suspend(ORDER, "s-b")
    over(switch, "s-b")
    again = bench.restarted().find("s-a")
    assert again is not None
    assert again.progress is Progress.DONE


def test_resuming_waits_for_who_confirms_a_shrink_and_then_goes_on() -> None:
    bench = Bench(waits_for=HEALTH)
    bench.switch.resume(LIFT, "r-a")
    assert over(bench.switch, "r-a").progress is Progress.WAITING
    bench.switch.resume(LIFT, "r-b", (HEALTH,))
    assert over(bench.switch, "r-b").progress is Progress.DONE
    found = bench.restarted().find("r-a")
    assert found is not None
    assert (found.verb, found.progress) == (Verb.RESUME, Progress.WAITING)


def test_an_id_of_nothing_is_found_nowhere_and_none_leads_out_of_the_journal() -> None:
    bench = Bench()
    assert bench.switch.find("s-none") is None
    assert bench.switch.find("../../etc/passwd") is None


def test_whoever_follows_is_told_once_an_order_is_carried_out_and_its_failure_undoes_nothing() -> None:
    bench = Bench()
    told: list[str] = []

    def follow(work: Work) -> None:
        told.append(work.id)
        raise LookupError("no database")

    bench.switch.done = follow
    bench.switch.suspend(ORDER, "s-a")
    assert over(bench.switch, "s-a").progress is Progress.DONE
    eventually(lambda: bench.errors, DEADLINE_S)
    assert told == ["s-a"]
    assert [(id_, str(error)) for id_, error in bench.errors] == [("s-a", "no database")]


def test_an_order_that_found_it_in_force_is_found_by_its_own_id_after_a_restart() -> None:
    bench = Bench()
    for id_ in ("s-a", "s-b"):
        bench.switch.suspend(ORDER, id_)
        over(bench.switch, id_)
    found = bench.restarted().find("s-b")
    assert found is not None
    assert (found.id, found.progress) == ("s-a", Progress.DONE)
