"""The running bus as a recovery sees it: captures and their gaps, one capture taken anew, its epochs.

It works with what an operator's ``apply`` works with, and on the newest policy instead of files: of that only
the provider's incarnation and system change.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Protocol

from producers.connect_errors import ConnectError
from producers.connector import INCARNATION_SETTING, connector_name
from producers.snapshot import SnapshotState, newest_snapshot
from services.control.access import Access
from services.control.capture_work import CaptureWork
from services.control.connectors import captured, desired_captures
from services.control.desired import Declared
from services.control.epochs.acts import Owe
from services.control.epochs.opening import epoch_status, open_epochs
from services.control.epochs.run import Ended, start_epoch
from services.control.epochs.state import Newest
from services.control.gaps import CaptureFacts, read_captures
from services.control.policy_document import with_incarnation
from services.control.settings import ApplySettings
from services.control.suspension.finish import now_ms
from services.control.suspension.kafka_bus import KafkaBus
from topics.event import ProviderId, ResourceId
from topics.policy import Policy
from topics.resource import Resource

Problem = Mapping[str, str]
_CLOCKS_MS: Final = 60_000
"""So far the clock of Connect may be behind ours."""


class RecoveryBus(Protocol):
    """What a recovery asks and orders; each of these may be repeated."""

    def captures(self, policy: Policy) -> Mapping[ProviderId, CaptureFacts]:
        """Every capture as it is now."""
        ...

    def incarnation(self, provider: ProviderId) -> int | None:
        """Under which the provider's connector writes; None where that cannot be told now."""
        ...

    def raise_incarnation(self, provider: ProviderId, incarnation: int, system: str) -> Policy:
        """Write the version in which the capture begins anew on that system; return the newest."""
        ...

    def take_anew(self, provider: ProviderId, policy: Policy, facts: CaptureFacts) -> list[Problem]:
        """Let the connector forget and begin under the policy's incarnation; what is against it."""
        ...

    def has_read(self, resource: ResourceId, since_ms: int) -> bool:
        """Whether the connector has ended the snapshot that it takes by itself, begun since then."""
        ...

    def newest_epoch(self, resource: ResourceId) -> Newest:
        """The newest epoch of a resource."""
        ...

    def prove(self, resource: ResourceId, reason: str, by: str, owe: Owe) -> Ended:
        """Run an epoch over the whole table to its end; owes and raises what ``start_epoch`` does."""
        ...


@dataclass(frozen=True, slots=True)
class StackRecovery:
    """See ``RecoveryBus``."""

    access: Access
    settings: ApplySettings
    say: Callable[[str], None]

    def captures(self, policy: Policy) -> Mapping[ProviderId, CaptureFacts]:
        """Every capture as it is now."""
        return read_captures(self.access, policy.providers, _resources(policy))

    def incarnation(self, provider: ProviderId) -> int | None:
        """From the connector's configuration."""
        with closing(self.access.connect()) as client:
            try:
                return int(client.config(connector_name(provider))[INCARNATION_SETTING])
            except (ConnectError, KeyError, ValueError):
                return None

    def raise_incarnation(self, provider: ProviderId, incarnation: int, system: str) -> Policy:
        """As the one writer of policy; a version that says so already is left as it is."""
        bus = KafkaBus(self.access, self.access.admin(), self.settings)
        return bus.write(lambda newest: with_incarnation(newest, provider, incarnation, system, now_ms()))

    def take_anew(self, provider: ProviderId, policy: Policy, facts: CaptureFacts) -> list[Problem]:
        """As ``apply --recapture`` does it."""
        declared = Declared(policy.providers, policy.consumers, _resources(policy), {}, {}, {})
        work = CaptureWork(
            self.access, declared, desired_captures(declared, self.access), {provider: facts}, self.say
        )
        work.put([connector_name(provider)], {provider})
        return [*work.held_back.get(provider, ())]

    def has_read(self, resource: ResourceId, since_ms: int) -> bool:
        """By its notifications; whether it read everything, the epoch finds out."""
        bus, _ = open_epochs(self.access, resource)
        snapshot = newest_snapshot(bus.notifications(0)[0])
        is_over = snapshot.state not in {SnapshotState.NONE, SnapshotState.RUNNING}
        return is_over and snapshot.began_ms >= since_ms - _CLOCKS_MS

    def newest_epoch(self, resource: ResourceId) -> Newest:
        """From its markers."""
        return epoch_status(self.access, resource)

    def prove(self, resource: ResourceId, reason: str, by: str, owe: Owe) -> Ended:
        """As ``govbus snapshot start`` does it."""
        return start_epoch(self.access, resource, reason=reason, by=by, owe=owe)


def tables_of(policy: Policy, provider: ProviderId) -> list[ResourceId]:
    """The resources that the provider's capture brings."""
    return [resource.id for resource, _ in captured(provider, _resources(policy).values())]


def _resources(policy: Policy) -> dict[ResourceId, Resource]:
    return {id_: entry.resource for id_, entry in policy.resources.items()}
