"""Everything that should run in Connect, captures and sinks, and what is there of it."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

from producers.connect_errors import ConnectUnavailable
from services.control.access import Access
from services.control.connectors import Captures, desired_captures, live_connectors
from services.control.desired import Declared
from services.control.gaps import CaptureFacts
from services.control.sinks import Sinks, desired_sinks
from services.control.state import LiveState
from topics.event import ProviderId
from topics.names import SINK_PREFIX


@dataclass(frozen=True, slots=True)
class Connections:
    """The connectors that should exist."""

    captures: Captures = field(default_factory=Captures)
    sinks: Sinks | None = None
    """None where Connect could not be asked: then nothing about sinks is changed."""

    @property
    def configs(self) -> dict[str, Mapping[str, str]]:
        """Connector → configuration."""
        return {**self.captures.configs, **(self.sinks.configs if self.sinks else {})}

    @property
    def notes(self) -> tuple[str, ...]:
        """What is declared and cannot be done yet, and why."""
        return (*self.captures.notes, *(self.sinks.notes if self.sinks else ()))


def read_connections(
    access: Access,
    declared: Declared,
    live: LiveState,
    facts: Mapping[ProviderId, CaptureFacts],
    gaps: Mapping[ProviderId, str],
) -> tuple[Connections, LiveState]:
    """What should run and what does; captures with a gap are left alone.

    Without Connect everything else can still be done, a withdrawal above all.
    """
    copies = desired_sinks(declared, access)
    wanted = Connections(desired_captures(declared, access).without(gaps), copies)
    try:
        with closing(access.connect()) as client:
            there = {name for name in client.names() if name.startswith(SINK_PREFIX)}
            found = live_connectors(client, {*wanted.configs, *(there - copies.unknown)})
    except ConnectUnavailable as error:
        note = f"no connector is looked at: Kafka Connect does not answer ({error})"
        return Connections(Captures(notes=(*wanted.notes, note))), live
    providers = wanted.captures.providers
    begun = {
        name: config
        for name, config in found.items()
        if name not in providers or not facts[providers[name]].waits_for_start
    }
    return wanted, replace(live, connectors=begun)
