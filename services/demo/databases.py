"""The provider databases of the sample city in PostgreSQL: made, opened for capture, and filled."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from io import StringIO
from itertools import islice
from typing import Any, Final

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class
from psycopg2.extensions import encrypt_password, make_dsn

from producers.connector import TableName, publication_name
from producers.provider_setup import setup_sql
from services.demo.city import CITY_DAY, generate_enrolments, generate_enterprises, generate_persons
from services.demo.rows import EnrolmentRow, EnterpriseRow, Labelled, PersonRow
from topics.event import ProviderId

POLICE: Final = ProviderId("police")
MARKET: Final = ProviderId("market_regulation")
SOCIAL: Final = ProviderId("social_security")

#: Rows that the story plays with have ids from here; generated rows stay below.
STORY_IDS: Final = 900_000_000
CHUNK: Final = 2_000

Progress = Callable[[str, int, int], None]
"""Called with a table's name, rows loaded so far, rows wanted."""
Rows = Iterable[Labelled[Any]]


@dataclass(frozen=True, slots=True)
class CityTable:
    """One provider's table: which row class it holds and how it is declared.

    Columns are text without limits, as in old business systems: the bus, not the source, finds what is wrong.
    Timestamps have no zone and mean UTC, with the milliseconds that Debezium passes on as such.
    """

    provider: ProviderId
    name: str
    row: type[PersonRow] | type[EnterpriseRow] | type[EnrolmentRow]
    columns: str

    @property
    def database(self) -> str:
        """The provider's database."""
        return self.provider

    @property
    def capture_role(self) -> str:
        """The role that capture logs in with: it may replicate and read, nothing else."""
        return f"capture_{self.provider}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """In the order of the row class."""
        return tuple(each.name for each in fields(self.row))


TABLES: Final[Mapping[ProviderId, CityTable]] = {
    POLICE: CityTable(
        POLICE,
        "person",
        PersonRow,
        "id bigint PRIMARY KEY, id_number text, name text, birth_date date, sex text, address text,"
        " household_district text, updated_at timestamp(3) NOT NULL",
    ),
    MARKET: CityTable(
        MARKET,
        "enterprise",
        EnterpriseRow,
        "id bigint PRIMARY KEY, credit_code text, name text, legal_representative text,"
        " registered_capital numeric(18, 2), status text, district text, established_on date,"
        " term_from date, term_until date, updated_at timestamp(3) NOT NULL",
    ),
    SOCIAL: CityTable(
        SOCIAL,
        "enrolment",
        EnrolmentRow,
        "id bigint PRIMARY KEY, id_number text, name text, address text, insurance_type text,"
        " enrolled_on date, monthly_base numeric(12, 2), status text, updated_at timestamp(3) NOT NULL",
    ),
}


def database_dsn(admin_dsn: str, provider: ProviderId) -> str:
    """The administrator's connection to a provider's database."""
    return str(make_dsn(admin_dsn, dbname=TABLES[provider].database))


def create_city(admin_dsn: str, passwords: Mapping[ProviderId, str]) -> None:
    """Make the three databases with tables, capture roles and publications; may be run again.

    Args:
        admin_dsn: how an administrator of the server connects; its database is of no matter.
        passwords: of each provider's capture role; set anew at each run.

    Raises:
        psycopg2.Error: the server cannot be reached or refuses.
        KeyError: a provider has no password.
    """
    with _session(admin_dsn) as server:
        for table in TABLES.values():
            _ensure_role(server, table.capture_role, passwords[table.provider])
            _ensure_database(server, table.database)
    for table in TABLES.values():
        with _session(database_dsn(admin_dsn, table.provider)) as database, database.cursor() as cursor:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS public.{table.name} ({table.columns})")
            names = (TableName("public", table.name),)
            publication = publication_name(table.provider)
            cursor.execute(setup_sql(table.capture_role, table.database, publication, names))


def load_city(
    admin_dsn: str, persons: int, seed: int, progress: Progress | None = None
) -> dict[ProviderId, int]:
    """Fill the tables with a city of so many persons, a tenth as many enterprises, and their enrolments.

    Generated rows that are there already stay as they are: a second run with the same seed adds only what a
    larger city has more. Returns how many rows it added to each provider's table.

    Raises:
        psycopg2.Error: the server cannot be reached or refuses.
    """
    return {
        provider: _load(database_dsn(admin_dsn, provider), TABLES[provider], rows, wanted, progress)
        for provider, (rows, wanted) in _city(persons, seed).items()
    }


def _city(persons: int, seed: int) -> dict[ProviderId, tuple[Rows, int]]:
    def people() -> Iterator[Labelled[PersonRow]]:
        return generate_persons(persons, random.Random(f"{seed}:persons"), CITY_DAY)  # noqa: S311 - not a secret

    companies = random.Random(f"{seed}:enterprises")  # noqa: S311
    insured = random.Random(f"{seed}:enrolments")  # noqa: S311
    enterprises = max(1, persons // 10)
    return {
        POLICE: (people(), persons),
        MARKET: (generate_enterprises(enterprises, companies, CITY_DAY), enterprises),
        # About 1.4 for each person: the exact number is known only at the end.
        SOCIAL: (generate_enrolments(people(), insured, CITY_DAY), persons * 7 // 5),
    }


def _load(dsn: str, table: CityTable, rows: Rows, wanted: int, progress: Progress | None) -> int:
    added = 0
    with closing(psycopg2.connect(dsn)) as connection:
        present = _highest(connection, table)
        missing = (labelled.row for labelled in rows if labelled.row.id > present)
        while chunk := list(islice(missing, CHUNK)):
            # One transaction per chunk: capture holds a transaction back until it is whole.
            with connection, connection.cursor() as cursor:
                names = ", ".join(table.column_names)
                cursor.copy_expert(f"COPY public.{table.name} ({names}) FROM STDIN", _copy_text(chunk))
            added += len(chunk)
            if progress is not None:
                progress(table.name, added, max(wanted, added))
    return added


def _highest(connection: Connection, table: CityTable) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) FROM public.{table.name} WHERE id < %s", (STORY_IDS,))  # noqa: S608
        found = cursor.fetchone()
    return int(found[0]) if found and found[0] is not None else 0


def _copy_text(rows: Sequence[Any]) -> StringIO:
    return StringIO("".join("\t".join(map(_copy_value, astuple(row))) + "\n" for row in rows))


def _copy_value(value: object) -> str:
    if value is None:
        return r"\N"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


@contextmanager
def _session(dsn: str) -> Iterator[Connection]:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        yield connection


def _ensure_role(server: Connection, role: str, password: str) -> None:
    with server.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
        verb = "ALTER" if cursor.fetchone() else "CREATE"
        statement = sql.SQL(
            verb + " ROLE {} LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}"
        )
        # Hashed here, so that no log of the server can ever hold the password.
        hashed = encrypt_password(password, role, server, "scram-sha-256")
        cursor.execute(statement.format(sql.Identifier(role), sql.Literal(hashed)))


def _ensure_database(server: Connection, name: str) -> None:
    database = sql.Identifier(name)
    with server.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if not cursor.fetchone():
            cursor.execute(sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(database))
        cursor.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(database))
