"""Claims with both sides: what a provider published, and what the owner's canonical record says now."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.reader import in_order, read_whole
from topics.canonical import partition_of
from topics.event import KafkaRecord, ProviderId, ResourceId
from topics.names import canonical, claims


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One claim; ``current`` is None where the owner has no record of the subject or no value."""

    at: str
    raw: str
    claimant: str
    owner: str
    resource: str
    item: str
    subject: str
    claimed: Any
    current: Any
    owner_has_record: bool
    agrees: bool
    timestamp_ms: int
    policy_version: int


def read_claims(lookup: Lookup, provider: ProviderId) -> list[ClaimView]:
    """All claims that the provider's records led to, each beside the owner's current value."""
    found = []
    for record in in_order(read_whole(lookup.reader, claims(provider))):
        value = lookup.decoder.value(record)
        if value is not None:
            found.append((record.coordinates, value))
    states = owners_states(lookup, (value for _, value in found))
    return [_view(at, value, states) for at, value in found]


Subject = tuple[ResourceId, str]
States = Mapping[Subject, Mapping[str, Mapping[str, Any]]]


def owners_states(lookup: Lookup, wanted: Iterable[Mapping[str, Any]]) -> States:
    """The owner's current records of each claimed subject, by record id; one pass over their partitions."""
    layout = lookup.reader.layout()
    subjects: set[Subject] = set()
    places: set[Place] = set()
    for value in wanted:
        resource, subject = ResourceId(value["owner_resource"]), value["subject"]
        partitions = len(layout.get(canonical(resource), []))
        if partitions:
            places.add(Place(canonical(resource), partition_of(subject, partitions)))
            subjects.add((resource, subject))
    states: dict[Subject, dict[str, Mapping[str, Any]]] = {}
    for record in lookup.reader.read_all(lookup.reader.bounds_of(places)):
        _fold(lookup, record, subjects, states)
    return states


def _fold(
    lookup: Lookup,
    record: KafkaRecord,
    subjects: set[Subject],
    states: dict[Subject, dict[str, Mapping[str, Any]]],
) -> None:
    key = lookup.decoder.key(record) or {}
    subject = (ResourceId(record.topic.removeprefix("resource.")), str(key.get("identity")))
    if subject not in subjects:
        return
    records = states.setdefault(subject, {})
    value = lookup.decoder.value(record)
    if value is None or value["operation"] == "delete" or value["state"] is None:
        records.pop(str(key["record_id"]), None)
    else:
        records[str(key["record_id"])] = value["state"]


def _view(at: str, value: Mapping[str, Any], states: States) -> ClaimView:
    subject = (ResourceId(value["owner_resource"]), str(value["subject"]))
    records = list(states.get(subject, {}).values())
    values = [record.get(value["item"]) for record in records]
    claimed = None if value["claimed"] is None else json.loads(value["claimed"])
    return ClaimView(
        at=at,
        raw=f"{value['topic']}:{value['partition']}:{value['offset']}",
        claimant=value["claimant"],
        owner=value["owner"],
        resource=value["owner_resource"],
        item=value["item"],
        subject=value["subject"],
        claimed=claimed,
        # An identity has one record of the owner in nearly all resources; where it has more, all are shown.
        current=values[0] if len(values) == 1 else (values or None),
        owner_has_record=bool(records),
        agrees=claimed in values,
        timestamp_ms=value["timestamp_ms"],
        policy_version=value["policy_version"],
    )
