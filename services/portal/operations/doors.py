"""Everything that pages of operation need besides the web process's parts: made once for each process."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from services.api.parts import Parts
from services.api.reporting import report
from services.api.running import BusUnavailable
from services.api.uses import lately
from services.control.accounts.decision import Whose
from services.control.clocks.calendar import civil_day
from services.control.owners import whose_topic
from services.control.store.operations import rounds
from services.evidence.trust import Trust
from services.ledger.bus import Bus
from services.ledger.claims import ClaimView, read_claims
from services.ledger.quarantine import Quarantined, read_quarantine
from services.portal.operations.figures import figures, seen
from services.portal.operations.kept import Kept
from services.portal.operations.lately import CLAIMS, LatelySeen
from services.portal.operations.ledger import LedgerPages
from services.portal.operations.replaying import Counting, Installation, KeyOf
from services.portal.operations.revealing import Revealing
from services.portal.operations.sse import Hub
from services.portal.operations.tailing import Places
from services.portal.operations.working import Tasks
from topics.event import ProviderId
from topics.policy import Policy

OpenBus = Callable[[], AbstractContextManager[Bus]]
MOST_LOOKS: Final = 8
"""So many topics are followed at once in one process."""
POLICY: Final = "policy"
"""The key of the one policy among what is kept."""
_POLICY_FRESH_S: Final = 10.0
_READ_FRESH_S: Final = 60.0
_POLL_S: Final = 2.0
_FIRST_S: Final = 5.0
"""So long a page waits for something that was never read; then it says that it is being read."""


@dataclass(frozen=True, slots=True)
class Operations:
    """The doors to the running bus, and what is kept of it."""

    open_bus: OpenBus
    policies: Kept[Policy | None]
    quarantine: Kept[list[Quarantined]]
    claims: Kept[list[ClaimView]]
    tasks: Tasks
    revealing: Revealing
    places: Places
    hub: Hub
    ledger: LedgerPages
    counting: Counting
    trace_key: KeyOf

    def policy(self) -> Policy | None:
        """The newest policy as it was read a moment ago; None before the first.

        Raises:
            BusUnavailable: it was never read, and nobody answers now.
        """
        look = self.policies.look(POLICY, _FIRST_S)
        if look.value is None and (look.failure or look.reading):
            raise BusUnavailable(look.failure or "it is being read")
        return look.value

    def policy_if_known(self) -> Policy | None:
        """The same, and None where nobody answers: pages then show less."""
        return self.policies.look(POLICY, _FIRST_S).value

    def whose(self, topic: str) -> Whose:
        """The departments of a topic."""
        return whose_topic(topic, self.policy_if_known())


def operations(
    parts: Parts,
    open_bus: OpenBus,
    epoch: str,
    trust: Callable[[], Trust | None] = lambda: None,
    installation: Installation = Installation(),
) -> Operations:
    """Make the doors.

    Args:
        parts: of the web process.
        open_bus: opens readers and the operator's writer on the running bus.
        epoch: names this process: ids of live events of another one mean nothing.
        trust: reads the installation's trust file; None where there is none.
        installation: what replays and the person trace read; without it their pages say so.
    """

    def quarantined(provider: str) -> list[Quarantined]:
        with open_bus() as bus:
            return read_quarantine(bus.lookup, ProviderId(provider))

    def claimed(_key: str) -> list[ClaimView]:
        with open_bus() as bus:
            topics = [topic for topic in bus.lookup.reader.topics() if topic.startswith(CLAIMS)]
            providers = [ProviderId(topic.removeprefix(CLAIMS)) for topic in topics]
            return [view for each in providers for view in read_claims(bus.lookup, each)]

    clock = parts.clock
    return Operations(
        open_bus=open_bus,
        policies=Kept(lambda _key: parts.bus.policy(), clock, _POLICY_FRESH_S, report),
        quarantine=Kept(quarantined, clock, _READ_FRESH_S, report),
        claims=Kept(claimed, clock, _READ_FRESH_S, report),
        tasks=Tasks(clock, report),
        revealing=Revealing(parts.database, clock, parts.new_id),
        places=Places(MOST_LOOKS),
        ledger=LedgerPages(open_bus, trust, clock, report),
        counting=Counting(installation.open_known, clock, report),
        trace_key=installation.trace_key,
        hub=Hub(poller(parts), _POLL_S, epoch, lambda error: report("dashboard", error)),
    )


def poller(parts: Parts) -> Callable[[Mapping[str, Any] | None], Any]:
    """Reads the figures anew where a snapshot or the day is another; else says that nothing has changed."""
    providers = {str(id_): str(each.provider) for id_, each in parts.definitions.resources.items()}

    def read(before: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        today = civil_day(parts.clock())
        with parts.database.reading() as connection:
            stamp = repr(
                (today, sorted((kind.value, str(each)) for kind, each in rounds(connection).items()))
            )
            if before is not None and before["stamp"] == stamp:
                return None
            return {**figures(seen(connection, today), providers, before), "stamp": stamp}

    async def ask(before: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        return await run_in_threadpool(read, before)

    return ask


def connect(app: FastAPI, found: Operations) -> None:
    """Let an app's pages use these doors."""
    app.state.operations = found
    lately.connect(app, LatelySeen(found.quarantine, found.claims))


def operations_of(request: Request) -> Operations:
    """The doors of the process.

    Raises:
        BusUnavailable: this process has none.
    """
    found = getattr(request.app.state, "operations", None)
    if not isinstance(found, Operations):
        raise BusUnavailable("no bus is connected")
    return found
