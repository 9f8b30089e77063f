"""PostgreSQL: the registry's storage, the control plane, the sample provider databases."""

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import psutil
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class
from psycopg2.extensions import encrypt_password

from services.stack.component import Component
from services.stack.errors import CorrectSetting, ReadComponentLog
from services.stack.postgres_lock import refused_by_leftovers, remove_stale_lock
from services.stack.postgres_programs import copied, installed
from services.stack.probes import HOST
from services.stack.process import Command, start_detached
from services.stack.render import render, shared_configuration, shared_values
from services.stack.secret_files import write_private

SUPERUSER = "postgres"
SUPERUSER_SECRET = "postgres-postgres"  # noqa: S105 - the name of a file
REGISTRY_SECRET = "postgres-registry"  # noqa: S105 - the name of a file
DOCTOR = "doctor"
DOCTOR_SECRET = "postgres-doctor"  # noqa: S105 - the name of a file
CONTROL = "control"
CONTROL_SECRET = "postgres-control"  # noqa: S105 - the name of a file
APPLICATION = "control_app"
APPLICATION_SECRET = "postgres-control-app"  # noqa: S105 - the name of a file
_LETTING_GO_S = 20.0
"""So long the processes of a killed server may hold its memory."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user that PostgreSQL runs as; None for both means: whoever starts it."""

    user: int | None
    group: int | None


def account_for(name: str, effective_user: int) -> Account:
    """Return the account to run as: root hands over to the named user, others keep their own.

    Raises:
        CorrectSetting: the named user does not exist or is root.
    """
    if effective_user != 0:
        return Account(None, None)
    try:
        entry = pwd.getpwnam(name) if not name.isdigit() else pwd.getpwuid(int(name))
    except KeyError as error:
        raise CorrectSetting(
            f"postgres: there is no user {name!r}, and PostgreSQL refuses to run as root; "
            "set GOVBUS_POSTGRES_USER to an unprivileged user"
        ) from error
    if entry.pw_uid == 0:
        raise CorrectSetting(
            "postgres: PostgreSQL refuses to run as root; set GOVBUS_POSTGRES_USER to another user"
        )
    return Account(entry.pw_uid, entry.pw_gid)


def reachable(path: Path) -> bool:
    """Say whether any user of the machine may pass through all folders above the path."""
    existing = [folder for folder in path.parents if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in existing)


