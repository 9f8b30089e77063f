"""The Confluent wire format: one zero byte, a 4-byte big-endian schema id, then Avro bytes."""

import struct

from topics.event import SchemaId

_PREFIX = struct.Struct(">bI")
PREFIX_LENGTH = _PREFIX.size


class NotFramed(Exception):  # noqa: N818 - named after what the bytes are not
    """The bytes do not start with the wire format's prefix."""


def split(framed: bytes) -> tuple[SchemaId, bytes]:
    """Return the writer's schema id and the Avro bytes.

    Raises:
        NotFramed: the bytes are too short or start with another magic byte.
    """
    if len(framed) < PREFIX_LENGTH:
        raise NotFramed(f"{len(framed)} bytes are too few for a schema id")
    magic, schema_id = _PREFIX.unpack_from(framed)
    if magic != 0:
        raise NotFramed(f"the first byte is {framed[0]}, not 0")
    return SchemaId(schema_id), framed[PREFIX_LENGTH:]


def frame(schema_id: SchemaId, avro: bytes) -> bytes:
    """Put the prefix before Avro bytes."""
    return _PREFIX.pack(0, schema_id) + avro
