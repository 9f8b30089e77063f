"""Constant parts of what the gate writes, as the bytes that Avro makes of them."""

from typing import Final

from topics.engine.gate_spec import GateSpec
from topics.event import Operation
from topics.wire import frame

OPERATIONS: Final = (Operation.CREATE, Operation.UPDATE, Operation.DELETE, Operation.READ)


_LOW: Final = 0x3FFF
# Two bytes of a longer number at once.
_PAIRS: Final = tuple(bytes((pair & 0x7F | 0x80, pair >> 7 | 0x80)) for pair in range(_LOW + 1))
_ENDS: Final = tuple(
    bytes((end,)) if end < 0x80 else bytes((end & 0x7F | 0x80, end >> 7)) for end in range(_LOW + 1)
)


def long_form(number: int) -> bytes:
    """A whole number of 64 bits as Avro writes it."""
    rest = number << 1 if number >= 0 else ((number << 1) ^ -1) & 0xFFFF_FFFF_FFFF_FFFF
    if rest <= _LOW:
        return _ENDS[rest]
    found = b""
    while rest > _LOW:
        found += _PAIRS[rest & _LOW]
        rest >>= 14
    return found + _ENDS[rest]


def bytes_form(data: bytes) -> bytes:
    """Bytes as Avro writes them."""
    return long_form(len(data)) + data


def text_form(text: str) -> bytes:
    """Text as Avro writes it."""
    return bytes_form(text.encode())


def record_heads(spec: GateSpec) -> list[bytes]:
    """How the canonical value begins, per operation of ``OPERATIONS``: frame, operation, generation."""
    return [
        frame(spec.canonical_value_schema_id, text_form(operation.value) + long_form(spec.generation))
        for operation in OPERATIONS
    ]


def claim_heads(spec: GateSpec) -> list[bytes]:
    """How the claim of each foreign column begins (schemas/avro/control/Claim.avsc), up to its subject."""
    return [
        frame(
            spec.claims.schema_id,
            b"".join(map(text_form, (spec.claims.claimant, foreign.owner, foreign.resource, foreign.item))),
        )
        for foreign in spec.foreign
    ]
