"""What only the running bus can say, asked for one thing at a time: never for the rows of a list."""

from collections.abc import Sequence
from typing import Any, Protocol

from services.control.contracts.agreement import Addresses
from services.control.tickets.evidence import Reported
from services.ledger.claims import ClaimView
from services.ledger.conflicts import Conflict
from topics.policy import Policy


class BusUnavailable(Exception):  # noqa: N818 - says what is the matter
    """The bus does not answer: say so, and let it be asked again later."""


class NothingThere(LookupError):  # noqa: N818 - says what is the matter
    """What was named is not there, or cannot be what it was named for; the message says which."""


class Bus(Protocol):
    """The running bus, as far as requests need it."""

    def policy(self) -> Policy | None:
        """The newest policy version; None before the first.

        Raises:
            BusUnavailable: Kafka does not answer.
        """
        ...

    def addresses(self) -> Addresses:
        """Where departments find Kafka and the registry."""
        ...

    def receipt(self, suspension: str) -> dict[str, Any]:
        """The receipt of a suspension as the ledger keeps it.

        Raises:
            BusUnavailable: Kafka does not answer.
            NothingThere: the ledger knows none of that id.
        """
        ...

    def claims(self) -> list[ClaimView]:
        """What departments publish of facts that others own, with the owner's values; it holds personal data.

        Raises:
            BusUnavailable: Kafka does not answer.
        """
        ...

    def conflicts(self) -> list[Conflict]:
        """Rows of one provider that claim one identity; it holds personal data.

        Raises:
            BusUnavailable: Kafka does not answer.
        """
        ...

    def reported(self, at: str, items: Sequence[str]) -> Reported:
        """The record at a coordinate without anything that names it: hashes of what its items say.

        Raises:
            BusUnavailable: Kafka does not answer.
            NothingThere: no version of a record stands there, or it has not these items.
        """
        ...
