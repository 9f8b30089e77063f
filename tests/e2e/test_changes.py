"""Every kind of change at a real source has its defined end in canonical and on the grant topics."""

from datetime import date

import pytest

from tests.e2e.live_city import LiveCity
from tests.e2e.people import ELSEWHERE, GRANTED, delete, insert, number, renumber, update

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

HEALTH = "health-persons-gusu"
EDUCATION = "education-persons"
WRONG = "320508199001010018"
PLACEHOLDER = "__debezium_unavailable_value"
BLANKS = " " * 10_000
"""More than a page of a table: five rows' worth of what PostgreSQL still keeps in a row."""


def names_of(city: LiveCity, grant: str) -> set[object]:
    return {value["name"] for value in city.granted(grant).values() if value is not None}


@pytest.mark.requirement("A4-01", "A4-02", "A5-02")
def test_an_insert_reaches_the_canonical_topic_and_each_grant_as_it_may_see_it(city: LiveCity) -> None:
    row = city.new_id()
    city.execute("police", insert(row, number(row % 90_000), name="插入一人"))
    city.settle()
    [(identity, items)] = city.of_record(row).items()
    assert identity == f"resident_id:{number(row % 90_000)}"
    assert items["name"] == "插入一人"
    assert "插入一人" in names_of(city, HEALTH)
    assert "插***" in names_of(city, EDUCATION)
    assert "插入一人" not in names_of(city, EDUCATION)


def test_an_update_replaces_and_a_delete_removes(city: LiveCity) -> None:
    kept, gone = city.new_id(), city.new_id()
    city.execute("police", insert(kept, number(kept % 90_000), name="改前"))
    city.execute("police", insert(gone, number(gone % 90_000), name="将删"))
    city.execute("police", update(kept, name="改后"))
    city.execute("police", delete(gone))
    city.settle()
    assert [items["name"] for items in city.of_record(kept).values()] == ["改后"]
    assert city.of_record(gone) == {}
    assert {"改后"} == names_of(city, HEALTH) & {"改前", "改后", "将删"}


def test_who_moves_out_of_the_granted_district_disappears_there_and_only_there(city: LiveCity) -> None:
    row = city.new_id()
    city.execute("police", insert(row, number(row % 90_000), name="搬家的人"))
    city.execute("police", update(row, household_district=ELSEWHERE))
    city.settle()
    assert [items["household_district"] for items in city.of_record(row).values()] == [ELSEWHERE]
    assert "搬家的人" not in names_of(city, HEALTH)
    assert "搬***" in names_of(city, EDUCATION)


def test_who_moves_out_in_a_stopped_change_disappears_with_the_next_accepted_one(city: LiveCity) -> None:
    row = city.new_id()
    city.execute("police", insert(row, number(row % 90_000), name="误录的人"))
    city.execute("police", update(row, household_district=ELSEWHERE, id_number=WRONG))
    city.execute("police", update(row, id_number=number(row % 90_000)))
    city.settle()
    assert [items["household_district"] for items in city.of_record(row).values()] == [ELSEWHERE]
    assert "误录的人" not in names_of(city, HEALTH)


def test_a_change_of_the_primary_key_moves_the_record(city: LiveCity) -> None:
    old, new = city.new_id(), city.new_id()
    city.execute("police", insert(old, number(old % 90_000), name="换号的人"))
    city.execute("police", update(old, id=new))
    city.settle()
    assert city.of_record(old) == {}
    assert [items["name"] for items in city.of_record(new).values()] == ["换号的人"]


def test_an_identity_corrected_twice_the_first_time_wrongly_leaves_one_record(city: LiveCity) -> None:
    row = city.new_id()
    first, second = number(row % 90_000), number(row % 90_000, date(1991, 1, 1))
    city.execute("police", insert(row, first))
    city.execute("police", update(row, id_number=WRONG))
    city.execute("police", renumber(row, second))
    city.settle()
    assert list(city.of_record(row)) == [f"resident_id:{second}"]
    assert [entry.reason for entry in city.stopped_of(row)] == ["IDENTITY_INVALID"]


@pytest.mark.requirement("A5-01", "A5-04")
def test_names_of_persons_from_another_department_become_claims_and_never_data(city: LiveCity) -> None:
    row = city.new_id()
    columns = "id, id_number, name, address, insurance_type, enrolled_on, monthly_base, status, updated_at"
    values = (row, number(row % 90_000), "人社的名字", "人社的地址", "110", date(2020, 1, 1), "5000.00", "1")
    statement = f"INSERT INTO public.enrolment ({columns}) VALUES ({'%s, ' * 8} now())"
    city.execute("social_security", (statement, values))
    city.settle("social_security")
    assert len(city.of_record(row, "social.enrolment.v1")) == 1
    canonical = b"".join(record.value or b"" for record in city.records("resource.social.enrolment.v1"))
    assert "人社的名字".encode() not in canonical
    claims = b"".join(record.value or b"" for record in city.records("claims.social_security"))
    assert "人社的名字".encode() in claims


