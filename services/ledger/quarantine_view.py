"""How a stopped event is shown: where, why and by which rules; its values only decoded and masked."""

from typing import Any

from schemas.registry import SchemaNotFound
from services.ledger.lookup import Lookup
from services.ledger.masking import MASKED, mask_record
from services.ledger.quarantine import Quarantined
from topics.engine.reference import Undecodable


def as_row(entry: Quarantined) -> dict[str, Any]:
    """One event of docs/cli/quarantine-list.schema.json; holds no values."""
    return {
        "raw": entry.raw.coordinates,
        "at": entry.at,
        "timestamp_ms": entry.raw.timestamp_ms,
        "step": entry.step,
        "reason": entry.reason,
        "detail": entry.detail,
        "rules": list(entry.rules),
        "policy_version": entry.policy_version,
        "state": entry.state,
        "actor": entry.actor,
        "why": entry.why,
    }


def as_detail(lookup: Lookup, entry: Quarantined, *, reveal: bool) -> dict[str, Any]:
    """The event with its key and value, as docs/cli/quarantine-show.schema.json describes."""
    policies = lookup.policies
    policy = policies[max(policies)] if policies else None
    key, value = _decoded(lookup, entry.raw.key), _decoded(lookup, entry.raw.value)
    if not reveal:
        key, value = mask_record(entry.raw.topic, key, value, policy)
    return {
        **as_row(entry),
        "key": key,
        "value": value,
        "value_bytes": None if entry.raw.value is None else len(entry.raw.value),
        "headers": {
            name: text.decode(errors="replace") if reveal else MASKED for name, text in entry.raw.headers
        },
        "revealed": reveal,
    }


def _decoded(lookup: Lookup, framed: bytes | None) -> Any:
    """The decoded datum; what cannot be decoded is shown as hexadecimal bytes when revealed."""
    if framed is None:
        return None
    try:
        return dict(lookup.decoder.decode(framed))
    except (Undecodable, SchemaNotFound):
        return framed.hex()
