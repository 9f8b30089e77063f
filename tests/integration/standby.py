"""A physical standby of the stack's PostgreSQL that can be promoted: a provider's failover."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from services.stack.api import Stack
from services.stack.postgres import SUPERUSER, SUPERUSER_SECRET
from tests.support.ports import free_ports
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Standby:
    """The second server; it answers under the same logins as the first."""

    stack: Stack
    folder: Path
    port: int

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run as the server's administrator; what the statement answers."""
        login = {"user": SUPERUSER, "password": self.stack.secret(SUPERUSER_SECRET)}
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, dbname=database, **login)
        with closing(connection):
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def promote(self) -> None:
        """Make it a primary of its own, on the next timeline."""
        self.sql("SELECT pg_promote()")
        eventually(lambda: self.sql("SELECT NOT pg_is_in_recovery()") == [(True,)], 60)

    def answers(self) -> bool:
        """Whether one can log in."""
        try:
            return bool(self.sql("SELECT 1"))
        except psycopg2.OperationalError:
            return False


@contextmanager
def standby(stack: Stack) -> Iterator[Standby]:
    """Copy the stack's server while it runs (pg_basebackup) and follow it; removed at the end."""
    (port,) = free_ports(1)
    made = Standby(stack, stack.postgres.folder / f"standby-{port}", port)
    password = stack.secret(SUPERUSER_SECRET)
    source = f"host=127.0.0.1 port={stack.endpoints().postgres_port} user={SUPERUSER} password={password}"
    process: subprocess.Popen[bytes] | None = None
    try:
        copy = ["pg_basebackup", "-D", str(made.folder), "-R", "-X", "stream", "-c", "fast", "-d", source]
        assert _start(stack, copy).wait(120) == 0
        config = made.folder / f"govbus-{stack.postgres.configuration[0]}"
        changed = ["-c", f"config_file={config}", "-c", f"port={port}", "-c", "hot_standby_feedback=on"]
        process = _start(stack, ["postgres", "-D", str(made.folder), *changed])
        eventually(made.answers, 60)
        yield made
    finally:
        if process is not None:
            process.terminate()
            process.wait(60)
        shutil.rmtree(made.folder, ignore_errors=True)


def _start(stack: Stack, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Run one of PostgreSQL's programs as the account that the server runs as."""
    command = stack.postgres.command()
    program = Path(command.argv[0]).parent / argv[0]
    return subprocess.Popen(
        [str(program), *argv[1:]],
        env={**command.environment, "HOME": os.devnull},
        cwd=command.folder,
        user=command.user,
        group=command.group,
        extra_groups=[] if command.user is not None else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
