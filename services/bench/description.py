"""Describes the work in one JSON object, so that every comparator does the same and writes the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.load import control_schema
from services.bench.topics_io import mean_size
from services.bench.workload import BAD_EVERY, RawSchemas
from topics import names
from topics.canonical import CANONICAL_KEY_SCHEMA
from topics.engine.reference import without_logical_types
from topics.event import KafkaRecord, ResourceId
from topics.grants.keys import grant_key, has_canonical_key, key_schema
from topics.policy import GrantPolicy, Policy
from topics.quality.compiler import compile_rules
from topics.quality.rules import CodeList
from topics.resource import Resource

PREFIX: Final = "bench."
"""Comparators write to topics of this prefix, one for each that the bus writes to."""
Samples = Mapping[str, Sequence[KafkaRecord]]
"""Topic of the bus → some records that the bus wrote to it."""
#: Headers that differ from record to record, by the fields of the canonical record; others are taken as seen.
TEMPLATES: Final[Mapping[str, str]] = {
    "ce_id": "{raw_topic}/{raw_partition}/{raw_offset}",
    "ce_type": "govbus.record.{operation}",
    "ce_time": "{source_time}",
    "govbus_position": "{generation}.{incarnation}.{commit}.{ordinal}",
}


@dataclass(frozen=True, slots=True)
class Copied:
    """One output of a copy loop: what it stands for, and for one of how many records there is one."""

    topic: str
    source: str
    every: int
    partitions: int


def copies(wanted: Sequence[Copied], samples: Samples) -> list[dict[str, Any]]:
    """What a copy loop writes: as large as what the bus wrote, with the headers of its first record."""
    found = []
    for copied in wanted:
        seen = [record for record in samples[copied.topic] if record.value is not None]
        headers = seen[0].headers if seen else ()
        found.append(
            {
                "topic": PREFIX + copied.topic,
                "input": copied.source,
                "every": copied.every,
                "partitions": copied.partitions,
                "key_bytes": mean_size([record.key for record in seen]),
                "value_bytes": mean_size([record.value for record in seen]),
                "headers": [[name, value.decode()] for name, value in headers],
            }
        )
    return found


def ledger(topic: str, samples: Samples) -> dict[str, Any]:
    """The record that a copy loop writes per transaction and input partition."""
    size = mean_size([record.value for record in samples[topic]])
    return {"topic": PREFIX + topic, "value_bytes": size}


def fanout_outputs(policy: Policy, group: str, rows_every: int) -> list[Copied]:
    """What the fan-out writes: one topic per grant; a grant with rows covers one record in so many."""
    found = []
    for entry in policy.grants_of(group):
        resource = policy.resources[entry.grant.resource].resource
        every = rows_every if entry.grant.rows else 1
        found.append(Copied(entry.grant.topic, resource.canonical_topic, every, resource.partitions))
    return found


def fanout_work(
    policy: Policy, group: str, resource: ResourceId, master: bytes, samples: Samples
) -> dict[str, Any]:
    """The fan-out of one resource under one group's grants."""
    entry = policy.resources[resource]
    return {
        "canonical_schema": without_logical_types(json.loads(entry.envelope_schema)),
        "canonical_key_schema": CANONICAL_KEY_SCHEMA,
        "grants": [
            _grant(grant, entry.resource, master, samples[grant.grant.topic])
            for grant in policy.grants_of(group)
        ],
    }


def _grant(
    entry: GrantPolicy, resource: Resource, master: bytes, samples: Sequence[KafkaRecord]
) -> dict[str, Any]:
    grant = entry.grant
    schema = without_logical_types(json.loads(entry.value_schema))
    canonical = has_canonical_key(resource, grant)
    headers = samples[0].headers if samples else ()
    return {
        "topic": PREFIX + grant.topic,
        "items": [field["name"] for field in schema["fields"]],
        "masks": {item: mask.model_dump() for item, mask in grant.masks.items()},
        "rows": [[row.item, list(row.values)] for row in grant.rows],
        "value_schema": schema,
        "value_schema_id": entry.value_schema_id,
        "key_schema": key_schema(resource, grant),
        "key_schema_id": entry.key_schema_id,
        "secret": "" if canonical else grant_key(master, grant.id, entry.key_version).hex(),
        "headers": [[name, TEMPLATES.get(name, value.decode())] for name, value in headers],
    }


def gate_outputs(policy: Policy, resources: Sequence[ResourceId]) -> list[Copied]:
    """What the gate writes: canonical records, and of one in so many the bytes and the entry."""
    found = []
    for name in resources:
        resource = policy.resources[name].resource
        raw, parts = resource.raw_topic, resource.partitions
        found += [
            Copied(resource.canonical_topic, raw, 1, parts),
            Copied(names.quarantine(resource.provider), raw, BAD_EVERY, names.QUARANTINE_PARTITIONS),
            Copied(names.stopped_keys(raw), raw, BAD_EVERY, parts),
        ]
    return found


def gate_work(policy: Policy, raw: Mapping[ResourceId, RawSchemas]) -> dict[str, Any]:
    """The gate over some resources."""
    ids = policy.control_schemas
    return {
        "policy_version": policy.version,
        "quarantined_schema": control_schema("QuarantinedEvent"),
        "quarantined_schema_id": ids.quarantined_event,
        "stopped_schema": control_schema("StoppedKey"),
        "stopped_schema_id": ids.stopped_key,
        "sources": [_source(policy, name, schemas) for name, schemas in raw.items()],
    }


def _source(policy: Policy, name: ResourceId, schemas: RawSchemas) -> dict[str, Any]:
    entry = policy.resources[name]
    resource = entry.resource
    return {
        "input": resource.raw_topic,
        "canonical_topic": PREFIX + resource.canonical_topic,
        "quarantine_topic": PREFIX + names.quarantine(resource.provider),
        "stopped_topic": PREFIX + names.stopped_keys(resource.raw_topic),
        "partitions": resource.partitions,
        "envelope_schema": without_logical_types(schemas.value),
        "canonical_schema": without_logical_types(json.loads(entry.envelope_schema)),
        "canonical_schema_id": entry.canonical_value_schema_id,
        "canonical_key_schema": CANONICAL_KEY_SCHEMA,
        "canonical_key_schema_id": entry.canonical_key_schema_id,
        "generation": entry.generation,
        "identity": {"kind": resource.identity.kind.value, "item": resource.identity.item},
        "items": [[item.name, item.source_column, item.conversion.value] for item in resource.items],
        "scope_items": list(resource.scope_items),
        "rules": _rules(policy, resource),
        "code_lists": {key: list(codes) for key, codes in policy.code_lists.items()},
        # A create that is stopped had nothing before it, an update names the row before it: both known here.
        "stopped_entry": {"last_accepted_known": True, "last_identity": None, "last_record_id": None},
    }


def _rules(policy: Policy, resource: Resource) -> list[dict[str, Any]]:
    lists = [_code_list(key, codes) for key, codes in policy.code_lists.items()]
    names = [item.name for item in resource.items]
    compiled = compile_rules(resource.rules, lists, names, resource.update_cycle)
    return [
        declared.model_dump(mode="json") | {"id": rule.id, "items": list(rule.items)}
        for declared, rule in zip(resource.rules, compiled.rules, strict=True)
    ]


def _code_list(key: str, codes: Sequence[str]) -> CodeList:
    name, _, version = key.partition("@")
    return CodeList(name, version, frozenset(codes))
