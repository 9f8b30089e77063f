"""Looks at a department's database before a sink writes to it: what is wrong, with the SQL that mends it."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import psycopg2
import psycopg2.extensions

from producers.provider_setup import quoted
from services.control.access import CaptureSource
from services.control.gaps import open_source
from topics.schema_rules import ItemForm, item_forms

Problem = dict[str, str]
_RIGHTS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "int": "integer",
    "long": "bigint",
    "float": "real",
    "double": "double precision",
    "boolean": "boolean",
    "bytes": "bytea",
}
_LOGICAL: Final[Mapping[str, str]] = {
    "date": "date",
    "time-millis": "time",
    "timestamp-millis": "timestamp",
    "timestamp-micros": "timestamp",
    "decimal": "numeric",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A sink's table: the key's columns, then the items of the grant as its schema has them."""

    schema: str
    table: str
    keys: tuple[str, ...]
    values: Mapping[str, Any]
    evolves: bool = False

    @property
    def columns(self) -> dict[str, str]:
        """Column → PostgreSQL type; an item of the same name as a key's field is that field."""
        items = {name: _type(form) for name, form in item_forms(self.values).items()}
        return {**dict.fromkeys(self.keys, "text"), **{n: t for n, t in items.items() if n not in self.keys}}

    @property
    def required(self) -> frozenset[str]:
        """Columns that are never null: Debezium's sink does not add them to a table that is there."""
        forms = item_forms(self.values)
        return frozenset(self.keys) | {name for name, form in forms.items() if not form.nullable}

    @property
    def name(self) -> str:
        """Schema and table as SQL names them."""
        return f"{quoted(self.schema)}.{quoted(self.table)}"

    def create_sql(self) -> str:
        """SQL that makes the table."""
        lines = [f"  {quoted(name)} {kind}" for name, kind in self.columns.items()]
        lines.append(f"  PRIMARY KEY ({self._key_list()})")
        return f"CREATE TABLE {self.name} (\n" + ",\n".join(lines) + "\n);"

    def add_sql(self, names: list[str]) -> str:
        """SQL that adds columns to the table."""
        added = ", ".join(f"ADD COLUMN {quoted(name)} {self.columns[name]}" for name in names)
        return f"ALTER TABLE {self.name} {added};"

    def key_sql(self) -> str:
        """SQL that makes the key's columns the table's key."""
        return f"ALTER TABLE {self.name} ADD PRIMARY KEY ({self._key_list()});"

    def _key_list(self) -> str:
        return ", ".join(quoted(name) for name in self.keys)


def _type(form: ItemForm) -> str:
    return _LOGICAL.get(form.logical or "") or _TYPES.get(form.type, "text")


@dataclass(frozen=True, slots=True)
class Found:
    """A table as it is.

    Args:
        columns: every column, and whether a row needs a value for it.
        unique: the columns of each of its keys.
        missing_rights: what the sink's role may not do with it.
    """

    columns: Mapping[str, bool]
    unique: tuple[frozenset[str], ...]
    missing_rights: tuple[str, ...]


def target_problems(source: CaptureSource, target: Target) -> list[Problem]:
    """What keeps the sink from writing; empty where nothing does."""
    try:
        with closing(open_source(source)) as connection:
            found = _read(connection, target)
            creates = found is None and _may_create(connection, target.schema)
    except psycopg2.Error as error:
        return [_problem(f"the database cannot be asked: {type(error).__name__}", "")]
    if found is not None:
        return list(judge_target(target, found, source.user))
    if target.evolves and creates:
        return []
    if target.evolves:
        grant = f"GRANT CREATE ON SCHEMA {quoted(target.schema)} TO {quoted(source.user)};"
        return [_problem(f"{source.user} may not make {target.schema}.{target.table}", grant)]
    remedy = f"{target.create_sql()}\n{_grant_sql(target, source.user)}"
    return [_problem(f"there is no table {target.schema}.{target.table} for {source.user}", remedy)]


def judge_target(target: Target, found: Found, role: str) -> Iterator[Problem]:
    """What does not fit between the table and what the grant delivers; pure."""
    name = f"{target.schema}.{target.table}"
    missing = [column for column in target.columns if column not in found.columns]
    if target.evolves:
        missing = [column for column in missing if column in target.required]
    if missing:
        yield _problem(f"{name} has no column {', '.join(missing)}", target.add_sql(missing))
    if frozenset(target.keys) not in found.unique and not set(target.keys) & set(missing):
        yield _problem(f"{name} has no key of {', '.join(target.keys)}", target.key_sql())
    needed = [column for column, needs in found.columns.items() if needs and column not in target.columns]
    for column in needed:
        remedy = f"ALTER TABLE {target.name} ALTER COLUMN {quoted(column)} DROP NOT NULL;"
        yield _problem(f"{name} needs a value in {column}, which the grant does not deliver", remedy)
    if found.missing_rights:
        yield _problem(
            f"{role} may not {', '.join(found.missing_rights)} in {name}", _grant_sql(target, role)
        )


def _problem(what: str, remedy: str) -> Problem:
    return {"what": what, "remedy": remedy}


def _grant_sql(target: Target, role: str) -> str:
    return f"GRANT {', '.join(_RIGHTS)} ON {target.name} TO {quoted(role)};"


def _read(connection: psycopg2.extensions.connection, target: Target) -> Found | None:
    """The table; None where there is none, or none that the role may see."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)::oid", (target.name,))
        row = cursor.fetchone()
        oid = row[0] if row else None
        if oid is None:
            return None
        cursor.execute(_COLUMNS, (oid,))
        columns = {str(name): bool(needed) for name, needed in cursor.fetchall()}
        cursor.execute(_KEYS, (oid,))
        unique = tuple(frozenset(names) for (names,) in cursor.fetchall())
        cursor.execute(_MISSING_RIGHTS, (list(_RIGHTS), oid))
        missing = tuple(str(right) for (right,) in cursor.fetchall())
    return Found(columns, unique, missing)


def _may_create(connection: psycopg2.extensions.connection, schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %s", (schema,)
        )
        row = cursor.fetchone()
    return bool(row and row[0])


_COLUMNS: Final = """
    SELECT attname, attnotnull AND NOT atthasdef AND attidentity = ''
      FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
# A partial key, one of expressions, or one that is checked at the commit only, cannot serve an upsert.
_KEYS: Final = """
    SELECT array_agg(a.attname::text)
      FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
     WHERE i.indrelid = %s AND i.indisunique AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
     GROUP BY i.indexrelid
"""
_MISSING_RIGHTS: Final = """
    SELECT wanted FROM unnest(%s) AS wanted WHERE NOT has_table_privilege(%s, wanted)
"""
