"""How much of the machine others used while a program ran: what its own work cannot change."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

from tests.stack_fixture import processes_below


@dataclass(frozen=True, slots=True)
class Sample:
    """Processor seconds since the machine's start, at a moment: of everybody, and of the program."""

    seconds: float
    everybody: float
    own: float


@dataclass(slots=True)
class Watched:
    """A program, all that it started and all that works in its home, sampled while it runs."""

    pid: int
    home: str
    processors: int = field(default_factory=lambda: os.cpu_count() or 1)
    samples: list[Sample] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def sample(self) -> None:
        """Look once; who ended in between is counted by whoever waited for it."""
        own = sum(processor_seconds(process) for process in self._own())
        self.samples.append(Sample(time.monotonic() - self._began, seconds_of_everybody(), own))

    def _own(self) -> set[psutil.Process]:
        found = set(processes_below(self.home))
        try:
            program = psutil.Process(self.pid)
            return found | {program, *program.children(recursive=True)}
        except psutil.NoSuchProcess:
            return found


def seconds_without_others(samples: Sequence[Sample], until: float, processors: int) -> float:
    """How long ``until`` would have been without the share of the processors that others took until then.

    Args:
        samples: from the program's start on.
        until: seconds from the program's start.
        processors: how many there are.
    """
    first = samples[0]
    last = next((sample for sample in samples if sample.seconds >= until), samples[-1])
    spent = (last.seconds - first.seconds) * processors
    others = (last.everybody - first.everybody) - (last.own - first.own)
    return until * (1 - min(1.0, max(0.0, others / spent))) if spent else until


def processor_seconds(process: psutil.Process) -> float:
    """Of the process and of its children that have ended."""
    try:
        used = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(used.user + used.system + used.children_user + used.children_system)


def seconds_of_everybody() -> float:
    """What all programs of the machine have used, and what other machines on the same processors took."""
    used = psutil.cpu_times()
    return float(used.user + used.nice + used.system + used.irq + used.softirq + used.steal)
