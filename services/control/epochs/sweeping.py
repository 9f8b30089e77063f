"""The sweep of an epoch: ask the source, announce, look again, withdraw, until nothing is left unseen.

The gate writes what goes (topics/withdrawal.py); this only appends to the raw topic. Between the
announcement and the withdrawal everything is read once more, so that a change that came in between counts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from services.control.epochs.bus import EpochBus
from services.control.epochs.errors import RowsMissed, StartAgain
from services.control.epochs.filters import Filter
from services.control.epochs.scanning import CanonicalScan, RawScan
from services.control.epochs.volume import Old, Verdict, short
from topics.event import OutputRecord
from topics.withdrawal import Withdrawal, announcement, withdrawal

_MOST_PASSES: Final = 5
"""A key is passed again only if a change of it came at that very moment."""


@dataclass(slots=True)
class Sweeper:
    """Withdraws what was not seen, and counts it."""

    bus: EpochBus
    raw: RawScan
    standing: CanonicalScan
    where: Filter | None
    await_gate: Callable[[RawScan], None]
    _keys: dict[bytes, bytes] = field(default_factory=dict)
    """Canonical key → raw key."""

    def sweep(self, verdict: Verdict) -> int:
        """How many keys were withdrawn.

        Raises:
            StartAgain: keys kept changing, the raw record of one is kept no more, or the source is silent.
            RowsMissed: the source has rows that did not come; nothing was withdrawn.
        """
        self._require_gone(verdict)
        before, passes = {each.key for each in verdict.unseen}, 0
        while verdict.unseen:
            if passes == _MOST_PASSES:
                left = f"{len(verdict.unseen)} records kept changing during the sweep"
                raise StartAgain(self.bus.resource.id, left, self._where)
            verdict, passes = self._pass(verdict), passes + 1
        return len(before)

    @property
    def _where(self) -> tuple[str, ...]:
        return self.where.texts if self.where is not None else ()

    def _require_gone(self, verdict: Verdict) -> None:
        """Whatever the scan did not bring is asked for by its key: it may be the scan that missed it.

        A row that came under another identity was seen: its older key goes.
        """
        if self._still_there(verdict) and (missed := self._still_there(self._settled())):
            raise RowsMissed(missed)

    def _still_there(self, verdict: Verdict) -> int:
        """How many rows the source has of those that did not come."""
        wanted = [each.record for each in verdict.unseen if not self.raw.has_seen(self._raw_key(each))]
        found = self.bus.present(wanted) if wanted else 0
        if found is None:
            what = f"the source does not say whether it has {len(wanted)} rows that did not come"
            raise StartAgain(self.bus.resource.id, what, self._where)
        return found

    def _pass(self, verdict: Verdict) -> Verdict:
        announced = {each.key: self._announcement(each) for each in verdict.unseen}
        self.bus.append(list(announced.values()))
        still = self._look()
        self.bus.append([self._withdrawal(announced[each.key]) for each in still if each.key in announced])
        return self._settled()

    def _look(self) -> tuple[Old, ...]:
        return self._settled().unseen

    def _settled(self) -> Verdict:
        """Read everything up to now, once the gate has decided it."""
        self.raw.advance()
        self.await_gate(self.raw)
        self.standing.advance()
        return self.standing.judged(self.raw, self.where)

    def _announcement(self, old: Old) -> OutputRecord:
        return announcement(self.bus.raw, old.origin.partition, self._raw_key(old), old.key)

    def _raw_key(self, old: Old) -> bytes:
        if old.key not in self._keys:
            found = self.bus.raw_key(old.origin.partition, old.origin.offset)
            if found is None:
                place = f"{self.bus.raw}:{old.origin.partition}:{old.origin.offset}"
                what = f"the raw record of a key is kept no more ({place})"
                raise StartAgain(self.bus.resource.id, what, self._where)
            self._keys[old.key] = found
        return self._keys[old.key]

    def _withdrawal(self, announced: OutputRecord) -> OutputRecord:
        incarnation, commit = self.standing.position_of(announced.partition)
        offset = self.raw.announced[short(announced.key or b"")]
        return withdrawal(announced, Withdrawal(offset, incarnation, commit))
