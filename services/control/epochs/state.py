"""How the epochs of a resource stand, from the markers on ``epochs.<resource>``; pure.

An epoch is open from its BEGIN to its END or ABORTED; the number of an epoch is its ``generation``. Marks of
the gate (INCOMPLETE) travel on the same topic and are no part of any epoch.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EpochState(StrEnum):
    """How the newest epoch stands."""

    NONE = "none"
    OPEN = "open"
    WAITING = "waiting"
    """For an operator: the sweep would remove too much."""
    ENDED = "ended"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest epoch of a resource."""

    number: int = 0
    state: EpochState = EpochState.NONE
    begin_ms: int = 0
    begins: Mapping[int, int] = field(default_factory=dict)
    """Raw partition → first offset of the epoch."""
    where: tuple[str, ...] = ()
    reason: str = ""
    by: str = ""
    initial: bool = False
    """Whether the connector's own first snapshot is what it proves."""
    told_ms: int = 0
    detail: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    digest: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it has begun and not ended."""
        return self.state in (EpochState.OPEN, EpochState.WAITING)

    @property
    def signal(self) -> str:
        """The id of the signal that asks Debezium for its rows, without the resource."""
        return f"epoch.{self.number}"


_STATES = {"END": EpochState.ENDED, "ABORTED": EpochState.ABORTED, "WAITING": EpochState.WAITING}


def newest_epoch(markers: Iterable[Mapping[str, Any]], raw_topic: str) -> Newest:
    """Fold the markers, oldest first; what follows an epoch that is not the newest changes nothing."""
    return next(iter(reversed(every_epoch(markers, raw_topic))), Newest())


def every_epoch(
    markers: Iterable[Mapping[str, Any]], raw_topic: str, known: Iterable[Newest] = ()
) -> tuple[Newest, ...]:
    """The same for all epochs, oldest first, going on from those that are known of earlier markers."""
    found = list(known)
    for marker in markers:
        newest = found[-1] if found else Newest()
        kind, number = marker["kind"], marker["generation"]
        if kind == "BEGIN" and number > newest.number:
            found.append(_begun(marker, raw_topic))
        elif kind in _STATES and number == newest.number and newest.is_open:
            found[-1] = _next(newest, marker)
    return tuple(found)


def whole_volumes(markers: Iterable[Mapping[str, Any]], raw_topic: str) -> list[Newest]:
    """Every epoch over the whole table that has ended, oldest first; of markers in the same order."""
    epochs = every_epoch(markers, raw_topic)
    return [each for each in epochs if each.state is EpochState.ENDED and not each.where]


def _begun(marker: Mapping[str, Any], raw_topic: str) -> Newest:
    asked = json.loads(marker["detail"] or "{}")
    begins = {at["partition"]: at["offset"] for at in marker["offsets"] if at["topic"] == raw_topic}
    return Newest(
        marker["generation"],
        EpochState.OPEN,
        marker["timestamp_ms"],
        begins,
        tuple(asked.get("where", ())),
        str(asked.get("reason", "")),
        str(asked.get("by", "")),
        bool(asked.get("initial", False)),
        marker["timestamp_ms"],
    )


def _next(newest: Newest, marker: Mapping[str, Any]) -> Newest:
    return Newest(
        newest.number,
        _STATES[marker["kind"]],
        newest.begin_ms,
        newest.begins,
        newest.where,
        newest.reason,
        newest.by,
        newest.initial,
        marker["timestamp_ms"],
        marker["detail"],
        dict(marker["counts"]),
        marker["digest"],
    )


def asked_text(where: tuple[str, ...], reason: str, by: str, *, initial: bool) -> str:
    """What a BEGIN marker says of why it was begun; ``newest_epoch`` reads it back."""
    asked = {"where": list(where), "reason": reason, "by": by, "initial": initial}
    return json.dumps(asked, ensure_ascii=False)
