"""What must be true between definitions: resources, departments, grants, code lists and schemas agree."""

from collections.abc import Iterator, Mapping
from typing import Any

from topics.event import ConsumerId, ProviderId, ResourceId
from topics.grants.declaration import DistrictMask, DropMask, Grant, HashMask, Mask, PartialMask, YearMask
from topics.quality import declaration as declared
from topics.quality.compiler import QualityDefinitionError, compile_rules
from topics.quality.declaration import RuleDeclaration
from topics.quality.rules import CodeList
from topics.quality.values import Unit
from topics.resource import CapturedTable, ForeignItem, Item, Resource, ShareType
from topics.schema_rules import ItemForm, Problem, item_forms, item_problems, unsafe_parts
from topics.sink import Sink


def schema_problems(schema: Any) -> list[Problem]:
    """Find what a resource's Avro schema must not have; the paths are paths in the schema."""
    return [*unsafe_parts(schema), *item_problems(schema)]


def resource_problems(
    resource: Resource,
    schema: Mapping[str, Any],
    providers: Mapping[ProviderId, object],
    resources: Mapping[ResourceId, Resource],
    code_lists: tuple[CodeList, ...],
) -> Iterator[Problem]:
    """Yield what does not fit between a resource and everything it names."""
    yield from _owner_problems(resource, providers)
    for index, foreign in enumerate(resource.foreign_items):
        for name, problem, remedy in _foreign_problems(resource, foreign, providers, resources):
            yield Problem(("foreign_items", index, name), problem, remedy)
    yield from _item_problems(resource, item_forms(schema))
    yield from _rule_problems(resource, code_lists)
    yield from _unit_problems(resource, item_forms(schema))


def grant_problems(
    grant: Grant,
    consumers: Mapping[ConsumerId, object],
    resources: Mapping[ResourceId, Resource],
    schemas: Mapping[ResourceId, Mapping[str, Any]],
) -> Iterator[Problem]:
    """Yield what does not fit between a grant, its consumer and its resource."""
    if grant.consumer not in consumers:
        yield Problem(("consumer",), f"there is no consumer {grant.consumer}", _one_of(consumers))
    resource = resources.get(grant.resource)
    if resource is None:
        yield Problem(("resource",), f"there is no resource {grant.resource}", _one_of(resources))
        return
    if resource.share_type is ShareType.NOT_SHARED:
        yield Problem(
            ("resource",), f"{resource.id} is not shared", "change its share_type first, or drop the grant"
        )
    yield from _granted_items(grant, resource)
    yield from _row_problems(grant, resource)
    forms = item_forms(schemas.get(resource.id, {}))
    for name, mask in grant.masks.items():
        if name in forms and not mask_fits(mask, forms[name]):
            found = forms[name].logical or forms[name].type
            yield Problem(
                ("masks", name), f"mask {mask.kind} does not fit {name}, which is {found}", _FITS[type(mask)]
            )


def in_place_problems(before: Resource, after: Resource) -> Iterator[Problem]:
    """Yield what a resource must not change under its version (docs/adr/0015-what-never-changes-in-place.md).

    Args:
        before: the resource as the policy in force has it.
        after: the same resource version as it is declared now.
    """
    remedy = _new_version_remedy(after)
    for path, text_before, text_after in _routes(before, after):
        if text_before != text_after:
            yield Problem(path, f"changes in place from {text_before} to {text_after}", remedy)
    mapped_before = {item.name: item for item in before.items}
    for index, item in enumerate(after.items):
        had = mapped_before.get(item.name)
        if had is None or item.name not in _fixed_items(after):
            continue
        for part, old, new in _mappings(had, item, after):
            if old != new:
                problem = f"{item.name} keys or scopes records and changes in place from {old} to {new}"
                yield Problem(("items", index, part), problem, remedy)


def _routes(before: Resource, after: Resource) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """What decides where a record comes from and under which key it stands."""
    yield ("provider",), before.provider, after.provider
    if before.provider == after.provider:
        yield ("source",), before.raw_topic, after.raw_topic
    keys = [", ".join(resource.source.primary_key) for resource in (before, after)]
    yield ("source", "primary_key"), keys[0], keys[1]
    yield ("identity", "kind"), before.identity.kind.value, after.identity.kind.value
    yield ("identity", "item"), before.identity.item, after.identity.item
    countries = [resource.identity.country_item or "none" for resource in (before, after)]
    yield ("identity", "country_item"), countries[0], countries[1]


def _fixed_items(resource: Resource) -> frozenset[str]:
    """Items whose value decides which key a record has or who receives it."""
    keys = (resource.identity.item, resource.identity.country_item)
    return frozenset(resource.scope_items) | frozenset(name for name in keys if name)


