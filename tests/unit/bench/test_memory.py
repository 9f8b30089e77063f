"""How much a process and those below it hold."""

import os
import subprocess
import sys

import pytest

from services.bench.probe import ProcessEnded, family_mb

HOLDS_50_MB = "held = bytearray(b'x') * 50_000_000; print('held', flush=True); input()"


def test_what_a_child_holds_counts_with_its_parent() -> None:
    before = family_mb(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_50_MB], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with_child = family_mb(os.getpid())
        child.communicate("\n")
    assert with_child - before > 45


def test_a_page_that_parent_and_child_share_counts_once() -> None:
    program = (
        "import os; held = bytearray(b'x') * 50_000_000; child = os.fork();"
        "child or (print('held', flush=True), input(), os._exit(0)); os.waitpid(child, 0)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "held\n"
        assert 50 < family_mb(parent.pid) < 95
        parent.communicate("\n")


def test_a_process_that_has_ended_holds_nothing_and_says_so() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    with pytest.raises(ProcessEnded, match="has ended"):
        family_mb(child.pid)
