"""Whether a duty to collect is fulfilled, by what was seen of the mounted catalogue (requirement A2-08)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from services.control.catalogue.duties import Duty
from services.control.catalogue.mounting import Differing
from services.control.catalogue.text import comparable

Seen = Mapping[str, Mapping[str, Any]]
"""What was seen of entries by their codes, as the collector keeps it (docs/operator/control.md)."""


class Fulfilment(StrEnum):
    """How a duty stands."""

    FULFILLED = "fulfilled"
    STALE = "stale"
    """Its data is there, and older than its update cycle allows."""
    NO_DATA = "no_data"
    """It has a topic, and nothing ever came."""
    ITEM_MISSING = "item_missing"
    """The entry has data, but not this item."""
    NOT_MOUNTED = "not_mounted"
    """The entry has no topic."""
    UNSEEN = "unseen"
    """Nobody has looked at the entry yet, so nobody can tell."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A duty, and how it stands."""

    duty: Duty
    fulfilment: Fulfilment


_BY_STATE: Final = {
    "fresh": Fulfilment.FULFILLED,
    "stale": Fulfilment.STALE,
    "empty": Fulfilment.NO_DATA,
    "no_topic": Fulfilment.NOT_MOUNTED,
}
"""By the state of a mounting."""


def judged(duties: Iterable[Duty], seen: Seen) -> tuple[Judged, ...]:
    """Judge each duty; where nothing was seen of its entry, nothing is claimed."""
    return tuple(Judged(duty, _of(duty, seen)) for duty in duties)


def fulfilled(duties: Iterable[Judged]) -> int:
    """How many duties are fulfilled."""
    return sum(each.fulfilment is Fulfilment.FULFILLED for each in duties)


def _of(duty: Duty, seen: Seen) -> Fulfilment:
    found = None if duty.code is None else seen.get(str(duty.code))
    if found is None:
        return Fulfilment.UNSEEN
    stands = _BY_STATE.get(str(found.get("state")), Fulfilment.UNSEEN)
    if stands in (Fulfilment.FULFILLED, Fulfilment.STALE) and _lacks(found, duty):
        return Fulfilment.ITEM_MISSING
    return stands


def _lacks(found: Mapping[str, Any], duty: Duty) -> bool:
    return any(
        each.get("what") == Differing.ITEM_WITHOUT_TOPIC.value
        and comparable(str(each.get("entry") or "")) == comparable(duty.item)
        for each in found.get("differences", ())
    )
