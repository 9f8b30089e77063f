"""What is compared of a row: its canonical key and its items in their own Avro form, as one digest."""

import hashlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import fastavro

from topics.engine.reference import without_logical_types
from topics.event import Record

DIGEST_BYTES: Final = 16
WHOLE: Final = 1 << (8 * DIGEST_BYTES)
"""Digests of rows are added modulo this: a sum does not depend on the order, and twice the same does not
cancel out, as it would with XOR."""


class RowForm:
    """Digests of rows under one Avro record schema; dates are days there, and times counts."""

    def __init__(self, schema: Mapping[str, Any], left_out: tuple[str, ...] = ()) -> None:
        """Prepare the schema.

        Args:
            schema: the record schema of the items.
            left_out: items that are not compared: every row has null there, or the schema's default.
        """
        plain = without_logical_types(dict(schema))
        plain["fields"] = [field for field in plain["fields"] if field["name"] not in left_out]
        self.is_whole = not left_out
        """Whether every item of the schema is compared, so that its own bytes are what is compared."""
        self.names: tuple[str, ...] = tuple(field["name"] for field in plain["fields"])
        self._schema = fastavro.parse_schema(plain)

    def digest(self, key: bytes, items: Record) -> bytes | None:
        """16 bytes of BLAKE2b over key and items; None where the items are none of the schema."""
        stream = BytesIO()
        try:
            fastavro.schemaless_writer(stream, self._schema, items)
        except Exception:  # noqa: BLE001 - what it raises for a record that is none is not defined
            return None
        return self.digest_of(key, stream.getvalue())

    @staticmethod
    def digest_of(key: bytes, encoded: bytes) -> bytes:
        """The same of items that are encoded already."""
        return hashlib.blake2b(key + encoded, digest_size=DIGEST_BYTES).digest()

    def differing(self, one: Record, other: Record) -> tuple[str, ...]:
        """The names of the items in which two rows differ."""
        return tuple(name for name in self.names if one.get(name) != other.get(name))


def key_bytes(*parts: bytes) -> bytes:
    """The parts of a key with their lengths, so that no two keys give the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def key_digest(key: bytes) -> bytes:
    """A key in 16 bytes."""
    return hashlib.blake2b(key, digest_size=DIGEST_BYTES).digest()


def number(digest: bytes) -> int:
    """A digest as the number that is added."""
    return int.from_bytes(digest, "big")
