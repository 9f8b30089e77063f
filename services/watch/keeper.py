"""Starts the bus's own processes again where they ended by themselves; tells when that does not help."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from producers.connect_status import Health
from producers.restarter import Alarm as GaveUp
from producers.restarter import RestartHistory, RestartNow, RestartPolicy
from services.stack.again import Ended
from services.stack.python_process import OwnProcess
from services.watch.judge import Alarm, AlarmKind
from services.watch.safe_text import safe_line

ALARM_AFTER: Final = 3
"""So many starts, none of which was well for long: it does not end by chance."""


class Processes(Protocol):
    """The bus's own processes."""

    def standing(self) -> Sequence[OwnProcess]:
        """Those that were started and that nobody has stopped since.

        Raises:
            OSError: that cannot be seen.
        """
        ...

    def start_again(self, name: str) -> Ended:
        """Start one of them without waiting for it."""
        ...


@dataclass(frozen=True, slots=True)
class Tried:
    """One start; ``starts`` counts those of the watch since the process was last well for long."""

    name: str
    ended: Ended
    starts: int


class Keeper:
    """Looks when it is asked to. What a person has stopped stays stopped, and so does what asks for one."""

    def __init__(self, processes: Processes, policy: RestartPolicy, clock: Callable[[], float]) -> None:
        self._processes, self._clock = processes, clock
        self._policy = replace(policy, alarm_after=ALARM_AFTER)
        self._histories: dict[str, RestartHistory] = {}
        self._waiting: dict[str, str] = {}

    def look(self) -> list[Tried]:
        """Start again what does not live and is due.

        Raises:
            OSError: the processes cannot be seen.
        """
        standing, now = self._processes.standing(), self._clock()
        self._waiting = {each.name: each.waits for each in standing if not each.lives and each.waits}
        before, self._histories = self._histories, {}
        for each in standing:
            health = Health.RUNNING if each.lives else Health.FAILED
            history = before.get(each.name, RestartHistory())
            self._histories[each.name] = self._policy.observed(history, health, now)
        down = (each.name for each in standing if not each.lives and not each.waits)
        return [tried for name in down if (tried := self._tried(name)) is not None]

    def alarms(self) -> Iterator[Alarm]:
        """What ends again and again, until it has lived for long, and what waits for a person."""
        for name, why in sorted(self._waiting.items()):
            remedy = f"govbus logs {name}; nothing starts it but govbus up, once its cause is understood"
            yield Alarm(AlarmKind.PROCESS_CRASHED, name, safe_line(why), remedy)
        for name, history in sorted(self._histories.items()):
            if len(history.restarts) >= self._policy.alarm_after and name not in self._waiting:
                detail = f"it does not live for long: {len(history.restarts)} starts"
                remedy = f"govbus logs {name}, mend the cause; starts go on by themselves"
                yield Alarm(AlarmKind.PROCESS_CRASHED, name, detail, remedy)

    def _tried(self, name: str) -> Tried | None:
        history, now = self._histories[name], self._clock()
        decision = self._policy.decide(history, now)
        step = decision.then if isinstance(decision, GaveUp) else decision
        if not isinstance(step, RestartNow):
            return None
        ended = self._processes.start_again(name)
        if ended in (Ended.STARTED, Ended.FAILED):
            self._histories[name] = replace(history, restarts=(*history.restarts, now))
        return Tried(name, ended, len(self._histories[name].restarts))
