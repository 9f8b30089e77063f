"""A table is read in parts that together are the table at the cut, whatever happens to it meanwhile."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from services.control.access import CaptureSource
from services.gate.plan import compile_gate
from services.reconcile.cut import Connection, connect, join_cut, open_cut
from services.reconcile.scan import Scanned, SourceTable, together
from tests.database_fixture import DatabaseOnly
from tests.support.policy import sample_policy
from topics.event import ResourceId

ROWS = 20_000
PLAN = next(
    plan
    for plan in compile_gate(sample_policy()).sources.values()
    if plan.resource.id == ResourceId("population.person.v1")
)


@pytest.fixture
def source(database_server: DatabaseOnly) -> CaptureSource:
    """A database of a provider with many persons."""
    database_server.create_database("parted", "parted_owner", "a password of a test")
    source = CaptureSource(
        host="127.0.0.1",
        port=database_server.settings.postgres_port,
        database="parted",
        user="parted_owner",
        password="a password of a test",
    )
    with closing(connect(source)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS public.person")
        cursor.execute(
            "CREATE TABLE public.person (id bigint PRIMARY KEY, id_number text, name text, birth_date date,"
            " sex text, address text, household_district text, updated_at timestamp(3))"
        )
        cursor.execute(
            "INSERT INTO public.person SELECT n, n::text, repeat('x', 200), '1990-01-01', '1', '', '', now()"
            " FROM generate_series(1, %s) AS n",
            (ROWS,),
        )
    return source


@pytest.fixture
def cut(source: CaptureSource) -> Iterator[tuple[Connection, str]]:
    """The table at a cut, after which half of its rows were changed and some were deleted."""
    with open_cut(source) as (connection, made):
        with closing(connect(source)) as other, other, other.cursor() as cursor:
            cursor.execute("UPDATE public.person SET name = 'later' WHERE id % 2 = 0")
            cursor.execute("DELETE FROM public.person WHERE id % 7 = 0")
            cursor.execute("INSERT INTO public.person (id, name) VALUES (-1, 'later')")
        yield connection, made.token


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_every_row_of_the_cut_is_in_one_part(
    source: CaptureSource, cut: tuple[Connection, str], most: int
) -> None:
    at_cut, token = cut
    parts = SourceTable(at_cut, PLAN).parts(most)
    assert len(parts) == most
    found: list[int] = []
    for part in parts:
        with closing(connect(source)) as connection:
            join_cut(connection, token)
            rows = [row for batch in SourceTable(connection, PLAN).batches(part) for row in batch]
        assert "later" not in {row["name"] for row in rows}
        assert len(rows) < ROWS or most == 1, "no part is the whole"
        found += [int(str(row["id"])) for row in rows]
    assert sorted(found) == list(range(1, ROWS + 1))


def test_a_small_table_is_not_divided(source: CaptureSource) -> None:
    with closing(connect(source)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE public.person")
        assert SourceTable(connection, PLAN).parts(2) == ["true"]


def test_parts_add_up() -> None:
    one = Scanned([(1, 5), (2, 2**128 - 1)], rows=3, stopped=1, seconds=2.0)
    other = Scanned([(0, 0), (1, 2)], rows=1, stopped=0, seconds=3.0)
    assert together([one, other]) == Scanned([(1, 5), (3, 1)], rows=4, stopped=1, seconds=3.0)
