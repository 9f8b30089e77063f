"""Whether somebody may do something: the table of permissions asked about one person; in doubt it says no."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.control.accounts.actions import Action, Kind
from services.control.accounts.permissions import PERMISSIONS, Permission, Reach
from services.control.accounts.roles import Role, may_hold

EVERYWHERE: Final = "*"
"""In what an overseer oversees: all departments."""


class Refusal(StrEnum):
    """Why somebody may not."""

    UNKNOWN_ACTION = "UNKNOWN_ACTION"
    WRONG_ROLE = "WRONG_ROLE"
    OTHER_DEPARTMENT = "OTHER_DEPARTMENT"
    OWN_DEPARTMENT = "OWN_DEPARTMENT"
    NOT_OVERSEEN = "NOT_OVERSEEN"
    SEPARATION = "SEPARATION"
    PASSWORD_CHANGE_FIRST = "PASSWORD_CHANGE_FIRST"  # noqa: S105 - the name of a refusal
    OUT_OF_SCOPE = "OUT_OF_SCOPE"


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be done, in this role."""

    role: Role


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not be done."""

    reason: Refusal


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in one role, of a department; ``oversees`` names departments that an overseer may look at."""

    person: str
    role: Role
    department: str
    oversees: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is logged in, with all roles; ``scopes`` are those of an API token, None without one."""

    person: str
    department: str
    roles: frozenset[Role]
    oversees: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    must_change_password: bool = False

    def acting_as(self, role: Role) -> Actor:
        """The same person in one of the roles.

        Raises:
            ValueError: it is none of that person's roles.
        """
        if role not in self.roles:
            raise ValueError(f"the person does not have the role {role.value}")
        return Actor(self.person, role, self.department, self.oversees)


@dataclass(frozen=True, slots=True)
class Whose:
    """The departments of an object: who provides it, and who has or wants it; None where there is none."""

    provider: str | None = None
    consumer: str | None = None

    def concerning(self, role: Role) -> str | None:
        """The department that counts for a role: for all but providers the consumer's, if there is one."""
        if role is Role.PROVIDER:
            return self.provider
        if role is Role.CONSUMER:
            return self.consumer
        return self.consumer if self.consumer is not None else self.provider


def may(actor: Actor, action: str, object_department: str | None) -> Allowed | Refused:
    """Whether somebody may do something with an object of a department.

    Args:
        actor: who asks, in one role.
        action: one of ``Action``; anything else is refused.
        object_department: whose the object is, as ``Whose.concerning`` says it for the role; None for what
            belongs to no department, which is nobody's own.
    """
    permission = _permission(action)
    if permission is None:
        return Refused(Refusal.UNKNOWN_ACTION)
    own = object_department is not None and object_department == actor.department
    match permission.of(actor.role):
        case Reach.ALL:
            return _overseen(actor, object_department, own)
        case Reach.OWN if own:
            return Allowed(actor.role)
        case Reach.OTHER if not own:
            return Allowed(actor.role)
        case Reach.OWN:
            return Refused(Refusal.OTHER_DEPARTMENT)
        case Reach.OTHER:
            return Refused(Refusal.OWN_DEPARTMENT)
        case _:
            return Refused(Refusal.WRONG_ROLE)


def may_person(principal: Principal, action: str, whose: Whose) -> Allowed | Refused:
    """Whether a person may do something in any of his roles; says in which, or why not in the nearest one.

    Whoever holds roles that nobody may hold together can do nothing: something is wrong with that account.
    """
    permission = _permission(action)
    refusal = _barred(principal, permission)
    if permission is None or refusal is not None:
        return Refused(refusal or Refusal.UNKNOWN_ACTION)
    answers = [
        may(principal.acting_as(role), action, whose.concerning(role)) for role in sorted(principal.roles)
    ]
    for answer in answers:
        if isinstance(answer, Allowed):
            return answer
    nearer = [each for each in answers if each != Refused(Refusal.WRONG_ROLE)]
    return next(iter(nearer), Refused(Refusal.WRONG_ROLE))


def permitted(principal: Principal, actions: Iterable[Action], whose: Whose) -> tuple[Action, ...]:
    """Those of the actions that a person may take with an object, in their order: the buttons of a page."""
    return tuple(each for each in actions if isinstance(may_person(principal, each, whose), Allowed))


def scope_of(permission: Permission) -> str | None:
    """The scope that a token needs: ``<area>:look`` or ``<area>:change``; None where no token suffices."""
    if permission.kind is Kind.OWN:
        return None
    return f"{permission.action.area.value}:{permission.kind.value}"


SCOPES: Final = frozenset(scope for each in PERMISSIONS.values() if (scope := scope_of(each)) is not None)
"""All scopes that a token can have."""


def _permission(action: str) -> Permission | None:
    try:
        return PERMISSIONS.get(Action(action))
    except ValueError:
        return None


def _barred(principal: Principal, permission: Permission | None) -> Refusal | None:
    """Why a person may not do it in any role."""
    if permission is None:
        return Refusal.UNKNOWN_ACTION
    if not may_hold(principal.roles):
        return Refusal.SEPARATION
    if principal.scopes is not None and scope_of(permission) not in principal.scopes:
        return Refusal.OUT_OF_SCOPE
    if principal.must_change_password and permission.action is not Action.ACCOUNT_CHANGE_OWN_PASSWORD:
        return Refusal.PASSWORD_CHANGE_FIRST
    return None


def _overseen(actor: Actor, object_department: str | None, own: bool) -> Allowed | Refused:
    """Overseers reach only what they were named for; what belongs to no department needs all of them."""
    if actor.role is not Role.OVERSEER or own or EVERYWHERE in actor.oversees:
        return Allowed(actor.role)
    if object_department is not None and object_department in actor.oversees:
        return Allowed(actor.role)
    return Refused(Refusal.NOT_OVERSEEN)
