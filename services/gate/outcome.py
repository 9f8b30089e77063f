"""The gate's answer for one raw record: what became of it, what is written, what its key is remembered by."""

from dataclasses import dataclass
from enum import StrEnum

from services.gate.versions import Remembered
from topics.event import EntityKey, OutputRecord, Stopped


class OutcomeKind(StrEnum):
    """Each raw record has exactly one of these."""

    ACCEPTED = "accepted"
    STOPPED = "stopped"
    CONTROL = "control"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Decision:
    """One outcome with its effects; the outputs are counted apart from the outcomes."""

    kind: OutcomeKind
    reason: str | None
    stopped: Stopped | None = None
    outputs: tuple[OutputRecord, ...] = ()
    entry_changed: bool = False
    entry_after: Remembered | None = None
    entry_met: Remembered | None = None
    key: EntityKey | None = None
    marks: tuple[str, ...] = ()