def toasted(city: LiveCity, row: int) -> str:
    """Insert a person whose address PostgreSQL keeps out of line; returns the address.

    An item of 200 characters would fit into the row: blanks, which the gate trims, make it too long for that.
    """
    address = "长地址" * 60
    city.execute("police", ("ALTER TABLE public.person ALTER COLUMN address SET STORAGE EXTERNAL", ()))
    before = out_of_line_bytes(city)
    city.execute("police", insert(row, number(row % 90_000), name="大字段前", address=address + BLANKS))
    assert out_of_line_bytes(city) > before, "the value stands in the row: this test would show nothing"
    return address


def out_of_line_bytes(city: LiveCity) -> int:
    """How much of the persons' table is stored out of line."""
    size = "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'public.person'::regclass"
    with city.database("police") as connection, connection.cursor() as cursor:
        cursor.execute(size)
        return int(cursor.fetchone()[0])


def holds(city: LiveCity, topic: str, text: str) -> bool:
    return any(text.encode() in (record.value or b"") for record in city.records(topic))


def test_an_unchanged_large_value_is_delivered_whole(city: LiveCity) -> None:
    row = city.new_id()
    address = toasted(city, row)
    city.execute("police", update(row, name="大字段"))
    city.settle()
    assert city.stopped_of(row) == []
    [items] = city.of_record(row).values()
    assert (items["name"], items["address"]) == ("大字段", address)
    assert not holds(city, "resource.population.person.v1", PLACEHOLDER)


def test_a_large_value_that_the_source_left_out_is_stopped_and_the_next_change_heals_it(
    city: LiveCity,
) -> None:
    row = city.new_id()
    address = toasted(city, row)
    city.execute("police", ("ALTER TABLE public.person REPLICA IDENTITY DEFAULT", ()))
    try:
        city.execute("police", update(row, name="缺大字段"))
    finally:
        city.execute("police", ("ALTER TABLE public.person REPLICA IDENTITY FULL", ()))
    city.settle()
    assert [entry.reason for entry in city.stopped_of(row)] == ["ITEM_UNAVAILABLE"]
    assert holds(city, "raw.police.public.person", PLACEHOLDER)
    for topic in ("resource.population.person.v1", city.topic_of(HEALTH), city.topic_of(EDUCATION)):
        assert not holds(city, topic, PLACEHOLDER)
    [items] = city.of_record(row).values()
    assert (items["name"], items["address"]) == ("大字段前", address)
    assert "缺大字段" not in names_of(city, HEALTH)
    city.execute("police", update(row, name="大字段后"))
    city.settle()
    assert [(items["name"], items["address"]) for items in city.of_record(row).values()] == [
        ("大字段后", address)
    ]


def test_a_column_added_in_flight_does_not_stop_the_stream(city: LiveCity) -> None:
    before, after = city.new_id(), city.new_id()
    city.execute("police", insert(before, number(before % 90_000), name="加列前"))
    city.execute("police", ("ALTER TABLE public.person ADD COLUMN IF NOT EXISTS remark text", ()))
    city.execute("police", insert(after, number(after % 90_000), name="加列后", remark="新列"))
    city.settle()
    assert [items["name"] for items in city.of_record(before).values()] == ["加列前"]
    assert [items["name"] for items in city.of_record(after).values()] == ["加列后"]
    delivered = b"".join(record.value or b"" for record in city.records(city.topic_of(HEALTH)))
    assert "新列".encode() not in delivered, "what nobody declared is delivered to nobody"


def test_a_rolled_back_change_never_appears(city: LiveCity) -> None:
    row = city.new_id()
    with city.database("police") as connection:
        with connection.cursor() as cursor:
            cursor.execute(*insert(row, number(row % 90_000), name="未提交"))
        connection.rollback()
    city.settle()
    assert city.of_record(row) == {}


def test_the_granted_district_is_the_only_one_that_health_sees(city: LiveCity) -> None:
    city.settle()
    districts = {value["household_district"] for value in city.granted(HEALTH).values() if value is not None}
    assert districts == {GRANTED}


def test_the_books_close(city: LiveCity) -> None:
    city.settle()
    answer = city.balance()
    assert answer["differences"] == []
    assert answer["closed"] is True
    assert answer["sums"]["raw"] > 0
