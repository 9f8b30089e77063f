"""The kill switch as pages and the API work it: each order runs in a thread, and how far it is can be read.

Nobody waits for it: a page that is closed stops nothing. What is done stands in the journal, step by step, so
that an order whose process was killed is found there and carried on by the same order.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Protocol

from confluent_kafka import KafkaException

from schemas.registry import RegistryUnavailable
from services.control.acknowledgements import NameEachInstance
from services.control.copy_transactions import EpochInterrupted
from services.control.policy_topic import AnotherApplyRuns, PolicyUnreadable
from services.control.revoke import WithdrawalStuck
from services.control.suspension.acts import ActDamaged, LedgerNotReady
from services.control.suspension.bus import NoPolicyYet
from services.control.suspension.journal import Journal, JournalUnreadable
from services.control.suspension.receipt import Receipt
from services.control.suspension.resume import NotSuspended, SuspensionUnfinished
from services.control.suspension.resumption import Resumption
from services.control.suspension.suspend import NothingOfThatName, Order, Say, Suspend

KEPT: Final = 200
"""So many works are remembered after they ended; older ones are found in the journal."""


class Verb(StrEnum):
    """What is ordered."""

    SUSPEND = "suspend"
    RESUME = "resume"


class Progress(StrEnum):
    """Where a work is."""

    RUNNING = "running"
    DONE = "done"
    WAITING = "waiting"
    """A grant's epoch would remove much: somebody must confirm it."""
    FAILED = "failed"
    """It ended early; the same order goes on where it was."""
    INTERRUPTED = "interrupted"
    """Its process is gone; the same order goes on where it was."""


class Trouble(StrEnum):
    """What may end a work early; each has its words on the page."""

    UNKNOWN_NAME = "UNKNOWN_NAME"
    NO_POLICY = "NO_POLICY"
    NOT_SUSPENDED = "NOT_SUSPENDED"
    SUSPENSION_UNFINISHED = "SUSPENSION_UNFINISHED"
    TRANSACTION_OPEN = "TRANSACTION_OPEN"
    INSTANCE_UNNAMED = "INSTANCE_UNNAMED"
    LEDGER_NOT_READY = "LEDGER_NOT_READY"
    ACT_DAMAGED = "ACT_DAMAGED"
    JOURNAL_UNREADABLE = "JOURNAL_UNREADABLE"
    EPOCH_INTERRUPTED = "EPOCH_INTERRUPTED"
    OTHER_WRITER = "OTHER_WRITER"
    BUS_SILENT = "BUS_SILENT"
    UNEXPECTED = "UNEXPECTED"


_TROUBLES: Final[Mapping[type[Exception], Trouble]] = {
    NothingOfThatName: Trouble.UNKNOWN_NAME,
    NoPolicyYet: Trouble.NO_POLICY,
    NotSuspended: Trouble.NOT_SUSPENDED,
    SuspensionUnfinished: Trouble.SUSPENSION_UNFINISHED,
    WithdrawalStuck: Trouble.TRANSACTION_OPEN,
    NameEachInstance: Trouble.INSTANCE_UNNAMED,
    LedgerNotReady: Trouble.LEDGER_NOT_READY,
    ActDamaged: Trouble.ACT_DAMAGED,
    JournalUnreadable: Trouble.JOURNAL_UNREADABLE,
    EpochInterrupted: Trouble.EPOCH_INTERRUPTED,
    AnotherApplyRuns: Trouble.OTHER_WRITER,
    PolicyUnreadable: Trouble.BUS_SILENT,
    RegistryUnavailable: Trouble.BUS_SILENT,
    KafkaException: Trouble.BUS_SILENT,
}


def trouble_of(error: Exception) -> Trouble:
    """What an error is to a person."""
    return next((found for kind, found in _TROUBLES.items() if isinstance(error, kind)), Trouble.UNEXPECTED)


class Resumes(Protocol):
    """What lifts suspensions."""

    def order(self, order: Order, new_id: str, unfinished: Any = ()) -> Resumption:
        """See ``services.control.suspension.resume.Resume.order``."""
        ...


