"""The control plane's PostgreSQL: how it is reached, how long anything may wait, what failures mean.

The address never holds the password: it is read from its file at each new connection, so that no log or error
can show it and a changed one counts from then on. Readers and writers get a connection that is inside a
transaction; who opens the transaction decides what belongs together.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from services.control.store.errors import RepeatTransaction, RestorePassword, StartControlDatabase

URL_VARIABLE: Final = "GOVBUS_CONTROL_URL"
PASSWORD_VARIABLE: Final = "GOVBUS_CONTROL_PASSWORD_FILE"  # noqa: S105 - the name of a variable
_DRIVER: Final = "postgresql+psycopg2"
_CONNECT_TIMEOUT_S: Final = 5
_TASK_LOCK: Final = 4_207_003
"""Of PostgreSQL's advisory locks those that let one process be at a task at a time."""
_POOL: Final = 5
_OVERFLOW: Final = 10
_AGAIN: Final = {
    "55P03": "somebody else holds the same rows",
    "40P01": "two transactions waited for one another",
    "40001": "two transactions contradicted one another",
    "57014": "it took longer than a statement may",
}
"""SQLSTATEs after which nothing was written and the same may be tried again."""
_GONE: Final = ("08", "28", "3D", "53", "57")
"""Classes of SQLSTATE that say that the server cannot serve, or does not let us in."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is, without the password, and the file that holds it."""

    url: str
    password_file: Path

    @classmethod
    def from_environment(cls, default: "Address", environ: Mapping[str, str] | None = None) -> "Address":
        """The address that the environment names, part by part; the default's where it is silent."""
        environ = os.environ if environ is None else environ
        file = environ.get(PASSWORD_VARIABLE, "")
        return cls(
            environ.get(URL_VARIABLE, "") or default.url, Path(file) if file else default.password_file
        )

    @classmethod
    def at(cls, host: str, port: int, database: str, user: str, password_file: Path) -> "Address":
        """The address of a database by its parts."""
        return cls(f"postgresql://{user}@{host}:{port}/{database}", password_file)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long anything may wait before it fails, in milliseconds."""

    lock_ms: int = 3_000
    """For rows or tables that another transaction holds."""
    statement_ms: int = 15_000
    """For the answer to one statement."""
    idle_ms: int = 60_000
    """Between two statements of one transaction: a hung program must not hold rows for ever."""

    @property
    def options(self) -> str:
        """The same as options of a session, which counts in UTC."""
        return (
            f"-c lock_timeout={self.lock_ms} -c statement_timeout={self.statement_ms}"
            f" -c idle_in_transaction_session_timeout={self.idle_ms} -c timezone=UTC"
        )


class Task(StrEnum):
    """What one process does at a time; the order of these is part of their locks."""

    CASES = "cases"
    TICKETS = "tickets"
    GRANTS = "grants"
    COLLECTOR = "collector"
    CATALOGUE = "catalogue"
    CREDENTIALS = "credentials"
    RETIREMENTS = "retirements"
    RULINGS = "rulings"
    EVIDENCE = "evidence"
    FORGETTING = "forgetting"
    RETENTION = "retention"
    CENSUS = "census"
    TRACE = "trace"
    ACQUIRED = "acquired"
    RECOVERY = "recovery"
    REDELIVERED = "redelivered"
    RECEIPTS = "receipts"


class ControlDatabase:
    """One database of the control plane; safe to share between threads, not over a fork."""

    def __init__(self, address: Address, patience: Patience | None = None, program: str = "govbus") -> None:
        url = make_url(address.url)
        if url.password is not None:
            raise RestorePassword(f"{URL_VARIABLE} holds a password; write it to {PASSWORD_VARIABLE}'s file")
        self._where = f"{url.host}:{url.port or 5432}/{url.database}"
        self._engine = create_engine(
            url.set(drivername=_DRIVER),
            # Values of rows must not stand in errors.
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=_POOL,
            max_overflow=_OVERFLOW,
            pool_timeout=_CONNECT_TIMEOUT_S,
            connect_args={
                "connect_timeout": _CONNECT_TIMEOUT_S,
                "options": (patience or Patience()).options,
                "application_name": program,
            },
        )

        @event.listens_for(self._engine, "do_connect")
        def log_in(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
            options["password"] = _password(address.password_file)

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine, for tools that want it; ``begin`` is the way of everybody else."""
        return self._engine

    @property
    def where(self) -> str:
        """Host, port and name, for messages."""
        return self._where

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A connection in a transaction: committed at the end of the block, rolled back if it raises.

        Raises:
            StartControlDatabase: nobody answers, or nobody lets us in.
            RestorePassword: the password cannot be read.
            RepeatTransaction: somebody else was in the way; nothing was written.
        """
        with self._named(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees everything as it was at one moment, and changes nothing.

        Raises:
            StartControlDatabase, RestorePassword, RepeatTransaction: as ``begin`` does.
        """
        with self._named(), self._engine.connect() as connection:
            still = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with still.begin():
                yield still

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of which each statement is a transaction of its own: for locks that a session holds.

        Raises:
            StartControlDatabase, RestorePassword, RepeatTransaction: as ``begin`` does.
        """
        with self._named(), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def alone(self, task: Task) -> Iterator[bool]:
        """Whether nobody else, here or in another process, is at a task; it is ours until the block ends.

        No transaction is open meanwhile, so the task may take its time. Where the connection is lost, another
        may begin: whatever is done must be harmless twice.

        Raises:
            StartControlDatabase, RestorePassword: as ``begin`` does.
        """
        with self._named(), self._engine.connect() as connection:
            free = connection.execution_options(isolation_level="AUTOCOMMIT")
            place = {"group": _TASK_LOCK, "task": list(Task).index(task)}
            ours = bool(free.execute(text("SELECT pg_try_advisory_lock(:group, :task)"), place).scalar_one())
            try:
                yield ours
            finally:
                if ours and not free.closed and not free.invalidated:
                    free.execute(text("SELECT pg_advisory_unlock(:group, :task)"), place)

    def close(self) -> None:
        """Give the idle connections back."""
        self._engine.dispose()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except PoolExhausted as error:
            raise RepeatTransaction(f"{self._where}: all connections are in use; try again") from error
        except DBAPIError as error:
            code = getattr(error.orig, "pgcode", None)
            if code in _AGAIN:
                raise RepeatTransaction(f"{self._where}: {_AGAIN[code]}; try again") from error
            if _nobody_serves(error, code):
                raise StartControlDatabase(self._unserved(error)) from error
            _leave_out_values(error)
            raise

    def _unserved(self, error: DBAPIError) -> str:
        said = str(error.orig).strip().splitlines()
        why = said[0] if said else type(error.orig).__name__
        return f"the control plane's database {self._where} does not serve: {why}"


def take_back(connection: Connection) -> None:
    """Let nothing of the connection's transaction stay, and go on: for trials, and where a rule refuses."""
    transaction = connection.get_transaction()
    if transaction is not None:
        transaction.rollback()


def _leave_out_values(error: DBAPIError) -> None:
    """Keep the first line of what the server said: those after it quote rows and the statement's values."""
    said = next(iter(str(error.orig).splitlines()), "")
    error.args = (f"({type(error.orig).__name__}) {said}",)
    if error.orig is not None:
        error.orig.args = (said,)


def _nobody_serves(error: DBAPIError, code: str | None) -> bool:
    if error.connection_invalidated:
        return True
    if code is None:
        # Where no session came about, psycopg2 has no SQLSTATE to give.
        return isinstance(error, OperationalError)
    return code[:2] in _GONE


def _password(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        value = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise RestorePassword(f"password file {path} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RestorePassword(f"password file {path} can be read by others; run: chmod 600 {path}")
    if not value:
        raise RestorePassword(f"password file {path} is empty; restore it from a backup")
    return value
