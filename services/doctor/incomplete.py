"""Judges the marks that a resource may hold rows which its source no longer has; pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.control.epochs.state import Newest
from services.doctor.finding import Finding, note, ok, warning
from topics.event import KafkaRecord, ProviderId, ResourceId
from topics.policy import Policy

INCOMPLETE: Final = "INCOMPLETE"
_CHECK: Final = "incomplete"


@dataclass(frozen=True, slots=True)
class Mark:
    """One INCOMPLETE marker: where it stands, what caused it (a raw coordinate) and why."""

    at: str
    cause: str
    policy_version: int
    timestamp_ms: int
    detail: str
    places: Mapping[int, int] = field(default_factory=dict)
    """Raw partition → offset of what caused it."""

    def is_over(self, volume: Newest) -> bool:
        """Whether a whole volume that began after the cause has swept what the source does not have.

        What was caused while it ran may be a deletion of rows that it had read before.
        """
        return bool(self.places) and all(
            offset < volume.begins.get(partition, 0) for partition, offset in self.places.items()
        )


def mark_from(record: KafkaRecord, value: Mapping[str, Any]) -> Mark | None:
    """The mark that a decoded EpochMarker record is, None for the other kinds of marker."""
    if value["kind"] != INCOMPLETE:
        return None
    causes = [f"{cause['topic']}:{cause['partition']}:{cause['offset']}" for cause in value["offsets"]]
    return Mark(
        record.coordinates,
        ", ".join(causes),
        value["policy_version"],
        value["timestamp_ms"],
        value["detail"],
        {cause["partition"]: cause["offset"] for cause in value["offsets"]},
    )


def judge_incomplete(
    resource: ResourceId,
    provider: ProviderId,
    marks: Iterable[Mark],
    policies: Mapping[int, Policy],
    volumes: Collection[Newest] = (),
) -> Finding:
    """Warn until an epoch has swept; where the capture was only taken anew, the marks are worth knowing.

    Args:
        resource: that is judged.
        provider: its provider.
        marks: all of the resource, in any order.
        policies: every version.
        volumes: the epochs over the whole table that have ended.
    """
    all_marks = list(marks)
    found = [mark for mark in all_marks if not any(mark.is_over(volume) for volume in volumes)]
    found.sort(key=lambda mark: (mark.timestamp_ms, mark.at))
    if not found:
        over = f"; {len(all_marks)} marks are over since a full volume" if all_marks else ""
        return ok(_CHECK, f"{resource}: nothing is marked as incomplete{over}")
    since = _recaptured_in(provider, policies)
    standing = [mark for mark in found if mark.policy_version >= since]
    newest = (standing or found)[-1]
    told = f"{newest.detail} (caused by {newest.cause}, marked at {newest.at})"
    if not standing:
        seen = f"{resource}: {len(found)} marks are older than its capture's newest start; the newest: {told}"
        return note(_CHECK, seen, f"govbus snapshot start {resource}")
    seen = f"{resource}: {len(standing)} marks, rows may be left that its source has not; the newest: {told}"
    return warning(_CHECK, seen, f"govbus snapshot start {resource}")


def _recaptured_in(provider: ProviderId, policies: Mapping[int, Policy]) -> int:
    """The version with which the provider's newest incarnation began; 0 where it is still its first one."""
    known = [
        (version, policy.providers[provider].incarnation)
        for version, policy in sorted(policies.items())
        if provider in policy.providers
    ]
    newest = known[-1][1] if known else 0
    if all(incarnation == newest for _, incarnation in known):
        return 0
    return min(version for version, incarnation in known if incarnation == newest)
