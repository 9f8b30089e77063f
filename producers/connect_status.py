"""How a connector is doing: its own state, the state of each task, and the worst of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Health(IntEnum):
    """A connector's health, from best to worst; what is RUNNING with a FAILED task is FAILED."""

    RUNNING = 0
    PAUSED = 1
    STOPPED = 2
    STARTING = 3
    FAILED = 4
    MISSING = 5


_HEALTH_OF_STATE = {
    "RUNNING": Health.RUNNING,
    "PAUSED": Health.PAUSED,
    "STOPPED": Health.STOPPED,
    "UNASSIGNED": Health.STARTING,
    "RESTARTING": Health.STARTING,
    "FAILED": Health.FAILED,
    "DESTROYED": Health.MISSING,
}


def health_of_state(state: str) -> Health:
    """The health that a state name of Kafka Connect stands for; an unknown state counts as failed."""
    return _HEALTH_OF_STATE.get(state, Health.FAILED)


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """One task: its state, the worker that runs it, and the stack trace if it failed."""

    id: int
    state: str
    worker: str
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """A connector and every one of its tasks."""

    name: str
    state: str
    worker: str
    tasks: tuple[TaskStatus, ...]
    trace: str | None = None

    @property
    def health(self) -> Health:
        """The worst of the connector and its tasks; a running connector without tasks is still starting."""
        states = [health_of_state(self.state), *(health_of_state(task.state) for task in self.tasks)]
        if self._lacks_tasks:
            states.append(Health.STARTING)
        return max(states)

    @property
    def ill(self) -> tuple[str, ...]:
        """What is not as somebody wants it, in words; pausing and stopping are somebody's will."""
        parts = [("", self.state), *((f" task {task.id}", task.state) for task in self.tasks)]
        found = [f"{self.name}{part} is {state}" for part, state in parts if _is_ill(state)]
        return (*found, f"{self.name} has no task") if self._lacks_tasks else tuple(found)

    @property
    def _lacks_tasks(self) -> bool:
        return not self.tasks and self.state == "RUNNING"

    @property
    def failed_tasks(self) -> tuple[TaskStatus, ...]:
        """The tasks that a restart would start again."""
        return tuple(task for task in self.tasks if task.state == "FAILED")

    @property
    def has_failed(self) -> bool:
        """Whether the connector or one of its tasks needs a restart."""
        return self.state == "FAILED" or bool(self.failed_tasks)


def _is_ill(state: str) -> bool:
    return health_of_state(state) not in {Health.RUNNING, Health.PAUSED, Health.STOPPED}


def parse_status(body: Mapping[str, Any]) -> ConnectorStatus:
    """Read the body of ``GET /connectors/{name}/status``."""
    connector = body["connector"]
    tasks = tuple(
        TaskStatus(int(task["id"]), str(task["state"]), str(task.get("worker_id", "")), task.get("trace"))
        for task in sorted(body.get("tasks", []), key=lambda task: int(task["id"]))
    )
    return ConnectorStatus(
        name=str(body["name"]),
        state=str(connector["state"]),
        worker=str(connector.get("worker_id", "")),
        tasks=tasks,
        trace=connector.get("trace"),
    )
