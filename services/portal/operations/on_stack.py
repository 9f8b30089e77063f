"""The doors to the bus of a stack: logins of the auditor and the operator."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI

from services.api.parts import Parts
from services.api.running import BusUnavailable
from services.control.evidence.on_stack import trust_path
from services.evidence.trust import Trust, trust_from
from services.ledger.bus import Bus
from services.ledger.on_stack import open_bus_of
from services.portal.operations.doors import connect, operations
from services.stack.api import Stack
from services.stack.errors import StackError

_TIMEOUT_S: Final = 20.0


def connect_stack(app: FastAPI, parts: Parts, stack: Stack) -> None:
    """Let an app's pages use the doors to a stack; nothing is asked of it yet."""
    connect(app, operations(parts, BusDoor(stack).open, parts.random(4).hex(), lambda: _trust(stack)))


def _trust(stack: Stack) -> Trust | None:
    """What the installation's trust file says; public keys are all that the portal has of the evidence."""
    path = trust_path(stack.settings.home)
    return trust_from(path.read_bytes()) if path.exists() else None


@dataclass(frozen=True, slots=True)
class BusDoor:
    """Opens the bus for one piece of work."""

    stack: Stack

    @contextmanager
    def open(self) -> Iterator[Bus]:
        """Readers of both logins and the operator's writer; everything is closed at the end.

        Raises:
            BusUnavailable: a login of the stack is missing.
        """
        with ExitStack() as closing:
            try:
                opened = closing.enter_context(open_bus_of(self.stack, "portal", _TIMEOUT_S))
            except StackError as error:
                raise BusUnavailable(type(error).__name__) from error
            yield opened
