"""The running bus of a stack, asked with the logins that commands use: one thing at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaException

from schemas.registry import RegistryUnavailable
from services.api.running import BusUnavailable, NothingThere
from services.api.settings import ApiSettings
from services.control.contracts.agreement import Addresses
from services.control.policy_topic import PolicyUnreadable, newest_policy
from services.control.suspension.acts import LedgerNotReady, read_acts
from services.control.suspension.proofs import stop_proof
from services.control.tickets.evidence import Reported
from services.ledger.claims import ClaimView, claimants, read_claims
from services.ledger.conflicts import Conflict, read_conflicts
from services.ledger.coordinates import NotACoordinate, parse_coordinate
from services.ledger.disputed import NotReportable, find
from services.ledger.lookup import Lookup, RecordMissing
from services.ledger.on_stack import master_secrets, open_bus_of
from services.stack.api import Stack
from services.stack.errors import StackError
from topics import names
from topics.policy import Policy

_TIMEOUT_S: Final = 10.0
_DOWN: Final = (KafkaException, PolicyUnreadable, RegistryUnavailable, StackError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class BusOfStack:
    """The bus of one stack (see ``Bus``)."""

    stack: Stack
    settings: ApiSettings

    def policy(self) -> Policy | None:
        """The newest policy version; None before the first."""
        with _answers():
            topics = self.stack.admin().list_topics(timeout=_TIMEOUT_S).topics
            return newest_policy(self.stack.kafka_config("admin")) if names.POLICY in topics else None

    def addresses(self) -> Addresses:
        """Where departments find Kafka and the registry: as the settings say, else as the stack does."""
        endpoints = self.stack.endpoints()
        return Addresses(
            self.settings.kafka_bootstrap or endpoints.kafka_bootstrap,
            self.settings.registry_url or endpoints.registry_url,
        )

    def receipt(self, suspension: str) -> dict[str, Any]:
        """The receipt of a suspension or withdrawal as the ledger keeps it."""
        with _answers():
            try:
                acts = read_acts(self.stack.admin(), self.stack.kafka_config("apply"))
                found = stop_proof(acts, suspension)
            except LedgerNotReady as error:
                raise BusUnavailable("the ledger has no acts yet") from error
        if found is None:
            raise NothingThere(f"the ledger knows no suspension or withdrawal {suspension}")
        return found

    def reported(self, at: str, items: Sequence[str]) -> Reported:
        """The record at a coordinate, without anything that names it."""
        with _answers(), self._lookup() as lookup:
            try:
                found = find(lookup, parse_coordinate(at), items, master_secrets(self.stack, lookup))
            except (NotACoordinate, NotReportable, RecordMissing) as error:
                raise NothingThere(str(error)) from error
        return Reported(found.provider, found.contested, str(found.version.at), found.version.position)

    def claims(self) -> list[ClaimView]:
        """What departments publish of facts that others own."""
        with _answers(), self._lookup() as lookup:
            return [view for each in claimants(lookup.reader) for view in read_claims(lookup, each)]

    def conflicts(self) -> list[Conflict]:
        """Rows of one provider that claim one identity."""
        with _answers(), self._lookup() as lookup:
            return read_conflicts(lookup, None)

    @contextmanager
    def _lookup(self) -> Iterator[Lookup]:
        with open_bus_of(self.stack, "api", _TIMEOUT_S) as opened:
            yield opened.lookup


@contextmanager
def _answers() -> Iterator[None]:
    """Whatever is down is said as one thing.

    Raises:
        BusUnavailable: something of the bus does not answer.
    """
    try:
        yield
    except _DOWN as error:
        raise BusUnavailable(type(error).__name__) from error
