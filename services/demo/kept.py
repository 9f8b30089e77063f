"""Which sample city the databases hold: seed and size stand with the data, as a database's comment."""

import re
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import psycopg2
from psycopg2 import sql

from services.demo.databases import POLICE, TABLES, database_dsn

DEFAULT_PERSONS: Final = 2000
DEFAULT_SEED: Final = 1
_COMMENT: Final = re.compile(r"govbus sample city: seed (-?\d+), (\d+) persons")


@dataclass(frozen=True, slots=True)
class SampleCity:
    """What a city is generated from."""

    persons: int
    seed: int

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.persons} persons"


class OtherCity(Exception):  # noqa: N818 - the caller names the kept city or deletes it
    """Another seed was asked for than that of the city which the databases hold."""

    def __init__(self, kept: SampleCity, seed: int) -> None:
        super().__init__(f"the city of seed {kept.seed} is kept here, so there is no city of seed {seed}")
        self.kept = kept


def choose_city(kept: SampleCity | None, persons: int | None, seed: int | None) -> SampleCity:
    """The city to make or to go on with; a kept one grows, and neither shrinks nor becomes another.

    Args:
        kept: what the databases hold, None for nothing.
        persons: how many were asked for, None for no matter.
        seed: which was asked for, None for no matter.

    Raises:
        OtherCity: the kept city has another seed.
    """
    if kept is None:
        return SampleCity(persons or DEFAULT_PERSONS, DEFAULT_SEED if seed is None else seed)
    if seed is not None and seed != kept.seed:
        raise OtherCity(kept, seed)
    return SampleCity(max(persons or 0, kept.persons), kept.seed)


def read_kept(admin_dsn: str) -> SampleCity | None:
    """What the comment says, or None where there is none.

    Raises:
        psycopg2.Error: the server cannot be reached or has no such database.
    """
    question = (
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    )
    dsn = database_dsn(admin_dsn, POLICE)
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        [(comment,)] = cursor.fetchall()
    found = _COMMENT.fullmatch(comment or "")
    return SampleCity(int(found[2]), int(found[1])) if found else None


def write_kept(admin_dsn: str, city: SampleCity) -> None:
    """Leave the comment; before the rows, so that an interrupted load is known too.

    Raises:
        psycopg2.Error: the server cannot be reached or refuses.
    """
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}").format(
        sql.Identifier(TABLES[POLICE].database), sql.Literal(f"govbus sample city: {city}")
    )
    dsn = database_dsn(admin_dsn, POLICE)
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
