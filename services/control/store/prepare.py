"""Makes a database ready for use: its tables migrated, and filled with what the project brings along."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from services.control.clocks.calendar_file import packaged_years, read_year
from services.control.clocks.pack_file import packaged_packs
from services.control.store.clocks.calendars import import_year, known_years
from services.control.store.clocks.packs import import_pack
from services.control.store.clocks.tables import PACKS
from services.control.store.database import ControlDatabase
from services.control.store.migrate import Schema, migrate

SYSTEM: Final = "system"
"""Who acts where no person does."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """How the tables were found, and which years and packs were not there yet."""

    before: Schema
    years: tuple[int, ...]
    packs: tuple[str, ...]


def prepare(database: ControlDatabase, when: datetime) -> Prepared:
    """Migrate, and import the packaged years and packs that are missing; idempotent.

    A year or a pack that somebody has imported is never replaced.

    Raises:
        StoreError: one of its kinds.
    """
    before = migrate(database)
    with database.begin() as connection:
        known, years = known_years(connection), []
        for path in sorted(packaged_years().glob("*.csv")):
            days = read_year(path, path.name)
            if days[0].year not in known:
                import_year(connection, days, SYSTEM, when)
                years.append(days[0].year)
        there = set(connection.execute(select(PACKS.c.id)).scalars())
        packs = [path for path in sorted(packaged_packs().glob("*.yaml")) if path.stem not in there]
        for path in packs:
            import_pack(connection, path.read_text(encoding="utf-8"), path.name, SYSTEM, when)
    return Prepared(before, tuple(years), tuple(path.stem for path in packs))
