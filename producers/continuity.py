"""Judges whether a capture still stands where it stood: same server, same timeline, same slot; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from producers.slots import SlotReport

_POSITIONS: Final = ("lsn", "lsn_proc", "lsn_commit")


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look at a capture found.

    Args:
        incarnation: that its connector writes into records.
        system: ``<system identifier>/<timeline>`` of the server.
        slot: of the capture; None where it does not exist.
        position: up to where changes were published; None where the connector has no position. Read after
            the slot, or a capture that runs seems to have jumped.
    """

    incarnation: int
    system: str
    slot: SlotReport | None
    position: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is remembered of a capture from one look to the next.

    Args:
        incarnation: that all of this is about; nothing is compared across two of them.
        system: on which it began.
        position: the furthest that was seen; None while it has none.
        broken: why its changes are not all there. Once said it stays, whatever is seen later, until the
            capture is taken anew under the next incarnation.
    """

    incarnation: int
    system: str
    position: int | None = None
    broken: str | None = None


def published_position(offsets: Iterable[Mapping[str, Any]]) -> int | None:
    """The furthest position in what Connect has committed of a capture, in bytes since the log began.

    Args:
        offsets: as Connect's REST interface shows them (KIP-875).
    """
    found = [
        value
        for each in offsets
        for name in _POSITIONS
        if isinstance(value := (each.get("offset") or {}).get(name), int)
    ]
    return max(found, default=None)


def jump(slot: SlotReport | None, position: int | None) -> str | None:
    """Why a slot begins after what was published; None where it does not, or cannot be told.

    Only where nobody reads the slot: what a running connector confirms, it has committed. A slot that was
    dropped and made again begins where the log was at that moment, and one that was advanced, where somebody
    said.
    """
    if slot is None or position is None or slot.confirmed is None or slot.active:
        return None
    if slot.confirmed <= position:
        return None
    return (
        f"the replication slot {slot.name} begins at {as_lsn(slot.confirmed)}, the last published change "
        f"is from {as_lsn(position)}: it was made again or advanced"
    )


def next_standing(before: Standing | None, seen: Sighting) -> Standing:
    """What is to be remembered after this look.

    Where nothing was published yet, or under a higher incarnation, the server is taken as it is. A lower
    incarnation is a configuration that was read before a newer one was written, and changes nothing.
    """
    if before is not None and seen.incarnation < before.incarnation:
        return before
    begins = before is None or seen.incarnation > before.incarnation
    known = Standing(seen.incarnation, seen.system) if before is None or begins else before
    if known.broken is not None:
        return known
    if known.position is None:
        known = replace(known, system=seen.system)
    position = max((each for each in (known.position, seen.position) if each is not None), default=None)
    return replace(known, position=position, broken=_broken(known, seen))


def as_lsn(position: int) -> str:
    """The position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def _broken(known: Standing, seen: Sighting) -> str | None:
    if seen.position is None:
        if known.position is not None and seen.slot is None:
            return "its position and its replication slot are both gone"
        # Nothing was published yet; or its position was deleted, and the slot still has all that came since.
        return None
    moved = _moved(known.system, seen.system)
    if moved is not None:
        return moved
    if seen.slot is None:
        # The slots were read first: who has just taken a first position has made its slot meanwhile as well.
        # Where it is gone indeed, the next look says so.
        return None if known.position is None else "it has a position and its replication slot is gone"
    if seen.slot.is_gap:
        return f"the replication slot {seen.slot.name} was invalidated"
    return jump(seen.slot, seen.position)


def _moved(known: str, seen: str) -> str | None:
    if known == seen:
        return None
    system, _, timeline = known.partition("/")
    new_system, _, new_timeline = seen.partition("/")
    if system != new_system:
        return f"it began on the server with the system identifier {system}, this is {new_system}"
    return (
        f"it began on timeline {timeline}, the server is on {new_timeline}: it was promoted or restored, and "
        "positions of two timelines cannot be compared"
    )
