"""Whether the published catalogue and the running bus agree, and how fresh each entry is; pure.

Requirements A2-11 and A2-12: an entry is bound to its topic and shows what is really there; entries without
data and topics without entry are listed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from services.control.catalogue.entry import Entry
from services.control.catalogue.mounting import Mount, Mounted
from services.control.store.snapshots import Document
from topics.event import ResourceId


def mounting_documents(
    mounted: Mounted, entries: Mapping[str, Entry], resources: Mapping[str, Document]
) -> dict[str, dict[str, Any]]:
    """One document for each entry under its code, and one for each resource without entry under its id.

    Args:
        mounted: how the published entries and the policy's resources agree.
        entries: the published entries by code.
        resources: the snapshot of the resources.
    """
    differing: dict[ResourceId, list[dict[str, Any]]] = {}
    for each in mounted.differences:
        told = {"what": each.what.value, "entry": each.entry, "definition": each.definition}
        differing.setdefault(each.resource, []).append(told)
    found = {str(code): _matched(id_, resources, differing) for code, id_ in mounted.matched}
    found |= {code: _alone(None, Mount.NO_TOPIC) for code in _without_topic(mounted, entries)}
    return found | {one.id: _alone(one.id, Mount.NO_ENTRY) for one in mounted.without_entry}


def _matched(
    id_: ResourceId, resources: Mapping[str, Document], differing: Mapping[ResourceId, list[dict[str, Any]]]
) -> dict[str, Any]:
    seen = resources.get(id_, {})
    last = seen.get("last_event_at")
    stands = Mount.EMPTY if last is None else Mount.STALE if seen.get("stale") else Mount.FRESH
    return {
        "state": stands.value,
        "resource": id_,
        "last_event_at": last,
        "freshness_s": seen.get("freshness_s"),
        "allowed_s": seen.get("allowed_s"),
        "records": seen.get("records"),
        "differences": differing.get(id_, []),
    }


def _alone(resource: str | None, state: Mount) -> dict[str, Any]:
    return {"state": state.value, "resource": resource, "last_event_at": None, "differences": []}


def _without_topic(mounted: Mounted, entries: Mapping[str, Entry]) -> Iterator[str]:
    matched = {str(code) for code, _ in mounted.matched}
    yield from (code for code in entries if code not in matched)
