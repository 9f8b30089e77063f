"""Keys of grant topics: canonical where the grant shows everything in them anyway, pseudonyms elsewhere.

A tombstone carries nothing but its key. Under a row filter, or with the number masked, a canonical key would
name a person whom the consumer may not know of; so its key is an HMAC under a key of that grant alone.
"""

import hashlib
import hmac
from typing import Any

from topics.canonical import CANONICAL_KEY_SCHEMA, PSEUDONYM_KEY_SCHEMA
from topics.event import EntityKey, GrantId
from topics.grants.declaration import Grant
from topics.resource import Resource

PSEUDONYM_LENGTH = 32
"""Hexadecimal characters: 128 bits, so that two of a billion keys practically never meet."""


def has_canonical_key(resource: Resource, grant: Grant) -> bool:
    """Whether the grant shows, of every record and unmasked, all that the canonical key consists of."""
    if grant.rows:
        return False
    items_of = {item.source_column: item.name for item in resource.items}
    wanted = [items_of.get(column) for column in resource.source.primary_key]
    wanted.append(resource.identity.item)
    if resource.identity.country_item:
        wanted.append(resource.identity.country_item)
    return all(name in grant.items and name not in grant.masks for name in wanted)


def key_schema(resource: Resource, grant: Grant) -> dict[str, Any]:
    """The Avro schema of the grant topic's keys."""
    return CANONICAL_KEY_SCHEMA if has_canonical_key(resource, grant) else PSEUDONYM_KEY_SCHEMA


def grant_key(master: bytes, grant_id: GrantId, key_version: int) -> bytes:
    """The grant's own key of 32 bytes, derived from that version of the master secret."""
    return hmac.new(master, joined("grant-key", grant_id, str(key_version)), hashlib.sha256).digest()


def pseudonym(key: bytes, entity: EntityKey) -> str:
    """The record key on a grant topic: the same entity always gets the same 32 hexadecimal characters."""
    text = joined("record-key", entity.identity, entity.record_id)
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:PSEUDONYM_LENGTH]


def joined(*parts: str) -> bytes:
    """Parts with their lengths before them, so that no two lists of parts give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
