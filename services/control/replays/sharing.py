"""Shares the chains of a replay among processes, each of which has its own reader and its own engines.

Nothing that is decided depends on another chain, so it does not matter who decides which one, or when.
"""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import Final

from services.control.replays.on_stack import open_known
from services.ledger.replay.audit import Judged, Repeater, RunAgain
from services.ledger.replay.pace import Pace
from services.ledger.replay.recorded import Stretch
from services.stack.api import Stack
from services.stack.settings import StackSettings

_LOOK_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class SharedJudges:
    """See ``services.ledger.replay.audit.Judges``.

    Args:
        settings: of the stack; every process opens it by itself.
        workers: how many processes.
    """

    settings: StackSettings
    workers: int

    def judge_all(self, stretches: Sequence[Stretch], pace: Pace) -> Iterator[Judged]:
        """The longest begin first, so that none is left alone with one at the end."""
        context = multiprocessing.get_context("spawn")
        decided, stop = context.Value("q", 0), context.Event()
        most = None if pace.most_a_second is None else max(1, pace.most_a_second // self.workers)
        begin = (self.settings, most, decided, stop)
        longest = sorted(stretches, key=lambda each: each.records + each.warm_records, reverse=True)
        with ProcessPoolExecutor(self.workers, context, _begin, begin) as pool:
            try:
                yield from _ended([pool.submit(_judge, each) for each in longest], decided, pace)
            except BrokenProcessPool as error:
                raise RunAgain(
                    "a process that decided chains was ended; the other chains are kept"
                ) from error
            finally:
                stop.set()


def _ended(given: Sequence["Future[Judged]"], decided: "Synchronized[int]", pace: Pace) -> Iterator[Judged]:
    waiting, told = set(given), 0
    while waiting:
        finished, waiting = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        now = decided.value
        pace.decided(now - told)
        told = now
        for each in finished:
            yield each.result()


@dataclass(slots=True)
class _Worker:
    """What one process keeps from chain to chain."""

    repeater: Repeater
    pace: Pace
    open: ExitStack
    """Holds the reader open for as long as the process lives."""


_workers: list[_Worker] = []
"""The one of this process; a pool's processes have nothing else in common with their tasks."""


def _begin(
    settings: StackSettings, most_a_second: int | None, decided: "Synchronized[int]", stop: Event
) -> None:
    told = 0

    def tell(done: int, _of: int, _rate: float) -> None:
        nonlocal told
        with decided.get_lock():
            decided.value += done - told
        told = done

    opened = ExitStack()
    repeater = Repeater(opened.enter_context(open_known(Stack(settings))))
    pace = Pace(most_a_second, tell, stop.is_set)
    pace.begin(0)
    _workers.append(_Worker(repeater, pace, opened))


def _judge(stretch: Stretch) -> Judged:
    [worker] = _workers
    return worker.repeater.judge(stretch, worker.pace)
