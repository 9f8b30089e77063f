"""What is wrong with one entry: pure checks that say everything at once, each by field with its remedy.

The rules are those of requirement A13 (cross-field rules, common errors) and of what each check names.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.control.catalogue.cells import entry_cells, item_cells
from services.control.catalogue.checks_of_sharing import opening_problems, sharing_problems
from services.control.catalogue.entry import CLASS_OF_DIGIT, Entry, EntryItem
from services.control.catalogue.fields import COLUMNS, ENTRY_FIELDS, ITEM_FIELDS, Field, Form
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.problems import Problem, choices, named
from services.control.catalogue.rules import Rule
from services.control.catalogue.text import comparable, is_placeholder, unreadable
from services.control.catalogue.vocabulary import (
    FORMAT_TYPES,
    FormatClass,
    ItemType,
    ResourceClass,
)
from topics.identity.check import check
from topics.identity.kinds import IdentityKind

Place = tuple[Field, int | None]
Check = Callable[[Entry, CatalogueRules], Iterator[Problem]]

_SYSTEM: Final = re.compile(r"(?<!生态)(?<!神经)(系统|平台|软件|网站|小程序|app)$")
_IN_BRACKETS: Final = re.compile(r"[（(][^（()）]*[)）]")
_MUST: Final = (
    Field.NAME,
    Field.CODE,
    Field.PROVIDER,
    Field.PROVIDER_CODE,
    Field.SUMMARY,
    Field.FORMAT_CLASS,
    Field.OPEN_TYPE,
    Field.UPDATE_CYCLE,
    Field.RESOURCE_CLASS,
    # Three named persons (requirement A1-08).
    Field.HEAD_NAME,
    Field.HEAD_PHONE,
    Field.DEPUTY_NAME,
    Field.DEPUTY_PHONE,
    Field.CLERK_NAME,
    Field.CLERK_PHONE,
)
_ITEM_MUST: Final = (Field.ITEM_NAME, Field.ITEM_TYPE, Field.ITEM_SENSITIVITY, Field.ITEM_GRADE)
_WITHOUT_ITEMS: Final = frozenset({FormatClass.FILE, FormatClass.IMAGE, FormatClass.STREAM})
_WITH_LENGTH: Final = frozenset({ItemType.TEXT, ItemType.NUMBER})
_ANY_DAY: Final = date.min
"""Credit codes hold no date, so the check asks for none."""


def entry_problems(
    entry: Entry, rules: CatalogueRules, unread: Collection[Place] = frozenset()
) -> tuple[Problem, ...]:
    """Say everything that is wrong with an entry.

    Args:
        entry: the entry, complete or not.
        rules: what the authority accepts.
        unread: what could not be understood and was said already; nothing is said of it or concluded from it.
    """
    found = [
        problem
        for each in _CHECKS
        if not any((needed, None) in unread for needed in each.needs)
        for problem in each.check(entry, rules)
    ]
    return tuple(_once(problem for problem in found if (problem.field, problem.item) not in unread))


def is_credit_code(code: str) -> bool:
    """Whether a text is a unified social credit code."""
    return check(IdentityKind.CREDIT_CODE, code, _ANY_DAY).valid


def _once(problems: Iterator[Problem]) -> Iterator[Problem]:
    """Where a text is none at all, nothing else is said of the same cell."""
    said: set[tuple[Field | None, int | None]] = set()
    for problem in problems:
        place = (problem.field, problem.item)
        if place not in said:
            yield problem
        if problem.rule in (Rule.TEXT_PLACEHOLDER, Rule.TEXT_UNREADABLE, Rule.TEXT_TOO_LONG):
            said.add(place)


def _texts(entry: Entry, _rules: CatalogueRules) -> Iterator[Problem]:
    cells = entry_cells(entry)
    for field in ENTRY_FIELDS:
        yield from _text_problems(field, cells[field], None)
    for index, item in enumerate(entry.items):
        of_item = item_cells(item)
        for field in ITEM_FIELDS:
            yield from _text_problems(field, of_item[field], index)


def _text_problems(field: Field, text: str, item: int | None) -> Iterator[Problem]:
    column = COLUMNS[field]
    character = unreadable(text)
    if character:
        yield Problem(Rule.TEXT_UNREADABLE, field, text, item, {"character": character})
    elif text and column.form is Form.TEXT and column.values is None and is_placeholder(text):
        yield Problem(Rule.TEXT_PLACEHOLDER, field, text, item)
    elif len(text) > column.longest:
        facts = {"length": len(text), "longest": column.longest}
        yield Problem(Rule.TEXT_TOO_LONG, field, text, item, facts)


def _missing(entry: Entry, _rules: CatalogueRules) -> Iterator[Problem]:
    cells = entry_cells(entry)
    yield from (Problem(Rule.MISSING, field) for field in _MUST if not cells[field])
    for index, item in enumerate(entry.items):
        of_item = item_cells(item)
        yield from (Problem(Rule.MISSING, field, item=index) for field in _ITEM_MUST if not of_item[field])


def _class(entry: Entry, _rules: CatalogueRules) -> Iterator[Problem]:
    """The first digit of the code is the class (requirement A13)."""
    if entry.code is None or entry.resource_class is None:
        return
    meant = CLASS_OF_DIGIT.get(entry.code.kind)
    if meant is None:
        yield Problem(Rule.CODE_MALFORMED, Field.CODE, str(entry.code))
    elif meant is not entry.resource_class:
        facts = {"digit": entry.code.kind, **named("other", meant)}
        value = entry_cells(entry)[Field.RESOURCE_CLASS]
        yield Problem(Rule.CODE_CLASS_DIFFERS, Field.RESOURCE_CLASS, value, facts=facts)


def _library(entry: Entry, rules: CatalogueRules) -> Iterator[Problem]:
    """Basic and theme resources stand in a library of the closed lists (requirements A2-14, A2-15)."""
    if entry.resource_class is None:
        return
    facts = named("class_", entry.resource_class)
    value = entry_cells(entry)[Field.LIBRARY]
    if entry.resource_class is ResourceClass.DEPARTMENT:
        if entry.library is not None:
            yield Problem(Rule.LIBRARY_NEEDLESS, Field.LIBRARY, value)
        return
    known = rules.basic if entry.resource_class is ResourceClass.BASIC else rules.themes
    if entry.library is None:
        yield Problem(Rule.LIBRARY_MISSING, Field.LIBRARY, facts={**facts, **choices(known)})
    elif entry.library not in known:
        yield Problem(Rule.LIBRARY_DIFFERS, Field.LIBRARY, value, facts={**facts, **choices(known)})


def _name(entry: Entry, _rules: CatalogueRules) -> Iterator[Problem]:
    bare = _IN_BRACKETS.sub("", entry.name).strip().casefold()
    if _SYSTEM.search(bare):
        yield Problem(Rule.NAME_IS_A_SYSTEM, Field.NAME, entry.name)


def _provider(entry: Entry, _rules: CatalogueRules) -> Iterator[Problem]:
    code = entry.provider.credit_code
    if code:
        verdict = check(IdentityKind.CREDIT_CODE, code, _ANY_DAY)
        if verdict.reason is not None:
            facts = {"reason": verdict.reason.value}
            yield Problem(Rule.PROVIDER_CODE_INVALID, Field.PROVIDER_CODE, code, facts=facts)


def _format(entry: Entry, _rules: CatalogueRules) -> Iterator[Problem]:
    kind, sub_type = entry.form.format_class, entry.form.sub_type
    if kind is None:
        return
    facts = named("format", kind)
    if not sub_type:
        known = ", ".join(sorted(FORMAT_TYPES[kind])[:4])
        yield Problem(Rule.FORMAT_TYPE_MISSING, Field.FORMAT_TYPE, facts={**facts, "known": known})
        return
    wanted = comparable(sub_type)
    owners = [each for each, types in FORMAT_TYPES.items() if wanted in types]
    if owners and kind not in owners:
        facts |= named("other", owners[0])
        yield Problem(Rule.FORMAT_TYPE_DIFFERS, Field.FORMAT_TYPE, sub_type, facts=facts)


def _items(entry: Entry, _rules: CatalogueRules) -> Iterator[Problem]:
    if not entry.items and entry.form.format_class not in _WITHOUT_ITEMS:
        yield Problem(Rule.NO_ITEMS, Field.ITEM_NAME)
    seen: set[str] = set()
    for index, item in enumerate(entry.items):
        name = comparable(item.name)
        if name and name in seen:
            yield Problem(Rule.ITEM_TWICE, Field.ITEM_NAME, item.name, index)
        seen.add(name)
        yield from _length(index, item)


def _length(index: int, item: EntryItem) -> Iterator[Problem]:
    if item.length is not None and item.length < 1:
        yield Problem(Rule.NOT_A_NUMBER, Field.ITEM_LENGTH, str(item.length), index)
    if item.length is None and item.item_type is not None and item.item_type in _WITH_LENGTH:
        facts = named("type", item.item_type)
        yield Problem(Rule.ITEM_LENGTH_MISSING, Field.ITEM_LENGTH, "", index, facts)


def _related(entry: Entry, _rules: CatalogueRules) -> Iterator[Problem]:
    if entry.code is not None and entry.code in entry.related:
        yield Problem(Rule.RELATED_TO_ITSELF, Field.RELATED, str(entry.code))


@dataclass(frozen=True, slots=True)
class _Group:
    """A check, and the fields without which it would conclude from what nobody said."""

    check: Check
    needs: tuple[Field, ...] = ()


_CHECKS: Final = (
    _Group(_texts),
    _Group(_missing),
    _Group(_class, (Field.CODE, Field.RESOURCE_CLASS)),
    _Group(_library, (Field.RESOURCE_CLASS, Field.LIBRARY)),
    _Group(_name),
    _Group(_provider),
    _Group(_format, (Field.FORMAT_CLASS,)),
    _Group(_items, (Field.FORMAT_CLASS,)),
    _Group(_related, (Field.CODE,)),
    _Group(sharing_problems, (Field.SHARE_TYPE, Field.FORMAT_CLASS, Field.LICENSING)),
    _Group(opening_problems, (Field.OPEN_TYPE, Field.SHARE_TYPE)),
)
