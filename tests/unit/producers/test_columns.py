"""Columns are read as they travel, and rows are named so that a filtered snapshot brings just them."""

import pytest

from producers.columns import Column, chosen_rows, expression, query
from producers.connector import TableName

ID, CODE, DAY = Column("id", "int8"), Column("code", "text"), Column("day", "date")


@pytest.mark.parametrize(
    ("column", "sql"),
    [
        (ID, '"id"'),
        (DAY, "(\"day\" - DATE '1970-01-01')"),
        (Column("t", "timestamp", 3), 'trunc(extract(epoch FROM "t") * 1000)::bigint'),
        (Column("t", "timestamp"), 'trunc(extract(epoch FROM "t") * 1000000)::bigint'),
        (Column("n", "numeric", 1_179_654), '"n"::text'),
        (Column("f", "float4"), '"f"::float8'),
        (Column("u", "uuid"), '"u"::text'),
    ],
)
def test_a_column_is_read_as_it_travels(column: Column, sql: str) -> None:
    assert expression(column) == sql


def test_names_are_quoted() -> None:
    wanted = 'SELECT "a""b" AS "a""b" FROM "public"."t" WHERE true'
    assert query(TableName("public", "t"), [Column('a"b', "text")], "true") == wanted


def test_rows_are_named_by_their_keys_once_each() -> None:
    assert chosen_rows((ID,), [("3",), ("1",), ("3",)]) == "\"id\" IN ('1', '3')"
    assert chosen_rows((CODE,), [("o'b",)]) == "\"code\" IN ('o''b')"
    assert (
        chosen_rows((ID, CODE), [("1", "a"), ("2", "b")]) == "(\"id\", \"code\") IN (('1', 'a'), ('2', 'b'))"
    )


def test_a_key_that_sql_writes_otherwise_than_it_travels_names_no_rows() -> None:
    assert chosen_rows((ID, DAY), [("1", "10")]) is None
