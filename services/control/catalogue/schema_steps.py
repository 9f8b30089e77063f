"""What became of the schema of a resource's canonical topic, version by version, and whom it breaks; pure.

The differences are those of the canonical record; whether readers of the old version can follow is judged as
apply and the ends of versions judge it (ADR 57).
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from topics.policy import ResourcePolicy
from topics.schema_breaks import Break, How, breaks
from topics.schema_changes import Change, What, schema_changes
from topics.schema_rules import item_forms

_OF_ITEMS: Final = ("state", "previous")
"""The parts of a canonical record in which items stand."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A version of the schema as it is registered for the topic."""

    number: int
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """From one version to the next: ``1`` and ``2`` of one topic, or two versions of the resource."""

    before: str
    after: str
    changes: tuple[Change, ...]
    broken: tuple[Break, ...]
    """What readers of the old version cannot follow; of items only."""

    def document(self) -> dict[str, Any]:
        """The step as it is kept; ``read`` reads it."""
        return {
            "before": self.before,
            "after": self.after,
            "changes": [
                {"path": each.path, "what": each.what.value, "was": each.was, "now": each.now}
                for each in self.changes
            ],
            "breaks": [
                {"item": each.item, "how": each.how.value, "was": each.was, "now": each.now}
                for each in self.broken
            ],
        }

    def breaking(self, change: Change) -> bool:
        """Whether a change is one that readers of the old version cannot follow."""
        was = change.was if change.what is What.RENAMED else item_of(change.path)
        return was in {each.item for each in self.broken} and change.what in _BREAKING


_BREAKING: Final = frozenset(
    {What.REMOVED, What.RENAMED, What.TYPE, What.PROMOTED, What.LOGICAL, What.NULLABLE}
)
"""Of an item that breaks readers these are why; a new text about it breaks nobody."""


def steps_within(versions: Sequence[Registered]) -> tuple[Step, ...]:
    """The steps of one topic, from the first registered version to the newest."""
    return tuple(
        _step(str(old.number), str(new.number), old.schema, new.schema) for old, new in pairwise(versions)
    )


def step_between(before: ResourcePolicy, after: ResourcePolicy) -> Step:
    """The step from one version of a resource to another, as both are applied."""
    old, new = json.loads(before.envelope_schema), json.loads(after.envelope_schema)
    return _step(before.resource.id, after.resource.id, old, new)


def read(documents: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The steps that were kept."""
    return tuple(
        Step(
            each["before"],
            each["after"],
            tuple(Change(one["path"], What(one["what"]), one["was"], one["now"]) for one in each["changes"]),
            tuple(Break(one["item"], How(one["how"]), one["was"], one["now"]) for one in each["breaks"]),
        )
        for each in documents
    )


def limited(step: Step, items: Collection[str]) -> Step:
    """A step as it is shown to who may know of these items only; others may be gone, and named nowhere."""
    known = {*items, ""}
    changes = tuple(
        each
        for each in step.changes
        if item_of(each.path) in known and (each.what is not What.RENAMED or each.was in items)
    )
    broken = tuple(each for each in step.broken if each.item in items)
    return replace(step, changes=changes, broken=broken)


def item_of(path: str) -> str:
    """The item that a part of a canonical record is of, or is in; empty for the parts around the items."""
    top, _, rest = path.partition(".")
    name = rest.partition(".")[0]
    return name.rstrip("[]{}").partition("<")[0] if top in _OF_ITEMS else ""


def _step(before: str, after: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Step:
    broken = breaks(item_forms(_items(old)), item_forms(_items(new)))
    return Step(before, after, schema_changes(old, new), broken)


def _items(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """The resource's own record in the canonical one; nothing where there is none."""
    state: Any = next((each["type"] for each in envelope["fields"] if each["name"] == "state"), [])
    return next((each for each in state if isinstance(each, Mapping)), {})
