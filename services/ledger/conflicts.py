"""Rows that claim one identity where their resource says one record per identity: found where they meet.

The bus keeps both and delivers both unchanged, because it cannot know which one is wrong; their provider can.
All records of one identity lie in one canonical partition, in order, so each partition is judged by itself.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.ledger.counts import Place
from services.ledger.decode import Decoder
from services.ledger.lookup import Lookup
from topics.event import KafkaRecord, ProviderId, RecordId, ResourceId
from topics.resource import CapturedTable, Resource

_DIGEST_BYTES = 16
"""Two different identities meet in 128 bits only by a chance that nobody will live to see."""


class Holder(NamedTuple):
    """One row that claims the identity: its newest canonical record, and since when it claims."""

    record_id: RecordId
    offset: int
    since_ms: int


Holders = dict[bytes, dict[RecordId, Holder]]


@dataclass(frozen=True, slots=True)
class ConflictingRecord:
    """One side: ``at`` is its newest canonical record, ``raw`` the change that led to it."""

    record_id: str
    at: str
    raw: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """An identity that several rows claim now; ``since_ms`` is when the second one came."""

    resource: ResourceId
    provider: ProviderId
    identity: str
    since_ms: int
    records: tuple[ConflictingRecord, ...]
    record_ids_name_persons: bool


def claimed_twice(records: Iterable[KafkaRecord], decoder: Decoder) -> list[tuple[Holder, ...]]:
    """The identities of one canonical partition, read in order, that more than one row claims at its end.

    Only digests of identities are kept meanwhile: about a hundred bytes for each row of the partition.
    """
    holders: Holders = {}
    for record in records:
        key = decoder.key(record)
        if key is not None:
            value = decoder.value(record)
            alive = value is not None and value["operation"] != "delete" and value["state"] is not None
            _take(holders, record, str(key["identity"]), RecordId(str(key["record_id"])), alive=alive)
    found = [tuple(sorted(rows.values(), key=_since)) for rows in holders.values() if len(rows) > 1]
    return sorted(found, key=lambda rows: rows[1].since_ms)


def _since(holder: Holder) -> tuple[int, int]:
    return holder.since_ms, holder.offset


def _take(holders: Holders, record: KafkaRecord, identity: str, row: RecordId, *, alive: bool) -> None:
    digest = hashlib.blake2b(identity.encode(), digest_size=_DIGEST_BYTES).digest()
    rows = holders.setdefault(digest, {})
    if alive:
        since = rows[row].since_ms if row in rows else record.timestamp_ms
        rows[row] = Holder(row, record.offset, since)
    else:
        rows.pop(row, None)
        if not rows:
            del holders[digest]


def read_conflicts(lookup: Lookup, chosen: ResourceId | None = None) -> list[Conflict]:
    """The conflicts of every resource that allows one record per identity, the oldest of each first."""
    policies = lookup.policies
    entries = policies[max(policies)].resources if policies else {}
    found: list[Conflict] = []
    for resource_id, entry in sorted(entries.items()):
        if entry.resource.one_record_per_identity and chosen in (None, resource_id):
            found += _of_resource(lookup, entry.resource)
    return found


def _of_resource(lookup: Lookup, resource: Resource) -> list[Conflict]:
    found = []
    for place in lookup.reader.places(resource.canonical_topic):
        # One partition at a time, so that no more than one has to be remembered.
        records = lookup.reader.read(place, *lookup.reader.bounds(place))
        found += [_conflict(lookup, resource, place, rows) for rows in claimed_twice(records, lookup.decoder)]
    return sorted(found, key=lambda conflict: conflict.since_ms)


def _conflict(lookup: Lookup, resource: Resource, place: Place, rows: tuple[Holder, ...]) -> Conflict:
    newest = {
        record.offset: record
        for row in rows
        for record in lookup.reader.read(place, row.offset, row.offset + 1)
    }
    identity = lookup.decoder.key(newest[rows[0].offset]) or {}
    return Conflict(
        resource=resource.id,
        provider=resource.provider,
        identity=str(identity["identity"]),
        since_ms=rows[1].since_ms,
        records=tuple(_side(place, row, lookup.decoder.value(newest[row.offset]) or {}) for row in rows),
        record_ids_name_persons=_names_persons(resource),
    )


def _side(place: Place, row: Holder, value: Mapping[str, object]) -> ConflictingRecord:
    return ConflictingRecord(
        record_id=row.record_id,
        at=f"{place}:{row.offset}",
        raw=f"{value['raw_topic']}:{value['raw_partition']}:{value['raw_offset']}",
        since_ms=row.since_ms,
    )


def _names_persons(resource: Resource) -> bool:
    """Whether the identity, or another sensitive item, is part of the source's primary key."""
    captured = isinstance(resource.source, CapturedTable)
    key = set(resource.source.primary_key)
    return any(
        (item.source_column if captured else item.name) in key
        for item in resource.items
        if item.sensitive or item.name == resource.identity.item
    )
