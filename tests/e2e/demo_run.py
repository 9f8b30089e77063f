"""`govbus demo` run as its user does: a program of its own over a home of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.stack.settings import StackSettings
from tests.stack_fixture import processes_below
from tests.support.processor_time import Watched
from tests.support.waiting import patience

PERSONS, UPDATES = 10, 3
LONGEST_SECONDS = 400


@dataclass(frozen=True)
class Run:
    """One run of the demo that has ended."""

    code: int
    out: str
    err: str
    seconds: float
    watched: Watched
    left: list[str]
    """The command lines of what still ran when it had ended."""

    @property
    def answer(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


def play(settings: StackSettings, *more: str, longest: float = LONGEST_SECONDS) -> Run:
    """Run the demo to its end, with more options than those of its size."""
    named = {settings.variable(name): str(value) for name, value in settings if value is not None}
    options = ("--persons", str(PERSONS), "--updates", str(UPDATES), "--json")
    with subprocess.Popen(
        [Path(sys.executable).with_name("govbus"), "demo", *options, *more],
        env={**os.environ, **named},
        cwd=settings.home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        watched = Watched(program.pid, str(settings.home))
        out, err = _watch(program, watched, longest)
    seconds = watched.samples[-1].seconds
    left = [" ".join(process.info["cmdline"]) for process in processes_below(str(settings.home))]
    return Run(program.returncode, out, err, seconds, watched, left)


def _watch(program: subprocess.Popen[str], watched: Watched, longest: float) -> tuple[str, str]:
    """What the program said once it has ended; it is looked at about once a second."""
    while True:
        watched.sample()
        try:
            out, err = program.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            if watched.samples[-1].seconds > longest * patience():
                program.kill()
            continue
        watched.sample()
        return out, err
