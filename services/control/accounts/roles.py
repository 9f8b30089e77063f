"""Roles of persons, and which of them no one person may hold together (requirements A1-02 to A1-06).

Management, operation and audit are kept apart (GB/T 39477-2020, 6.2), and so is who uses data from the three
of them: a person has one duty, and only roles of that duty.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """As whom a person may act; the same words as those of cases and of the catalogue."""

    AUTHORITY = "authority"
    PROVIDER = "provider"
    CONSUMER = "consumer"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    OVERSEER = "overseer"


class Duty(StrEnum):
    """What a person is there for; nobody has two."""

    EXCHANGE = "exchange"
    """Gives and takes data for a department."""
    MANAGEMENT = "management"
    """Decides who may have what, and who is who."""
    OPERATION = "operation"
    """Keeps the machines running, and decides nothing."""
    AUDIT = "audit"
    """Looks at what all others did, and changes nothing."""


DUTY_OF: Final[Mapping[Role, Duty]] = {
    Role.AUTHORITY: Duty.MANAGEMENT,
    Role.PROVIDER: Duty.EXCHANGE,
    Role.CONSUMER: Duty.EXCHANGE,
    Role.OPERATOR: Duty.OPERATION,
    Role.AUDITOR: Duty.AUDIT,
    Role.OVERSEER: Duty.AUDIT,
}
"""The duty that each role belongs to."""


def duty_of(roles: Iterable[Role]) -> Duty | None:
    """The one duty of these roles, None without any.

    Raises:
        ValueError: they are of several duties, which no person may have.
    """
    duties = {DUTY_OF[role] for role in roles}
    if len(duties) > 1:
        names = ", ".join(sorted(duties))
        raise ValueError(f"nobody may have several duties: {names}")
    return next(iter(duties), None)


def may_hold(roles: Iterable[Role]) -> bool:
    """Whether one person may hold these roles together (一人不得兼)."""
    return len({DUTY_OF[role] for role in roles}) <= 1
