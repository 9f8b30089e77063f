"""Finds captures whose source lost changes, and says which incarnation each provider is to have.

A slot that is gone or invalidated, another server or another timeline under a capture that has begun: between
what was captured last and what can be captured now, changes are missing, and nobody can tell which.
"""

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import psycopg2
import psycopg2.extensions

from producers.connect_client import ConnectClient
from producers.connect_errors import ConnectorNotFound, ConnectUnavailable
from producers.connect_status import Health
from producers.connector import connector_name, slot_name
from producers.continuity import jump, published_position
from producers.slots import SlotReport, slot_report, system_of
from services.control.access import Access, CaptureSource
from services.control.connectors import captured
from topics.event import ProviderId, ResourceId
from topics.policy import Policy
from topics.resource import Provider, Resource

_CONNECT_TIMEOUT_S: Final = 3


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A provider's database as it is now.

    Args:
        system: ``<system identifier>/<timeline>``.
        slot: of the provider's capture; None where it does not exist.
    """

    system: str
    slot: SlotReport | None


@dataclass(frozen=True, slots=True)
class CaptureFacts:
    """One provider's capture as it is now.

    Args:
        has_offsets: whether Connect knows a position of it; None where Connect does not answer.
        is_stopped: whether somebody stopped its connector.
        source: None where the database does not answer.
        position: up to where changes were published, in bytes since the log began; None where not known.
    """

    has_offsets: bool | None = None
    is_stopped: bool = False
    source: SourceFacts | None = None
    position: int | None = None

    @property
    def waits_for_start(self) -> bool:
        """Stopped without a position: a capture that was to begin anew and did not."""
        return self.is_stopped and self.has_offsets is False


def read_captures(
    access: Access, providers: Mapping[ProviderId, Provider], resources: Mapping[ResourceId, Resource]
) -> dict[ProviderId, CaptureFacts]:
    """The facts of every provider that has captured tables and a connection secret set."""
    found: dict[ProviderId, CaptureFacts] = {}
    client = access.connect()
    answers = True
    try:
        for provider in providers.values():
            if provider.database is None or not captured(provider.id, resources.values()):
                continue
            source = access.capture_source(provider.database)
            if source is not None:
                # A Connect that is down is asked once: withdrawals wait for this.
                found[provider.id] = _capture(client if answers else None, provider.id, source)
                answers = found[provider.id].has_offsets is not None
    finally:
        client.close()
    return found


def _capture(client: ConnectClient | None, provider: ProviderId, source: CaptureSource) -> CaptureFacts:
    facts = _source_facts(source, provider)
    if client is None:
        return CaptureFacts(source=facts)
    name = connector_name(provider)
    try:
        # After the slot: PostgreSQL hears of a position only once it is committed in Kafka.
        offsets = client.offsets(name)
        if offsets and facts is not None and facts.slot is None:
            # A capture that has begun in between made its slot before it had a position.
            facts = _source_facts(source, provider)
        stopped = client.health(name) is Health.STOPPED
        return CaptureFacts(bool(offsets), stopped, facts, published_position(offsets))
    except ConnectorNotFound:
        return CaptureFacts(False, False, facts)
    except ConnectUnavailable:
        return CaptureFacts(source=facts)


def _source_facts(source: CaptureSource, provider: ProviderId) -> SourceFacts | None:
    try:
        return read_source(source, slot_name(provider))
    except psycopg2.Error:
        return None


def read_source(source: CaptureSource, slot: str) -> SourceFacts:
    """Ask the database through the capture role.

    Raises:
        psycopg2.Error: it cannot be reached or asked.
    """
    with closing(open_source(source)) as connection:
        system = system_of(connection)
        slots = {report.name: report for report in slot_report(connection)}
    return SourceFacts(system, slots.get(slot))


def open_source(source: CaptureSource) -> psycopg2.extensions.connection:
    """Log in as the capture role; the caller closes it.

    Raises:
        psycopg2.OperationalError: the database does not let it in.
    """
    return psycopg2.connect(
        host=source.host,
        port=source.port,
        dbname=source.database,
        user=source.user,
        password=source.password,
        connect_timeout=_CONNECT_TIMEOUT_S,
    )


def gap(facts: CaptureFacts, recorded: str | None) -> str | None:
    """Why changes of this capture are lost; None where nothing says so. Pure.

    Args:
        facts: the capture as it is now.
        recorded: the system that the capture began on, as policy has it.
    """
    if facts.source is None:
        return None
    slot = facts.source.slot
    if slot is not None and slot.is_gap:
        return f"changes are lost: the replication slot {slot.name} was invalidated"
    if not facts.has_offsets:
        return None
    if slot is None:
        return "changes are lost: the capture has a position and its replication slot is gone"
    jumped = jump(slot, facts.position)
    if jumped is not None:
        return f"changes are lost: {jumped}"
    if recorded is not None and recorded != facts.source.system:
        return (
            f"changes may be lost: the capture began on system and timeline {recorded}, "
            f"the database is {facts.source.system} now"
        )
    return None


def find_gaps(facts: Mapping[ProviderId, CaptureFacts], policy: Policy | None) -> dict[ProviderId, str]:
    """Every provider with a gap, and why."""
    found = {}
    for provider, capture in facts.items():
        reason = gap(capture, _recorded(provider, policy))
        if reason is not None:
            found[provider] = reason
    return found


def impossible(facts: CaptureFacts | None) -> str | None:
    """Why a capture cannot begin anew now; None where it can."""
    if facts is None:
        return "nothing is captured from it here: it declares no captured table, or has no connection secrets"
    if facts.source is None:
        return "its database does not answer, so that nothing can be captured anew"
    if facts.has_offsets is None:
        return "Kafka Connect does not answer, so that nothing can be captured anew"
    return None


def with_incarnations(
    providers: Mapping[ProviderId, Provider],
    policy: Policy | None,
    facts: Mapping[ProviderId, CaptureFacts],
    recaptured: Collection[ProviderId] = (),
) -> dict[ProviderId, Provider]:
    """The providers with incarnation and system as the next policy version is to have them. Pure.

    An incarnation never falls; what YAML declares is its floor. It rises by one with a recapture. The system
    is recorded when a capture begins, and stays as it is while there is a gap.
    """
    return {
        name: provider.model_copy(
            update={
                "incarnation": _incarnation(provider, policy) + (name in recaptured),
                "system": _system(name, policy, facts.get(name), name in recaptured),
            }
        )
        for name, provider in providers.items()
    }


def _incarnation(provider: Provider, policy: Policy | None) -> int:
    before = policy.providers.get(provider.id) if policy else None
    return max(provider.incarnation, before.incarnation if before else 1)


def _system(
    provider: ProviderId, policy: Policy | None, facts: CaptureFacts | None, recaptured: bool
) -> str | None:
    recorded = _recorded(provider, policy)
    if facts is None or facts.source is None:
        return recorded
    begins = facts.has_offsets is False
    return facts.source.system if recorded is None or begins or recaptured else recorded


def _recorded(provider: ProviderId, policy: Policy | None) -> str | None:
    before = policy.providers.get(provider) if policy else None
    return before.system if before else None
