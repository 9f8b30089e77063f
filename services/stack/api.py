"""The embedded stack as one object: up, down, status, logs, reset, and how to reach its parts."""

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import psycopg2.extensions
from confluent_kafka.admin import AdminClient

from services.stack.component import Component, Context
from services.stack.connect import REST_SECRET, REST_USER, Connect
from services.stack.errors import NameAPart, StackError, StartStack
from services.stack.jars import JarCache, read_lock
from services.stack.kafka import Kafka, client_config
from services.stack.layout import Layout
from services.stack.postgres import (
    APPLICATION_SECRET,
    CONTROL_SECRET,
    DOCTOR_SECRET,
    REGISTRY_SECRET,
    SUPERUSER_SECRET,
    Postgres,
)
from services.stack.probes import HOST
from services.stack.process import memory_mb
from services.stack.progress import Reporter, Silent
from services.stack.python_process import (
    OwnProcess,
    PythonComponent,
    PythonProcess,
    descriptor,
    remember_bus,
    remembered,
    remembered_bus,
)
from services.stack.registry import REGISTRY_USERS, Registry
from services.stack.registry import secret_name as registry_secret
from services.stack.registry_logins import DepartmentLogins
from services.stack.secret_files import SecretFiles
from services.stack.settings import StackSettings
from services.stack.supervisor import Supervisor, answers_within, exclusive
from services.stack.users import BASE_USERS, KafkaUsers
from services.stack.users import secret_name as kafka_secret

#: The secret from which the keys of pseudonyms are derived; a rotation adds the next version.
MASTER_SECRET = "master-v1"  # noqa: S105 - the name of a file
#: The secret from which the first key of the evidence is derived.
EVIDENCE_SECRET = "evidence-v1"  # noqa: S105 - the name of a file
#: The secret from which those of notices' endpoints are derived.
NOTICES_SECRET = "notices-master"  # noqa: S105 - the name of a file

#: Seconds for which a component that lives may be busy before it counts as unhealthy.
_BUSY_S = 6.0

#: Folders of what commands wrote for this stack.
_APPLIED = ("credentials", "receipts", "suspensions", "resumptions", "evidence")

#: Says which of our own processes shall run; asked once the infrastructure answers.
Bus = Callable[[], Sequence[PythonComponent]]


class State(StrEnum):
    """How a component is."""

    RUNNING = "running"
    STOPPED = "stopped"
    CRASHED = "crashed"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One line of ``govbus status``: memory in MB, uptime in seconds."""

    name: str
    state: State
    pid: int | None
    port: int | None
    memory_mb: float | None
    uptime_s: float | None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the parts of the stack answer."""

    kafka_bootstrap: str
    departments_bootstrap: str
    """Kafka as departments reach it."""
    registry_url: str
    registry_native_url: str
    connect_url: str
    postgres_host: str
    postgres_port: int


