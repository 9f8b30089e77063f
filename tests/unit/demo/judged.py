"""What the product decides about a generated row, with its identity check and its quality rules."""

import random
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from services.control.definitions import Definitions, load_definitions, packaged_definitions
from services.demo.rows import ACCEPTED, Expected
from topics.event import ResourceId
from topics.identity.check import check
from topics.quality.compiler import compile_rules
from topics.quality.rules import CodeList
from topics.quality.verdict import AssessmentContext, CompiledRules
from topics.resource import Conversion, Resource

CITY: Definitions = load_definitions(packaged_definitions())
_EPOCH = date(1970, 1, 1)


def seeded(seed: int | str) -> random.Random:
    """Chance that comes out the same each time."""
    return random.Random(seed)  # noqa: S311 - a city, not a secret


def compiled(resource: Resource) -> CompiledRules:
    """The resource's rules, with the city's code lists."""
    named = {tuple(key.split("@")): codes for key, codes in CITY.code_lists.items()}
    lists = [CodeList(name, version, frozenset(codes)) for (name, version), codes in named.items()]
    names = [item.name for item in resource.items]
    return compile_rules(resource.rules, lists, names, resource.update_cycle)


RULES = {id_: compiled(resource) for id_, resource in CITY.resources.items()}


def judge(resource_id: str, row: Any, today: date) -> Expected:
    """Decide about a row as the gate's identify, one-source and assess steps do."""
    resource = CITY.resources[ResourceId(resource_id)]
    source = asdict(row)
    claims = tuple(each.column for each in resource.foreign_items if source[each.column] is not None)
    items = {each.name: as_item(source[each.source_column], each.conversion) for each in resource.items}
    number = items[resource.identity.item]
    if number is None or not str(number):
        return Expected("IDENTITY_MISSING")
    verdict = check(resource.identity.kind, str(number), today)
    if verdict.reason is not None:
        return Expected("IDENTITY_INVALID", (verdict.reason.value,))
    now = int(datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp() * 1_000)
    quality = RULES[resource.id].assess(items, AssessmentContext(now, now))
    if quality.stops:
        return Expected("QUALITY", tuple(sorted(found.code.value for found in quality.stops)), claims=claims)
    marks = tuple(sorted(found.code.value for found in quality.marks))
    return Expected(ACCEPTED, (), marks, verdict.value, claims)


def as_item(value: object, conversion: Conversion) -> object:
    """A value of the row as capture and conversion make it: days, milliseconds, decimals as text."""
    match value:
        case datetime():
            return int(value.replace(tzinfo=UTC).timestamp() * 1_000)
        case date():
            return (value - _EPOCH).days
        case Decimal():
            return str(value)
        case str():
            return value if conversion is Conversion.NONE else value.strip()
        case _:
            return value
