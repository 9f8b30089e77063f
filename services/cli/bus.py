"""Opens the running stack for commands, and says who is at the keyboard."""

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.cli.output import CommandFailed, ExitCode
from services.ledger.bus import Bus as Bus
from services.ledger.on_stack import open_bus_of
from services.stack.api import Stack, State
from services.stack.settings import StackSettings

_NOT_IN_AN_ID: Final = re.compile(r"[^!-~]+")


@contextmanager
def open_bus(timeout_s: float = 30.0) -> Iterator[Bus]:
    """Connect to the stack that the environment names.

    Raises:
        CommandFailed: Kafka or the registry does not run.
        StackError: a secret or a setting is missing.
    """
    stack = Stack(StackSettings.from_environment())
    require(stack, "kafka", "registry")
    with open_bus_of(stack, "cli", timeout_s) as opened:
        yield opened


def actor() -> str:
    """Who is at the keyboard, for the record: the user of the process, whatever the environment says."""
    user = os.getuid()
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"uid-{user}"


def console_account() -> str:
    """Who stands in the ledger for what is ordered at a console: no account, but the login at the machine."""
    return f"console:{_NOT_IN_AN_ID.sub('_', actor())}"


def require(stack: Stack, *parts: str) -> None:
    """Say which of these parts of the stack do not run, before anything is asked of them.

    Raises:
        CommandFailed: one of them does not run.
    """
    states = {status.name: status.state for status in stack.status()}
    down = [part for part in parts if states.get(part) is not State.RUNNING]
    if down:
        verb = "do" if len(down) > 1 else "does"
        raise CommandFailed(
            ExitCode.UNAVAILABLE,
            f"{' and '.join(down)} {verb} not run",
            f"the stack in {stack.settings.home}",
            "start it from its last data with `govbus up`, then ask again",
        )
