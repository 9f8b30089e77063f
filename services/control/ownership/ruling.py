"""The authority's decision on who owns an item that two departments publish, as the change that it makes.

Until it is decided, what the department that is not the owner publishes is cut and kept as claims (ADR 9).
The decision either leaves that as it is, or hands the item over to the claimant in the next policy version.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.control.cases.words import Actor, Problem, Role
from topics.definition_rules import in_place_problems, resource_problems
from topics.event import GrantId, ProviderId, ResourceId
from topics.grants.declaration import Grant
from topics.ownership import Decision
from topics.quality.declaration import (
    CodeListDeclaration,
    LengthDeclaration,
    PatternDeclaration,
    RangeDeclaration,
    RequiredDeclaration,
    RuleDeclaration,
    TypeDeclaration,
)
from topics.quality.rules import CodeList
from topics.resource import ForeignItem, Item, Resource
from topics.schema_rules import item_forms


@dataclass(frozen=True, slots=True)
class Ruling:
    """One decision, by whom and by which document; ``column`` is where the claimant publishes the item."""

    claimant: ResourceId
    column: str
    decision: Decision
    who: Actor
    basis: str
    """Document and article."""
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is in force when it is decided."""

    resources: Mapping[ResourceId, Resource]
    item_schemas: Mapping[ResourceId, Mapping[str, Any]]
    providers: Mapping[ProviderId, object]
    grants: Mapping[GrantId, Grant]
    code_lists: tuple[CodeList, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnershipChange:
    """What the next policy version says otherwise; nothing where the owner was confirmed."""

    resources: Mapping[ResourceId, Resource] = field(default_factory=dict)
    item_schemas: Mapping[ResourceId, dict[str, Any]] = field(default_factory=dict)
    losing: tuple[GrantId, ...] = ()
    """Grants that show the item of the old owner: from now on it is empty there, and they are to be told."""


_MOVABLE: Final = (
    RequiredDeclaration,
    TypeDeclaration,
    LengthDeclaration,
    PatternDeclaration,
    CodeListDeclaration,
    RangeDeclaration,
)
"""Rules about one item alone: they go with it."""


def ruled(ruling: Ruling, known: Known) -> OwnershipChange | tuple[Problem, ...]:
    """The change that a ruling makes, or everything that is against it; then nothing changes."""
    problems = tuple(_ruling_problems(ruling, known))
    if problems:
        return problems
    if ruling.decision is Decision.CONFIRM:
        return OwnershipChange()
    return handed_over(ruling.claimant, ruling.column, known)


def handed_over(claimant: ResourceId, column: str, known: Known) -> OwnershipChange | tuple[Problem, ...]:
    """The change by which the claimant becomes the owner of what it publishes in a column."""
    claimed = claimed_item(claimant, column, known)
    if claimed is None:
        return (_not_claimed(claimant, column),)
    problems = tuple(_transfer_problems(*claimed, known))
    if problems:
        return problems
    change = _transferred(*claimed, known)
    return tuple(_change_problems(change, known)) or change


def _ruling_problems(ruling: Ruling, known: Known) -> Iterator[Problem]:
    if ruling.who.role is not Role.AUTHORITY:
        yield Problem("WRONG_ROLE", "role", "the authority decides who owns an item", "ask the authority")
    if not ruling.basis.strip() or not ruling.text.strip():
        remedy = "name document and article, and say why"
        yield Problem("BASIS_MISSING", "basis", "the decision has no basis or no text", remedy)
    claimed = claimed_item(ruling.claimant, ruling.column, known)
    if claimed is None:
        yield _not_claimed(ruling.claimant, ruling.column)
        return
    claimant, foreign = claimed
    if ruling.who.department in (claimant.provider, foreign.owner):
        what = f"{ruling.who.department} is a party to the conflict"
        yield Problem("OWN_CONFLICT", "department", what, "let another department decide")
    if ruling.decision is Decision.TRANSFER:
        yield from _transfer_problems(claimant, foreign, known)


def claimed_item(claimant: ResourceId, column: str, known: Known) -> tuple[Resource, ForeignItem] | None:
    """The claimant's resource and what it publishes in the column; None where nothing is claimed there."""
    resource = known.resources.get(claimant)
    if resource is None:
        return None
    found = (each for each in resource.foreign_items if each.column == column)
    foreign = next((each for each in found if each.resource in known.resources), None)
    return None if foreign is None else (resource, foreign)


def _not_claimed(claimant: ResourceId, column: str) -> Problem:
    what = f"{claimant} publishes no item of another department in {column}"
    return Problem("NOT_CLAIMED", "column", what, "`govbus conflicts items` shows what is claimed")


def _transfer_problems(claimant: Resource, foreign: ForeignItem, known: Known) -> Iterator[Problem]:
    owner = known.resources[foreign.resource]
    keys = {owner.identity.item, owner.identity.country_item, *owner.scope_items}
    if foreign.item in keys or owner.item(foreign.item).source_column in owner.source.primary_key:
        what = f"{foreign.item} keys or scopes the records of {owner.id}"
        yield Problem("ITEM_KEYS_RECORDS", "item", what, f"declare {owner.id} anew, as its next version")
    form = item_forms(known.item_schemas[owner.id]).get(foreign.item)
    if form is None or not form.nullable:
        what = f"{foreign.item} cannot be empty in {owner.avro_schema}, and would be"
        yield Problem("ITEM_NEVER_EMPTY", "item", what, "let it be null in the schema first")
    for rule in owner.rules:
        if foreign.item in names_of(rule) and not isinstance(rule, _MOVABLE):
            what = f"the rule {rule.rule} of {owner.id} needs {foreign.item}"
            yield Problem("RULE_NEEDS_ITEM", "rules", what, "take the rule out first, or keep the owner")
    if foreign.item in {item.name for item in claimant.items}:
        what = f"{claimant.id} has an item {foreign.item} already"
        yield Problem("ITEM_EXISTS", "item", what, "rename it there first")


def _change_problems(change: OwnershipChange, known: Known) -> Iterator[Problem]:
    """What the definitions' own rules say of what would be in force."""
    resources = {**known.resources, **change.resources}
    schemas = {**known.item_schemas, **change.item_schemas}
    for id_, resource in change.resources.items():
        found = [
            *resource_problems(resource, schemas[id_], known.providers, resources, known.code_lists),
            *in_place_problems(known.resources[id_], resource),
        ]
        for each in found:
            where = ".".join(map(str, each.path))
            yield Problem("DEFINITION_BREAKS", f"{id_}: {where}", each.problem, each.remedy)


def _transferred(claimant: Resource, foreign: ForeignItem, known: Known) -> OwnershipChange:
    owner = known.resources[foreign.resource]
    moving = [rule for rule in owner.rules if foreign.item in names_of(rule)]
    item = owner.item(foreign.item)
    new = Item(
        name=item.name,
        titles=item.titles,
        column=foreign.column,
        conversion=item.conversion,
        sensitive=item.sensitive,
    )
    others = dict(_others(claimant, owner, item.name, known))
    return OwnershipChange(
        resources={
            **others,
            claimant.id: claimant.model_copy(
                update={
                    "items": (*claimant.items, new),
                    "foreign_items": tuple(each for each in claimant.foreign_items if each != foreign),
                    "rules": (*claimant.rules, *moving),
                }
            ),
            owner.id: owner.model_copy(
                update={
                    "items": tuple(_handed_over(each, item.name, claimant.provider) for each in owner.items),
                    "rules": tuple(rule for rule in owner.rules if rule not in moving),
                }
            ),
        },
        item_schemas={claimant.id: _widened(known, claimant.id, owner.id, item.name)},
        losing=tuple(
            sorted(
                id_
                for id_, grant in known.grants.items()
                if grant.resource == owner.id and item.name in grant.items
            )
        ),
    )


def _others(
    claimant: Resource, owner: Resource, name: str, known: Known
) -> Iterator[tuple[ResourceId, Resource]]:
    """Further resources that claim the item: from now on they claim it of its new owner."""
    for id_, resource in known.resources.items():
        about = [(owner.id, name) == (each.resource, each.item) for each in resource.foreign_items]
        if id_ != claimant.id and any(about):
            moved = tuple(
                each.model_copy(update={"owner": claimant.provider}) if is_about else each
                for each, is_about in zip(resource.foreign_items, about, strict=True)
            )
            yield id_, resource.model_copy(update={"foreign_items": moved})


def _handed_over(item: Item, name: str, owner: ProviderId) -> Item:
    return item.model_copy(update={"owner": owner}) if item.name == name else item


def _widened(known: Known, claimant: ResourceId, owner: ResourceId, name: str) -> dict[str, Any]:
    """The claimant's schema with the item as its owner has it, at the end: old records still read."""
    schema = known.item_schemas[claimant]
    moved = next(each for each in known.item_schemas[owner]["fields"] if each["name"] == name)
    return {**schema, "fields": [*schema["fields"], dict(moved)]}


def names_of(rule: RuleDeclaration) -> frozenset[str]:
    """The items that a quality rule is about."""
    return frozenset(_named(rule.model_dump()))


def _named(said: Any, key: str = "") -> Iterator[str]:
    if isinstance(said, Mapping):
        for name, value in said.items():
            yield from _named(value, str(name))
    elif isinstance(said, (list, tuple)):
        for value in said:
            yield from _named(value, key)
    elif isinstance(said, str) and (key in _ITEM_FIELDS or key.endswith("_item")):
        yield said


_ITEM_FIELDS: Final = frozenset({"item", "items", "earlier", "later"})
