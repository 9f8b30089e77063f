"""What groups of an identity provider make of a person, as data: department and roles, in doubt nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.control.accounts.roles import Role, may_hold


class Unmapped(StrEnum):
    """Why groups make nobody of us."""

    NO_GROUP = "NO_GROUP"
    """None of the groups is in the mapping."""
    SEVERAL_DEPARTMENTS = "SEVERAL_DEPARTMENTS"
    NO_DEPARTMENT = "NO_DEPARTMENT"
    NO_ROLE = "NO_ROLE"
    SEPARATION = "SEPARATION"
    """The roles of these groups may not be held by one person."""


@dataclass(frozen=True, slots=True)
class GroupRule:
    """What membership in one group gives: a department, roles, departments to oversee, or some of them."""

    group: str
    department: str | None = None
    roles: frozenset[Role] = frozenset()
    oversees: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a person is by its groups."""

    department: str
    roles: frozenset[Role]
    oversees: frozenset[str] = frozenset()


def map_groups(groups: Iterable[str], rules: Iterable[GroupRule]) -> Mapped | Unmapped:
    """What groups make of a person; groups that no rule names count for nothing."""
    member = frozenset(groups)
    matching = [rule for rule in rules if rule.group in member]
    if not matching:
        return Unmapped.NO_GROUP
    departments = {rule.department for rule in matching if rule.department is not None}
    if len(departments) > 1:
        return Unmapped.SEVERAL_DEPARTMENTS
    if not departments:
        return Unmapped.NO_DEPARTMENT
    roles = frozenset(role for rule in matching for role in rule.roles)
    if not roles:
        return Unmapped.NO_ROLE
    if not may_hold(roles):
        return Unmapped.SEPARATION
    oversees = frozenset(each for rule in matching for each in rule.oversees)
    return Mapped(departments.pop(), roles, oversees if Role.OVERSEER in roles else frozenset())
