"""Starts failed connector tasks again, ever less often, and raises an alarm when that does not help."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from producers.connect_errors import ConnectError, ConnectorNotFound
from producers.connect_status import ConnectorStatus


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
    """

    restarts: tuple[float, ...] = ()
    well_since: float | None = None


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Exponential back-off with an alarm; all times in seconds."""

    first_wait: float = 2.0
    longest_wait: float = 300.0
    alarm_after: int = 5
    forgotten_after: float = 600.0

    def decide(self, history: RestartHistory, now: float) -> Decision:
        """What to do with a connector that has failed: the first failure is restarted at once."""
        count = len(history.restarts)
        due = history.restarts[-1] + self.wait_after(count) if count else now
        decision: RestartNow | WaitUntil = RestartNow() if now >= due else WaitUntil(due)
        return Alarm(count, decision) if count >= self.alarm_after else decision

    def wait_after(self, restarts: int) -> float:
        """Seconds between a restart and the next, by how many there have been."""
        # 2 ** 64 seconds is beyond every cap; a larger exponent would overflow a float some day.
        return min(self.longest_wait, self.first_wait * 2.0 ** min(restarts - 1, 64))

    def observed(self, history: RestartHistory, *, failed: bool, now: float) -> RestartHistory:
        """The history after a look at the connector; what was well for long enough is forgiven."""
        if failed:
            return replace(history, well_since=None)
        since = now if history.well_since is None else history.well_since
        if now - since >= self.forgotten_after:
            return RestartHistory(well_since=since)
        return replace(history, well_since=since)


class Connectors(Protocol):
    """What the restarter needs of the Connect client."""

    def status(self, name: str) -> ConnectorStatus:
        """The states of the connector and its tasks."""

    def restart_failed_tasks(self, name: str) -> None:
        """Start again what has failed."""


class Did(StrEnum):
    """What one look at a connector came to."""

    NOTHING = "nothing"
    RESTARTED = "restarted"
    WAITED = "waited"
    MISSING = "missing"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one connector; ``alarm`` counts the restarts that did not help, 0 without an alarm."""

    name: str
    did: Did
    alarm: int = 0
    detail: str = ""


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
            history = self._policy.observed(
                self._histories[name], failed=status.has_failed, now=self._clock()
            )
            self._histories[name] = history
            return self._act(status, history) if status.has_failed else Look(name, Did.NOTHING)
        except ConnectorNotFound as error:
            return Look(name, Did.MISSING, detail=str(error))
        except ConnectError as error:
            return Look(name, Did.NO_ANSWER, detail=str(error))

    def _act(self, status: ConnectorStatus, history: RestartHistory) -> Look:
        now = self._clock()
        decision = self._policy.decide(history, now)
        alarm = decision.restarts if isinstance(decision, Alarm) else 0
        step = decision.then if isinstance(decision, Alarm) else decision
        if isinstance(step, WaitUntil):
            return Look(status.name, Did.WAITED, alarm, _first_lines(status))
        # Remembered first: a restart that got no answer has been tried all the same.
        self._histories[status.name] = replace(history, restarts=(*history.restarts, now))
        self._connectors.restart_failed_tasks(status.name)
        return Look(status.name, Did.RESTARTED, alarm, _first_lines(status))


def _first_lines(status: ConnectorStatus) -> str:
    traces = [status.trace, *(task.trace for task in status.failed_tasks)]
    return "; ".join(trace.splitlines()[0] for trace in traces if trace)
