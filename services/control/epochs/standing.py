"""How the full volumes of a resource stand, from what the collector saw of them; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.control.epochs.state import EpochState


@dataclass(frozen=True, slots=True)
class Epoch:
    """One full volume.

    Args:
        number: of the epoch, from 1 on.
        state: how it stands.
        begin: when it began.
        told: when it ended, was given up, or began to wait; the begin while it is open.
        columns: of the primary key by which it was narrowed; none for the whole table.
        initial: whether it proves the snapshot that the connector took by itself.
        reason: why it was ordered.
        by: by whom.
        detail: why it was given up.
        counts: at its end ``rows_scanned``, ``keys_seen``, ``candidates``, ``swept``, ``records``; while it
            waits ``unseen`` and ``candidates``.
        digest: of all that stood at its end.
    """

    number: int
    state: EpochState
    begin: datetime
    told: datetime
    columns: tuple[str, ...]
    initial: bool
    reason: str
    by: str
    detail: str
    counts: Mapping[str, int]
    digest: str

    @property
    def is_open(self) -> bool:
        """Whether it has begun and not ended."""
        return self.state in (EpochState.OPEN, EpochState.WAITING)

    @property
    def is_whole(self) -> bool:
        """Whether it has proven the whole table."""
        return self.state is EpochState.ENDED and not self.columns

    @property
    def would_go_percent(self) -> float | None:
        """How much of what was compared the sweep would remove; only while it waits."""
        candidates = self.counts.get("candidates", 0)
        if self.state is not EpochState.WAITING or not candidates:
            return None
        return round(100 * self.counts.get("unseen", 0) / candidates, 1)


@dataclass(frozen=True, slots=True)
class Advance:
    """How an open epoch gets on.

    Args:
        came: how much the raw topic grew since the begin, live changes among it.
        expected: how many rows the table had when somebody counted last; None where nobody can tell.
        rate: records a second during the last looks; None before the second look.
        left_s: seconds until as many have come as are expected; None where that cannot be told.
        looks: moments and what had come by then, the oldest first.
    """

    came: int
    expected: int | None
    rate: float | None
    left_s: float | None
    looks: tuple[tuple[datetime, int], ...]

    @property
    def percent(self) -> int | None:
        """How much of what is expected has come, at most 100."""
        return min(100, 100 * self.came // self.expected) if self.expected else None


@dataclass(frozen=True, slots=True)
class Volume:
    """The full volumes of one resource.

    Args:
        resource: its id.
        code: of its entry.
        provider: whose it is.
        captured: whether the bus reads it from a table; else its provider publishes it.
        epochs: the newest first.
        advance: of the newest one while it is open.
        marked: when the gate last marked the resource as incomplete and no whole volume began since.
    """

    resource: str
    code: str | None
    provider: str
    captured: bool
    epochs: tuple[Epoch, ...]
    advance: Advance | None
    marked: datetime | None

    @property
    def newest(self) -> Epoch | None:
        """The newest epoch."""
        return self.epochs[0] if self.epochs else None

    @property
    def newest_whole(self) -> Epoch | None:
        """The newest that proved the whole table."""
        return next((each for each in self.epochs if each.is_whole), None)


def volume(resource: str, document: Mapping[str, Any], counted: int | None) -> Volume:
    """The full volumes of a resource.

    Args:
        resource: its id.
        document: the snapshot (``services.control.process.collecting.volumes``).
        counted: how many rows its table had at the last comparison; the newest whole epoch says it otherwise.
    """
    epochs = tuple(_epoch(each) for each in document["epochs"])
    whole = next((each for each in epochs if each.is_whole), None)
    if counted is None and whole is not None:
        counted = whole.counts.get("rows_scanned")
    newest = epochs[0] if epochs else None
    narrowed = newest is not None and (bool(newest.columns) or newest.initial)
    marked = None if document["marked_ms"] is None else _moment(document["marked_ms"])
    progress = document["progress"]
    return Volume(
        resource,
        document["code"],
        document["provider"],
        document["captured"],
        epochs,
        None if progress is None else _advance(progress, None if narrowed else counted),
        None if marked is None or (whole is not None and whole.begin > marked) else marked,
    )


def _epoch(document: Mapping[str, Any]) -> Epoch:
    return Epoch(
        document["number"],
        EpochState(document["state"]),
        _moment(document["begin_ms"]),
        _moment(document["told_ms"]),
        tuple(document["columns"]),
        document["initial"],
        document["reason"],
        document["by"],
        document["detail"],
        document["counts"],
        document["digest"],
    )


def _advance(document: Mapping[str, Any], expected: int | None) -> Advance:
    looks = tuple((datetime.fromisoformat(at), int(came)) for at, came in document["samples"])
    came, rate = int(document["came"]), _rate(looks)
    left = None
    if rate and expected is not None and came < expected:
        left = (expected - came) / rate
    return Advance(came, expected, rate, left, looks)


def _rate(looks: Sequence[tuple[datetime, int]]) -> float | None:
    if len(looks) < 2:
        return None
    seconds = (looks[-1][0] - looks[0][0]).total_seconds()
    return max(0.0, (looks[-1][1] - looks[0][1]) / seconds) if seconds > 0 else None


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
