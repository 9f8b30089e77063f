"""A time is shortened by what others took of the machine, and by nothing that the program itself did."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processor_time import Sample, Watched, seconds_without_others


@pytest.mark.parametrize(
    ("everybody", "own", "expected"),
    [
        (0, 0, 40.0),
        (80, 80, 40.0),
        (40, 40, 40.0),
        (80, 40, 20.0),
        (60, 20, 20.0),
        (20, 0, 30.0),
        (80, 0, 0.0),
        (10, 20, 40.0),
    ],
)
def test_only_what_others_took_counts(everybody: float, own: float, expected: float) -> None:
    samples = [Sample(0, 1_000, 5), Sample(40, 1_000 + everybody, 5 + own), Sample(80, 9_000, 5 + own)]
    assert seconds_without_others(samples, 40, processors=2) == expected


def test_what_a_program_and_its_children_compute_is_its_own(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    twice = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\ninput()"
    with subprocess.Popen([sys.executable, "-c", twice], stdin=subprocess.PIPE, text=True) as program:
        watched = Watched(program.pid, str(tmp_path))
        watched.sample()
        while watched.samples[-1].own < 0.3 and watched.samples[-1].seconds < 30:
            watched.sample()
        program.communicate("\n")
    assert watched.samples[-1].own >= 0.3
    assert watched.samples[-1].everybody - watched.samples[0].everybody > 0
    assert watched.processors == os.cpu_count()