@dataclass(frozen=True, slots=True)
class Machine:
    """The running bus as the switch needs it; each work gets connections of its own."""

    suspensions: Journal
    resumptions: Journal
    suspend: Callable[[Journal, Say], Suspend]
    resume: Callable[[Journal, Say, tuple[str, ...]], Resumes]


@dataclass(frozen=True, slots=True)
class Work:
    """One order, as far as it has come; ``document`` is what the journal holds of it."""

    id: str
    verb: Verb
    order: Order
    progress: Progress
    document: Mapping[str, Any] | None = None
    said: tuple[str, ...] = ()
    trouble: Trouble | None = None
    detail: str = ""
    changes: int = 0
    """Counts what happened to it, so that whoever looks again sees whether anything did."""

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more by itself."""
        return self.progress is not Progress.RUNNING


@dataclass(slots=True)
class KillSwitch:
    """Runs orders and remembers them."""

    machine: Machine
    report: Callable[[str, Exception], None]
    """Told of each error that ended a work: its id and the error."""
    done: Callable[[Work], None] = lambda _work: None
    """Told of each work that came to its end: the case of a grant follows."""
    _works: dict[str, Work] = field(default_factory=dict)
    _joined: dict[str, str] = field(default_factory=dict)
    """The id of an order that was running already → the id under which it runs."""
    _moved: threading.Condition = field(default_factory=threading.Condition)

    def suspend(self, order: Order, new_id: str) -> Work:
        """Begin to suspend; one's own order that runs already answers for itself.

        That of somebody else is waited for: this one stands beside it then.
        """
        return self._start(Work(new_id, Verb.SUSPEND, order, Progress.RUNNING), self._suspend)

    def resume(self, order: Order, new_id: str, confirmed: tuple[str, ...] = ()) -> Work:
        """Begin to resume; ``confirmed`` are grants whose epoch may remove much."""

        def run(work: Work) -> Progress:
            return self._resume(work, confirmed)

        return self._start(Work(new_id, Verb.RESUME, order, Progress.RUNNING), run)

    def find(self, id_: str) -> Work | None:
        """A work by its id or by that of its document; after a restart, what the journal holds of it."""
        with self._moved:
            id_ = self._joined.get(id_, id_)
            known = self._works.get(id_) or next(
                (each for each in self._works.values() if each.document and each.document["id"] == id_), None
            )
        return known or self._journalled(id_)

    def wait(self, id_: str, seen: int, timeout_s: float) -> Work | None:
        """The work as soon as it has moved on from ``seen`` changes, or as it is when the time is over."""
        with self._moved:
            runs = self._joined.get(id_, id_)
            self._moved.wait_for(
                lambda: runs not in self._works or self._works[runs].changes > seen, timeout_s
            )
        return self.find(id_)

    def unfinished(self) -> list[Work]:
        """Suspensions that were begun and that nobody carries on now, the oldest first."""
        load, keys = self.machine.suspensions.load, self.machine.suspensions.keys()
        found = [Receipt.from_json(saved) for key in keys if (saved := load(key))]
        with self._moved:
            running = {
                each.document["id"] for each in self._works.values() if each.document and not each.is_over
            }
        return [_work_of(one) for one in found if not one.is_complete and one.id not in running]

    # --- how a work runs ---------------------------------------------------------------------

    def _start(self, work: Work, run: Callable[[Work], Progress]) -> Work:
        with self._moved:
            same = [each for each in self._works.values() if _is_same(each, work)]
            if same and (work.verb is Verb.RESUME or same[-1].order.by == work.order.by):
                self._join(work.id, same[-1].id)
                return same[-1]
            self._works[work.id] = work
            self._forget()
        after = same[-1].id if same else None
        # It is no daemon: a portal that is asked to stop lets an order come to its end.
        threading.Thread(target=self._run, args=(work, run, after), name=f"{work.verb}-{work.id}").start()
        return work

    def _run(self, work: Work, run: Callable[[Work], Progress], after: str | None) -> None:
        with self._moved:
            self._moved.wait_for(lambda: after not in self._works or self._works[after].is_over)
        try:
            progress = run(work)
        except Exception as error:  # noqa: BLE001 - a work that ends early says so on its page
            self.report(work.id, error)
            self._note(work.id, progress=Progress.FAILED, trouble=trouble_of(error), detail=_detail(error))
        else:
            self._note(work.id, progress=progress)
            self._tell(work)

    def _tell(self, work: Work) -> None:
        """What follows an order undoes nothing of it: if it fails, others follow."""
        try:
            self.done(work)
        except Exception as error:  # noqa: BLE001 - the order is carried out all the same
            self.report(work.id, error)

    def _suspend(self, work: Work) -> Progress:
        journal = _Watched(self.machine.suspensions, lambda saved: self._note(work.id, document=saved))
        receipt = self.machine.suspend(journal, lambda text: self._say(work.id, text)).order(
            work.order, work.id
        )
        self._note(work.id, document=receipt.saved())
        return Progress.DONE

    def _resume(self, work: Work, confirmed: tuple[str, ...]) -> Progress:
        journal = _Watched(self.machine.resumptions, lambda saved: self._note(work.id, document=saved))
        begun = [each.id for each in self.unfinished() if not Receipt.from_json(each.document or {}).is_cut]
        run = self.machine.resume(journal, lambda text: self._say(work.id, text), confirmed)
        done = run.order(work.order, work.id, begun)
        self._note(work.id, document=done.saved())
        return Progress.WAITING if done.waiting else Progress.DONE

    def _say(self, id_: str, text: str) -> None:
        with self._moved:
            said = self._works[id_].said
        self._note(id_, said=(*said, text))

    def _note(self, id_: str, **changes: Any) -> None:
        with self._moved:
            work = self._works[id_]
            self._works[id_] = replace(work, **changes, changes=work.changes + 1)
            self._moved.notify_all()

    def _join(self, id_: str, runs: str) -> None:
        self._joined[id_] = runs
        for key in list(self._joined)[: max(len(self._joined) - KEPT, 0)]:
            del self._joined[key]

    def _forget(self) -> None:
        over = [key for key, each in self._works.items() if each.is_over]
        for key in over[: max(len(self._works) - KEPT, 0)]:
            del self._works[key]

    def _journalled(self, id_: str) -> Work | None:
        try:
            saved = self.machine.suspensions.load(id_) or self._ordered_again(id_)
            if saved is not None:
                return _work_of(Receipt.from_json(saved))
            saved = self.machine.resumptions.load(id_)
        except ValueError:
            return None
        return None if saved is None else _work_of(Resumption.from_json(saved))

    def _ordered_again(self, id_: str) -> Mapping[str, Any] | None:
        """The suspension that an order found in force."""
        for key in sorted(self.machine.suspensions.keys()):
            try:
                kept = self.machine.suspensions.load(key)
            except JournalUnreadable:
                # Its own page says so; it keeps nobody from others.
                continue
            if kept and id_ in {one["id"] for one in kept.get("again", ())}:
                return kept
        return None


@dataclass(frozen=True, slots=True)
class _Watched:
    """A journal that tells of what is saved, once it is."""

    inner: Journal
    saved: Callable[[Mapping[str, Any]], None]

    def save(self, key: str, document: Mapping[str, Any]) -> None:
        self.inner.save(key, document)
        self.saved(document)

    def load(self, key: str) -> dict[str, Any] | None:
        return self.inner.load(key)

    def keys(self) -> list[str]:
        return self.inner.keys()


def _is_same(running: Work, wanted: Work) -> bool:
    of_both = [(each.verb, each.order.scope, each.order.name) for each in (running, wanted)]
    return not running.is_over and of_both[0] == of_both[1]


def _work_of(found: Receipt | Resumption) -> Work:
    """What the journal holds, as a work that nobody carries on."""
    order = Order(found.scope, found.name, found.by, found.reason)
    verb = Verb.SUSPEND if isinstance(found, Receipt) else Verb.RESUME
    ended = Progress.DONE if found.is_complete else Progress.INTERRUPTED
    if isinstance(found, Resumption) and found.waiting:
        ended = Progress.WAITING
    return Work(found.id, verb, order, ended, found.saved())


def _detail(error: Exception) -> str:
    """What is said of an error that is expected; of others only what it is: they may hold anything."""
    return type(error).__name__ if trouble_of(error) is Trouble.UNEXPECTED else str(error)
