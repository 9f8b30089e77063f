"""How long a reconciliation takes, and how much memory, with a generated table on the real parts.

    python -m tests.bench.reconcile --rows 1000000

Makes a stack of its own with the sample city, adds so many persons to the police's table, waits until capture
and gate have brought them to the canonical topic, and compares. Prints one JSON object for each run: of the
equal sides, and of a table in which a thousand rows differ from the topic.
"""

import argparse
import io
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice

import psycopg2

from producers.connector import slot_name
from services.cli.plan import access_of
from services.cli.policy import current_policy
from services.reconcile.opening import Opening
from services.reconcile.run import Found, Wish
from services.stack.api import Stack
from tests.e2e.live_city import LiveCity
from tests.e2e.people import birth_of, number
from tests.stack_fixture import settings_for, temporary_home
from topics.event import ProviderId, ResourceId
from topics.names import GATE_GROUP, fanout_group

PERSONS = ResourceId("population.person.v1")
_CHUNK = 20_000
_AREAS = (
    *(f"3205{last}" for last in ("05", "06", "07", "08", "09", "81", "82", "83", "85")),
    *(f"3201{last}" for last in ("02", "04", "05")),
)
_PER_AREA = 99_800


def lines(rows: int) -> Iterator[str]:
    """The rows in PostgreSQL's text form for COPY; every number is another and valid."""
    for row in range(rows):
        area, sequence = _AREAS[row // _PER_AREA % len(_AREAS)], row % _PER_AREA
        id_number = number(sequence, area=area)
        if row >= _PER_AREA * len(_AREAS):
            raise SystemExit("there are not so many numbers")
        yield (
            f"{10_000_000 + row}\t{id_number}\t居民{row}\t{birth_of(id_number)}\t1\t"
            f"平江路{row % 1000}号{row % 50}幢{row % 12}室\t{area}\t2026-01-01 00:00:00\n"
        )


def load(city: LiveCity, rows: int) -> None:
    """COPY them, so many in a transaction."""
    columns = "id, id_number, name, birth_date, sex, address, household_district, updated_at"
    with city.database("police") as connection:
        generated = lines(rows)
        while chunk := list(islice(generated, _CHUNK)):
            with connection, connection.cursor() as cursor:
                cursor.copy_expert(f"COPY public.person ({columns}) FROM STDIN", io.StringIO("".join(chunk)))


def await_settled(city: LiveCity, patience_s: float) -> None:
    """Until everything of the source is in the canonical topic."""
    slot, began = slot_name(ProviderId("police")), time.monotonic()
    with city.database("police") as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
        (position,) = cursor.fetchone() or ("0/0",)
        question = "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s"
        while time.monotonic() - began < patience_s:
            cursor.execute(question, (position, slot))
            if (cursor.fetchone() or (False,))[0]:
                break
            time.sleep(2)
        cursor.execute("ANALYZE public.person")
    print(f"captured after {time.monotonic() - began:.0f} s", file=sys.stderr)


def say(text: str) -> None:
    print(text, file=sys.stderr)


def compare(city: LiveCity, patience_s: float) -> Found:
    """Compare once gate and fan-out have nothing left to do: they would take the processors meanwhile."""
    policy = current_policy(city.stack)
    assert policy is not None
    with city.story.lookup() as lookup:
        opening = Opening(access_of(city.stack), lookup, policy, (), say)
        reconciliation = opening.reconciliation(PERSONS, Wish(wait_s=patience_s))
        bus, resource = reconciliation.bus, reconciliation.entry.resource
        readers = {GATE_GROUP: resource.raw_topic} | {
            fanout_group(each.grant.group): resource.canonical_topic
            for each in policy.grants.values()
            if each.grant.resource == PERSONS
        }
        for group, topic in readers.items():
            bus.await_group(group, bus.ends(topic), topic, bus.clock() + patience_s)
            say(f"{group} has read {topic}")
        return reconciliation.run(datetime.now(UTC))


def differ(city: LiveCity) -> None:
    """Let a thousand rows differ without the capture's seeing it: triggers and publication are passed by."""
    dsn = city.story.admin_dsn
    with closing(psycopg2.connect(dsn, dbname="police")) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER PUBLICATION govbus_police DROP TABLE public.person")
        cursor.execute("UPDATE public.person SET name = name || '改' WHERE id % 1000 = 0 AND id >= 10000000")
        connection.commit()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--patience", type=float, default=3_000)
    asked = parser.parse_args()
    stack = Stack(settings_for(temporary_home()))
    try:
        stack.up()
        city = LiveCity.found(stack)
        load(city, asked.rows)
        await_settled(city, asked.patience)
        for change in (None, differ):
            if change is not None:
                change(city)
            answer = compare(city, asked.patience).answer.document()
            chosen = ("cut", "source", "canonical", "differences", "ranges", "seconds", "peak_mb")
            print(json.dumps({name: answer[name] for name in chosen}), flush=True)
    finally:
        stack.reset()
        shutil.rmtree(stack.settings.home, ignore_errors=True)


if __name__ == "__main__":
    main()