def _mappings(before: Item, after: Item, resource: Resource) -> Iterator[tuple[str, str, str]]:
    yield "column", before.source_column, after.source_column
    yield "conversion", before.conversion.value, after.conversion.value
    # What another department owns is cut, so the value would be gone.
    yield "owner", before.owner or resource.provider, after.owner or resource.provider


def _new_version_remedy(resource: Resource) -> str:
    number = resource.version + 1
    coming = f"declare it as version {number} ({resource.domain}.{resource.name}.v{number})"
    if isinstance(resource.source, CapturedTable):
        return f"{coming} and take its full volume with `govbus apply --recapture {resource.provider}`"
    return f"{coming} and publish every record again"


def sink_problems(
    sinks: Mapping[str, Sink], grants: Mapping[str, Grant] | None
) -> Iterator[tuple[str, Problem]]:
    """Yield what does not fit between sinks and grants, each with the grant whose sink it is.

    Without grants it is not asked whether they exist.
    """
    taken: dict[tuple[str, str], str] = {}
    for id_, sink in sinks.items():
        if grants is not None and id_ not in grants:
            yield id_, Problem(("grant",), f"there is no grant {id_}", _one_of(grants))
        first = taken.setdefault((sink.database, sink.table), id_)
        if first != id_:
            problem = f"{sink.table} in {sink.database} is the table of {first} already"
            yield id_, Problem(("table",), problem, "give each grant a table of its own")


def shared_raw_topics(resources: Mapping[ResourceId, Resource]) -> dict[ResourceId, ResourceId]:
    """Find resources that are fed by the raw topic of another one: each with the one that has it already."""
    first: dict[str, ResourceId] = {}
    return {
        resource.id: first[resource.raw_topic]
        for resource in resources.values()
        if first.setdefault(resource.raw_topic, resource.id) != resource.id
    }


def mask_fits(mask: Mask, form: ItemForm) -> bool:
    """Tell whether a mask can work on an item of that type."""
    match mask:
        case PartialMask() | HashMask() | DistrictMask():
            return form.is_text
        case YearMask():
            return form.is_text or form.is_date
        case DropMask():
            return form.nullable or form.is_text or form.type == "bytes"


_FITS: Mapping[type, str] = {
    PartialMask: "use it on text only; dates can be masked with year, everything with drop",
    HashMask: "use it on text only; everything that may be null can be masked with drop",
    DistrictMask: "use it on text that begins with an administrative code",
    YearMask: "use it on a date, or on text that begins with a year",
    DropMask: "let the item be null in its schema, or leave the item out of the grant",
}


def _one_of(known: Mapping[Any, object]) -> str:
    return f"use one of: {', '.join(sorted(known))}" if known else "declare it first"


def _owner_problems(resource: Resource, providers: Mapping[ProviderId, object]) -> Iterator[Problem]:
    if resource.provider not in providers:
        yield Problem(("provider",), f"there is no provider {resource.provider}", _one_of(providers))
    for index, item in enumerate(resource.items):
        if item.owner is not None and item.owner not in providers:
            yield Problem(("items", index, "owner"), f"there is no provider {item.owner}", _one_of(providers))


def _foreign_problems(
    resource: Resource,
    foreign: ForeignItem,
    providers: Mapping[ProviderId, object],
    resources: Mapping[ResourceId, Resource],
) -> Iterator[tuple[str, str, str]]:
    if foreign.owner not in providers:
        yield "owner", f"there is no provider {foreign.owner}", _one_of(providers)
    elif foreign.owner == resource.provider:
        yield (
            "owner",
            f"{foreign.owner} publishes this resource itself",
            "declare the column as an item instead",
        )
    if foreign.column in {item.source_column for item in resource.items}:
        yield (
            "column",
            f"{foreign.column} also feeds an item of this resource",
            "declare it in one place only",
        )
    owned = resources.get(foreign.resource)
    if owned is None:
        yield "resource", f"there is no resource {foreign.resource}", _one_of(resources)
        return
    item = next((entry for entry in owned.items if entry.name == foreign.item), None)
    if item is None:
        known = {entry.name: entry for entry in owned.items}
        yield "item", f"{owned.id} has no item {foreign.item}", _one_of(known)
    elif (item.owner or owned.provider) != foreign.owner:
        owner = item.owner or owned.provider
        yield (
            "owner",
            f"{owned.id}.{foreign.item} belongs to {owner}, not to {foreign.owner}",
            f"write {owner}",
        )


