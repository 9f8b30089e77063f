"""Reads what a reconciliation left behind: how it ended, its figures by class, and what mends it; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from services.control.epochs.errors import start_command
from services.control.store.reconciliations.proofs import Proof
from topics.event import ResourceId

CLASSES: Final = ("lost", "extra", "different", "duplicated")
"""How a row may differ, as answers say it (``services.reconcile.compare.Kind``)."""


class Ending(StrEnum):
    """How a comparison ended."""

    EQUAL = "equal"
    """The bus held exactly what the source held."""
    EXPLAINED = "explained"
    """Nothing differed but rows whose change was stopped."""
    DIFFERS = "differs"
    UNCOMPARED = "uncompared"
    """A sink's table could not be compared, and nothing else differed."""


@dataclass(frozen=True, slots=True)
class Timely:
    """How soon changes came from the source to the canonical topic, against what the update cycle allows.

    Args:
        update_cycle: of the resource, by its code.
        allowed_s: how long a change may take.
        changes: how many the topic still held.
        late: how many of them took longer.
        half_within_s: within which time half of them came; None where there was none.
        nearly_all_within_s: the same for 99 of 100.
        newest: when the newest change happened at the source; None where there was none.
    """

    update_cycle: str
    allowed_s: float
    changes: int
    late: int
    half_within_s: float | None
    nearly_all_within_s: float | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison as a list or a page shows it.

    Args:
        proof: what was kept.
        ending: how it ended.
        classes: how many rows of the canonical topic differ, by class.
        of_sinks: how many rows of sinks differ.
        explained: how many rows differ for a known reason, by reason.
        ranges: how many ranges of keys were compared.
        differing_ranges: how many of them differ.
        shown: rows that differ, one by one, under pseudonyms; not all of them.
        sinks: each sink's table with its figures.
        repair: the command that brings again what differs; None where it is not the canonical topic.
        timely: how soon changes came; None where the answer does not say.
    """

    proof: Proof
    ending: Ending
    classes: Mapping[str, int]
    of_sinks: int
    explained: Mapping[str, int]
    ranges: int
    differing_ranges: int
    shown: Sequence[Mapping[str, Any]]
    sinks: Sequence[Mapping[str, Any]]
    repair: str | None
    timely: Timely | None


def comparison(proof: Proof) -> Comparison:
    """What a kept answer says (docs/cli/reconcile.schema.json)."""
    document = proof.document
    counts = document.get("differences", {})
    classes = {each: int(counts.get(each, 0)) for each in CLASSES}
    sinks = document.get("sinks", ())
    ranges = document.get("ranges", {})
    return Comparison(
        proof,
        _ending(proof),
        classes,
        sum(sum((sink["differences"] or {}).values()) for sink in sinks),
        document.get("explained", {}),
        int(ranges.get("compared", 0)),
        int(ranges.get("differing", 0)),
        document.get("shown", ()),
        sinks,
        repair_command(proof.resource, sum(classes.values())),
        _timely(document.get("timeliness")),
    )


def repair_command(resource: str, differing: int) -> str | None:
    """The command that brings again so many rows of a resource; None where none of them differs."""
    return start_command(ResourceId(resource)) if differing else None


def _timely(said: Mapping[str, Any] | None) -> Timely | None:
    if said is None:
        return None
    newest = said["newest_change_at"]
    return Timely(
        said["update_cycle"],
        said["allowed_s"],
        said["changes"],
        said["late"],
        said["half_within_s"],
        said["nearly_all_within_s"],
        None if newest is None else datetime.fromisoformat(newest),
    )


def _ending(proof: Proof) -> Ending:
    if proof.differences:
        return Ending.DIFFERS
    if not proof.same:
        return Ending.UNCOMPARED
    return Ending.EXPLAINED if proof.explained else Ending.EQUAL
