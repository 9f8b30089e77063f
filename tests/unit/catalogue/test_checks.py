"""Each rule on one entry or between entries: what breaks it, by field, and what does not."""

from dataclasses import replace
from typing import Any

import pytest

from services.control.catalogue.across import catalogue_problems
from services.control.catalogue.checks import entry_problems
from services.control.catalogue.entry import (
    Contact,
    Contacts,
    Department,
    Entry,
    EntryItem,
    Format,
    Opening,
    ResourceCode,
    Sharing,
)
from services.control.catalogue.fields import Field
from services.control.catalogue.parameters import NATIONAL_LEVELS, CatalogueRules
from services.control.catalogue.problems import Problem
from services.control.catalogue.rules import Rule
from services.control.catalogue.vocabulary import (
    BasisLevel,
    FormatClass,
    ItemType,
    Language,
    Library,
    OpenType,
    ResourceClass,
    ShareMode,
    Use,
)
from tests.support.catalogue import CODES, COMPLETE, entry, item
from topics.resource import ShareType

RULES = CatalogueRules()
CONDITIONAL = Sharing(
    ShareType.CONDITIONAL,
    "提供给民政部门",
    ShareMode.INTERFACE,
    Use.VERIFICATION,
    BasisLevel.LAW,
    "《居住证暂行条例》第四条",
)
DENIED = replace(CONDITIONAL, share_type=ShareType.NOT_SHARED, mode=None, use=None)


def sharing(base: Sharing = CONDITIONAL, **changes: Any) -> Entry:
    return entry(sharing=replace(base, **changes))


def items(*given: EntryItem) -> Entry:
    return entry(items=given)


def opening(open_type: OpenType, condition: str = "") -> Entry:
    return entry(opening=Opening(open_type, condition))


def form(kind: FormatClass, sub_type: str, mode: ShareMode) -> Entry:
    return entry(form=Format(kind, sub_type), sharing=Sharing(mode=mode))


def classed(kind: ResourceClass, library: Library | None, digit: str = "3") -> Entry:
    code = replace(COMPLETE.code, kind=digit) if COMPLETE.code else None
    return entry(code=code, resource_class=kind, library=library)


