"""Everyday changes at the police's database, one transaction each, to see the bus under way."""

import random
from collections.abc import Iterator
from contextlib import closing

import psycopg2

from services.demo.databases import POLICE, STORY_IDS, database_dsn
from services.demo.people import address_in
from services.demo.places import GRANTED_DISTRICT

_PICK = 1_000
_MOVE = "UPDATE public.person SET address = %s, updated_at = now() AT TIME ZONE 'UTC' WHERE id = %s"


def play_traffic(admin_dsn: str, changes: int, rng: random.Random) -> Iterator[str]:
    """Give persons of the granted district new addresses inside it; yields each record id once committed.

    The next change happens when the next item is asked for. Rows with a mistake keep it, and stop again.

    Raises:
        psycopg2.Error: the server cannot be reached or refuses.
        RuntimeError: nobody lives in the district: load the city first.
    """
    with closing(psycopg2.connect(database_dsn(admin_dsn, POLICE))) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM public.person WHERE household_district = %s AND id < %s ORDER BY id LIMIT %s",
                (GRANTED_DISTRICT, STORY_IDS, _PICK),
            )
            records = [int(found[0]) for found in cursor.fetchall()]
        if not records:
            raise RuntimeError(f"nobody lives in district {GRANTED_DISTRICT}: load the city first")
        for _ in range(changes):
            record = rng.choice(records)
            with connection, connection.cursor() as cursor:
                cursor.execute(_MOVE, (address_in(rng, GRANTED_DISTRICT), record))
            yield str(record)
