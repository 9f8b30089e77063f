"""Seals the ledger: what was committed since the last checkpoint is appended, and witnesses are told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from services.control.evidence.ledger_log import Read
from services.control.evidence.witnesses import Witness, WitnessDisagrees, WitnessSilent, tell_all
from services.evidence.checkpoints import Sealing, Signed
from services.evidence.entries import Place
from services.evidence.making import LedgerDiffers
from services.evidence.sealed import Sealed, grown
from services.evidence.signing import suite
from services.evidence.trust import Key

LIMIT: Final = 20_000
"""Offsets that one checkpoint goes on by at most: their digests must fit into one record."""


class Kept(Protocol):
    """Where checkpoints are kept."""

    def last(self) -> Sealed | None:
        """The last one, once nobody else can append."""
        ...

    def append(self, sealed: Sealed) -> None:
        """Append the next."""
        ...


class Topics(Protocol):
    """The topics of the log."""

    def since(self, ends: Mapping[Place, int], limit: int) -> Read:
        """What was committed since those ends."""
        ...


class Keys(Protocol):
    """The keys of the evidence."""

    def public(self) -> Sequence[Key]:
        """All public keys."""
        ...

    def sealing(self, time_ms: int) -> Sealing:
        """The one that signs at that time."""
        ...


@dataclass(frozen=True, slots=True)
class Sealer:
    """Makes checkpoints."""

    kept: Kept
    topics: Topics
    keys: Keys
    witnesses: Sequence[Witness]
    now_ms: Callable[[], int]
    idle_ms: int
    tree: str
    limit: int = LIMIT

    def turn(self) -> bool:
        """Seal what is new and tell the witnesses; whether there is more to seal.

        Raises:
            LedgerDiffers: the last checkpoint is not one of ours.
            WitnessDisagrees: a witness holds another history.
            WitnessSilent: one could not be told; what was sealed stays sealed.
        """
        newest, whole = self._sealed(always=False)
        if newest is not None:
            self._publish(newest)
        return not whole

    def seal_all(self) -> Sealed:
        """Seal everything up to now and one checkpoint that says so; raises as ``turn``."""
        whole = False
        while not whole:
            newest, whole = self._sealed(always=True)
        if newest is None:
            raise RuntimeError("a checkpoint that is asked for is always made")
        self._publish(newest)
        return newest

    def _sealed(self, *, always: bool) -> tuple[Sealed | None, bool]:
        """The newest checkpoint, a new one if there is something to say; and whether it covers everything."""
        last = self.kept.last()
        if last is not None:
            self._check_ours(last.signed)
        # Before the topics are asked for their ends: whatever was written by then is in, if all is read.
        time_ms = max(self.now_ms(), last.signed.checkpoint.time_ms if last else 0)
        read = self.topics.since(last.ends if last else {}, self.limit)
        # A portion may hold nothing but marks of transactions: the log goes on behind it all the same.
        if read.whole and not (always or read.entries or self._is_due(last, time_ms)):
            return last, read.whole
        sealing = self.keys.sealing(time_ms)
        before = last.signed if last else None
        found = grown(before, read.entries, read.ends, time_ms, sealing, self.tree, whole=read.whole)
        self.kept.append(found)
        return found, read.whole

    def _is_due(self, last: Sealed | None, time_ms: int) -> bool:
        return last is not None and time_ms - last.signed.checkpoint.time_ms >= self.idle_ms

    def _check_ours(self, last: Signed) -> None:
        """What goes on from a checkpoint that somebody else wrote would make it ours."""
        one = last.checkpoint
        for key in self.keys.public():
            known = key.id == one.key and key.signs_at(one.time_ms)
            if known and suite(key.suite).is_signed(
                key.public, bytes.fromhex(last.signature), last.message()
            ):
                return
        raise LedgerDiffers(f"checkpoint {one.number} is not signed by a key that this bus had then")

    def _publish(self, newest: Sealed) -> None:
        """The gravest of what the witnesses say is raised, once all were told."""
        failures = tell_all(self.witnesses, newest.signed)
        graver = sorted(failures, key=lambda failure: not isinstance(failure, WitnessDisagrees))
        if graver:
            kind = WitnessDisagrees if isinstance(graver[0], WitnessDisagrees) else WitnessSilent
            raise kind("; ".join(str(failure) for failure in graver))
