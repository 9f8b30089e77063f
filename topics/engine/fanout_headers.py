"""The headers of delivered records (topics/delivery.py) taken apart into what is constant."""

from dataclasses import dataclass

from topics.delivery import CONTENT_TYPE, event_source, event_type
from topics.engine.lanes import headers_form
from topics.event import GrantId, Operation, PolicyNumber, ResourceId


@dataclass(frozen=True, slots=True)
class HeaderParts:
    """Bytes in digest form; behind one that ends with a name go the length and text of its value."""

    start: bytes
    """``ce_specversion``, then the name ``ce_id``."""
    source: bytes
    """``ce_source``"""
    kinds: tuple[bytes, ...]
    """``ce_type``, then the name ``ce_time``; per operation."""
    position_name: bytes
    marks_name: bytes
    content: bytes


def header_parts(resource: ResourceId) -> HeaderParts:
    """The parts that one resource's records share."""
    return HeaderParts(
        start=_header("ce_specversion", "1.0") + _name("ce_id"),
        source=_header("ce_source", event_source(resource)),
        kinds=tuple(_header("ce_type", event_type(each)) + _name("ce_time") for each in Operation),
        position_name=_name("govbus_position"),
        marks_name=_name("govbus_marks"),
        content=_header("content-type", CONTENT_TYPE),
    )


def grant_part(grant: GrantId, generation: int, version: PolicyNumber) -> bytes:
    """``govbus_grant`` and ``govbus_policy`` of one grant."""
    return _header("govbus_grant", f"{grant}@{generation}") + _header("govbus_policy", str(version))


def _header(name: str, text: str) -> bytes:
    return headers_form(((name, text.encode()),))


def _name(name: str) -> bytes:
    return _header(name, "")[:-4]
