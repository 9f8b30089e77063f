"""Work on many stopped events in the background: what it is about, how far it is, what became of each."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.ledger.quarantine_work import Worked

KEPT: Final = 100


class Deed(StrEnum):
    """What is done with stopped events."""

    RELEASE = "release"
    """As they are, through the gate once more."""
    RESUBMIT = "resubmit"
    """Once more after a release was stopped again, when rules or code lists have been put right since."""
    DISCARD = "discard"


class Stage(StrEnum):
    """Where a work is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """One work."""

    id: str
    deed: Deed
    provider: str
    by: str
    reason: str
    dry_run: bool
    began: datetime
    events: int = 0
    """How many are meant; 0 until they were read."""
    stage: Stage = Stage.RUNNING
    worked: tuple[Worked, ...] = ()
    failure: str = ""
    moved: datetime | None = None
    """The last sign of life."""

    @property
    def refused(self) -> int:
        """How many did not come to what was wanted."""
        return sum(not each.ok for each in self.worked)


Run = Callable[[Callable[[Worked], None], Callable[[int], None]], list[Worked]]
"""Does a work; told of each event that is done, and of how many are meant."""


@dataclass(slots=True)
class Tasks:
    """Runs works and remembers them while the process lives; what is done stands in the topics anyway."""

    clock: Callable[[], datetime]
    report: Callable[[str, Exception], None]
    _tasks: dict[str, Task] = field(default_factory=dict)
    _moved: threading.Condition = field(default_factory=threading.Condition)

    def start(self, task: Task, run: Run) -> Task | None:
        """Begin; None where the provider's events are worked on already: two would release one twice."""
        with self._moved:
            busy = any(
                each.stage is Stage.RUNNING and each.provider == task.provider
                for each in self._tasks.values()
            )
            if busy and not task.dry_run:
                return None
            self._tasks[task.id] = task
            over = [key for key, each in self._tasks.items() if each.stage is not Stage.RUNNING]
            for key in over[: max(len(self._tasks) - KEPT, 0)]:
                del self._tasks[key]
        threading.Thread(target=self._run, args=(task.id, run), name=f"{task.deed}-{task.id}").start()
        return task

    def find(self, id_: str) -> Task | None:
        """A work by its id."""
        with self._moved:
            return self._tasks.get(id_)

    def of(self, provider: str) -> list[Task]:
        """The works on one provider's events, the newest first."""
        with self._moved:
            return [each for each in reversed(self._tasks.values()) if each.provider == provider]

    def wait(self, id_: str, timeout_s: float) -> Task | None:
        """The work once it is over, or as it is when the time is."""
        with self._moved:
            self._moved.wait_for(
                lambda: id_ not in self._tasks or self._tasks[id_].stage is not Stage.RUNNING, timeout_s
            )
            return self._tasks.get(id_)

    def _run(self, id_: str, run: Run) -> None:
        def told(worked: Worked) -> None:
            with self._moved:
                task = self._tasks[id_]
            self._note(replace(task, worked=(*task.worked, worked)))

        def counted(events: int) -> None:
            with self._moved:
                task = self._tasks[id_]
            self._note(replace(task, events=events))

        try:
            done = tuple(run(told, counted))
        except Exception as error:  # noqa: BLE001 - the page says that it failed
            self.report(id_, error)
            with self._moved:
                task = self._tasks[id_]
            self._note(replace(task, stage=Stage.FAILED, failure=type(error).__name__))
            return
        with self._moved:
            task = self._tasks[id_]
        self._note(replace(task, stage=Stage.DONE, worked=done))

    def _note(self, task: Task) -> None:
        with self._moved:
            self._tasks[task.id] = replace(task, moved=self.clock())
            self._moved.notify_all()
