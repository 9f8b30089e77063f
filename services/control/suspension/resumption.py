"""What a resumption leaves behind: who lifted which hold, why, and what the epochs of its grants counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from services.control.suspension.acts import Act, ActWord
from topics.event import GrantId
from topics.grants.hold import HoldScope


@dataclass(frozen=True, slots=True)
class Resumption:
    """One order to resume, as far as it has come."""

    id: str
    hold: str
    """The suspension that it lifts."""
    scope: HoldScope
    name: str
    by: str
    reason: str
    requested_ms: int
    grants: tuple[GrantId, ...] = ()
    """What the hold gives back, as it said when it was lifted."""
    lifted_version: int = 0
    """The policy version that is without the hold; 0 before."""
    filled: Mapping[GrantId, Mapping[str, int]] = field(default_factory=dict)
    """Grant → what its epoch counted: ``records`` held now, ``swept`` that were tombstoned."""
    waiting: Mapping[GrantId, str] = field(default_factory=dict)
    """Grants that stay closed until an operator confirms how much their epoch removes."""
    finished_ms: int = 0
    """When every grant delivered again; 0 before."""
    recorded: bool = False
    """Whether it stands in the ledger."""

    @property
    def subject(self) -> str:
        """What is resumed, in words."""
        return f"{self.scope.value} {self.name}".strip()

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.recorded

    def with_filled(self, grant: GrantId, counts: Mapping[str, int]) -> Self:
        """One grant delivers again."""
        waiting = {key: why for key, why in self.waiting.items() if key != grant}
        return replace(self, filled={**self.filled, grant: dict(counts)}, waiting=waiting)

    def as_json(self) -> dict[str, Any]:
        """The shape of docs/cli/grant-resume.schema.json."""
        return {
            "id": self.id,
            "hold": self.hold,
            "scope": self.scope.value,
            "name": self.name,
            "by": self.by,
            "reason": self.reason,
            "requested_ms": self.requested_ms,
            "grants": list(self.grants),
            "lifted_version": self.lifted_version,
            "filled": {grant: dict(counts) for grant, counts in sorted(self.filled.items())},
            "waiting": dict(sorted(self.waiting.items())),
            "finished_ms": self.finished_ms,
        }

    def saved(self) -> dict[str, Any]:
        """The same with what only the journal needs."""
        return {**self.as_json(), "recorded": self.recorded}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What ``as_json`` or ``saved`` gave."""
        scope = HoldScope(found["scope"])
        return cls(**{**found, "scope": scope, "grants": tuple(found["grants"])})

    def act(self) -> Act:
        """The resumption as an act of the ledger."""
        return Act(
            self.id,
            self.by,
            ActWord.RESUME,
            self.scope.value,
            self.name or self.scope.value,
            self.requested_ms,
            self.reason,
            self.as_json(),
        )


def withdrawn_of(counts: Mapping[str, int]) -> int:
    """How many records an epoch took away: by the copier, and by the sweep what the copier did not see."""
    return counts.get("tombstoned", 0) + counts.get("swept", 0)
