"""What can go wrong with Kafka Connect's REST interface, each named after what the caller must do."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class ConflictCause(StrEnum):
    """The four causes of an HTTP 409 of Kafka Connect, told apart by its message."""

    ALREADY_EXISTS = "already exists"
    NO_LEADER = "no known leader"
    REBALANCE = "conflicting operation"
    STALE_CONFIGURATION = "stale configuration"
    UNKNOWN = "unknown"

    @property
    def passes(self) -> bool:
        """Whether waiting helps."""
        return self in {self.NO_LEADER, self.REBALANCE, self.STALE_CONFIGURATION}


def classify_conflict(message: str) -> ConflictCause:
    """Tell the cause of a 409 from Kafka Connect's message (wording of Kafka 3.5 to 4.3)."""
    lowered = message.lower()
    if "already exists" in lowered:
        return ConflictCause.ALREADY_EXISTS
    if "leader url" in lowered:
        return ConflictCause.NO_LEADER
    if "stale configuration" in lowered:
        return ConflictCause.STALE_CONFIGURATION
    if "conflicting operation" in lowered or "rebalance" in lowered:
        return ConflictCause.REBALANCE
    return ConflictCause.UNKNOWN


class ConnectError(Exception):
    """Kafka Connect did not do what was asked; the message holds no secret."""


class ConnectUnavailable(ConnectError):  # noqa: N818 - the caller waits and tries again
    """Kafka Connect does not answer, or is rebalancing for too long: wait and try again."""


class ConnectRefused(ConnectError):  # noqa: N818 - the caller corrects the request
    """Kafka Connect refused the request as it stands: correct it (credentials, state, content)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ConnectorNotFound(ConnectError):  # noqa: N818 - the caller makes it first
    """There is no connector of that name: make it first."""


class WriteNotVerified(ConnectError):  # noqa: N818 - the caller compares and asks a person
    """What was read back is not what was written: somebody else writes the same connector."""


@dataclass(frozen=True, slots=True, order=True)
class FieldError:
    """One error of one setting of a connector's configuration."""

    field: str
    message: str


class ConnectorConfigInvalid(ConnectError):  # noqa: N818 - the caller corrects each field
    """Kafka Connect found errors in the configuration; nothing was written. Correct each field."""

    def __init__(self, name: str, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        listed = "; ".join(f"{error.field}: {error.message}" for error in self.errors)
        super().__init__(f"configuration of connector {name} is not valid: {listed}")
