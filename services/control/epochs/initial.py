"""Where an initial epoch begins: with the snapshot that the connector took by itself when it began anew.

What came under an older incarnation does not count as seen: a row that was deleted while no slot held its
change would stand for ever behind an epoch that is called whole. Where that snapshot cannot prove what stands
now, the order is refused, and another full volume is what helps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from producers.connect_status import Health
from producers.debezium import incarnation_of
from services.control.epochs.bus import EpochBus
from services.control.epochs.errors import CorrectOrder, start_command
from services.control.epochs.scan import Scan, initial_scan_of

_MARK: Final = "INCOMPLETE"


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where an epoch begins.

    Args:
        offsets: raw partition → the first offset that belongs to it.
        at_ms: when its snapshot began, by the connector's clock: what was marked later, it does not mend;
            None where it begins now.
    """

    offsets: Mapping[int, int]
    at_ms: int | None = None


def beginning(bus: EpochBus) -> Beginning:
    """Where the connector's own snapshot begins.

    Raises:
        CorrectOrder: it proves nothing of what stands now; the text says why.
    """
    scan = initial_scan_of(bus.notifications(0)[0], bus.table, bus.provider.incarnation)
    offsets = _first_offsets(bus)
    why = _useless(scan, bus.provider.incarnation) or _since(bus, offsets)
    if why is not None:
        instead = start_command(bus.resource.id)
        raise CorrectOrder(f"the connector's own snapshot proves nothing: {why}; `{instead}` takes another")
    return Beginning(offsets, scan.began_ms)


def _useless(scan: Scan, incarnation: int) -> str | None:
    if not scan.began:
        return f"it has told of none as incarnation {incarnation}"
    if scan.beginnings > 1:
        return "it was begun more than once, and rows that were deleted in between came too"
    return None


def _since(bus: EpochBus, offsets: Mapping[int, int]) -> str | None:
    """What happened since, so that not everything that came is there still."""
    if bus.capture_health() is not Health.RUNNING:
        return "the capture does not run, so nobody knows what was changed since"
    for marker in bus.markers():
        causes = {at["partition"]: at["offset"] for at in marker["offsets"] if at["topic"] == bus.raw}
        before = causes and all(offset < offsets.get(partition, 0) for partition, offset in causes.items())
        if marker["kind"] == _MARK and not before:
            return "the resource was marked as incomplete since"
    return None


def _first_offsets(bus: EpochBus) -> dict[int, int]:
    """Of the newest incarnation; where nothing came of it, everything that is to come belongs to it."""
    raw, stable = bus.raw, bus.ends(bus.raw)
    found = bus.ends(raw, stable=False)
    for partition, end in stable.items():
        for record in bus.read(raw, {partition: 0}, {partition: end}):
            if incarnation_of(record.headers) == bus.provider.incarnation:
                found[partition] = record.offset
                break
    return found
