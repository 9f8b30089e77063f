"""Rows become entries or problems with row and column; one wrong cell and nothing of the table is used."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from services.control.catalogue.cells import rows_of
from services.control.catalogue.entry import Entry, ResourceCode
from services.control.catalogue.fields import COLUMNS, CORE, Field, by_label, label
from services.control.catalogue.importing import Imported, Rejected, import_lines
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.rules import Rule
from services.control.catalogue.table import Cell, CellKind, Line, Typed
from services.control.catalogue.vocabulary import Cycle, Language, ResourceClass
from tests.support.catalogue import COMPLETE, entry
from topics.resource import ShareType

RULES = CatalogueRules()
HEADINGS = tuple(label(field) for field in Field)
OTHER = entry(code=ResourceCode("3", "01", "320", "5", "000002"), name="居住证注销信息")
Places = list[tuple[Rule, int | None, Field | None]]


def column(field: Field) -> int:
    return list(Field).index(field) + 1


def table_of(*entries: Entry) -> list[dict[Field, Any]]:
    return [dict(row) for each in entries for row in rows_of(each)]


def lines(rows: list[dict[Field, Any]], headings: tuple[str, ...] = HEADINGS) -> Iterator[Line]:
    yield Line(1, headings)
    for number, row in enumerate(rows, start=2):
        yield Line(number, tuple(row.get(field, "") for field in Field))


def read(rows: list[dict[Field, Any]]) -> Imported | Rejected:
    return import_lines(lines(rows), RULES)


def problems(found: Imported | Rejected) -> Places:
    assert isinstance(found, Rejected), "nothing is wrong"
    return [(each.problem.rule, each.row, each.problem.field) for each in found.found]


def with_cell(field: Field, value: Cell, row: int = 0) -> Places:
    rows = table_of(COMPLETE)
    rows[row][field] = value
    return problems(read(rows))


def accepted(field: Field, value: Cell, row: int = 0) -> Entry:
    rows = table_of(COMPLETE)
    rows[row][field] = value
    found = read(rows)
    assert isinstance(found, Imported), problems(found)
    return found.entries[0]


def test_a_table_without_fault_gives_all_of_its_entries() -> None:
    assert read(table_of(COMPLETE, OTHER)) == Imported((COMPLETE, OTHER), 4)


def test_one_wrong_cell_and_nothing_of_the_table_is_used() -> None:
    rows = table_of(COMPLETE, OTHER)
    rows[3][Field.ITEM_TYPE] = "日子"
    found = read(rows)
    assert problems(found) == [(Rule.VALUE_UNKNOWN, 5, Field.ITEM_TYPE)]
    assert isinstance(found, Rejected)
    assert found.found[0].column == column(Field.ITEM_TYPE)
    assert found.found[0].entry == "3013205/000002"
    assert (found.entries, found.rows) == (2, 4)


def test_all_that_is_wrong_in_a_table_is_said_at_once_in_its_order() -> None:
    rows = table_of(COMPLETE, OTHER)
    rows[0][Field.UPDATE_CYCLE] = "有时"
    rows[1][Field.ITEM_LENGTH] = "很长"
    rows[2][Field.PROVIDER_CODE] = "12"
    rows[2][Field.CLERK_NAME] = ""
    assert problems(read(rows)) == [
        (Rule.VALUE_UNKNOWN, 2, Field.UPDATE_CYCLE),
        (Rule.NOT_A_NUMBER, 3, Field.ITEM_LENGTH),
        (Rule.PROVIDER_CODE_INVALID, 4, Field.PROVIDER_CODE),
        (Rule.MISSING, 4, Field.CLERK_NAME),
    ]


def test_what_is_said_of_an_entry_may_stand_on_any_of_its_rows_and_on_all() -> None:
    rows = table_of(COMPLETE)
    rows[1][Field.SUMMARY] = rows[0].pop(Field.SUMMARY)
    rows[1][Field.PROVIDER] = rows[0][Field.PROVIDER]
    assert read(rows) == Imported((COMPLETE,), 2)


def test_name_and_code_may_be_left_empty_after_the_first_row() -> None:
    rows = table_of(COMPLETE, OTHER)
    for row in (rows[1], rows[3]):
        del row[Field.NAME], row[Field.CODE]
    assert read(rows) == Imported((COMPLETE, OTHER), 4)


def test_rows_that_contradict_each_other_are_said_with_both() -> None:
    rows = table_of(COMPLETE)
    rows[1][Field.SUMMARY] = "另一种说法"
    found = read(rows)
    assert problems(found) == [(Rule.ROW_CONTRADICTS, 3, Field.SUMMARY)]
    assert isinstance(found, Rejected)
    assert "row 2" in found.found[0].problem.what()


def test_rows_of_one_entry_that_stand_apart_are_said_as_such() -> None:
    rows = table_of(COMPLETE, OTHER)
    first, second, third, fourth = rows
    found = problems(read([first, third, fourth, second]))
    assert (Rule.ROW_APART, 5, Field.CODE) in found
    assert Rule.CODE_TWICE not in {rule for rule, _, _ in found}


def test_two_entries_of_one_code_and_different_names_are_said_as_such() -> None:
    rows = table_of(COMPLETE, OTHER)
    between = table_of(entry(code=ResourceCode("3", "02", "000", "", "1"), name="其他信息"))
    for row in rows[2:]:
        row[Field.CODE], row[Field.DETAIL] = str(COMPLETE.code), ""
    assert (Rule.CODE_TWICE, 6, Field.CODE) in problems(read([*rows[:2], *between, *rows[2:]]))


def test_entries_without_a_code_are_told_apart_by_their_names() -> None:
    rows = table_of(COMPLETE, OTHER)
    for row in rows:
        for field in (Field.CODE, Field.KIND, Field.SECTION, Field.HEADING, Field.DETAIL):
            row[field] = ""
    assert problems(read(rows)) == [(Rule.MISSING, 2, Field.CODE), (Rule.MISSING, 4, Field.CODE)]


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("101/1", Rule.CODE_TOO_SHORT),
        ("301320", Rule.CODE_TOO_SHORT),
        ("301320/", Rule.CODE_TOO_SHORT),
        ("30132X/1", Rule.CODE_MALFORMED),
        ("301320//1", Rule.CODE_MALFORMED),
        ("居住证", Rule.CODE_MALFORMED),
    ],
)
def test_a_code_that_is_none_is_said_as_short_or_malformed(value: str, rule: Rule) -> None:
    rows = table_of(COMPLETE)
    for row in rows:
        row[Field.CODE] = value
    assert problems(read(rows)) == [(rule, 2, Field.CODE)]


@pytest.mark.parametrize("value", ["3-01-3205/000001", "３０１３２０５/000001", "301 3205/000001"])
def test_a_code_is_read_as_people_write_it(value: str) -> None:
    rows = table_of(COMPLETE)
    for row in rows:
        row[Field.CODE] = value
    assert read(rows) == Imported((COMPLETE,), 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [(Field.KIND, "1"), (Field.SECTION, "1"), (Field.HEADING, "公安"), (Field.DETAIL, "6")],
)
def test_parts_beside_the_code_must_say_the_same(field: Field, value: str) -> None:
    assert with_cell(field, value) == [(Rule.CODE_PARTS_DIFFER, 2, field)]


def test_parts_beside_the_code_may_be_empty_and_the_class_may_be_a_word() -> None:
    rows = table_of(COMPLETE)
    rows[0] |= dict.fromkeys((Field.SECTION, Field.HEADING, Field.DETAIL), "")
    rows[0][Field.KIND] = "部门信息资源类"
    assert read(rows) == Imported((COMPLETE,), 2)


def test_without_a_class_the_first_digit_of_the_code_says_it() -> None:
    assert accepted(Field.RESOURCE_CLASS, "").resource_class is ResourceClass.DEPARTMENT


@pytest.mark.requirement("A3-02")
def test_an_empty_share_type_is_unconditional_and_one_that_is_not_understood_is_not() -> None:
    assert accepted(Field.SHARE_TYPE, "").sharing.share_type is ShareType.UNCONDITIONAL
    assert with_cell(Field.SHARE_TYPE, "看情况") == [(Rule.VALUE_UNKNOWN, 2, Field.SHARE_TYPE)]


@pytest.mark.parametrize(
    "value", ["2026-11-26", "2026/11/26", "2026年11月26日", "20261126", "2026-11-6", "２０２６－１１－２６"]
)
def test_dates_are_read_as_people_write_them(value: str) -> None:
    found = accepted(Field.PUBLISHED_ON, value).published_on
    assert found is not None
    assert found.isoformat()[:8] == "2026-11-"


@pytest.mark.parametrize("value", ["2026-02-30", "26-11-26", "2026-11", "昨天", "2026-11-26-1", "11/26/2026"])
def test_what_is_no_date_is_said(value: str) -> None:
    assert with_cell(Field.PUBLISHED_ON, value) == [(Rule.NOT_A_DATE, 2, Field.PUBLISHED_ON)]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "十八", "1234567890", "18位"])
def test_what_is_no_length_is_said(value: str) -> None:
    assert with_cell(Field.ITEM_LENGTH, value) == [(Rule.NOT_A_NUMBER, 2, Field.ITEM_LENGTH)]


@pytest.mark.parametrize("value", ["每日", "2", "daily", "每 日", "每天", "２"])
def test_closed_lists_are_read_by_word_code_and_language(value: str) -> None:
    assert accepted(Field.UPDATE_CYCLE, value).update_cycle is Cycle.DAILY


@pytest.mark.parametrize("separator", [";", "；", "、", ",", "\n", "  "])
def test_related_codes_may_be_separated_as_one_likes(separator: str) -> None:
    found = accepted(Field.RELATED, separator.join(["101320/1", "202320/2"])).related
    assert [str(code) for code in found] == ["101320/1", "202320/2"]


def test_a_number_where_text_belongs_is_refused_because_digits_may_be_lost() -> None:
    number = Typed(CellKind.NUMBER, "113205000140832")
    assert with_cell(Field.PROVIDER_CODE, number) == [(Rule.CELL_NOT_TEXT, 2, Field.PROVIDER_CODE)]
    assert with_cell(Field.CLERK_PHONE, number) == [(Rule.CELL_NOT_TEXT, 2, Field.CLERK_PHONE)]
    assert with_cell(Field.ITEM_NAME, number, 1) == [(Rule.CELL_NOT_TEXT, 3, Field.ITEM_NAME)]


def test_a_number_is_accepted_as_a_length_and_as_the_code_of_a_closed_list() -> None:
    assert accepted(Field.ITEM_LENGTH, Typed(CellKind.NUMBER, "18")).items[0].length == 18
    assert accepted(Field.UPDATE_CYCLE, Typed(CellKind.NUMBER, "2")).update_cycle is Cycle.DAILY


@pytest.mark.parametrize("field", [Field.SUMMARY, Field.ITEM_LENGTH, Field.UPDATE_CYCLE])
def test_a_formula_is_nobodys_statement(field: Field) -> None:
    assert with_cell(field, Typed(CellKind.FORMULA, "=A1")) == [(Rule.CELL_FORMULA, 2, field)]


def test_a_refused_cell_of_an_item_alone_is_not_called_missing() -> None:
    rows = table_of(COMPLETE)
    rows[1] = {Field.ITEM_NAME: Typed(CellKind.NUMBER, "7")}
    found = problems(read(rows))
    assert found[0] == (Rule.CELL_NOT_TEXT, 3, Field.ITEM_NAME)
    assert (Rule.MISSING, 3, Field.ITEM_NAME) not in found


def test_a_cell_under_no_heading_is_said_and_not_lost() -> None:
    row = tuple(table_of(COMPLETE)[0].get(field, "") for field in Field)
    found = import_lines(iter([Line(1, HEADINGS), Line(2, (*row, "批注"))]), RULES)
    assert problems(found)[-1] == (Rule.CELL_BESIDE, 2, None)


def headed(headings: tuple[str, ...]) -> Places:
    return problems(import_lines(lines(table_of(COMPLETE), headings), RULES))


def test_a_misspelled_heading_is_said_once_for_the_column_and_its_missing_field() -> None:
    headings = tuple("更新频率" if name == label(Field.UPDATE_CYCLE) else name for name in HEADINGS)
    assert headed(headings) == [
        (Rule.HEADING_MISSING, 1, Field.UPDATE_CYCLE),
        (Rule.HEADING_UNKNOWN, 1, None),
    ]


def test_a_heading_that_stands_twice_is_said() -> None:
    headings = (*HEADINGS[:-1], label(Field.NAME))
    assert headed(headings) == [(Rule.HEADING_TWICE, 1, Field.NAME)]


def test_a_table_without_headings_is_refused() -> None:
    assert problems(import_lines(iter([Line(1, ("a", "b"))]), RULES)) == [
        (Rule.HEADING_NOT_FOUND, None, None)
    ]


def test_a_table_with_headings_alone_has_no_entries() -> None:
    assert problems(import_lines(iter([Line(1, HEADINGS), Line(2, ("", "  "))]), RULES)) == [
        (Rule.NO_ENTRIES, None, None)
    ]


def test_titles_may_stand_above_the_headings_and_rows_keep_their_numbers() -> None:
    under = lines([{**table_of(COMPLETE)[0], Field.UPDATE_CYCLE: "有时"}, table_of(COMPLETE)[1]])
    moved = [Line(1, ("苏州市政务信息资源目录",)), *(Line(each.number + 1, each.cells) for each in under)]
    assert problems(import_lines(iter(moved), RULES)) == [(Rule.VALUE_UNKNOWN, 3, Field.UPDATE_CYCLE)]


@pytest.mark.parametrize("dressed", ["*{}", " {} ", "{}（必填）*"])
def test_headings_are_read_in_both_languages_and_with_stars(dressed: str) -> None:
    for field in Field:
        assert by_label(label(field)) is field
        assert by_label(label(field, Language.EN)) is field
        assert by_label(f"*{label(field)} ") is field
    assert (by_label(dressed.format("信息资源名称")) is Field.NAME) == ("必填" not in dressed)


@pytest.mark.requirement("A2-01", "A2-02")
def test_the_core_metadata_stand_first_in_the_order_of_the_guide() -> None:
    assert [COLUMNS[field].zh for field in Field if field in CORE] == [
        *("类", "项", "目", "细目", "信息资源名称", "信息资源代码", "信息资源提供方", "信息资源提供方代码"),
        *("信息资源摘要", "信息资源格式分类", "信息资源格式类型", "信息项名称", "数据类型", "数据长度"),
        *("共享类型", "共享条件", "共享方式", "是否向社会开放", "开放条件", "更新周期", "发布日期"),
        "关联资源代码",
    ]
    assert set(list(Field)[:22]) == CORE


def test_progress_is_told_every_row() -> None:
    told: list[int] = []
    import_lines(lines(table_of(COMPLETE)), RULES, told.append)
    assert told == [2, 3]


def mapping(row: Mapping[Field, str]) -> dict[Field, str]:
    return {field: text for field, text in row.items() if text}


def test_what_is_said_of_an_entry_is_written_on_its_first_row_and_name_and_code_on_all() -> None:
    first, second = (mapping(row) for row in rows_of(COMPLETE))
    assert Field.SUMMARY in first
    assert set(second) - {field for field in Field if field.value.startswith("item")} == {
        Field.NAME,
        Field.CODE,
    }
