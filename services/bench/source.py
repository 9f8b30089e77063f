"""The provider's database of a bench: the register of persons in PostgreSQL, open for capture when told."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Final

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class
from psycopg2.extensions import encrypt_password, make_dsn

from producers.connector import TableName, publication_name
from producers.provider_setup import setup_sql
from services.bench.rows import Row, rows_of
from services.bench.workload import PERSON, POOL
from services.stack.api import Stack
from services.stack.postgres import SUPERUSER, SUPERUSER_SECRET
from services.stack.secret_files import write_private
from topics.event import ProviderId

PROVIDER: Final = ProviderId("bureau")
TABLE: Final = "person"
_ROLE: Final = "capture_bureau"
_COLUMNS: Final = {
    "id": "bigint PRIMARY KEY",
    "id_number": "text",
    "name": "text",
    "birth_date": "date",
    "sex": "text",
    "address": "text",
    "household_district": "text",
    "phone": "text",
    "education": "text",
    "household_size": "integer",
    "registered_at": "timestamp(3)",
    "updated_at": "timestamp(3)",
    "employer": "text",
}


class SourceDatabase:
    """The register's database on the stack's own server."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def create(self) -> None:
        """Make the database and its table."""
        self._stack.create_database(PROVIDER, f"owner_{PROVIDER}", secrets.token_urlsafe(24))
        columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
        with self.session() as database, database.cursor() as cursor:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS public.{TABLE} ({columns})")

    def fill(self, rows: int, seed: int) -> None:
        """Write so many right rows: a pool of different persons, again and again under other ids."""
        pool = min(rows, POOL)
        with self.session() as database, database.cursor() as cursor:
            text = StringIO("".join(map(_line, rows_of(PERSON, pool, seed))))
            cursor.copy_expert(f"COPY public.{TABLE} ({', '.join(_COLUMNS)}) FROM STDIN", text)
            others = ", ".join(name for name in _COLUMNS if name != "id")
            for first in range(pool, rows, pool):
                cursor.execute(
                    f"INSERT INTO public.{TABLE} SELECT id + %s, {others} FROM public.{TABLE}"  # noqa: S608
                    " WHERE id <= %s ORDER BY id",
                    (first, min(pool, rows - first)),
                )
            cursor.execute(f"ANALYZE public.{TABLE}")

    def open_for_capture(self) -> None:
        """Make the capture role and publication, and give Connect the connection: the next apply captures."""
        password = secrets.token_urlsafe(24)
        with self.session() as database, database.cursor() as cursor:
            hashed = encrypt_password(password, _ROLE, database, "scram-sha-256")
            cursor.execute(
                sql.SQL("CREATE ROLE {} LOGIN REPLICATION PASSWORD {}").format(
                    sql.Identifier(_ROLE), sql.Literal(hashed)
                )
            )
            tables = (TableName("public", TABLE),)
            cursor.execute(setup_sql(_ROLE, PROVIDER, publication_name(PROVIDER), tables))
        folder = self._stack.context.layout.connect_secrets
        write_private(folder / f"{PROVIDER}.properties", f"user={_ROLE}\npassword={password}\n")

    def dsn(self) -> str:
        """How an administrator connects; contains the password."""
        endpoints = self._stack.endpoints()
        return str(
            make_dsn(
                host=endpoints.postgres_host,
                port=endpoints.postgres_port,
                user=SUPERUSER,
                password=self._stack.secret(SUPERUSER_SECRET),
                dbname=PROVIDER,
            )
        )

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection that commits each statement."""
        with closing(self._stack.superuser_connection(PROVIDER)) as connection:
            connection.autocommit = True
            yield connection


def _line(row: Row) -> str:
    return "\t".join(_copied(name, row[name]) for name in _COLUMNS) + "\n"


def _copied(column: str, value: object) -> str:
    if value is None:
        return r"\N"
    if column == "birth_date":
        return _date(int(str(value)))
    if column.endswith("_at"):
        return _moment(int(str(value)))
    return str(value)


def _date(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


def _moment(milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
