"""Any valid grant: on the sample city's resources, and on a made-up one that has an item of every type."""

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from hypothesis import strategies as st

from services.control.contracts.agreement import Agreement, agreement_in_force
from services.control.definitions import Definitions
from tests.support.policy import policy_of, sample_definitions
from topics.definition_rules import grant_problems, mask_fits, resource_problems
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId
from topics.grants.declaration import (
    DistrictMask,
    DropMask,
    Grant,
    GrantState,
    HashMask,
    Mask,
    PartialMask,
    RowFilter,
    YearMask,
)
from topics.identity.kinds import IdentityKind
from topics.policy import GrantPolicy, Policy
from topics.resource import CapturedTable, Identity, Item, Resource, Titles
from topics.schema_rules import item_forms

EVERY_TYPE: dict[str, Any] = {
    "number": "string",
    "text": ["null", "string"],
    "small": "int",
    "large": ["null", "long"],
    "single": "float",
    "double": ["null", "double"],
    "flag": ["null", "boolean"],
    "picture": ["null", "bytes"],
    "day": {"type": "int", "logicalType": "date"},
    "perhaps_day": ["null", {"type": "int", "logicalType": "date"}],
    "moment": ["null", {"type": "long", "logicalType": "timestamp-millis"}],
    "exact_moment": {"type": "long", "logicalType": "timestamp-micros"},
    "theirs": ["null", "string"],
}
"""Item → its Avro type."""
RULES: list[dict[str, Any]] = [
    {"rule": "length", "item": "text", "max": 40},
    {"rule": "pattern", "item": "text", "pattern": "^[A-Z]*$"},
    {"rule": "type", "item": "text", "type": "decimal", "precision": 12, "scale": 2, "severity": "mark"},
    {"rule": "range", "item": "small", "min": 0, "max": 9},
    {"rule": "range", "item": "day", "unit": "date", "min": date(1900, 1, 1), "max": "now"},
    {"rule": "date_order", "earlier": "day", "later": "perhaps_day"},
    {"rule": "equal", "items": ["text", "theirs"], "severity": "mark"},
    {
        "rule": "implication",
        "when": {"item": "flag", "equals": True},
        "then": {"item": "text", "present": True},
    },
    {"rule": "required", "item": "picture", "id": "a-picture"},
]


@cache
def every_type() -> Definitions:
    """The sample city with one more resource, which nothing is wrong with."""
    sample = sample_definitions()
    resource = Resource.model_validate(
        {
            "code": "301320/000077",
            "domain": "test",
            "name": "everything",
            "version": 3,
            "titles": Titles(zh="各种类型", en="Every type"),
            "provider": ProviderId("police"),
            "source": CapturedTable(table="everything", primary_key=("number", "small")),
            "identity": Identity(kind=IdentityKind.CREDIT_CODE, item="number"),
            "items": [_item(name) for name in EVERY_TYPE],
            "rules": RULES,
            "scope_items": ("text",),
            "avro_schema": "made-up",
        }
    )
    fields = [
        {"name": name, "type": kind, **({"default": None} if isinstance(kind, list) else {})}
        for name, kind in EVERY_TYPE.items()
    ]
    schema = {"type": "record", "name": "Everything", "namespace": "govbus.resource", "fields": fields}
    assert list(resource_problems(resource, schema, sample.providers, sample.resources, ())) == []
    return replace(
        sample,
        resources={**sample.resources, resource.id: resource},
        item_schemas={**sample.item_schemas, resource.id: schema},
    )


def _item(name: str) -> Item:
    owner = ProviderId("social_security") if name == "theirs" else None
    return Item(name=name, titles=Titles(zh=f"信息项 {name}", en=f"Item {name}"), owner=owner, sensitive=True)


def masks_for(resource: ResourceId, item: str) -> list[Mask]:
    """The masks that fit an item."""
    form = item_forms(every_type().item_schemas[resource])[item]
    each: list[Mask] = [
        PartialMask(keep_first=1, keep_last=2),
        HashMask(),
        YearMask(),
        DistrictMask(),
        DropMask(),
    ]
    return [mask for mask in each if mask_fits(mask, form)]


_TEXTS = st.text(min_size=4, max_size=40)
_DAYS = st.dates(date(1950, 1, 1), date(2200, 1, 1))


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    """A grant that breaks no rule."""
    definitions = every_type()
    resource = definitions.resources[draw(st.sampled_from(sorted(definitions.resources)))]
    names = [item.name for item in resource.items]
    items = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    masks: dict[str, Mask] = {}
    for name in items:
        fitting, is_masked = masks_for(resource.id, name), draw(st.booleans())
        if fitting and is_masked:
            masks[name] = draw(st.sampled_from(fitting))
    days = sorted(draw(st.tuples(_DAYS, _DAYS)))
    rows = [
        RowFilter(item=name, values=tuple(draw(st.lists(st.text(max_size=9), min_size=1, max_size=3))))
        for name in draw(st.lists(st.sampled_from(resource.scope_items or ("",)), unique=True))
        if name
    ]
    grant = Grant(
        id=GrantId(draw(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True))),
        consumer=ConsumerId(draw(st.sampled_from(sorted(definitions.consumers)))),
        resource=resource.id,
        items=tuple(items),
        rows=tuple(rows),
        masks=masks,
        purpose=draw(_TEXTS),
        legal_basis=draw(_TEXTS),
        valid_from=days[0],
        valid_until=days[1],
        state=draw(st.sampled_from(GrantState)),
    )
    found = grant_problems(grant, definitions.consumers, definitions.resources, definitions.item_schemas)
    assert list(found) == []
    return grant


def policy_with(grant: Grant, generation: int = 1) -> Policy:
    """A policy in which the grant stands, compiled as apply does it."""
    definitions = replace(every_type(), grants={grant.id: grant})
    policy = policy_of(definitions)
    entry: GrantPolicy = policy.grants[grant.id].model_copy(update={"generation": generation})
    return policy.model_copy(update={"grants": {grant.id: entry}})


def in_force(grant: Grant, generation: int = 1) -> Agreement:
    """The agreement of a grant in a policy."""
    return agreement_in_force(policy_with(grant, generation), grant.id)
