"""All engines read records of one random item schema as another that grew out of it, in the same way."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from services.fanout.plan import FanoutPlan
from tests.support.examples import examples
from tests.support.fanout_cases import assert_alike, item_schema, plan_of
from tests.unit.engine.test_fanout_differential import SCOPE, canonical, corrupted, grants, item_fields
from topics.canonical import envelope_schema
from topics.engine.resolution import PROMOTIONS
from topics.event import KafkaRecord

DEFAULTS: Final[Mapping[str, Any]] = {
    "string": "初",
    "bytes": "\u00ff",
    "boolean": True,
    "int": -3,
    "long": 2**40,
    "float": 1.5,
    "double": -2.5,
}
"""Kind → a default of its type, as a schema writes it."""
CHANGES: Final = ("as it was", "as it was", "renamed", "renamed, alias forgotten", "removed", "type", "null")
Evolved = tuple[list[dict[str, Any]], dict[str, str]]


def base_of(avro_type: Any) -> Any:
    """The type beside null."""
    return next(each for each in avro_type if each != "null") if isinstance(avro_type, list) else avro_type


def is_text(kind: str) -> str:
    """The kind as masks are chosen for it: only what is written as text keeps those of text."""
    return kind if kind in {"string", "date"} else "other"


@st.composite
def nullable_or_not(draw: st.DrawFn, base: Any) -> Any:
    return draw(st.sampled_from([base, ["null", base], [base, "null"]]))


@st.composite
def later(draw: st.DrawFn, field: dict[str, Any], kind: str, change: str) -> tuple[dict[str, Any], str]:
    """One item as a later version of the schema has it, and its kind there."""
    match change:
        case "renamed":
            return {**field, "name": f"{field['name']}_now", "aliases": ["gone", field["name"]]}, kind
        case "renamed, alias forgotten":
            return {**field, "name": f"{field['name']}_now"}, kind
        case "type":
            promoted = [new for old, new in sorted(PROMOTIONS) if old == base_of(field["type"])]
            # Half of those that can be promoted are; the others may become something that cannot be had.
            kind = draw(st.sampled_from(promoted or sorted(DEFAULTS)) | st.sampled_from(sorted(DEFAULTS)))
            return {**field, "type": draw(nullable_or_not(kind))}, kind
        case "null":
            return {**field, "type": draw(nullable_or_not(base_of(field["type"])))}, kind
        case _:
            return field, kind


@st.composite
def evolved(draw: st.DrawFn, fields: list[dict[str, Any]], kinds: dict[str, str]) -> Evolved:
    """The fields in a later version, in any order, and of which kind they are there."""
    found: dict[str, tuple[dict[str, Any], str]] = {}
    for field in fields:
        # The items of the scope keep their names: a grant's rows are told by them.
        change = draw(st.sampled_from(("as it was", "null") if field["name"] in SCOPE else CHANGES))
        if change != "removed":
            new, kind = draw(later(field, kinds[field["name"]], change))
            found[new["name"]] = new, kind
    for number in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(sorted(DEFAULTS)))
        with_default = {"default": DEFAULTS[kind]} if draw(st.integers(0, 3)) else {}
        found[f"new{number}"] = {"name": f"new{number}", "type": kind, **with_default}, kind
    order = draw(st.permutations(sorted(found)))
    return [found[name][0] for name in order], {name: is_text(found[name][1]) for name in order}


@st.composite
def evolved_case(draw: st.DrawFn) -> tuple[FanoutPlan, dict[str, Any], list[KafkaRecord]]:
    """A plan over the later schema, the schema that wrote, and records that are sound."""
    fields, values, kinds = draw(item_fields())
    written = item_schema(fields)
    reader_fields, reader_kinds = draw(evolved(fields, kinds))
    in_scope = draw(st.sampled_from([SCOPE, SCOPE[:1], SCOPE[1:]]))
    count = draw(st.integers(1, 4))
    records = [draw(canonical(written, in_scope, values, offset)) for offset in range(count)]
    plan = plan_of(item_schema(reader_fields), draw(grants(reader_kinds)))
    return plan, envelope_schema(written, in_scope), records


RELAXED = examples(120, suppress_health_check=[HealthCheck.too_slow])


@given(made=evolved_case())
@RELAXED
def test_sound_records_of_an_older_schema_lead_to_the_same_outputs(
    made: tuple[FanoutPlan, dict[str, Any], list[KafkaRecord]],
) -> None:
    assert_alike(*made)


@given(
    made=evolved_case(),
    how=st.sampled_from(["change", "cut", "lengthen"]),
    at=st.integers(0, 500),
    byte=st.integers(0, 255),
)
@RELAXED
def test_corrupted_records_of_an_older_schema_lead_to_the_same_outputs(
    made: tuple[FanoutPlan, dict[str, Any], list[KafkaRecord]], how: str, at: int, byte: int
) -> None:
    plan, writer, [first, *rest] = made
    if first.value is not None:
        first = replace(first, value=corrupted(first.value, how, at, byte))
    assert_alike(plan, writer, [first, *rest])
