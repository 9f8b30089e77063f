"""The city's databases on a real PostgreSQL: made, opened for capture only, filled, played."""

from contextlib import closing
from datetime import date
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from producers.connector import publication_name
from services.demo.city import CITY_DAY, generate_persons
from services.demo.databases import (
    MARKET,
    POLICE,
    SOCIAL,
    STORY_IDS,
    TABLES,
    create_city,
    database_dsn,
    load_city,
)
from services.demo.latency import Addresses
from services.demo.places import GRANTED_DISTRICT
from services.demo.rows import ACCEPTED
from services.demo.story import (
    CHEN,
    COMPANY,
    ENROLMENT,
    LIN,
    OUYANG,
    ZHOU,
    ZHOU_RENUMBERED,
    cast,
    corrected_number,
    number_of,
    play_changes,
    prepare_cast,
    steps,
)
from services.demo.traffic import play_traffic
from tests.unit.demo.judged import CITY, judge, seeded
from topics.event import ProviderId
from topics.resource import CapturedTable

PASSWORDS = {provider: f"secret of {provider}'s" for provider in TABLES}


@pytest.fixture(scope="module")
def city(admin_dsn: str) -> str:
    create_city(admin_dsn, PASSWORDS)
    create_city(admin_dsn, PASSWORDS)
    return admin_dsn


