"""Seals the ledger, turn by turn; of several processes one does so at a time."""

from dataclasses import dataclass
from typing import Protocol

from services.control.store.database import ControlDatabase, Task


class Seals(Protocol):
    """See ``services.control.evidence.sealer``."""

    def turn(self) -> bool:
        """Seal what is new; whether there is more."""
        ...


@dataclass(frozen=True, slots=True)
class SealingTurn:
    """Takes turns. Two at once would do no harm, but fence each other for ever."""

    database: ControlDatabase
    sealer: Seals

    def turn(self) -> bool:
        """Seal what is new; whether there is more of it."""
        with self.database.alone(Task.EVIDENCE) as ours:
            return ours and self.sealer.turn()
