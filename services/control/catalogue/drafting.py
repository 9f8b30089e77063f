"""Derives the draft of an entry from what the bus knows of a resource; what nobody declared stays empty."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.control.catalogue.entry import (
    CLASS_OF_DIGIT,
    Contacts,
    Department,
    Entry,
    EntryItem,
    Format,
    Opening,
    Sharing,
    read_code,
)
from services.control.catalogue.register import OfResource, Register
from services.control.catalogue.vocabulary import (
    Cycle,
    FormatClass,
    Grade,
    ItemType,
    Sensitivity,
    ShareMode,
)
from services.control.definitions import Definitions
from topics.quality.declaration import CodeListDeclaration, LengthDeclaration, TypeDeclaration
from topics.resource import CapturedTable, Item, Resource, ShareType
from topics.schema_rules import ItemForm, item_forms

_TYPES: Final[Mapping[str, ItemType]] = {
    "string": ItemType.TEXT,
    "int": ItemType.INTEGER,
    "long": ItemType.INTEGER,
    "float": ItemType.FLOAT,
    "double": ItemType.DOUBLE,
    "boolean": ItemType.BOOLEAN,
    "bytes": ItemType.GENERAL,
    "fixed": ItemType.GENERAL,
    "enum": ItemType.TEXT,
}
_IDENTITY_LENGTH: Final = 18
_DECIMAL: Final = "decimal"


def drafts(definitions: Definitions, register: Register) -> Iterator[Entry]:
    """Yield the draft of each resource, in the order of their codes."""
    for resource in sorted(definitions.resources.values(), key=lambda each: (each.code, each.version)):
        yield draft_of(resource, definitions, register)


def draft_of(resource: Resource, definitions: Definitions, register: Register) -> Entry:
    """Derive the draft of one resource's entry.

    Args:
        resource: one of the definitions.
        definitions: for the schema, the code lists and the names of departments.
        register: what else an entry says.
    """
    of_resource = register.resources.get(resource.id, OfResource())
    of_department = register.departments.get(resource.provider)
    code = read_code(resource.code)
    names = {str(id_): provider.titles.zh for id_, provider in definitions.providers.items()}
    schema = definitions.item_schemas.get(resource.id, {})
    return Entry(
        code=code,
        name=resource.titles.zh,
        provider=Department(
            names.get(resource.provider, resource.provider),
            of_department.credit_code if of_department else "",
        ),
        summary=of_resource.summary or str(schema.get("doc", "")),
        form=_format(resource),
        items=tuple(_items(resource, definitions, of_resource, schema, names)),
        sharing=_sharing(resource, of_resource),
        opening=Opening(of_resource.open_type, of_resource.open_condition),
        update_cycle=Cycle(resource.update_cycle.value),
        name_en=resource.titles.en,
        resource_class=CLASS_OF_DIGIT.get(code.kind) if code else None,
        library=of_resource.library,
        licensing=of_resource.licensing,
        contacts=of_department.contacts if of_department else Contacts(),
    )


def _format(resource: Resource) -> Format:
    if isinstance(resource.source, CapturedTable):
        return Format(FormatClass.DATABASE, "PostgreSQL")
    return Format(FormatClass.INTERFACE, "Kafka")


def _sharing(resource: Resource, said: OfResource) -> Sharing:
    """The bus delivers each grant over an interface of its own."""
    narrower = resource.share_type is not ShareType.UNCONDITIONAL
    return Sharing(
        share_type=resource.share_type,
        condition=said.share_condition if narrower else "",
        mode=ShareMode.INTERFACE,
        use=said.share_use if narrower else None,
        basis_level=said.basis_level if narrower else None,
        basis=(resource.share_basis or "") if narrower else "",
    )


def _items(
    resource: Resource,
    definitions: Definitions,
    said: OfResource,
    schema: Mapping[str, Any],
    names: Mapping[str, str],
) -> Iterator[EntryItem]:
    forms, lengths = item_forms(schema), dict(_lengths(resource, definitions))
    for item in resource.items:
        decimal = any(_is_decimal(rule, item.name) for rule in resource.rules)
        kind = ItemType.NUMBER if decimal else _type(forms.get(item.name))
        length = said.lengths.get(item.name) or lengths.get(item.name)
        yield EntryItem(
            name=item.titles.zh,
            item_type=kind,
            length=length if kind in (ItemType.TEXT, ItemType.NUMBER) else None,
            name_en=item.titles.en,
            key=item.name == resource.identity.item or item.source_column in resource.source.primary_key,
            sensitivity=Sensitivity.PERSONAL if item.sensitive else Sensitivity.NONE,
            grade=Grade.GENERAL,
            owner=_owner(item, resource, names),
        )


def _owner(item: Item, resource: Resource, names: Mapping[str, str]) -> str:
    """Another department, where the fact is another's."""
    if item.owner is None or item.owner == resource.provider:
        return ""
    return names.get(item.owner, item.owner)


def _type(form: ItemForm | None) -> ItemType | None:
    if form is None:
        return None
    if form.logical == "date":
        return ItemType.DATE
    if form.logical is not None and form.logical.startswith(("timestamp", "local-timestamp")):
        return ItemType.TIMESTAMP
    return ItemType.NUMBER if form.logical == _DECIMAL else _TYPES.get(form.type)


def _lengths(resource: Resource, definitions: Definitions) -> Iterator[tuple[str, int]]:
    """What identity and rules say of lengths; of several rules on one item the last one counts."""
    yield resource.identity.item, _IDENTITY_LENGTH
    for rule in resource.rules:
        if isinstance(rule, LengthDeclaration) and rule.max is not None:
            yield rule.item, rule.max
        elif isinstance(rule, CodeListDeclaration):
            codes = definitions.code_lists.get(f"{rule.list}@{rule.version}", ())
            yield rule.item, max(map(len, codes), default=1)
        elif isinstance(rule, TypeDeclaration) and _is_decimal(rule, rule.item) and rule.precision:
            yield rule.item, rule.precision


def _is_decimal(rule: object, item: str) -> bool:
    return isinstance(rule, TypeDeclaration) and rule.item == item and rule.type == _DECIMAL
