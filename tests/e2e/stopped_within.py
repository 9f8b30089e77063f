"""Runs a govbus command that stops itself, as Ctrl-Z would, where it is about to make a call."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import psutil

from services.stack.api import Stack
from tests.e2e.live_city import wait_until

_PROGRAM: Final = """
import os, signal, sys
from importlib import import_module
place, nth, *arguments = sys.argv[1:]
module, owner, method = place.split(":")
owner = getattr(import_module(module), owner)
original, calls = getattr(owner, method), 0
def stopping(*given, **named):
    global calls
    calls += 1
    if calls == int(nth):
        os.kill(os.getpid(), signal.SIGSTOP)
    return original(*given, **named)
setattr(owner, method, stopping)
sys.argv = ["govbus", *arguments]
from services.cli.__main__ import main
main()
"""


def environment(stack: Stack, **more: str) -> dict[str, str]:
    """In which commands mean this stack."""
    values = stack.settings.model_dump(exclude_none=True)
    return os.environ | {f"GOVBUS_{name.upper()}": str(value) for name, value in values.items()} | more


def stopped_within(
    place: str, nth: int, arguments: Sequence[str], variables: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Start a command; return when it has stopped itself.

    Args:
        place: ``module:class:method``.
        nth: before which of its calls.
        arguments: of govbus.
        variables: its environment.
    """
    started = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, place, str(nth), *arguments],
        env=dict(variables),
        stdout=subprocess.DEVNULL,
    )
    process = psutil.Process(started.pid)
    wait_until(
        lambda: started.poll() is not None or process.status() == psutil.STATUS_STOPPED,
        f"{arguments[0]} to come to {place}",
    )
    assert started.poll() is None, f"{arguments[0]} never came to {place}"
    return started
