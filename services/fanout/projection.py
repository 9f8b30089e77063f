"""Projection, compiled: a grant's items out of a canonical state, each under its mask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from topics.event import Record
from topics.grants.declaration import DropMask, Mask
from topics.grants.masks import MaskFunction, compile_mask


@dataclass(frozen=True, slots=True)
class Projector:
    """Item name and mask function, in the order of the grant's schema."""

    items: tuple[tuple[str, MaskFunction | None], ...]
    dropped: frozenset[str] = frozenset()
    """Items that the consumer gets as null: what is not delivered is not read, and may be unreadable."""

    def project(self, state: Record) -> Record:
        """The record that the consumer gets."""
        return {
            name: None if name in self.dropped else mask(state.get(name)) if mask else state.get(name)
            for name, mask in self.items
        }


def compile_projector(value_schema: dict[str, Any], masks: Mapping[str, Mask], secret: bytes) -> Projector:
    """Compile the grant's items and masks for its value schema."""
    fields = [field["name"] for field in value_schema["fields"]]
    return Projector(
        tuple((name, compile_mask(masks[name], name, secret) if name in masks else None) for name in fields),
        frozenset(name for name in fields if isinstance(masks.get(name), DropMask)),
    )
