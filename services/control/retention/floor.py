"""For how long the bus keeps what proves a decision, at least, and by which article (A11-01, C12); pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.control.clocks.merge import Decided
from services.control.clocks.pack import Source

KEY: Final = "retention.audit.min_days"
"""Under which key a policy pack gives days; the longest of all layers counts."""
SIX_MONTHS: Final = 184
"""No pack and no setting goes below it: the longest six months in a row have so many days."""
_PROTECTED: Final = ("raw.", "ledger.", "epochs.", "quarantine.", "claims.", "policy")


@dataclass(frozen=True, slots=True)
class Floor:
    """The fewest days, and where they are from."""

    days: int
    source: Source | None = None
    """The document and the article; None where six months count because no pack demands more."""
    pack: str = ""
    known: bool = True
    """False where nobody could look which packs are adopted: then nothing is shortened."""

    @property
    def because(self) -> str:
        """Where the days are from, for a person."""
        if not self.known:
            return "which packs are adopted cannot be looked up"
        if self.source is None:
            return "six months, whatever is adopted (A11-01)"
        article = self.source.article or "article not known"
        return f"{self.source.document} {article}{'' if self.source.verified else ' [unverified]'}"


FloorOf = Callable[[], Floor]
UNKNOWN: Final = Floor(SIX_MONTHS, known=False)


def unknown() -> Floor:
    """The floor where nobody is asked."""
    return UNKNOWN


def floor_of(decided: tuple[Decided, ...]) -> Floor:
    """The floor that the adopted packs come to; ``decided`` is what counts for ``KEY``, empty for nothing."""
    given = decided[0].given if decided else None
    if given is None or not isinstance(given.content, int) or given.content < SIX_MONTHS:
        return Floor(SIX_MONTHS)
    return Floor(given.content, given.source, given.pack)


def is_protected(topic: str) -> bool:
    """Whether a topic holds evidence: what came in, what was decided, by which policy, what was stopped."""
    return topic.startswith(_PROTECTED)
