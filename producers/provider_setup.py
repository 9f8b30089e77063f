"""The script that a provider's administrator runs once: role, rights, replica identity, publication."""

from collections.abc import Iterable

from producers.connector import TableName


def quoted(identifier: str) -> str:
    """An SQL identifier in quotes."""
    doubled = identifier.replace('"', '""')
    return f'"{doubled}"'


def quoted_table(table: TableName) -> str:
    """A table's name with its schema, in quotes."""
    return f"{quoted(table.schema)}.{quoted(table.table)}"


def literal(text: str) -> str:
    """An SQL text literal."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def publication_sql(publication: str, tables: Iterable[TableName]) -> str:
    """SQL that makes the publication cover exactly these tables, whether it exists or not."""
    listed = ", ".join(quoted_table(table) for table in sorted(tables))
    name, options = quoted(publication), "publish = 'insert, update, delete, truncate'"
    return (
        "DO $govbus$\nBEGIN\n"
        f"  IF EXISTS (SELECT FROM pg_publication WHERE pubname = {literal(publication)}) THEN\n"
        f"    ALTER PUBLICATION {name} SET TABLE {listed};\n"
        f"    ALTER PUBLICATION {name} SET ({options});\n"
        "  ELSE\n"
        f"    CREATE PUBLICATION {name} FOR TABLE {listed} WITH ({options});\n"
        "  END IF;\nEND\n$govbus$;\n"
    )


def replica_identity_sql(tables: Iterable[TableName]) -> str:
    """SQL that makes PostgreSQL log the whole row before a change."""
    return "".join(f"ALTER TABLE {quoted_table(table)} REPLICA IDENTITY FULL;\n" for table in sorted(tables))


def rights_sql(role: str, database: str, tables: Iterable[TableName]) -> str:
    """SQL that gives an existing role what capture needs: connect, replicate, read these tables, no more."""
    ordered = sorted(tables)
    lines = [
        f"ALTER ROLE {quoted(role)} WITH LOGIN REPLICATION;",
        f"GRANT CONNECT ON DATABASE {quoted(database)} TO {quoted(role)};",
    ]
    schemas = sorted({table.schema for table in ordered})
    lines += [f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(role)};" for schema in schemas]
    lines += [f"GRANT SELECT ON {quoted_table(table)} TO {quoted(role)};" for table in ordered]
    return "\n".join(lines) + "\n"


def setup_sql(role: str, database: str, publication: str, tables: Iterable[TableName]) -> str:
    """The whole script, to be run by the database's owner; it may be run again."""
    ordered = tuple(tables)
    return (
        "-- Allows the bus to capture changes. Make the role first, with a password of your choice:\n"
        f"--   CREATE ROLE {quoted(role)} LOGIN REPLICATION;\n"
        + rights_sql(role, database, ordered)
        + "-- Deletes and corrections must show the row as it was before.\n"
        + replica_identity_sql(ordered)
        + "-- Exactly these tables leave the database.\n"
        + publication_sql(publication, ordered)
    )
