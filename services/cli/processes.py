"""Which processes run beside the infrastructure: gate, fan-outs by grant group, watch, control, portal."""

import os
from collections.abc import Iterable

from services.stack.api import Stack
from services.stack.python_process import PythonComponent
from topics.names import fanout_group

_FIRST_FANOUT_PORT = 20
_PORTS_PER_GROUP = 10


def gate(base_port: int, instance: int = 0) -> PythonComponent:
    """One gate instance."""
    return _processor("gate", base_port + instance, instance, ())


def fanout(base_port: int, group: str, group_number: int, instance: int = 0) -> PythonComponent:
    """One fan-out instance of a grant group; ``group_number`` is the group's place in the sorted list."""
    port = base_port + _FIRST_FANOUT_PORT + _PORTS_PER_GROUP * group_number + instance
    return _processor(fanout_group(group), port, instance, ("--group", group))


def watch(port: int) -> PythonComponent:
    """The process that restarts failed connector tasks and raises alarms."""
    return PythonComponent(
        name="watch",
        argv=("-m", "services.watch"),
        ready_url=f"http://127.0.0.1:{port}/status",
        settings={"GOVBUS_WATCH_PORT": str(port)},
    )


def control(port: int) -> PythonComponent:
    """The process that looks after the control plane: acts, cases, tickets, notices, snapshots."""
    return PythonComponent(
        name="control",
        argv=("-m", "services.control"),
        ready_url=f"http://127.0.0.1:{port}/readyz",
        settings={"GOVBUS_CONTROL_PORT": str(port)},
    )


def portal(port: int) -> PythonComponent:
    """The web process: the pages of the portal and the API."""
    origin = os.environ.get("GOVBUS_PORTAL_ORIGIN", f"http://127.0.0.1:{port}")
    return PythonComponent(
        name="portal",
        argv=("-m", "services.portal"),
        ready_url=f"http://127.0.0.1:{port}/readyz",
        settings={"GOVBUS_PORTAL_PORT": str(port), "GOVBUS_PORTAL_ORIGIN": origin},
    )


def lone_processes(stack: Stack) -> dict[str, PythonComponent]:
    """Processes that there is one of, by their names; those of the control plane need no policy."""
    settings = stack.settings
    return {"control": control(settings.control_port), "portal": portal(settings.portal_port)}


def bus_processes(stack: Stack, groups: Iterable[str] | None) -> list[PythonComponent]:
    """One instance of everything that the policy's grant groups need; None before the first policy."""
    alone = list(lone_processes(stack).values())
    if groups is None:
        return alone
    base = stack.settings.processes_port
    fanouts = [fanout(base, group, number) for number, group in enumerate(sorted(groups))]
    return [gate(base), *fanouts, watch(stack.settings.watch_port), *alone]


def _processor(group: str, port: int, instance: int, more: tuple[str, ...]) -> PythonComponent:
    module = group.partition(".")[0]
    argv = ("-m", f"services.{module}", "--instance", str(instance), "--web-port", str(port), *more)
    return PythonComponent(name=f"{group}.{instance}", argv=argv, ready_url=f"http://127.0.0.1:{port}/readyz")
