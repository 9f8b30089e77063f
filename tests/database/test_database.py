"""The control plane's database: who gets in, what waits how long, and what failures are called."""

import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from services.control.store.database import (
    PASSWORD_VARIABLE,
    URL_VARIABLE,
    Address,
    ControlDatabase,
    Patience,
    take_back,
)
from services.control.store.errors import RepeatTransaction, RestorePassword, StartControlDatabase
from services.stack.probes import HOST
from tests.database_fixture import DatabaseOnly
from tests.support.ports import free_ports


@pytest.fixture
def quick(database_server: DatabaseOnly) -> Iterator[ControlDatabase]:
    """A database whose users wait a moment only, with one table."""
    with database_server.opened("quick", Patience(lock_ms=100, statement_ms=400)) as database:
        with database.begin() as connection:
            connection.execute(text("DROP TABLE IF EXISTS a"))
            connection.execute(text("CREATE TABLE a (n integer)"))
            connection.execute(text("INSERT INTO a VALUES (1)"))
        yield database


def numbers(database: ControlDatabase) -> list[int]:
    with database.begin() as connection:
        return list(connection.execute(text("SELECT n FROM a ORDER BY n")).scalars())


def test_what_raises_within_a_transaction_leaves_nothing(quick: ControlDatabase) -> None:
    def broken() -> None:
        with quick.begin() as connection:
            connection.execute(text("INSERT INTO a VALUES (2)"))
            raise LookupError

    with pytest.raises(LookupError):
        broken()
    with quick.begin() as connection:
        connection.execute(text("INSERT INTO a VALUES (3)"))
        take_back(connection)
    assert numbers(quick) == [1]


def test_sessions_count_in_utc_and_wait_only_so_long(quick: ControlDatabase) -> None:
    with quick.begin() as connection:
        shown = [
            connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("timezone", "lock_timeout", "statement_timeout")
        ]
    assert shown == ["UTC", "100ms", "400ms"]


def test_a_row_that_somebody_holds_is_not_waited_for_for_ever(quick: ControlDatabase) -> None:
    with quick.begin() as holding:
        holding.execute(text("UPDATE a SET n = 5"))
        with pytest.raises(RepeatTransaction, match="try again"), quick.begin() as waiting:
            waiting.execute(text("UPDATE a SET n = 6"))
    assert numbers(quick) == [5]


def test_a_statement_that_takes_too_long_is_ended(quick: ControlDatabase) -> None:
    with pytest.raises(RepeatTransaction, match="longer"), quick.begin() as connection:
        connection.execute(text("SELECT count(*) FROM generate_series(1, 1000000000)"))


def test_two_transactions_that_wait_for_one_another_are_told_apart(database_server: DatabaseOnly) -> None:
    with database_server.opened("quick", Patience(lock_ms=20_000)) as database:
        with database.begin() as connection:
            connection.execute(text("DROP TABLE IF EXISTS b"))
            connection.execute(text("CREATE TABLE b (n integer)"))
            connection.execute(text("INSERT INTO b VALUES (1), (2)"))
        met, ended = threading.Barrier(2, timeout=20), []

        def change(first: int, second: int) -> None:
            try:
                with database.begin() as connection:
                    connection.execute(text("UPDATE b SET n = n WHERE n = :n"), {"n": first})
                    met.wait()
                    connection.execute(text("UPDATE b SET n = n WHERE n = :n"), {"n": second})
                ended.append("done")
            except RepeatTransaction:
                ended.append("again")

        threads = [threading.Thread(target=change, args=pair) for pair in ((1, 2), (2, 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(ended) == ["again", "done"]


def test_a_server_that_is_down_is_named_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret of the database")
    file.chmod(0o600)
    database = ControlDatabase(Address.at(HOST, free_ports(1)[0], "control", "control", file))
    with pytest.raises(StartControlDatabase, match="control plane's database") as told, database.begin():
        pass
    assert "secret of the database" not in str(told.value)


def test_a_wrong_password_is_refused_and_not_repeated(database_server: DatabaseOnly, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("a wrong one")
    file.chmod(0o600)
    address = Address(database_server.address().url, file)
    database = ControlDatabase(address)
    with pytest.raises(StartControlDatabase) as told, database.begin():
        pass
    assert "a wrong one" not in str(told.value)
    # Read anew at each connection: a password that is put right counts at once.
    file.write_text(database_server.secret("postgres-control"))
    with database.begin() as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == "control"
    database.close()


@pytest.mark.parametrize(("content", "mode"), [("", 0o600), ("open to all", 0o644), (None, 0)])
def test_a_password_that_is_missing_or_open_to_others_is_not_used(
    content: str | None, mode: int, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    database = ControlDatabase(Address.at(HOST, 1, "control", "control", file))
    with pytest.raises(RestorePassword, match="password file"), database.begin():
        pass


def test_an_address_with_a_password_in_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RestorePassword, match=PASSWORD_VARIABLE):
        ControlDatabase(Address("postgresql://control:secret@localhost/control", tmp_path))


def test_the_environment_names_another_database_part_by_part(tmp_path: Path) -> None:
    own = Address.at(HOST, 25432, "control", "control", tmp_path / "own")
    assert Address.from_environment(own, {}) == own
    elsewhere = {URL_VARIABLE: "postgresql://c@db.example/c", PASSWORD_VARIABLE: "/run/secret"}
    assert Address.from_environment(own, elsewhere) == Address(elsewhere[URL_VARIABLE], Path("/run/secret"))
    assert (
        Address.from_environment(own, {URL_VARIABLE: "postgresql://c@h/c"}).password_file == own.password_file
    )


def test_values_of_rows_stand_in_no_error(quick: ControlDatabase) -> None:
    with pytest.raises(Exception) as told, quick.begin() as connection:  # noqa: PT011 - whatever it is
        connection.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "王小明"})
    assert "王小明" not in "".join(traceback.format_exception(told.value)).replace('{"name": "王小明"}', "")


def test_the_owner_of_the_control_plane_enters_no_other_database(database_server: DatabaseOnly) -> None:
    for other in ("postgres", "registry"):
        with pytest.raises(StartControlDatabase), ControlDatabase(database_server.address(other)).begin():
            pass
    with database_server.opened() as database, database.begin() as connection:
        rights = connection.execute(
            text(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
                " FROM pg_roles WHERE rolname = current_user"
            )
        )
        assert rights.scalar_one() is False


def test_who_reads_sees_one_moment_and_changes_nothing(quick: ControlDatabase) -> None:
    with quick.reading() as reader:
        before = reader.execute(text("SELECT count(*) FROM a")).scalar_one()
        with quick.begin() as writer:
            writer.execute(text("INSERT INTO a VALUES (2)"))
        assert reader.execute(text("SELECT count(*) FROM a")).scalar_one() == before
    with pytest.raises(Exception, match="read-only"), quick.reading() as reader:
        reader.execute(text("DELETE FROM a"))
    assert numbers(quick) == [1, 2], "and who writes afterwards on the same connections may"
    with quick.begin() as writer:
        writer.execute(text("DELETE FROM a WHERE n = 2"))