def _item_problems(resource: Resource, forms: Mapping[str, ItemForm]) -> Iterator[Problem]:
    names = [item.name for item in resource.items]
    for index, name in enumerate(names):
        if name not in forms:
            remedy = "add a field of that name to the schema, or drop the item"
            yield Problem(
                ("items", index, "name"), f"{resource.avro_schema} has no plain field {name}", remedy
            )
    for name in forms:
        if name not in names:
            yield Problem(
                ("items",), f"{resource.avro_schema} has a field {name} that is no item", "add it to items"
            )
    identity = forms.get(resource.identity.item)
    if identity is not None and (identity.nullable or not identity.is_text):
        remedy = "make the field a string without null"
        yield Problem(
            ("identity", "item"), f"the identity {resource.identity.item} is not plain text", remedy
        )
    for index, name in enumerate(resource.scope_items):
        if name in forms and not forms[name].is_text:
            yield Problem(
                ("scope_items", index),
                f"{name} is not text",
                "only text items can be compared by row filters",
            )


def _rule_problems(resource: Resource, code_lists: tuple[CodeList, ...]) -> Iterator[Problem]:
    names = [item.name for item in resource.items]
    sound = []
    for index, rule in enumerate(resource.rules):
        try:
            compile_rules([rule], code_lists, names)
            sound.append(rule)
        except QualityDefinitionError as error:
            yield Problem(("rules", index), str(error), "change the rule accordingly")
        yield from _cycle_problems(resource, index, rule)
    try:
        compile_rules(sound, code_lists, names)
    except QualityDefinitionError as error:
        yield Problem(("rules",), str(error), "change the rules accordingly")


def _cycle_problems(resource: Resource, index: int, rule: RuleDeclaration) -> Iterator[Problem]:
    """A rule may ask for more than the resource promises, never for less."""
    if not isinstance(rule, declared.TimelinessDeclaration):
        return
    promised, allowed = (
        declared.WITHIN_SECONDS[resource.update_cycle],
        rule.limit_seconds(resource.update_cycle),
    )
    if allowed > promised:
        problem = (
            f"timeliness allows {allowed} s, the update cycle {resource.update_cycle} promises {promised} s"
        )
        yield Problem(("rules", index), problem, "name no limit, or a shorter one; or change update_cycle")


def _unit_problems(resource: Resource, forms: Mapping[str, ItemForm]) -> Iterator[Problem]:
    for index, rule in enumerate(resource.rules):
        for name, kinds in _wanted_kinds(rule).items():
            if name in forms and (kind := _kind_of(forms[name])) not in kinds:
                problem = f"rule {rule.rule} cannot judge {name}, which is {kind}"
                yield Problem(("rules", index), problem, f"use it on {' or '.join(sorted(kinds))}")


def _wanted_kinds(rule: RuleDeclaration) -> dict[str, frozenset[str]]:
    """What each item of a rule must be: on anything else the rule would find fault with every record."""
    match rule:
        case declared.PatternDeclaration():
            return {rule.item: frozenset({"text"})}
        case declared.LengthDeclaration():
            return {rule.item: frozenset({"text", "bytes"})}
        case declared.CodeListDeclaration():
            return {rule.item: frozenset({"text", "number"})}
        case declared.RangeDeclaration():
            # Decimals travel as text.
            kinds = {"number", "text"} if rule.unit is Unit.NUMBER else {rule.unit.value}
            return {rule.item: frozenset(kinds)}
        case declared.DateOrderDeclaration():
            return dict.fromkeys((rule.earlier, rule.later), frozenset({rule.unit.value}))
        case declared.IdentityBirthDateDeclaration():
            return {rule.identity_item: frozenset({"text"}), rule.birth_date_item: frozenset({"date"})}
        case declared.IdentitySexDeclaration():
            return {rule.identity_item: frozenset({"text"}), rule.sex_item: frozenset({"text", "number"})}
        case _:
            return {}


def _kind_of(form: ItemForm) -> str:
    if form.logical is not None:
        return form.logical
    return {"string": "text", "bytes": "bytes", "boolean": "boolean"}.get(form.type, "number")


def _granted_items(grant: Grant, resource: Resource) -> Iterator[Problem]:
    known = {item.name: item for item in resource.items}
    for index, name in enumerate(grant.items):
        if name not in known:
            yield Problem(("items", index), f"{resource.id} has no item {name}", _one_of(known))
        elif name in grant.items[:index]:
            yield Problem(("items", index), f"{name} is named twice", "name it once")


def _row_problems(grant: Grant, resource: Resource) -> Iterator[Problem]:
    for index, row in enumerate(grant.rows):
        if row.item not in resource.scope_items:
            allowed = ", ".join(resource.scope_items) or "none are declared"
            problem = f"{row.item} is no scope item of {resource.id}"
            yield Problem(
                ("rows", index, "item"), problem, f"filter by a scope item ({allowed}), or declare it as one"
            )
