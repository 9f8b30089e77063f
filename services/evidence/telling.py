"""A verdict in words, and as the object that docs/cli/verify.schema.json describes."""

from datetime import UTC, datetime
from typing import Any

from services.evidence.verifying import Verdict


def as_answer(verdict: Verdict) -> dict[str, Any]:
    """The verdict for programs."""
    manifest = verdict.manifest
    fault = None
    if verdict.fault is not None:
        fault = {"what": verdict.fault.value, "where": verdict.where, "detail": verdict.detail}
    return {
        "proven": verdict.proven,
        "fault": fault,
        "log": manifest.log if manifest else None,
        "from_ms": manifest.from_ms if manifest else None,
        "to_ms": manifest.to_ms if manifest else None,
        "base": manifest.base if manifest else None,
        "last": manifest.last if manifest else None,
        "witness": verdict.witness or None,
        "root": verdict.root or None,
        "first_index": verdict.first_index,
        "entries": verdict.entries,
        "topics": dict(verdict.counts),
        "delivered": [each._asdict() for each in verdict.delivered],
    }


def told(verdict: Verdict) -> str:
    """The verdict for people."""
    if verdict.fault is not None:
        return f"NOT PROVEN: {verdict.fault} at {verdict.where}: {verdict.detail}"
    manifest = verdict.manifest
    lines = []
    if manifest is not None:
        lines.append(f"log {manifest.log}, from {_time(manifest.from_ms)} to {_time(manifest.to_ms)}")
        lines.append(
            f"checkpoints {manifest.base or 'the beginning'} to {manifest.last}; witness: {verdict.witness}"
        )
    last = verdict.first_index + verdict.entries
    lines.append(f"{verdict.entries} entries, {verdict.first_index} to before {last}, none missing")
    lines += [f"  {topic}: {count}" for topic, count in verdict.counts.items()]
    lines += [
        f"  grant {each.grant} generation {each.generation} by policy {each.policy_version}: "
        f"{each.delivered} delivered, {each.tombstoned} tombstoned, {each.withheld} withheld "
        f"({each.consumer}, {each.resource}; {each.purpose}; {each.legal_basis})"
        for each in verdict.delivered
    ]
    return "\n".join([*lines, "PROVEN: nothing is missing, added or changed, and each delivery was allowed"])


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
