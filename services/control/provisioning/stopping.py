"""Stops what a case stops: the kill switch with the case's mark, or a withdrawal for good, with a receipt."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.control.live import receipt_names, receipts_path
from services.control.provisioning.policy_changes import ended
from services.control.revoke import Withdrawal
from services.control.suspension.acts import Act, ActWord
from services.control.suspension.journal import FileJournal, suspensions_path
from services.control.suspension.kafka_bus import KafkaBus
from services.control.suspension.receipt import Receipt
from services.control.suspension.suspend import Order, Suspend
from services.control.transitions import receipt_name
from topics import names
from topics.event import GrantId
from topics.grants.hold import HoldScope
from topics.policy import CaseMark, GrantPolicy, Policy


@dataclass(frozen=True, slots=True)
class Stops:
    """What stopping needs."""

    bus: KafkaBus
    clock_ms: Callable[[], int]
    say: Callable[[str], None]

    def receipts(self) -> list[Receipt]:
        """All suspensions of the journal, the oldest first."""
        journal = self.journal
        saved = [journal.load(key) for key in sorted(journal.keys())]
        return [Receipt.from_json(each) for each in saved if each is not None]

    def receipt_of(self, order: str) -> Receipt | None:
        """The suspension that an order placed or found in force; None where the journal does not know it."""
        of_order = (each for each in self.receipts() if order in {each.id, *(one.id for one in each.again)})
        return next(of_order, None)

    @property
    def journal(self) -> FileJournal:
        """Of the suspensions."""
        return FileJournal(suspensions_path(self.bus.access.home))


@dataclass(frozen=True, slots=True)
class _MarkingBus(KafkaBus):
    """Writes the case's mark with the hold: no provisioning of before may lift it."""

    grant: GrantId
    mark: CaseMark

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        def marking(newest: Policy) -> Policy:
            coming = change(newest)
            if coming is newest:
                return newest
            return coming.model_copy(update={"cases": {**coming.cases, self.grant: self.mark}})

        return KafkaBus.write(self, marking)


def stopped_by(stops: Stops, grant: GrantId, by: str, reason: str, fresh: str, mark: CaseMark) -> Receipt:
    """Suspend the grant; interrupted, the same order goes on where it was.

    Args:
        stops: the bus, the clock and whom to tell.
        grant: the grant, which the policy knows.
        by: the account that ordered it.
        reason: why.
        fresh: the id of the suspension, if it is not in force or under way already.
        mark: the event of the case that ordered it.
    """
    inner = stops.bus
    bus = _MarkingBus(inner.access, inner.admin, inner.settings, grant, mark)
    run = Suspend(bus, stops.journal, stops.clock_ms, stops.say)
    return run.order(Order(HoldScope.GRANT, grant, by, reason, of_case=True), fresh)


def withdrawn(stops: Stops, grant: GrantId, by: str, reason: str, mark: CaseMark | None) -> str:
    """Withdraw the grant for good, and return the name of the receipt.

    What is suspended already has its cut: then the receipt of the suspension is the proof, and stays.
    """
    bus = stops.bus
    before = bus.policy().grants[grant]
    run = Withdrawal(bus.access, bus.admin, bus.settings)
    removed_ms = run.remove_readers([before.grant])
    bus.remove_readers([before.grant.topic, names.epochs(grant)])
    policy = bus.write(lambda newest: ended(newest, grant, mark, stops.clock_ms()))
    entry = policy.grants[grant]
    name = receipt_name(entry)
    if name not in receipt_names(bus.access.home):
        run.complete([entry], policy, removed_ms)
        stops.say(f"{grant}: withdrawn, receipt {name}")
    bus.record(_act(entry, by, reason, stops.clock_ms(), receipts_path(bus.access.home) / f"{name}.json"))
    return name


def _act(entry: GrantPolicy, by: str, reason: str, now_ms: int, receipt: Path) -> Act:
    document: dict[str, Any] = json.loads(receipt.read_text(encoding="utf-8"))
    id_ = f"w-{entry.grant.id}-{entry.generation}"
    return Act(id_, by, ActWord.WITHDRAW, "grant", entry.grant.id, now_ms, reason, document)