class Stack:
    """One stack, known by its home folder; any number of commands may work with the same one."""

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings
        layout = Layout(settings.home)
        jars = JarCache(settings.cache, read_lock(), settings.maven_repository)
        self.context = Context(settings, layout, SecretFiles(layout.secrets, self.has_data), jars)
        self.postgres = Postgres(self.context)
        self.kafka = Kafka(self.context)
        self.registry = Registry(self.context)
        self.connect = Connect(self.context)

    @property
    def infrastructure(self) -> tuple[Component, ...]:
        """The parts that are not ours, in the order of their needs."""
        return (self.postgres, self.kafka, self.registry, self.connect)

    def up(self, progress: Reporter | None = None, bus: Bus | None = None) -> None:
        """Start everything that is not running, as one start; idempotent.

        Args:
            progress: is told how it goes on.
            bus: asked, once the infrastructure answers, which of our own processes shall run beside those
                that earlier commands started.

        Raises:
            StackError: one of its kinds, each saying what to do; nothing that this call started goes on.
        """
        reporter, supervisor = progress or Silent(), self._supervisor()
        self.context.layout.create()
        with exclusive(self.context.layout.run / "lock"), supervisor.one_start(reporter):
            expected = remembered_bus(self.context) if bus else []
            before = {process.name: process for process in (*remembered(self.context), *expected)}
            supervisor.check_ports([*self.infrastructure, *before.values()])
            self.prepare(reporter)
            supervisor.up(self.infrastructure, reporter)
            supervisor.up(self._processes(bus() if bus else ()), reporter)

    def _processes(self, wanted: Sequence[PythonComponent]) -> list[Component]:
        """Our own processes that shall run: the wanted ones, and what earlier commands started."""
        if wanted:
            remember_bus(self.context, wanted)
        known = (one.component for one in remembered(self.context) if one.component.argv)
        # As this command would start them: what it has set counts, and not what an earlier one had.
        anew = (replace(component, environment=None) for component in known)
        before = {one.name: PythonProcess(self.context, one) for one in anew}
        return list((before | {one.name: PythonProcess(self.context, one) for one in wanted}).values())

    def prepare(self, progress: Reporter | None = None) -> None:
        """Make folders and secrets and fetch the Java archives, without starting anything.

        Raises:
            SecretMissing: a secret of an earlier start is gone.
            CheckConnection: an archive is missing and cannot be downloaded.
            RefusedDownload: a downloaded archive is not the locked one.
        """
        self.context.layout.create()
        self.context.secrets.ensure(self._secret_names())
        DepartmentLogins(self.context.secrets).ensure()
        self.context.jars.fetch(progress or Silent())

    def run_process(self, component: PythonComponent, progress: Reporter | None = None) -> None:
        """Start one of our own processes and wait until it is ready; ``status`` and ``down`` then know it."""
        self.run_processes([component], progress)

    def run_processes(self, components: Sequence[PythonComponent], progress: Reporter | None = None) -> None:
        """Start several of our own processes as one start: where one fails, none that was started goes on."""
        self._require_home()
        with exclusive(self.context.layout.run / "lock"):
            processes = [PythonProcess(self.context, component) for component in components]
            self._supervisor().up(processes, progress or Silent())

    def own_processes(self) -> list[OwnProcess]:
        """Return those of our own processes that were started and not stopped since."""
        return [process.standing() for process in remembered(self.context)]

    def start_again(self, name: str) -> bool:
        """Start one of our own processes that does not live, as it was started before; does not wait for it.

        Returns:
            False where it lives, was stopped meanwhile, or only a person may start it.

        Raises:
            WaitForOther: another command starts or stops the stack.
            NameAPart: nobody knows any more how it is started.
        """
        self._require_home()
        with exclusive(self.context.layout.run / "lock", patience_s=0):
            for process in remembered(self.context):
                found = process.standing()
                if found.name == name and not (found.lives or found.waits):
                    process.start_again()
                    return True
        return False

    def stop_process(self, name: str, progress: Reporter | None = None) -> None:
        """Stop one of our own processes and forget it."""
        self._require_home()
        with exclusive(self.context.layout.run / "lock"):
            for process in remembered(self.context):
                if process.name == name:
                    self._supervisor().down([process], progress or Silent())
                    descriptor(self.context, name).unlink(missing_ok=True)

    def down(self, progress: Reporter | None = None) -> None:
        """Stop everything in reverse order and wait until all processes have ended."""
        if not self.context.layout.run.exists():
            return
        reporter = progress or Silent()
        with exclusive(self.context.layout.run / "lock"):
            processes = remembered(self.context)
            self._supervisor().down(processes, reporter)
            for process in processes:
                descriptor(self.context, process.name).unlink(missing_ok=True)
            self._supervisor().down([self.connect, self.registry, self.kafka, self.postgres], reporter)

    def reset(self, progress: Reporter | None = None) -> None:
        """Stop everything and delete data, secrets, credentials, receipts and logs; downloads stay."""
        self.down(progress)
        external = self.postgres.external_folder()
        if external is not None and external.exists():
            shutil.rmtree(external)
        layout = self.context.layout
        own = (layout.data, layout.secrets, layout.conf, layout.logs, layout.scratch, layout.run)
        # What apply wrote for this stack: it opens nothing and proves nothing once the data is gone.
        applied = [layout.home / name for name in _APPLIED]
        for folder in (*own, *applied):
            if folder.exists():
                shutil.rmtree(folder)

    def status(self) -> list[ComponentStatus]:
        """Return how each component is, ours included."""
        return self._statuses([*self.infrastructure, *remembered(self.context)])

    def knows_its_start(self) -> bool:
        """Say whether the Java parts start from what was learned before."""
        return all(part.lessons.known.exists() for part in (self.kafka, self.registry, self.connect))

    def has_data(self) -> bool:
        """Say whether there is data that was made with the secrets of an earlier start."""
        return self.kafka.has_data() or self.postgres.has_data()

    def has_processes(self) -> bool:
        """Say whether any process of the stack lives, ours included."""
        parts = (*self.infrastructure, *remembered(self.context))
        return any(part.pid_file.running() is not None for part in parts)

    def running(self) -> bool:
        """Say whether all of the infrastructure runs and answers."""
        return all(each.state is State.RUNNING for each in self._statuses(self.infrastructure))

    def logs(self, component: str, *, follow: bool = False, lines: int = 100) -> Iterator[str]:
        """Yield the last lines of a component's log, then new ones as they come.

        Raises:
            NameAPart: there is no such component, and no log of one.
            StartStack: the component was never started.
        """
        path = self.context.layout.log(component)
        if not path.exists():
            raise self._no_log(component)
        with path.open(encoding="utf-8", errors="replace") as content:
            yield from (line.rstrip("\n") for line in deque(content, maxlen=lines))
            while follow:
                line = content.readline()
                if line:
                    yield line.rstrip("\n")
                else:
                    time.sleep(0.2)

    def _no_log(self, component: str) -> StackError:
        parts = {part.name for part in (*self.infrastructure, *remembered(self.context))}
        folder = self.context.layout.logs
        if component in parts:
            return StartStack(f"there is no log of {component!r} in {folder}; start it with `govbus up`")
        known = parts | {log.stem for log in folder.glob("*.log")}
        return NameAPart(f"there is no part {component!r}; name one of: {', '.join(sorted(known))}")

    def endpoints(self) -> Endpoints:
        """Return where the parts answer."""
        registry = f"http://{HOST}:{self.settings.registry_port}"
        return Endpoints(
            kafka_bootstrap=f"{HOST}:{self.settings.kafka_port}",
            departments_bootstrap=f"{HOST}:{self.settings.departments_port}",
            registry_url=self.registry.ccompat_url,
            registry_native_url=f"{registry}/apis/registry/v3",
            connect_url=self.connect.url,
            postgres_host=HOST,
            postgres_port=self.settings.postgres_port,
        )

    def secret(self, name: str) -> str:
        """Return a generated secret.

        Raises:
            SecretMissing: its file is gone; the message names it.
        """
        return self.context.secrets.read(name)

    def kafka_config(self, user: str) -> dict[str, Any]:
        """Return the librdkafka settings with which a Kafka user logs in."""
        return client_config(self.endpoints().kafka_bootstrap, user, self.secret(kafka_secret(user)))

    def registry_auth(self, user: str = "reader") -> tuple[str, str]:
        """Return user and password for the registry: ``apply`` and ``connect`` register, the others read."""
        return user, self.secret(registry_secret(user))

    def department_registry_auth(self, user: str, progress: Reporter | None = None) -> tuple[str, str]:
        """Return a department's own read-only login for the registry, a new one if it has none."""
        login = DepartmentLogins(self.context.secrets).of(user)
        self._refresh_registry(progress)
        return login.name, login.password

    def withdraw_registry_login(self, user: str, progress: Reporter | None = None) -> None:
        """Take a department's login away; the registry is started anew, whoever asks it meanwhile waits."""
        DepartmentLogins(self.context.secrets).withdraw(user)
        self._refresh_registry(progress)

    def connect_auth(self) -> tuple[str, str]:
        """Return user and password for Connect's REST API."""
        return REST_USER, self.secret(REST_SECRET)

    def admin(self) -> AdminClient:
        """Return an admin client of the super user; keep it until the futures of its calls are resolved."""
        return self.kafka.admin()

    def users(self) -> KafkaUsers:
        """Return what makes and withdraws Kafka users."""
        return KafkaUsers(self.admin(), self.context.secrets)

    def create_database(self, name: str, owner: str, password: str) -> None:
        """Make a database and its owner in the stack's PostgreSQL; idempotent."""
        self.postgres.create_database(name, owner, password)

    def superuser_connection(self, database: str = "postgres") -> "psycopg2.extensions.connection":
        """Connect to a database of the stack's PostgreSQL as its superuser; the caller closes it."""
        return self.postgres.connect(database)

    def doctor_connection(self) -> "psycopg2.extensions.connection":
        """Connect to the stack's PostgreSQL as the doctor, who may look and change nothing."""
        return self.postgres.connect_doctor()

    def _refresh_registry(self, progress: Reporter | None) -> None:
        """Start the registry anew if it does not know the logins that there are now."""
        if self.registry.pid_file.running() is None or self.registry.knows_its_logins():
            return
        reporter = progress or Silent()
        with exclusive(self.context.layout.run / "lock"):
            self._supervisor().down([self.registry], reporter)
            self._supervisor().up([self.registry], reporter)

    def _supervisor(self) -> Supervisor:
        return Supervisor(self.settings.start_timeout_s)

    def _require_home(self) -> None:
        if not self.context.layout.run.exists():
            raise StartStack(f"there is no stack in {self.settings.home}; start it with `govbus up`")

    def _secret_names(self) -> list[str]:
        names = [kafka_secret(user) for user in BASE_USERS]
        names += [registry_secret(user) for user in REGISTRY_USERS]
        names += [SUPERUSER_SECRET, REGISTRY_SECRET, DOCTOR_SECRET, CONTROL_SECRET]
        names += [APPLICATION_SECRET, NOTICES_SECRET, EVIDENCE_SECRET]
        return [*names, REST_SECRET, MASTER_SECRET]

    def _statuses(self, components: Sequence[Component]) -> list[ComponentStatus]:
        """Return how each component is; all are asked at once, so that one that hangs costs its own wait."""
        with ThreadPoolExecutor(len(components)) as pool:
            return list(pool.map(self._status, components))

    def _status(self, component: Component) -> ComponentStatus:
        process = component.pid_file.running()
        if process is None:
            state = State.STOPPED if component.pid_file.read() is None else State.CRASHED
            return ComponentStatus(component.name, state, None, component.port, None, None)
        state = State.RUNNING if answers_within(component, _BUSY_S) else State.UNHEALTHY
        uptime = time.time() - process.create_time()
        return ComponentStatus(
            component.name, state, process.pid, component.port, round(memory_mb(process), 1), round(uptime, 1)
        )