class Postgres(Component):
    """The PostgreSQL server."""

    name = "postgres"
    configuration = ("postgresql.conf",)
    # Fast shutdown: the default waits until every client has gone.
    stop_signal = signal.SIGINT

    @property
    def ports(self) -> Mapping[str, int]:
        """The server's port."""
        return {"postgres_port": self.context.settings.postgres_port}

    @property
    def account(self) -> Account:
        """The user that the server runs as."""
        return account_for(self.context.settings.postgres_user, os.geteuid())

    @property
    def folder(self) -> Path:
        """The folder of the data: outside the home if the account could not get there (as below /root)."""
        inside = self.context.layout.data / "postgres"
        if self.account.user is None or reachable(inside):
            return inside
        mark = hashlib.sha256(str(self.context.layout.home).encode()).hexdigest()[:12]
        return Path("/var/lib") / f"govbus-{mark}" / "postgres"

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.folder / "data"

    def prepare(self) -> None:
        """Make the data folder the first time and write the configuration into it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._give(self.folder)
        if not self.has_data():
            self._initialise()
        settings = self.context.settings
        values = shared_values(settings) | {
            "GOVBUS_POSTGRES_SOCKETS": "",
            "GOVBUS_SLOT_WAL_KEEP_MB": str(settings.slot_wal_keep_mb),
        }
        for name in self.configuration:
            self._give(render(shared_configuration() / name, self.data / f"govbus-{name}", values))

    def has_data(self) -> bool:
        """Say whether its data folder was made."""
        return (self.data / "PG_VERSION").exists()

    def command(self) -> Command:
        """Return the server's command."""
        argv = [str(self._programs() / "postgres"), "-D", str(self.data)]
        argv += ["-c", f"config_file={self.data / 'govbus-postgresql.conf'}"]
        return self._as_account(argv)

    def start(self) -> psutil.Process:
        """Start the server; after a kill, wait until the last processes of the old one have let go."""
        log = self.context.layout.log(self.name)
        deadline = time.monotonic() + _LETTING_GO_S
        while True:
            remove_stale_lock(self.data)
            begin = log.stat().st_size if log.exists() else 0
            process = start_detached(self.command(), log, self.pid_file)
            if not refused_by_leftovers(process, self.data, log, begin) or time.monotonic() > deadline:
                return process
            time.sleep(0.5)

    def ready(self) -> bool:
        """Say whether the superuser can log in and is answered."""
        try:
            with closing(self.connect(SUPERUSER)) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                return True
        except psycopg2.OperationalError:
            return False

    def settle(self) -> None:
        """Make the databases that only their owners enter: the registry's and the control plane's."""
        with closing(self.connect(SUPERUSER)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC")
        self.create_database("registry", "registry", self.context.secrets.read(REGISTRY_SECRET))
        self.create_database(CONTROL, CONTROL, self.context.secrets.read(CONTROL_SECRET))
        self._allow_application()
        self._allow_doctor()

    def connect(self, database: str) -> Connection:
        """Connect as superuser; the caller closes it."""
        return self._log_in(SUPERUSER, SUPERUSER_SECRET, database)

    def connect_doctor(self) -> Connection:
        """Connect to the maintenance database as the doctor, who owns nothing; the caller closes it."""
        return self._log_in(DOCTOR, DOCTOR_SECRET, SUPERUSER)

    def _log_in(self, user: str, secret: str, database: str) -> Connection:
        return psycopg2.connect(
            host=HOST,
            port=self.context.settings.postgres_port,
            dbname=database,
            user=user,
            password=self.context.secrets.read(secret),
            connect_timeout=5,
        )

    def _allow_application(self) -> None:
        """Who runs the control plane may log in to its database; migrations grant the rest."""
        with closing(self.connect(SUPERUSER)) as connection, connection, connection.cursor() as cursor:
            _set_role(connection, cursor, APPLICATION, self.context.secrets.read(APPLICATION_SECRET))
            grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
            cursor.execute(grant.format(sql.Identifier(CONTROL), sql.Identifier(APPLICATION)))

    def _allow_doctor(self) -> None:
        """The doctor may log in where settings, clock and slots can be asked, and to the control database.

        Of those it may read only how far they are migrated, which the migrations grant.
        """
        with closing(self.connect(SUPERUSER)) as connection, connection, connection.cursor() as cursor:
            _set_role(connection, cursor, DOCTOR, self.context.secrets.read(DOCTOR_SECRET))
            role = sql.Identifier(DOCTOR)
            for database in (SUPERUSER, CONTROL):
                grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
                cursor.execute(grant.format(sql.Identifier(database), role))

    def create_database(self, name: str, owner: str, password: str) -> None:
        """Make a database that only its owner may enter, and the owner with this password; idempotent."""
        with closing(self.connect(SUPERUSER)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                _set_role(connection, cursor, owner, password)
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if not cursor.fetchone():
                    create = sql.SQL("CREATE DATABASE {} OWNER {}")
                    cursor.execute(create.format(sql.Identifier(name), sql.Identifier(owner)))
                revoke = sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC")
                cursor.execute(revoke.format(sql.Identifier(name)))

    def external_folder(self) -> Path | None:
        """Return the folder outside the home that belongs to this stack, if there is one."""
        return None if self.folder.is_relative_to(self.context.layout.home) else self.folder.parent

    def _initialise(self) -> None:
        """Run initdb in a draft folder and move it into place, so that an interrupted run leaves nothing."""
        for left_over in self.folder.glob(".draft-*"):
            shutil.rmtree(left_over)
        draft = Path(mkdtemp(prefix=".draft-", dir=self.folder))
        password = self.folder / ".password"
        try:
            write_private(password, self.context.secrets.read(SUPERUSER_SECRET))
            self._give(draft)
            self._give(password)
            argv = [
                str(self._programs() / "initdb"),
                "-D",
                str(draft),
                "-U",
                SUPERUSER,
                f"--pwfile={password}",
            ]
            argv += [
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
            ]
            self._run(argv)
            draft.rename(self.data)
        finally:
            password.unlink(missing_ok=True)
            shutil.rmtree(draft, ignore_errors=True)

    def _run(self, argv: list[str]) -> None:
        command = self._as_account(argv)
        done = subprocess.run(
            argv,
            env=dict(command.environment),
            cwd=command.folder,
            user=command.user,
            group=command.group,
            extra_groups=[] if command.user is not None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            log = self.context.layout.log(self.name)
            write_private(log, done.stdout + done.stderr)
            raise ReadComponentLog(self.name, log, "could not make its data folder", done.stderr[-2000:])

    def _as_account(self, argv: list[str]) -> Command:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        return Command(argv, environment, self.folder, self.account.user, self.account.group)

    def _programs(self) -> Path:
        """Return the folder of the programs, copied to where the account can run them if it could not."""
        source = installed()
        program = source / "bin" / "postgres"
        open_to_all = program.stat().st_mode & stat.S_IXOTH and reachable(program.resolve())
        if self.account.user is None or open_to_all:
            return source / "bin"
        return copied(source, self.folder.parent / "programs") / "bin"

    def _give(self, path: Path) -> None:
        if self.account.user is not None and self.account.group is not None:
            os.chown(path, self.account.user, self.account.group)


def _set_role(connection: Connection, cursor: Cursor, name: str, password: str) -> None:
    """Make a role that may log in with this password, or give it the password."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,))
    verb = "ALTER" if cursor.fetchone() else "CREATE"
    # Hashed here, so that no log of the server can ever hold the password.
    hashed = encrypt_password(password, name, connection, "scram-sha-256")
    role = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}")
    cursor.execute(role.format(sql.Identifier(name), sql.Literal(hashed)))
