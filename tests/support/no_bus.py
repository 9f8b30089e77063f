"""The bus of a control plane that has none beside it: it answers no question."""

from collections.abc import Sequence
from typing import Any

from services.api.running import BusUnavailable
from services.control.contracts.agreement import Addresses
from services.control.tickets.evidence import Reported
from services.ledger.claims import ClaimView
from services.ledger.conflicts import Conflict
from topics.policy import Policy


class NoBus:
    """Where no bus runs beside the control plane: what only the bus can say is unavailable."""

    def policy(self) -> Policy | None:
        """Nobody can say (see ``Bus``)."""
        raise BusUnavailable("no bus is connected")

    def addresses(self) -> Addresses:
        """Nobody can say (see ``Bus``)."""
        raise BusUnavailable("no bus is connected")

    def receipt(self, suspension: str) -> dict[str, Any]:
        """Nobody can say (see ``Bus``)."""
        raise BusUnavailable(f"no bus is connected that could know {suspension}")

    def claims(self) -> list[ClaimView]:
        """Nobody can say (see ``Bus``)."""
        raise BusUnavailable("no bus is connected")

    def conflicts(self) -> list[Conflict]:
        """Nobody can say (see ``Bus``)."""
        raise BusUnavailable("no bus is connected")

    def reported(self, at: str, items: Sequence[str]) -> Reported:
        """Nobody can say (see ``Bus``)."""
        raise BusUnavailable(f"no bus is connected that could look at {at} for {len(items)} items")