BASIC, THEME, DEPARTMENT = ResourceClass.BASIC, ResourceClass.THEME, ResourceClass.DEPARTMENT
BROKEN: list[tuple[Rule, Field, int | None, Entry]] = [
    (Rule.MISSING, Field.NAME, None, entry(name="")),
    (Rule.MISSING, Field.CODE, None, entry(code=None)),
    (Rule.MISSING, Field.PROVIDER, None, entry(provider=Department("", CODES[0]))),
    (Rule.MISSING, Field.PROVIDER_CODE, None, entry(provider=Department("公安局"))),
    (Rule.MISSING, Field.SUMMARY, None, entry(summary="")),
    (Rule.MISSING, Field.FORMAT_CLASS, None, entry(form=Format(None, "PostgreSQL"))),
    (Rule.MISSING, Field.OPEN_TYPE, None, entry(opening=Opening())),
    (Rule.MISSING, Field.UPDATE_CYCLE, None, entry(update_cycle=None)),
    (Rule.MISSING, Field.RESOURCE_CLASS, None, entry(resource_class=None)),
    (Rule.MISSING, Field.SHARE_MODE, None, entry(sharing=Sharing())),
    (Rule.MISSING, Field.HEAD_NAME, None, entry(contacts=replace(COMPLETE.contacts, head=Contact("", "1")))),
    (Rule.MISSING, Field.CLERK_PHONE, None, entry(contacts=replace(COMPLETE.contacts, clerk=Contact("丙")))),
    (Rule.MISSING, Field.ITEM_NAME, 0, items(item(name=""))),
    (Rule.MISSING, Field.ITEM_TYPE, 1, items(item(name="甲"), item(item_type=None))),
    (Rule.MISSING, Field.ITEM_SENSITIVITY, 0, items(item(sensitivity=None))),
    (Rule.MISSING, Field.ITEM_GRADE, 0, items(item(grade=None))),
    (Rule.TEXT_TOO_LONG, Field.NAME, None, entry(name="字" * 101)),
    (Rule.TEXT_UNREADABLE, Field.SUMMARY, None, entry(summary="生僻字\ue000")),
    (Rule.TEXT_UNREADABLE, Field.ITEM_NAME, 0, items(item(name="姓\u200b名"))),
    (Rule.TEXT_UNREADABLE, Field.NAME, None, entry(name="制表\t符\x07")),
    (Rule.TEXT_PLACEHOLDER, Field.SUMMARY, None, entry(summary="无")),
    (Rule.TEXT_PLACEHOLDER, Field.ITEM_NAME_EN, 0, items(item(name_en="/"))),
    (Rule.TEXT_PLACEHOLDER, Field.BASIS, None, sharing(basis="--")),
    (Rule.CODE_CLASS_DIFFERS, Field.RESOURCE_CLASS, None, classed(DEPARTMENT, None, "1")),
    (Rule.CODE_MALFORMED, Field.CODE, None, classed(DEPARTMENT, None, "4")),
    (Rule.LIBRARY_MISSING, Field.LIBRARY, None, classed(BASIC, None, "1")),
    (Rule.LIBRARY_DIFFERS, Field.LIBRARY, None, classed(BASIC, Library.ENERGY, "1")),
    (Rule.LIBRARY_DIFFERS, Field.LIBRARY, None, classed(THEME, Library.POPULATION, "2")),
    (Rule.LIBRARY_NEEDLESS, Field.LIBRARY, None, classed(DEPARTMENT, Library.ENERGY)),
    (Rule.NAME_IS_A_SYSTEM, Field.NAME, None, entry(name="居住证管理信息系统")),
    (Rule.NAME_IS_A_SYSTEM, Field.NAME, None, entry(name="一体化政务服务平台（二期）")),
    (Rule.NAME_IS_A_SYSTEM, Field.NAME, None, entry(name="掌上办APP")),
    (Rule.PROVIDER_CODE_INVALID, Field.PROVIDER_CODE, None, entry(provider=Department("公安局", "123"))),
    (Rule.FORMAT_TYPE_MISSING, Field.FORMAT_TYPE, None, form(FormatClass.DATABASE, "", ShareMode.DATABASE)),
    (
        Rule.FORMAT_TYPE_DIFFERS,
        Field.FORMAT_TYPE,
        None,
        form(FormatClass.DATABASE, "xls", ShareMode.DATABASE),
    ),
    (Rule.MODE_DIFFERS, Field.SHARE_MODE, None, form(FormatClass.DATABASE, "MySQL", ShareMode.FILE)),
    (Rule.MODE_DIFFERS, Field.SHARE_MODE, None, form(FormatClass.FILE, "pdf", ShareMode.INTERFACE)),
    (Rule.MODE_OFF_PLATFORM, Field.SHARE_MODE, None, form(FormatClass.FILE, "pdf", ShareMode.MAIL)),
    (Rule.MODE_OFF_PLATFORM, Field.SHARE_MODE, None, form(FormatClass.FILE, "pdf", ShareMode.MEDIUM)),
    (Rule.NO_ITEMS, Field.ITEM_NAME, None, items()),
    (Rule.ITEM_TWICE, Field.ITEM_NAME, 1, items(item(name="签注（日期）"), item(name="签注(日期) "))),
    (Rule.ITEM_LENGTH_MISSING, Field.ITEM_LENGTH, 0, items(item(item_type=ItemType.TEXT))),
    (Rule.NOT_A_NUMBER, Field.ITEM_LENGTH, 0, items(item(item_type=ItemType.TEXT, length=0))),
    (Rule.CONDITION_MISSING, Field.SHARE_CONDITION, None, sharing(condition="")),
    (Rule.CONDITION_MISSING, Field.SHARE_CONDITION, None, sharing(DENIED, condition="")),
    (
        Rule.CONDITION_NEEDLESS,
        Field.SHARE_CONDITION,
        None,
        entry(sharing=Sharing(condition="须申请", mode=ShareMode.INTERFACE)),
    ),
    (Rule.USE_MISSING, Field.SHARE_USE, None, sharing(use=None)),
    (Rule.BASIS_MISSING, Field.BASIS, None, sharing(basis="")),
    (Rule.BASIS_MISSING, Field.BASIS_LEVEL, None, sharing(DENIED, basis_level=None)),
    (Rule.BASIS_LEVEL_TOO_LOW, Field.BASIS_LEVEL, None, sharing(basis_level=BasisLevel.CITY_POLICY)),
    (Rule.BASIS_LEVEL_TOO_LOW, Field.BASIS_LEVEL, None, sharing(DENIED, basis_level=BasisLevel.INSTITUTION)),
    (
        Rule.LICENSING_NOT_UNCONDITIONAL,
        Field.SHARE_TYPE,
        None,
        entry(sharing=CONDITIONAL, licensing=True),
    ),
    (
        Rule.NOT_SHARED_BUT_OPEN,
        Field.OPEN_TYPE,
        None,
        entry(sharing=DENIED, opening=Opening(OpenType.UNCONDITIONAL)),
    ),
    (
        Rule.NOT_SHARED_BUT_OPEN,
        Field.OPEN_TYPE,
        None,
        entry(sharing=DENIED, opening=Opening(OpenType.CONDITIONAL, "脱敏后")),
    ),
    (Rule.OPEN_CONDITION_MISSING, Field.OPEN_CONDITION, None, opening(OpenType.CONDITIONAL)),
    (Rule.OPEN_CONDITION_MISSING, Field.OPEN_CONDITION, None, opening(OpenType.NOT_OPEN)),
    (Rule.OPEN_CONDITION_NEEDLESS, Field.OPEN_CONDITION, None, opening(OpenType.UNCONDITIONAL, "实名")),
    (Rule.RELATED_TO_ITSELF, Field.RELATED, None, entry(related=(COMPLETE.code,))),
]
FINE = {
    "conditional with everything": entry(sharing=CONDITIONAL),
    "denied with everything": entry(sharing=DENIED),
    "licensing data, unconditional": entry(licensing=True),
    "basic": classed(BASIC, Library.POPULATION, "1"),
    "theme": classed(THEME, Library.ENERGY, "2"),
    "an ecosystem is no system": entry(name="湿地生态系统"),
    "a word in the middle": entry(name="信息系统备案信息"),
    "a name of the greatest length": entry(name="字" * 100),
    "a rare character": entry(name="𫚭鱼养殖信息"),
    "a database by interface": form(FormatClass.DATABASE, "KingbaseES", ShareMode.INTERFACE),
    "a sub type that nobody listed": form(FormatClass.DATABASE, "Vastbase", ShareMode.DATABASE),
    "a file without items": replace(form(FormatClass.FILE, "OFD", ShareMode.FILE), items=()),
    "open": opening(OpenType.UNCONDITIONAL),
    "related to another": entry(related=(ResourceCode("1", "01", "320", "", "7"),)),
    "items whose names differ": items(item(name="签注日期"), item(name="签发日期")),
}


