"""A provider's own PostgreSQL for tests: killed, and a copy of it promoted in its place."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from services.stack.postgres import account_for
from services.stack.postgres_programs import copied, installed
from tests.support.ports import free_ports
from tests.support.waiting import eventually

_USER = "postgres"
_SETTINGS = ("wal_level=logical", "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off")


@dataclass
class ProviderServer:
    """One data folder and the port that its server listens on; whoever runs the tests may log in."""

    folder: Path
    programs: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [part for each in (*_SETTINGS, f"port={self.port}") for part in ("-c", each)]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder, *options],
                **_as_account(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        eventually(self._answers, 60.0, lambda: "the provider's server")

    def kill(self) -> None:
        """kill -9 of the server; its other processes end when they see it."""
        self._end(kill=True)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(kill=False)

    def promote(self) -> None:
        """Make the standby a primary: it goes on in a timeline of its own."""
        self.sql("SELECT pg_promote(true, 60)")

    def standby(self) -> "ProviderServer":
        """A copy of the running server in a folder of its own, which follows it once it is started."""
        (port,) = free_ports(1)
        made = ProviderServer(self.folder.with_name(f"{self.folder.name}-standby"), self.programs, port)
        source = f"host=127.0.0.1 port={self.port} user={_USER}"
        copy = ("-D", made.folder, "-R", "-X", "stream", "-c", "fast", "-d", source)
        _run(self.programs / "pg_basebackup", *copy)
        return made

    def at(self, port: int) -> "ProviderServer":
        """The same data under another port, as a virtual address moves; it must not run."""
        assert self.process is None
        return replace(self, port=port)

    def superuser_connection(self, database: str) -> Connection:
        """Log in as the administrator; the caller closes it."""
        return psycopg2.connect(
            host="127.0.0.1", port=self.port, user=_USER, dbname=database, connect_timeout=5
        )

    def sql(self, statement: str, database: str = _USER) -> list[tuple[object, ...]]:
        """Run a statement as the administrator; what it answers."""
        with closing(self.superuser_connection(database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended; {self.folder.name}.log says why"
        try:
            self.sql("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def _end(self, *, kill: bool) -> None:
        if self.process is None:
            return
        self.process.kill() if kill else self.process.terminate()
        # A kind end waits for clients to go: the captures' connections are ended, too.
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.send_signal(2)
            self.process.wait(30)
        self.process = None


@contextmanager
def provider_server() -> Iterator[ProviderServer]:
    """A new server that runs; it and its standbys leave nothing behind."""
    home = Path(mkdtemp(prefix="govbus-test-provider."))
    home.chmod(0o711)
    account = account_for("nobody", os.geteuid())
    if account.user is not None:
        os.chown(home, account.user, account.group or -1)
    programs = copied(installed(), home / "programs")
    (port,) = free_ports(1)
    made = ProviderServer(home / "primary", programs / "bin", port)
    _run(made.programs / "initdb", "-D", made.folder, "-U", _USER, "--auth=trust", "--no-sync")
    try:
        made.start()
        yield made
    finally:
        made.kill()
        shutil.rmtree(home, ignore_errors=True)


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command, **_as_account(), cwd="/", capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def _as_account() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    account = account_for("nobody", os.geteuid())
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if account.user is None:
        return {"env": environment}
    return {"env": environment, "user": account.user, "group": account.group, "extra_groups": []}
