"""Our own processes (gate, fan-out, …) as components that the supervisor starts after the infrastructure."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from services.stack.component import Component, Context
from services.stack.errors import NameAPart
from services.stack.probes import HOST, http_ok
from services.stack.process import Command
from services.stack.secret_files import write_private
from services.stack.settings import PREFIX

_REMEMBERED = ".process.json"
_OWN_PORTS = ("watch_port", "control_port", "portal_port")
"""Settings of processes that there is one of; all others count on from ``processes_port``."""


@dataclass(frozen=True, slots=True)
class PythonComponent:
    """A Python process: ``argv`` is what follows the interpreter, as in ``("-m", "services.gate")``.

    It is ready when ``ready_url`` answers 200; without one, ``ready_check`` decides; without both, while it
    lives. ``settings`` are environment variables on top of those of the command that starts it; where it is
    started again as it was, ``environment`` is what that command had set for the bus.
    """

    name: str
    argv: tuple[str, ...]
    ready_url: str | None = None
    ready_check: Callable[[], bool] | None = None
    settings: Mapping[str, str] | None = None
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class OwnProcess:
    """One of our own processes that was started and not stopped since."""

    name: str
    lives: bool
    waits: str = ""
    """Why only a person may start it again; empty where it may start by itself."""


class PythonProcess(Component):
    """Runs a PythonComponent; a small file remembers it for status, repair and stop by later commands."""

    def __init__(self, context: Context, component: PythonComponent) -> None:
        self.name = component.name
        self.component = component
        self._was_known = descriptor(context, component.name).exists()
        super().__init__(context)

    @property
    def ports(self) -> Mapping[str, int]:
        """The port on which it answers for its health, if it has one, and the setting that moves it."""
        port = None if self.component.ready_url is None else urlsplit(self.component.ready_url).port
        if port is None:
            return {}
        own = {getattr(self.context.settings, setting): setting for setting in _OWN_PORTS}
        return {own.get(port, "processes_port"): port}

    def prepare(self) -> None:
        """Remember how the process is started; who starts it by a command has looked into why it ended."""
        remembered = asdict(self.component) | {
            "ready_check": None,
            "settings": dict(self.component.settings or {}),
            "environment": _of_the_bus(os.environ),
        }
        waits_file(self.context, self.name).unlink(missing_ok=True)
        write_private(descriptor(self.context, self.name), json.dumps(remembered, indent=1))

    def take_back(self) -> None:
        """Forget how it is started, unless an earlier command had started it."""
        if not self._was_known:
            descriptor(self.context, self.name).unlink(missing_ok=True)

    def command(self) -> Command:
        """Return the interpreter's command, with the settings of this stack in its environment."""
        environment = self._environment() | self._stack_settings() | dict(self.component.settings or {})
        environment["PYTHONUNBUFFERED"] = "1"
        return Command([sys.executable, *self.component.argv], environment, self.context.layout.run)

    def ready(self) -> bool:
        """Say whether it answers, or at least lives."""
        if self.component.ready_url is not None:
            return http_ok(self.component.ready_url)
        if self.component.ready_check is not None:
            return self.component.ready_check()
        return self.pid_file.running() is not None

    def standing(self) -> OwnProcess:
        """How it stands now."""
        waits = waits_file(self.context, self.name)
        why = waits.read_text(encoding="utf-8") if waits.exists() else ""
        return OwnProcess(self.name, self.pid_file.running() is not None, why)

    def start_again(self) -> None:
        """Start it as it was started before, without waiting for it.

        Raises:
            NameAPart: nobody knows any more how that was.
        """
        if not self.component.argv:
            raise NameAPart(
                f"the file that says how {self.name} is started is damaged: `govbus up` writes it"
            )
        self.start()

    def others(self) -> frozenset[int]:
        """The watch may be the parent of a process that it has just started again."""
        own = (each.pid_file.read() for each in remembered(self.context) if each.name != self.name)
        return frozenset(identity.pid for identity in own if identity is not None)

    def _environment(self) -> dict[str, str]:
        if self.component.environment is None:
            return dict(os.environ)
        of_the_bus = _of_the_bus(os.environ)
        rest = {name: value for name, value in os.environ.items() if name not in of_the_bus}
        return rest | dict(self.component.environment)

    def _stack_settings(self) -> dict[str, str]:
        values = self.context.settings.model_dump(exclude_none=True)
        return {f"{PREFIX}{field.upper()}": str(value) for field, value in values.items()}


def _of_the_bus(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that set something of the bus, or of its traces."""
    return {name: value for name, value in environ.items() if name.startswith((PREFIX, "OTEL_"))}


def waits_file(context: Context, name: str) -> Path:
    """Where ``services.processor.last_word`` says why only a person may start the process again."""
    return context.layout.run / "faust" / f"{name}.waits"


def descriptor(context: Context, name: str) -> Path:
    """Return the file that remembers a process."""
    return context.layout.run / f"{name}{_REMEMBERED}"


def remember_bus(context: Context, components: Sequence[PythonComponent]) -> None:
    """Keep which processes the bus has: the next start sees beforehand whether their ports are free."""
    lines = [
        {"name": component.name, "setting": setting, "above": port - getattr(context.settings, setting)}
        for component in components
        for setting, port in PythonProcess(context, component).ports.items()
    ]
    write_private(_bus_file(context), json.dumps(lines, indent=1))


def remembered_bus(context: Context) -> list[PythonProcess]:
    """Return the processes that the bus had at its last start, on the ports that they would have now."""
    try:
        lines = json.loads(_bus_file(context).read_text(encoding="utf-8"))
        ports = {line["name"]: getattr(context.settings, line["setting"]) + line["above"] for line in lines}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        # Their ports are then seen when they are started.
        return []
    return [
        PythonProcess(context, PythonComponent(name, (), f"http://{HOST}:{port}/"))
        for name, port in ports.items()
    ]


def _bus_file(context: Context) -> Path:
    return context.layout.run / "bus.json"


def remembered(context: Context) -> list[PythonProcess]:
    """Return the processes that earlier commands started and none stopped since.

    One whose file is damaged has no program: it can be shown and stopped, and not be started again.
    """
    found = (_read(path) for path in sorted(context.layout.run.glob(f"*{_REMEMBERED}")))
    return [PythonProcess(context, component) for component in found if component is not None]


def _read(path: Path) -> PythonComponent | None:
    """None where it was stopped since the folder was looked at."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return PythonComponent(**{**content, "argv": tuple(content["argv"])})
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError):
        return PythonComponent(path.name.removesuffix(_REMEMBERED), ())
