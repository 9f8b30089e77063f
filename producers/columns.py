"""Columns as Debezium sends them, said in SQL: what is read at the source equals what travels.

The connector's documentation says so, for the settings of connect-configs/debezium-postgres.json
(``time.precision.mode`` adaptive, ``decimal.handling.mode`` string): dates are days; timestamps and times
are milliseconds up to three digits and microseconds beyond; a timestamp with zone is ISO text in UTC; what
has no binary form is text. tests/integration/test_reconcile_types.py compares them with a real capture.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from producers.connector import TableName
from producers.provider_setup import literal, quoted, quoted_table

_AS_IT_IS: Final = frozenset(
    {"int2", "int4", "int8", "bool", "text", "varchar", "bpchar", "float8", "bytea", "_text", "_varchar"}
)
_LITERALS: Final = frozenset({"int2", "int4", "int8", "text", "varchar", "bpchar", "uuid", "numeric"})
_MILLISECONDS: Final = 3
_DAY_ZERO: Final = "DATE '1970-01-01'"

COLUMNS_SQL: Final = """
    SELECT a.attname, t.typname, a.atttypmod
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, the name of its type, and the type's modifier (the digits of a time; -1: all six)."""

    name: str
    type: str
    modifier: int = -1

    @property
    def is_literal(self) -> bool:
        """Whether the text of its value in a record id is also how SQL writes it."""
        return self.type in _LITERALS


def expression(column: Column) -> str:
    """The SQL of a column's value as it travels."""
    name = quoted(column.name)
    fine = not 0 <= column.modifier <= _MILLISECONDS
    match column.type:
        case "float4":
            return f"{name}::float8"
        case "date":
            return f"({name} - {_DAY_ZERO})"
        case "timestamp" | "time":
            return f"trunc(extract(epoch FROM {name}) * {1_000_000 if fine else 1_000})::bigint"
        case "timestamptz":
            return f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        case kind if kind in _AS_IT_IS:
            return name
        case _:
            return f"{name}::text"


def query(table: TableName, columns: Iterable[Column], where: str = "true") -> str:
    """The SQL that reads these columns of a table."""
    chosen = ", ".join(f"{expression(column)} AS {quoted(column.name)}" for column in columns)
    # Names are quoted, and values are literals of ours: nothing of a row is part of it.
    return f"SELECT {chosen} FROM {quoted_table(table)} WHERE {where}"  # noqa: S608


def chosen_rows(primary_key: tuple[Column, ...], ids: Iterable[tuple[str, ...]]) -> str | None:
    """The condition that is true of the rows with these primary keys and no others.

    None where a part of the key cannot be written as it travels (a date, for one): then no rows can be named.
    """
    if not all(column.is_literal for column in primary_key):
        return None
    rows = sorted(set(ids))
    if len(primary_key) == 1:
        return f"{quoted(primary_key[0].name)} IN ({', '.join(literal(row[0]) for row in rows)})"
    names = ", ".join(quoted(column.name) for column in primary_key)
    lists = (f"({', '.join(literal(part) for part in row)})" for row in rows)
    return f"({names}) IN ({', '.join(lists)})"


def rows_with_keys(primary_key: tuple[Column, ...], ids: Iterable[tuple[str, ...]]) -> str:
    """The condition that is true of the rows with these primary keys, whatever the types of the columns.

    Where the keys can be written as SQL writes them, their index is used; else they are compared as text.
    """
    rows = sorted(set(ids))
    chosen = chosen_rows(primary_key, rows)
    if chosen is not None:
        return chosen
    names = ", ".join(f"{expression(column)}::text" for column in primary_key)
    lists = (f"({', '.join(literal(part) for part in row)})" for row in rows)
    return f"({names}) IN ({', '.join(lists)})"


def in_order(found: Mapping[str, Column], names: Iterable[str]) -> tuple[Column, ...]:
    """The columns of these names; a name that the table lacks is left out."""
    return tuple(found[name] for name in names if name in found)