def query(dsn: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def capture_dsn(admin_dsn: str, provider: ProviderId) -> str:
    table = TABLES[provider]
    dsn = database_dsn(admin_dsn, provider)
    return str(make_dsn(dsn, user=table.capture_role, password=PASSWORDS[provider]))


@pytest.mark.parametrize("provider", TABLES)
def test_each_table_is_as_its_resource_declares_it(city: str, provider: ProviderId) -> None:
    table = TABLES[provider]
    resource = next(each for each in CITY.resources.values() if each.provider == provider)
    assert isinstance(resource.source, CapturedTable)
    assert (resource.source.schema_name, resource.source.table) == ("public", table.name)
    assert resource.source.primary_key == ("id",)
    assert CITY.providers[provider].database == table.database
    declared = {item.source_column for item in resource.items} | {
        each.column for each in resource.foreign_items
    }
    assert declared <= set(table.column_names)
    assert set(table.column_names) - declared <= {"id"}


@pytest.mark.parametrize("provider", TABLES)
def test_capture_sees_whole_old_rows_of_exactly_one_table(city: str, provider: ProviderId) -> None:
    dsn = database_dsn(city, provider)
    assert query(
        dsn, "SELECT tablename FROM pg_publication_tables WHERE pubname = %s", publication_name(provider)
    ) == [(TABLES[provider].name,)]
    assert query(dsn, "SELECT relreplident FROM pg_class WHERE relname = %s", TABLES[provider].name) == [
        ("f",)
    ]


@pytest.mark.parametrize("provider", TABLES)
def test_the_capture_role_replicates_and_reads_its_own_table_and_nothing_else(
    city: str, provider: ProviderId
) -> None:
    table = TABLES[provider]
    dsn = capture_dsn(city, provider)
    query(dsn, f"SELECT count(*) FROM public.{table.name}")
    wanted = "rolreplication, rolsuper, rolcreatedb, rolcreaterole"
    rights = query(dsn, f"SELECT {wanted} FROM pg_roles WHERE rolname = %s", table.capture_role)
    assert rights == [(True, False, False, False)]
    for forbidden in (f"DELETE FROM public.{table.name} RETURNING id", "CREATE TABLE public.mine (id int)"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            query(dsn, forbidden)
    other = MARKET if provider is POLICE else POLICE
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        query(str(make_dsn(dsn, dbname=TABLES[other].database)), "SELECT 1")


def test_loading_twice_adds_only_what_a_larger_city_has_more(city: str) -> None:
    seen: list[tuple[str, int, int]] = []
    first = load_city(city, 300, seed=5, progress=lambda *step: seen.append(step))
    assert first[POLICE] == 300
    assert first[MARKET] == 30
    assert first[SOCIAL] > 200
    assert {name for name, _, _ in seen} == {"person", "enterprise", "enrolment"}
    assert all(done <= wanted for _, done, wanted in seen)
    assert load_city(city, 300, seed=5) == {POLICE: 0, MARKET: 0, SOCIAL: 0}
    more = load_city(city, 320, seed=5)
    assert (more[POLICE], more[MARKET]) == (20, 2)
    stored = query(
        database_dsn(city, POLICE), "SELECT * FROM public.person WHERE id < %s ORDER BY id", STORY_IDS
    )
    expected = generate_persons(320, seeded("5:persons"), CITY_DAY)
    assert stored == [
        tuple(getattr(each.row, name) for name in TABLES[POLICE].column_names) for each in expected
    ]


def test_latency_is_measured_over_persons_whom_the_gate_accepts(city: str) -> None:
    load_city(city, 300, seed=5)
    addresses = Addresses(city)
    generated = list(generate_persons(300, seeded("5:persons"), CITY_DAY))
    stopped = [each.row.id for each in generated if each.expected.outcome != ACCEPTED]
    assert stopped, "or this shows nothing"
    changed = "SELECT id FROM public.person WHERE id < %s AND xmin::text::bigint >= %s ORDER BY id"
    [(begin,)] = query(database_dsn(city, POLICE), "SELECT pg_current_xact_id()::text::bigint")
    before = addresses.source_clock_ms()
    assert len(list(addresses.change(300, lambda _seconds: None))) == 300
    touched = {row[0] for row in query(database_dsn(city, POLICE), changed, STORY_IDS, begin)}
    assert len(touched) > 200
    assert touched.isdisjoint(stopped)
    assert addresses.source_clock_ms() >= before


def test_everyday_changes_touch_only_addresses_in_the_granted_district(city: str) -> None:
    load_city(city, 300, seed=5)
    everything = "SELECT id, id_number, household_district, address FROM public.person ORDER BY id"
    before = {row[0]: row for row in query(database_dsn(city, POLICE), everything)}
    touched = {int(record) for record in play_traffic(city, 25, seeded(1))}
    after = {row[0]: row for row in query(database_dsn(city, POLICE), everything)}
    assert {record for record, row in after.items() if row != before[record]} == touched
    assert all(after[record][:3] == before[record][:3] for record in after)
    assert {after[record][2] for record in touched} == {GRANTED_DISTRICT}


def test_the_story_can_be_told_twice_and_ends_the_same(city: str) -> None:
    ends = []
    for _ in range(2):
        prepare_cast(city)
        told = list(play_changes(city))
        assert [each.name for each in told] == [each.told.name for each in steps()]
        assert all(each.description and each.expected and each.record_ids for each in told)
        columns = "id, id_number, name, birth_date, household_district"
        people = f"SELECT {columns} FROM public.person WHERE id >= %s ORDER BY id"
        ends.append(query(database_dsn(city, POLICE), people, STORY_IDS))
    assert ends[0] == ends[1]
    assert ends[0] == [
        (LIN, number_of(CHEN), "林婉清", date(1992, 7, 15), "320506"),
        (OUYANG, corrected_number(), "欧阳𬭎", date(1965, 10, 21), "320506"),
        (ZHOU_RENUMBERED, number_of(ZHOU), "周𠮷安", date(1979, 1, 30), GRANTED_DISTRICT),
    ]


def test_every_state_of_the_story_is_judged_as_it_is_told(city: str) -> None:
    prepare_cast(city)
    for provider, row in cast():
        assert judge(_resource_of(provider), row, date(2026, 1, 1)).outcome == "accepted"
    refused = {}
    for told in play_changes(city):
        outcomes = {_outcome(city, told.provider, int(record)) for record in told.record_ids} - {None}
        if outcomes not in ({"accepted"}, set()):
            refused[told.name] = outcomes
    assert refused == {
        "mistyped-while-moving": {"IDENTITY_INVALID"},
        "company-with-impossible-term": {"QUALITY"},
    }


def test_the_meddling_enrolment_claims_what_the_police_own(city: str) -> None:
    prepare_cast(city)
    list(play_changes(city))
    row = _row(city, SOCIAL, ENROLMENT)
    assert judge("social.enrolment.v1", row, date(2026, 1, 1)).claims == ("name", "address")
    assert _row(city, POLICE, ZHOU_RENUMBERED).name != row.name
    assert _row(city, MARKET, COMPANY).status == "3"


def test_a_story_without_its_cast_says_so(city: str) -> None:
    prepare_cast(city)
    query(database_dsn(city, POLICE), "DELETE FROM public.person WHERE id >= %s RETURNING id", STORY_IDS)
    with pytest.raises(RuntimeError, match="prepare the cast"):
        next(play_changes(city))


def _resource_of(provider: ProviderId) -> str:
    return next(each.id for each in CITY.resources.values() if each.provider == provider)


def _row(dsn: str, provider: ProviderId, record: int) -> Any:
    table = TABLES[provider]
    names = ", ".join(table.column_names)
    found = query(
        database_dsn(dsn, provider), f"SELECT {names} FROM public.{table.name} WHERE id = %s", record
    )
    return table.row(*found[0]) if found else None


def _outcome(dsn: str, provider: ProviderId, record: int) -> str | None:
    row = _row(dsn, provider, record)
    return None if row is None else judge(_resource_of(provider), row, date(2026, 1, 1)).outcome
