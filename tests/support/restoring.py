"""The control plane's cases as a backup would bring them back: the rows of an earlier moment."""

from typing import Final

from sqlalchemy import text

from services.control.store.cases.tables import CASES, CLOCKS, EVENTS, STEPS
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from services.control.store.provisioning.tables import GRANT_WORKS

_TABLES: Final = tuple(table.name for table in (CASES, EVENTS, STEPS, CLOCKS, GRANT_WORKS, OUTBOX))


def back_up(database: ControlDatabase) -> None:
    """Keep everything that stands of cases now."""
    with database.begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS backup CASCADE"))
        connection.execute(text("CREATE SCHEMA backup"))
        for table in _TABLES:
            connection.execute(text(f"CREATE TABLE backup.{table} AS TABLE public.{table}"))


def restore(database: ControlDatabase) -> None:
    """Bring that moment back; what happened since is lost."""
    with database.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(_TABLES)} CASCADE"))
        for table in _TABLES:
            whole = f"INSERT INTO public.{table} OVERRIDING SYSTEM VALUE SELECT * FROM backup.{table}"
            connection.execute(text(whole))
        connection.execute(text("DROP SCHEMA backup CASCADE"))
