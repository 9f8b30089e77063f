"""Files read as records: what is good goes on, what is bad is named, and nothing stops the rest."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.text_values import from_cell, from_json
from producers.upload import (
    LONGEST_LINE,
    BadLine,
    CorrectFile,
    RefusedReport,
    Row,
    formula_safe,
    read_csv,
    read_json_lines,
)
from producers.validation import ItemProblem

DATE = {"type": "int", "logicalType": "date"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Permit",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "count", "type": ["null", "long"], "default": None},
        {"name": "issued", "type": ["null", DATE], "default": None},
    ],
}


def json_lines(content: bytes) -> list[Row | BadLine]:
    return list(read_json_lines(io.BytesIO(content), SCHEMA))


def csv_rows(content: bytes, encoding: str = "utf-8-sig") -> list[Row | BadLine]:
    return list(read_csv(io.BytesIO(content), SCHEMA, encoding))


def reason(row: Row | BadLine) -> str:
    assert isinstance(row, BadLine), row
    return "; ".join(str(problem) for problem in row.problems)


def test_json_lines_are_read_one_by_one() -> None:
    rows = json_lines('\ufeff{"id": "甲", "issued": "2024-01-02"}\n\n{"id": "b", "count": 3}'.encode())
    assert rows == [Row(1, {"id": "甲", "issued": 19724}), Row(3, {"id": "b", "count": 3})]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{", "is not JSON: Expecting property name enclosed in double quotes at character 2"),
        (b"[1]", "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b"\xff", "is not UTF-8"),
        (b'{"id": NaN}', "is not JSON: NaN and Infinity are no JSON"),
        (b'{"id": "a", "id": "b"}', "is not JSON: an item is given twice"),
        (b"[" * 100_000, "is not JSON: nested too deep"),
        (b'{"id": "a", "issued": "31.12.2024"}', "issued: is not a date such as 2024-12-31"),
        (b'{"id": "a", "_operation": "patch"}', "_operation: is neither upsert nor delete"),
        (b'{"id": "a", "_version": -1}', "_version: is not a whole number from 0"),
        (b'{"id": "a", "_version": 1.5}', "_version: is not a whole number from 0"),
        (b'{"id": "' + b"x" * LONGEST_LINE + b'"}', f"is longer than {LONGEST_LINE} bytes"),
    ],
)
def test_a_bad_json_line_is_named_and_the_next_is_read(line: bytes, expected: str) -> None:
    bad, good = json_lines(line + b'\n{"id": "ok"}\n')
    assert (bad.line, reason(bad)) == (1, expected)
    assert good == Row(2, {"id": "ok"})


def test_reserved_names_steer_a_row() -> None:
    content = b'{"id": "a", "_operation": "delete", "_version": 7, "_previous_identity": "x:1"}'
    assert json_lines(content) == [Row(1, {"id": "a"}, "delete", 7, "x:1")]
    table = b"id,_operation,_version,_previous_identity\na,delete,7,x:1\nb,,,\n"
    assert csv_rows(table) == [Row(2, {"id": "a"}, "delete", 7, "x:1"), Row(3, {"id": "b"})]


def test_csv_cells_become_typed_values_and_empty_ones_null() -> None:
    rows = csv_rows('id,count,issued\r\n"甲, ""乙""\n丙",12,2024-01-02\r\nb,,\r\n'.encode())
    assert rows == [
        Row(3, {"id": '甲, "乙"\n丙', "count": 12, "issued": 19724}),
        Row(4, {"id": "b", "count": None, "issued": None}),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a,1", "has 2 cells, the first line has 3"),
        (b"a,1,,", "has 4 cells, the first line has 3"),
        (b"a,x,", "count: is not a whole number"),
        (b"a,1.5,", "count: is not a whole number"),
        (b"a,1,2024-13-01", "issued: is not a date such as 2024-12-31"),
        (b"\xff,1,", "id: is not in the file's encoding"),
        (b'"a"b,1,', "is not CSV: ',' expected after '\"'"),
    ],
)
def test_a_bad_csv_line_is_named_and_the_next_is_read(line: bytes, expected: str) -> None:
    bad, good = csv_rows(b"id,count,issued\n" + line + b"\nok,1,\n")
    assert (bad.line, reason(bad)) == (2, expected)
    assert good == Row(3, {"id": "ok", "count": 1, "issued": None})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"id,id\n", "names twice: id"),
        (b"id,colour\n", "names no item: colour"),
    ],
)
def test_a_table_without_a_usable_heading_is_refused_whole(content: bytes, message: str) -> None:
    with pytest.raises(CorrectFile, match=message):
        csv_rows(content)


def test_tables_from_a_chinese_spreadsheet_can_be_read() -> None:
    rows = csv_rows("id,count\n甲,1\n".encode("gb18030"), "gb18030")
    assert rows == [Row(2, {"id": "甲", "count": 1})]


@pytest.mark.parametrize(
    ("text", "avro_type", "expected"),
    [
        ("", ["null", "string"], None),
        ("", "string", ""),
        ("-7", "int", -7),
        ("1.5", "double", 1.5),
        ("是", "boolean", True),
        ("FALSE", ["null", "boolean"], False),
        ("1970-01-02", DATE, 1),
        ("1970-01-01T08:00:00.001", MILLIS, 1),
        ("1970-01-01T00:00:00.001Z", MILLIS, 1),
        ("1969-12-31T23:59:59.999+00:00", MILLIS, -1),
        ("1970-01-01T00:00:01+00:00", {"type": "long", "logicalType": "timestamp-micros"}, 1_000_000),
    ],
)
def test_text_is_read_as_the_items_type(text: str, avro_type: Any, expected: object) -> None:
    assert from_cell(text, avro_type) == expected


@pytest.mark.parametrize(
    ("text", "avro_type"),
    [
        ("x", "long"),
        ("", "long"),
        ("1_000", "int"),
        ("yes", "boolean"),
        ("x", "double"),
        ("a", {"type": "array"}),
    ],
)
def test_text_that_is_no_such_value_is_refused_without_repeating_it(text: str, avro_type: Any) -> None:
    with pytest.raises(ValueError, match=r"is n|cannot") as caught:
        from_cell(text, avro_type)
    assert len(text) < 2 or text not in str(caught.value)


def test_json_values_stay_as_they_are_but_for_dates() -> None:
    assert from_json("2024-01-02", ["null", DATE]) == 19724
    assert from_json(19724, DATE) == 19724
    assert from_json("x", "string") == "x"
    assert from_json([1], {"type": "array", "items": "int"}) == [1]


@given(st.binary(max_size=400))
def test_no_file_of_any_kind_breaks_the_readers(content: bytes) -> None:
    assert all(isinstance(row, (Row, BadLine)) for row in json_lines(content))
    assert all(isinstance(row, (Row, BadLine)) for row in csv_rows(b"id,count,issued\n" + content))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_report_cannot_start_a_formula(text: str) -> None:
    assert formula_safe(text) == f"'{text}"
    assert formula_safe(f"a{text}") == f"a{text}"


def test_the_report_lists_each_problem_with_its_line() -> None:
    target = io.StringIO()
    report = RefusedReport(target)
    report.add(
        BadLine(4, (ItemProblem("id", "is missing"), ItemProblem("=x", "the resource has no such item")))
    )
    assert target.getvalue().splitlines() == [
        "line,item,problem",
        "4,id,is missing",
        "4,'=x,the resource has no such item",
    ]
    assert report.lines == 1
