"""Opens a resource for its epochs: its bus under the newest policy, how its newest stands, its markers."""

import time

from services.control.access import Access
from services.control.epoch_markers import Marker, MarkerKind
from services.control.epochs.bus import EpochBus
from services.control.epochs.errors import CorrectOrder
from services.control.epochs.state import Newest, newest_epoch
from services.control.policy_topic import newest_policy
from topics.event import ResourceId
from topics.policy import Policy
from topics.resource import CapturedTable


def open_epochs(access: Access, resource: ResourceId) -> tuple[EpochBus, Policy]:
    """The resource's bus under the newest policy.

    Raises:
        CorrectOrder: no policy declares such a resource, or nothing captures it.
    """
    policy = newest_policy(access.kafka_config("admin"))
    entry = policy.resources.get(resource) if policy is not None else None
    if policy is None or entry is None:
        known = ", ".join(sorted(policy.resources)) if policy is not None else ""
        raise CorrectOrder(f"no applied resource is called {resource}; there are: {known or 'none'}")
    source = entry.resource.source
    if not isinstance(source, CapturedTable):
        raise CorrectOrder(f"{resource} is published by its provider itself: it sends its own full volume")
    provider = policy.providers[entry.resource.provider]
    return EpochBus(access, entry.resource, source, policy.control_schemas.epoch_marker, provider), policy


def epoch_status(access: Access, resource: ResourceId) -> Newest:
    """How the resource's newest epoch stands; raises as ``open_epochs`` does."""
    bus, _ = open_epochs(access, resource)
    return newest_epoch(bus.markers(), bus.raw)


def marker_of(
    bus: EpochBus,
    policy: Policy,
    number: int,
    kind: MarkerKind,
    detail: str,
    *,
    at_ms: int | None = None,
) -> Marker:
    """A marker of one of the resource's epochs, of now unless ``at_ms`` says otherwise."""
    now_ms = int(time.time() * 1000) if at_ms is None else at_ms
    return Marker(bus.resource.id, number, kind, policy.version, now_ms, detail=detail)
