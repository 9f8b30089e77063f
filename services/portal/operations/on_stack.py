"""The doors to the bus of a stack: logins of the auditor, the operator and the writer of policy."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from fastapi import FastAPI

from services.api.parts import Parts
from services.api.running import BusUnavailable
from services.control.access import Access
from services.control.settings import ApplySettings
from services.control.stack_access import access_of
from services.control.suspension.machine import machine_on
from services.ledger.bus import Bus
from services.ledger.on_stack import open_bus_of
from services.portal.operations.doors import connect, operations
from services.stack.api import Stack
from services.stack.errors import StackError

_TIMEOUT_S: Final = 20.0


def connect_stack(app: FastAPI, parts: Parts, stack: Stack) -> None:
    """Let an app's pages use the doors to a stack; nothing is asked of it yet."""
    door = BusDoor(stack)
    machine = machine_on(door.access(), ApplySettings.from_environment())
    connect(app, operations(parts, door.open, machine, parts.random(4).hex()))


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

    def access(self) -> Access:
        """What a suspension and a resumption need; users and captures are none of their business."""

        def refuse(name: str) -> NoReturn:
            raise PermissionError(f"the portal makes and withdraws no login: {name}")

        return replace(
            access_of(self.stack),
            ensure_user=refuse,
            withdraw_user=refuse,
            lock_user=refuse,
            renew_user=refuse,
            users_with_passwords=frozenset,
            known_users=set,
            capture_source=lambda _name: None,
        )
