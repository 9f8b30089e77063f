"""Nothing is lost on the whole way: the source table says what all topics must hold afterwards."""

import io
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import ELSEWHERE, GRANTED, birth_of, number
from tests.e2e.settling import ends_of
from topics.event import TopicName

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

EDUCATION, HEALTH = "education-persons", "health-persons-gusu"
RAW = TopicName("raw.police.public.person")
ROWS = 3_000
COLUMNS = ("id", "id_number", "name", "birth_date", "sex", "address", "household_district", "updated_at")


def rows(city: LiveCity) -> list[tuple[object, ...]]:
    """Valid persons of two districts, none of whom the city knows."""
    found: list[tuple[object, ...]] = []
    for each in range(ROWS):
        row, resident = city.new_id(), number(40_000 + each)
        district = GRANTED if each % 2 else ELSEWHERE
        name, born = f"第{each}人", str(birth_of(resident))
        found.append((row, resident, name, born, "1", f"平江路{each}号", district, "2026-01-01"))
    return found


def copied(city: LiveCity, persons: list[tuple[object, ...]]) -> None:
    """COPY: hundreds of rows share one position in the log."""
    lines = "".join("\t".join(map(str, person)) + "\n" for person in persons)
    with city.database("police") as connection, connection, connection.cursor() as cursor:
        cursor.copy_expert(f"COPY public.person ({', '.join(COLUMNS)}) FROM STDIN", io.StringIO(lines))


def inserted(city: LiveCity, persons: list[tuple[object, ...]]) -> None:
    """One INSERT with many rows."""
    places = ", ".join([f"({', '.join(['%s'] * len(COLUMNS))})"] * len(persons))
    values = tuple(value for person in persons for value in person)
    city.execute("police", (f"INSERT INTO public.person ({', '.join(COLUMNS)}) VALUES {places}", values))


def raw_records(city: LiveCity) -> int:
    with city.story.lookup() as lookup:
        return sum(ends_of(lookup.reader, RAW).values())


@pytest.mark.requirement("A4-01", "A5-08")
@pytest.mark.parametrize("write", [copied, inserted])
def test_a_capture_killed_inside_one_statement_leaves_every_topic_equal_to_the_table(
    city: LiveCity, write: Callable[[LiveCity, list[tuple[object, ...]]], None]
) -> None:
    persons = rows(city)
    before = raw_records(city)
    try:
        write(city, persons)
        wait_until(lambda: raw_records(city) > before, "the first of them to be captured")
        os.kill(city.pid("connect"), signal.SIGKILL)
        city.stack.up()
        city.settle()
        assert_equal_to_the_table(city)
    finally:
        ids = tuple(person[0] for person in persons)
        city.execute("police", ("DELETE FROM public.person WHERE id IN %s", (ids,)))
    city.settle()
    assert_equal_to_the_table(city)


def assert_equal_to_the_table(city: LiveCity) -> None:
    """Canonical rows are the table's, but for those that are stopped; grants are projections of them."""
    with city.database("police") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, trim(name), trim(address), household_district FROM public.person")
        table = {str(row): (name, address, district) for row, name, address, district in cursor.fetchall()}
    canonical = city.canonical()
    held = {
        row: (items["name"], items["address"], items["household_district"])
        for (_, row), items in canonical.items()
    }
    assert len(held) == len(canonical), "no row stands under two identities"
    with city.story.lookup() as lookup:
        stopped = {str((lookup.decoder.key(entry.raw) or {}).get("id")) for entry in city.quarantined()}
    missing = table.keys() - held.keys()
    assert missing <= stopped, "what is missing was stopped, with a reason"
    assert held.keys() <= table.keys()
    assert {row: held[row] for row in held if row not in stopped} == {
        row: table[row] for row in held if row not in stopped
    }
    assert_projected(city, list(canonical.values()))
    answer = city.balance()
    assert (answer["differences"], answer["closed"]) == ([], True)


def assert_projected(city: LiveCity, canonical: list[dict[str, Any]]) -> None:
    delivered = [value for value in city.granted(HEALTH).values() if value is not None]
    inside = [items for items in canonical if items["household_district"] == GRANTED]
    assert sorted(each["address"] or "" for each in delivered) == sorted(
        each["address"] or "" for each in inside
    )
    assert {each["household_district"] for each in delivered} == {GRANTED}
    masked = [value for value in city.granted(EDUCATION).values() if value is not None]
    assert sorted(str(each["name"])[:1] for each in masked) == sorted(
        str(each["name"])[:1] for each in canonical
    )
