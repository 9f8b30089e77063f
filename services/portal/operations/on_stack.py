"""The doors to the bus of a stack: logins of the auditor and the operator."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI

from services.api.parts import Parts
from services.api.running import BusUnavailable
from services.control.evidence.on_stack import trust_path
from services.control.process.tracing.on_stack import key_of
from services.control.replays.on_stack import open_known
from services.evidence.trust import Trust, trust_from
from services.ledger.bus import Bus
from services.ledger.on_stack import open_bus_of
from services.ledger.replay.what_is_known import Known
from services.portal.operations.doors import connect, operations
from services.portal.operations.replaying import Installation
from services.stack.api import Stack
from services.stack.errors import StackError

_TIMEOUT_S: Final = 20.0


def connect_stack(app: FastAPI, parts: Parts, stack: Stack) -> None:
    """Let an app's pages use the doors to a stack; nothing is asked of it yet."""
    door = BusDoor(stack)
    installation = Installation(door.open_known, _key_of(stack))
    connect(app, operations(parts, door.open, parts.random(4).hex(), lambda: _trust(stack), installation))


def _trust(stack: Stack) -> Trust | None:
    """What the installation's trust file says; public keys are all that the portal has of the evidence."""
    path = trust_path(stack.settings.home)
    return trust_from(path.read_bytes()) if path.exists() else None


def _key_of(stack: Stack) -> Callable[[int], bytes]:
    """The keys of the person trace; without the master secret nothing is answered."""
    key = key_of(stack)

    def asked(version: int) -> bytes:
        try:
            return key(version)
        except StackError as error:
            raise BusUnavailable(type(error).__name__) from error

    return asked


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

    @contextmanager
    def open_known(self) -> Iterator[Known]:
        """What deciding again reads, by the login of replays.

        Raises:
            BusUnavailable: a login of the stack is missing.
        """
        with ExitStack() as closing:
            try:
                opened = closing.enter_context(open_known(self.stack, _TIMEOUT_S))
            except StackError as error:
                raise BusUnavailable(type(error).__name__) from error
            yield opened
