"""Starts connectors again that failed or that nobody runs, ever less often; tells when that does not help."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from producers.connect_errors import ConnectError, ConnectorNotFound
from producers.connect_status import ConnectorStatus, Health

_IDLE_TRIES: Final = 2


@dataclass(frozen=True, slots=True)
class RestartNow:
    """The back-off is over: start again."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Not yet; ``at`` is on the clock that ``now`` was read from, in seconds."""

    at: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """So many restarts did not help: tell a person. Trying goes on, as an outage may end by itself."""

    restarts: int
    then: RestartNow | WaitUntil


Decision = RestartNow | WaitUntil | Alarm


@dataclass(frozen=True, slots=True)
class RestartHistory:
    """What is remembered of one connector: its restarts since it last was well for long.

    Args:
        restarts: times of the restarts, in seconds, in order.
        well_since: since when it has been without a failure; None while it fails.
        idle_since: since when no worker has run it or a task of its; None while they run or have failed.
    """

    restarts: tuple[float, ...] = ()
    well_since: float | None = None
    idle_since: float | None = None

    @property
    def since_idle(self) -> "RestartHistory":
        """The restarts that were meant to bring it back to a worker, without those of an earlier failure."""
        since = self.idle_since or 0.0
        return replace(self, restarts=tuple(at for at in self.restarts if at >= since))

    def idle_for(self, now: float) -> float:
        """Seconds since which no worker has run it or a task of its."""
        return 0.0 if self.idle_since is None else now - self.idle_since


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Exponential back-off with an alarm; all times in seconds."""

    first_wait: float = 2.0
    longest_wait: float = 300.0
    alarm_after: int = 5
    forgotten_after: float = 600.0
    idle_grace: float = 60.0
    """So long may a connector be without a worker: a group of workers that forms anew needs some of it."""

    def decide(self, history: RestartHistory, now: float) -> Decision:
        """What to do with a connector that has failed: the first failure is restarted at once."""
        count = len(history.restarts)
        due = history.restarts[-1] + self.wait_after(count) if count else now
        decision: RestartNow | WaitUntil = RestartNow() if now >= due else WaitUntil(due)
        return Alarm(count, decision) if count >= self.alarm_after else decision

    @property
    def for_idle(self) -> "RestartPolicy":
        """The same for a connector that no worker runs: starting takes a while, and two tries tell enough."""
        return replace(self, first_wait=max(self.first_wait, self.idle_grace / 2), alarm_after=_IDLE_TRIES)

    def wait_after(self, restarts: int) -> float:
        """Seconds between a restart and the next, by how many there have been."""
        # 2 ** 64 seconds is beyond every cap; a larger exponent would overflow a float some day.
        return min(self.longest_wait, self.first_wait * 2.0 ** min(restarts - 1, 64))

    def observed(self, history: RestartHistory, health: Health, now: float) -> RestartHistory:
        """The history after a look at the connector; what was well for long enough is forgiven."""
        if health is Health.STARTING:
            since = now if history.idle_since is None else history.idle_since
            return replace(history, well_since=None, idle_since=since)
        if health >= Health.FAILED:
            return replace(history, well_since=None, idle_since=None)
        since = now if history.well_since is None else history.well_since
        if now - since >= self.forgotten_after:
            return RestartHistory(well_since=since)
        return replace(history, well_since=since, idle_since=None)

    def is_due(self, history: RestartHistory, health: Health, now: float) -> bool:
        """Whether the connector needs a restart: it has failed, or nobody has run it for too long."""
        return health is Health.FAILED or history.idle_for(now) >= self.idle_grace


class Connectors(Protocol):
    """What the restarter needs of the Connect client."""

    def status(self, name: str) -> ConnectorStatus:
        """The states of the connector and its tasks."""

    def restart_failed_tasks(self, name: str) -> None:
        """Start again what has failed."""

    def restart(self, name: str) -> None:
        """Start the connector and all its tasks again."""


class Did(StrEnum):
    """What one look at a connector came to."""

    NOTHING = "nothing"
    RESTARTED = "restarted"
    WAITED = "waited"
    MISSING = "missing"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one connector.

    Args:
        name: of the connector.
        did: what came of it.
        alarm: counts the restarts that did not help; 0 without an alarm.
        detail: the reason, for people.
        idle_s: for how many seconds no worker has run it; 0 as long as that is within the grace.
    """

    name: str
    did: Did
    alarm: int = 0
    detail: str = ""
    idle_s: float = 0.0


class Restarter:
    """Looks at connectors when it is asked to and restarts those that have failed.

    Args:
        connectors: the Connect client.
        policy: when to restart and when to raise the alarm.
        clock: seconds on a clock that never goes back.
    """

    def __init__(self, connectors: Connectors, policy: RestartPolicy, clock: Callable[[], float]) -> None:
        self._connectors = connectors
        self._policy = policy
        self._clock = clock
        self._histories: dict[str, RestartHistory] = {}

    def look(self, names: Iterable[str]) -> list[Look]:
        """Look at each connector once, restart what is due, and say what was done."""
        wanted = list(names)
        self._histories = {name: self._histories.get(name, RestartHistory()) for name in wanted}
        return [self._look_at(name) for name in wanted]

    def _look_at(self, name: str) -> Look:
        try:
            status = self._connectors.status(name)
        except ConnectorNotFound as error:
            return Look(name, Did.MISSING, detail=str(error))
        except ConnectError as error:
            return Look(name, Did.NO_ANSWER, detail=str(error))
        now = self._clock()
        history = self._policy.observed(self._histories[name], status.health, now)
        self._histories[name] = history
        if not self._policy.is_due(history, status.health, now):
            return Look(name, Did.NOTHING)
        idle = history.idle_for(now)
        return replace(self._act(status, history), idle_s=idle)

    def _act(self, status: ConnectorStatus, history: RestartHistory) -> Look:
        now = self._clock()
        if status.health is Health.FAILED:
            decision = self._policy.decide(history, now)
        else:
            decision = self._policy.for_idle.decide(history.since_idle, now)
        alarm = decision.restarts if isinstance(decision, Alarm) else 0
        step = decision.then if isinstance(decision, Alarm) else decision
        if isinstance(step, WaitUntil):
            return Look(status.name, Did.WAITED, alarm, _reason(status))
        # Remembered first: a restart that got no answer has been tried all the same.
        self._histories[status.name] = replace(history, restarts=(*history.restarts, now))
        restart = self._connectors.restart_failed_tasks if status.has_failed else self._connectors.restart
        try:
            restart(status.name)
        except ConnectorNotFound as error:
            return Look(status.name, Did.MISSING, detail=str(error))
        except ConnectError as error:
            return Look(status.name, Did.NO_ANSWER, alarm, str(error))
        return Look(status.name, Did.RESTARTED, alarm, _reason(status))


def _reason(status: ConnectorStatus) -> str:
    """The first line of each trace with the cause at its root, or the states of what does not run."""
    traces = [status.trace, *(task.trace for task in status.failed_tasks)]
    if status.has_failed:
        return "; ".join(_summary(trace.splitlines()) for trace in traces if trace)
    return ", ".join(status.ill)


def _summary(trace: Sequence[str]) -> str:
    causes = [line for line in trace if line.startswith("Caused by: ")]
    return f"{trace[0]} ({causes[-1]})" if causes else trace[0]
