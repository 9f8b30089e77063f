"""The floor by the packs that are adopted now, from the control plane's database."""

from collections.abc import Callable

from sqlalchemy import Connection

from services.control.retention.floor import KEY, UNKNOWN, Floor, floor_of
from services.control.store.cases.policies import adopted
from services.control.store.database import ControlDatabase
from services.control.store.errors import StoreError
from services.control.store.migrate import Standing, current


def adopted_floor(connection: Connection) -> Floor:
    """The floor of the newest adoption; six months before the first."""
    found = adopted(connection)
    return floor_of(() if found is None else found.policy.decide(KEY, {}))


def asked_floor(open_database: Callable[[], ControlDatabase]) -> Floor:
    """The same of a database that may not be there: the floor is then not known, and nothing is shortened."""
    try:
        database = open_database()
    except StoreError:
        return UNKNOWN
    try:
        if current(database).standing is not Standing.CURRENT:
            return UNKNOWN
        with database.reading() as connection:
            return adopted_floor(connection)
    except StoreError:
        return UNKNOWN
    finally:
        database.close()
