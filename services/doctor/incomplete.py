"""Judges the marks that a resource may hold rows which its source no longer has; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

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
    )


def judge_incomplete(
    resource: ResourceId, provider: ProviderId, marks: Iterable[Mark], policies: Mapping[int, Policy]
) -> Finding:
    """Warn while no full volume was taken since; after one, the marks are worth knowing."""
    found = sorted(marks, key=lambda mark: (mark.timestamp_ms, mark.at))
    if not found:
        return ok(_CHECK, f"{resource}: nothing is marked as incomplete")
    since = _recaptured_in(provider, policies)
    standing = [mark for mark in found if mark.policy_version >= since]
    newest = (standing or found)[-1]
    told = f"{newest.detail} (caused by {newest.cause}, marked at {newest.at})"
    if not standing:
        seen = f"{resource}: {len(found)} marks are older than its newest full volume; the newest: {told}"
        return note(_CHECK, seen, "")
    seen = f"{resource}: {len(standing)} marks, rows may be left that its source has not; the newest: {told}"
    remedy = f"govbus apply --recapture {provider}, or wait for its next full volume"
    return warning(_CHECK, seen, remedy)


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