def places(found: tuple[Problem, ...]) -> list[tuple[Rule, Field | None, int | None]]:
    return [(problem.rule, problem.field, problem.item) for problem in found]


@pytest.mark.requirement("A2-01", "A2-02")
def test_a_complete_entry_breaks_no_rule() -> None:
    assert entry_problems(COMPLETE, RULES) == ()


@pytest.mark.requirement("A2-14", "A2-15", "A3-02", "A3-03", "A3-04", "A3-05", "A3-06", "A10-02")
@pytest.mark.requirement("C14", "C15")
@pytest.mark.parametrize(("rule", "field", "at", "broken"), BROKEN)
def test_what_breaks_a_rule_is_said_once_with_its_field_and_remedy(
    rule: Rule, field: Field, at: int | None, broken: Entry
) -> None:
    found = entry_problems(broken, RULES)
    assert (rule, field, at) in places(found)
    assert len(found) == 1, [problem.what() for problem in found]
    for language in Language:
        assert found[0].what(language)
        assert found[0].remedy(language)
        assert "{" not in found[0].what(language) + found[0].remedy(language)


@pytest.mark.parametrize("fine", FINE.values(), ids=FINE)
def test_what_keeps_the_rules_is_accepted(fine: Entry) -> None:
    assert [problem.what() for problem in entry_problems(fine, RULES)] == []


