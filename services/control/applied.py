"""What an apply did, and what it left for later."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Applied:
    """What an apply did, for the last line of its output."""

    steps: int = 0
    policy_version: int = 0
    credentials: dict[str, str] = field(default_factory=dict)
    """User → path of the file."""
    filled: dict[str, dict[str, int]] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    """Grants whose epoch stopped for an operator, and why."""
    connectors: dict[str, str] = field(default_factory=dict)
    """Connector → created, updated, unchanged or deleted."""
    held_back: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    """Providers, or sinks, whose database is not ready, or the registry: what is wrong, and what mends it."""

    def as_json(self) -> dict[str, Any]:
        """The shape that docs/cli/apply.schema.json describes."""
        return {name: getattr(self, name) for name in self.__slots__}
