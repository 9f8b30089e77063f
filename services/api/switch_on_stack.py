"""The kill switch of a stack, with the login of the writer of policy and none that makes or ends logins."""

from dataclasses import replace
from typing import NoReturn

from services.api.reporting import report
from services.control.access import Access
from services.control.settings import ApplySettings
from services.control.stack_access import access_of
from services.control.suspension.machine import machine_on
from services.control.suspension.switch import KillSwitch
from services.stack.api import Stack


def switch_on(stack: Stack, settings: ApplySettings) -> KillSwitch:
    """The switch; nothing is asked of the stack yet."""
    return KillSwitch(machine_on(_access(stack), settings), report)


def _access(stack: Stack) -> Access:
    """What a suspension and a resumption need; users and captures are none of their business."""

    def refuse(name: str) -> NoReturn:
        raise PermissionError(f"the portal makes and withdraws no login: {name}")

    return replace(
        access_of(stack),
        ensure_user=refuse,
        withdraw_user=refuse,
        lock_user=refuse,
        renew_user=refuse,
        settle_user=refuse,
        half_done_users=frozenset,
        users_with_passwords=frozenset,
        known_users=set,
        capture_source=lambda _name: None,
    )