@pytest.mark.requirement("A1-08")
def test_all_three_contacts_are_demanded_at_once() -> None:
    found = entry_problems(entry(contacts=Contacts()), RULES)
    assert [problem.field for problem in found] == [
        Field.HEAD_NAME,
        Field.HEAD_PHONE,
        Field.DEPUTY_NAME,
        Field.DEPUTY_PHONE,
        Field.CLERK_NAME,
        Field.CLERK_PHONE,
    ]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = entry_problems(Entry(items=(EntryItem(),)), RULES)
    assert len({problem.field for problem in found}) > 15
    assert entry_problems(Entry(), RULES)


@pytest.mark.requirement("A3-02")
def test_nothing_said_of_sharing_is_unconditional() -> None:
    assert Entry().sharing.share_type is ShareType.UNCONDITIONAL


@pytest.mark.parametrize("level", list(BasisLevel))
@pytest.mark.requirement("C5")
def test_which_level_of_basis_suffices_is_a_parameter_for_each_share_type(level: BasisLevel) -> None:
    narrow = CatalogueRules()
    wide = CatalogueRules(denial_levels=frozenset({level}), condition_levels=frozenset({level}))
    for base in (CONDITIONAL, DENIED):
        given = sharing(base, basis_level=level)
        assert bool(entry_problems(given, narrow)) == (level not in NATIONAL_LEVELS)
        assert entry_problems(given, wide) == ()


@pytest.mark.requirement("C6")
def test_a_basis_of_conditional_sharing_can_be_waived_but_not_that_of_denial() -> None:
    waived = CatalogueRules(condition_needs_basis=False)
    assert entry_problems(sharing(basis="", basis_level=None), waived) == ()
    assert len(entry_problems(sharing(DENIED, basis="", basis_level=None), waived)) == 2
    assert places(entry_problems(sharing(condition="", basis=""), waived)) == [
        (Rule.CONDITION_MISSING, Field.SHARE_CONDITION, None)
    ]


def test_nothing_is_concluded_from_what_could_not_be_read() -> None:
    conditional = replace(CONDITIONAL, share_type=ShareType.UNCONDITIONAL)
    unread = frozenset({(Field.SHARE_TYPE, None)})
    assert entry_problems(entry(sharing=conditional), RULES, unread) == ()
    assert entry_problems(entry(sharing=conditional), RULES) != ()


SECOND = ResourceCode("3", "01", "320", "5", "000002")


def between(*entries: Entry) -> list[tuple[int, Rule, Field | None]]:
    return [(number, each.rule, each.field) for number, each in catalogue_problems(entries, RULES)]


def test_two_entries_of_one_code_are_found() -> None:
    found = between(COMPLETE, entry(name="居住证注销信息"))
    assert found == [(2, Rule.CODE_TWICE, Field.CODE)]


@pytest.mark.parametrize(
    "name",
    ["居住证办理信息 ", "居住证 办理信息", "居住证－办理信息", "《居住证》办理信息", "居住证办理信息。"],
)
def test_names_that_differ_by_spaces_or_punctuation_only_are_found(name: str) -> None:
    assert between(COMPLETE, entry(code=SECOND, name=name)) == [(2, Rule.NAME_TWICE, Field.NAME)]


def test_names_that_differ_by_width_only_are_found() -> None:
    first, second = entry(name="ＡＢＣ企业信息"), entry(code=SECOND, name="abc企业信息")
    assert between(first, second) == [(2, Rule.NAME_TWICE, Field.NAME)]


def test_two_departments_may_use_the_same_name() -> None:
    assert between(COMPLETE, entry(code=SECOND, provider=Department("民政局", CODES[1]))) == []


@pytest.mark.parametrize(
    ("provider", "field"),
    [
        (Department("公安局", CODES[1]), Field.PROVIDER),
        (Department("市公安局", CODES[0]), Field.PROVIDER_CODE),
    ],
)
def test_a_department_has_one_name_and_one_code(provider: Department, field: Field) -> None:
    second = entry(code=SECOND, name="另一信息", provider=provider)
    assert between(COMPLETE, second) == [(2, Rule.PROVIDER_DIFFERS, field)]
