"""Runs the loops, each in a thread of its own: one that fails waits and tries again, and stops no other."""

import logging
import random
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Final, Protocol

from services.control.process.errors import in_words, is_expected
from services.control.process.loops import Loop, NotYet
from services.control.process.status import Status

_LOG: Final = logging.getLogger(__name__)


class Ending(Protocol):
    """Whether the process shall end: a ``threading.Event``, or one with a time of its own in tests."""

    def is_set(self) -> bool:
        """Whether it shall."""

    def wait(self, timeout: float) -> bool:
        """Wait so many seconds, or until it shall end; returns whether it shall."""


def run_loop(loop: Loop, status: Status, ending: Ending, draw: Callable[[], float] = random.random) -> None:
    """Take turns until the process shall end; the turn that is under way then is finished."""
    while not ending.is_set():
        ending.wait(_turn(loop, status, draw))


def _turn(loop: Loop, status: Status, draw: Callable[[], float]) -> float:
    """Take one turn, and return how long to wait for the next."""
    status.begun(loop.name)
    try:
        worked = loop.turn()
    except NotYet as reason:
        status.waits(loop.name, str(reason))
        return loop.pace.idle_s
    except Exception as error:  # noqa: BLE001 - whatever it is, the other loops and the next turn go on
        return _failed(loop, status, error, draw)
    status.done(loop.name, worked=worked)
    return loop.pace.busy_s if worked else loop.pace.idle_s


def _failed(loop: Loop, status: Status, error: Exception, draw: Callable[[], float]) -> float:
    errors = status.failed(loop.name, in_words(error))
    wait = loop.pace.after_error(errors, draw())
    if is_expected(error):
        _LOG.warning("%s: %s; again in %.0f s", loop.name, in_words(error), wait)
    else:
        # Where it broke, without the text: what nobody foresaw may hold anything.
        _LOG.error("%s: %s; again in %.0f s\n%s", loop.name, in_words(error), wait, _places(error))
    return wait


def _places(error: Exception) -> str:
    lines, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        lines.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return "\n".join(lines)


class Supervisor:
    """The loops of one process."""

    def __init__(self, loops: Sequence[Loop], status: Status, ending: Event) -> None:
        self._ending = ending
        status.expect(loops)
        self._threads = [
            Thread(target=run_loop, args=(loop, status, ending), name=loop.name, daemon=True)
            for loop in loops
        ]

    def start(self) -> None:
        """Let all of them begin."""
        for thread in self._threads:
            thread.start()

    def wait(self, patience_s: float) -> list[str]:
        """Wait until the process shall end and the turns under way are over.

        Args:
            patience_s: how long those turns may take together.

        Returns:
            The names of the loops that did not end in that time.
        """
        self._ending.wait()
        slice_s = patience_s / max(1, len(self._threads))
        for thread in self._threads:
            thread.join(slice_s)
        return [thread.name for thread in self._threads if thread.is_alive()]
