"""The answer of one reconciliation: both sides at the cut, what differs, how timely the resource is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from services.reconcile.canonical import Delays
from services.reconcile.compare import Compared
from services.reconcile.cut import Cut
from services.reconcile.differing import Kept, Shown
from topics.event import GrantId, ResourceId


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How timely a resource is, against the update cycle of its catalogue entry (A5-05).

    Args:
        update_cycle: as it is declared.
        allowed_s: how long a change may take by it.
        newest_change_at: when the newest change at or before the cut happened at the source.
        silent_s: how long before the cut that was.
        changes: how many changes the canonical topic still holds.
        late: how many of them took longer than is allowed.
        half_within_s: within how many seconds half of them came, rounded up to a power of two of ms.
        nearly_all_within_s: the same of 99 of 100.
        longest_s: the longest.
    """

    update_cycle: str
    allowed_s: float
    newest_change_at: str | None
    silent_s: float | None
    changes: int
    late: int
    half_within_s: float | None
    nearly_all_within_s: float | None
    longest_s: float


@dataclass(frozen=True, slots=True)
class SinkAnswer:
    """One sink's table beside the grant topic that it copies; ``trouble`` says why it was not compared."""

    grant: GrantId
    table: str
    compared: Compared | None
    kept: Kept | None
    shown: tuple[Shown, ...] = ()
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one reconciliation found.

    Args:
    stopped_rows: rows of the source that the gate refuses as they stand.
        behind: raw records that were in Kafka and lie behind the cut.
        waited_s: how long capture and gate took to come as far as the cut.
        snapshot_rows: how many of those are rows of a snapshot that is under way.
    """

    resource: ResourceId
    provider: str
    at: datetime
    cut: Cut
    compared: Compared
    kept: Kept
    shown: tuple[Shown, ...]
    not_compared: tuple[str, ...]
    stopped_rows: int
    behind: int
    waited_s: float
    snapshot_rows: int
    timeliness: Timeliness
    sinks: tuple[SinkAnswer, ...]
    seconds: float
    peak_mb: float

    @property
    def same(self) -> bool:
        """Whether nothing differs that nothing explains."""
        troubled = any(sink.trouble for sink in self.sinks)
        return not troubled and not self.kept.total and not any(s.kept and s.kept.total for s in self.sinks)

    @property
    def explained(self) -> int:
        """How many rows differ for a reason that is known."""
        return sum(self.kept.explained.values())

    def document(self) -> dict[str, Any]:
        """The answer as docs/cli/reconcile.schema.json has it."""
        return {
            "resource": self.resource,
            "provider": self.provider,
            "at": self.at.isoformat(timespec="milliseconds"),
            "same": self.same,
            "cut": {
                "position": self.cut.position,
                "at": _moment(self.cut.at_ms),
                "behind": self.behind,
                "waited_s": round(self.waited_s, 3),
                "snapshot_rows": self.snapshot_rows,
            },
            "source": {"rows": self.compared.table.count, "digest": self.compared.table.hex()},
            "canonical": {"rows": self.compared.topic.count, "digest": self.compared.topic.hex()},
            "ranges": {"compared": self.compared.ranges, "differing": self.compared.differing_ranges},
            "differences": _counts(self.kept),
            "explained": dict(self.kept.explained),
            "shown": [_shown(each) for each in self.shown],
            "not_compared": list(self.not_compared),
            "stopped_rows": self.stopped_rows,
            "timeliness": asdict(self.timeliness),
            "sinks": [_sink(each) for each in self.sinks],
            "seconds": round(self.seconds, 3),
            "peak_mb": round(self.peak_mb, 1),
            "repair": None,
        }


def timeliness(update_cycle: str, allowed_s: float, delays: Delays, at_ms: int) -> Timeliness:
    """What the delays of a topic's changes say."""

    def seconds(ms: int | None) -> float | None:
        return None if ms is None else ms / 1000

    newest = delays.newest_ms
    return Timeliness(
        update_cycle,
        allowed_s,
        _moment(newest) if newest else None,
        max(0, at_ms - newest) / 1000 if newest else None,
        delays.changes,
        delays.late,
        seconds(delays.at_most_ms(0.5)),
        seconds(delays.at_most_ms(0.99)),
        delays.longest_ms / 1000,
    )


def without_values(document: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as it is kept: whatever was revealed of a row is left out."""
    return {
        **document,
        "repair": None,
        "shown": [_masked(each) for each in document["shown"]],
        "sinks": [{**sink, "shown": [_masked(each) for each in sink["shown"]]} for sink in document["sinks"]],
    }


def _masked(shown: Mapping[str, Any]) -> dict[str, Any]:
    return {**shown, "record_id": None, "source": None, "topic": None}


def _counts(kept: Kept) -> dict[str, int]:
    return {kind.value: count for kind, count in kept.counts.items()}


def _shown(each: Shown) -> dict[str, Any]:
    return {
        "kind": each.kind.value,
        "key": each.key,
        "items": list(each.items),
        "explained": None if each.explained is None else each.explained.value,
        "reason": each.reason,
        "raw": each.raw,
        "canonical": list(each.canonical),
        "record_id": each.record_id,
        "source": each.source,
        "topic": each.topic,
    }


def _sink(each: SinkAnswer) -> dict[str, Any]:
    found = each.compared
    return {
        "grant": each.grant,
        "table": each.table,
        "trouble": each.trouble,
        "rows": None if found is None else found.table.count,
        "digest": None if found is None else found.table.hex(),
        "topic_rows": None if found is None else found.topic.count,
        "topic_digest": None if found is None else found.topic.hex(),
        "differences": None if each.kept is None else _counts(each.kept),
        "shown": [_shown(one) for one in each.shown],
    }


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
