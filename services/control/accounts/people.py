"""Departments with their three named persons, people and their roles, and what may not be changed by whom."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.control.accounts.decision import EVERYWHERE, Principal
from services.control.accounts.roles import DUTY_OF, Duty, Role, duty_of, may_hold
from services.control.cases.words import Problem
from services.control.catalogue.checks import is_credit_code
from services.control.catalogue.entry import Contact, Contacts

_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LOGIN: Final = re.compile(r"[a-z][a-z0-9._-]{1,39}")
_EMAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}")
_LONGEST: Final = 100
_CONTACTS: Final = (("head", "第一责任人"), ("deputy", "分管负责人"), ("clerk", "专人"))


@dataclass(frozen=True, slots=True)
class Department:
    """A department; its id is the one that definitions, cases and entries know it by."""

    id: str
    zh: str
    en: str
    credit_code: str
    contacts: Contacts
    active: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """A person with an account.

    ``rights`` counts the changes of what the person may do, so that sessions can tell.
    """

    id: UUID
    login: str
    name: str
    department: str
    roles: frozenset[Role] = frozenset()
    oversees: frozenset[str] = frozenset()
    email: str = ""
    active: bool = True
    must_change_password: bool = False
    rights: int = 1
    department_active: bool = True
    disabled_by: str | None = None
    """Who switched the account off: the id of an account, or the console's."""

    @property
    def may_enter(self) -> bool:
        """Whether the person is let in: neither the account nor its department is switched off."""
        return self.active and self.department_active

    def principal(self, scopes: frozenset[str] | None = None) -> Principal:
        """The same person as the decision knows it, with the scopes of a token if one was shown."""
        return Principal(
            str(self.id), self.department, self.roles, self.oversees, scopes, self.must_change_password
        )


def department_problems(department: Department) -> tuple[Problem, ...]:
    """Everything that is wrong with a department; all three persons are named (requirement A1-08)."""
    return tuple(_department(department))


def person_problems(person: Person) -> tuple[Problem, ...]:
    """Everything that is wrong with a person."""
    return tuple(_person(person))


def roles_problem(roles: frozenset[Role], wanted: Role) -> Problem | None:
    """Why a person with these roles may not get another one, or None (一人不得兼)."""
    if may_hold(roles | {wanted}):
        return None
    held = ", ".join(sorted({DUTY_OF[role].value for role in roles}))
    what = f"the person's duty is {held}, and {wanted.value} belongs to {DUTY_OF[wanted].value}"
    return Problem("SEPARATION", "role", what, "take the other roles first, or give it to another person")


def reset_problem(person: Person) -> Problem | None:
    """Why nobody who runs the bus gives this person a new password at a page, or None.

    Whoever sets a password can log in with it: an operator would be what he must not be, who decides or who
    looks at his work. From the console it is done by whoever holds the database, and the record says so.
    """
    if duty_of(person.roles) in (None, Duty.EXCHANGE):
        return None
    what = "the person decides, runs the bus or audits: nobody takes such an account over at a page"
    return Problem(
        "RESET_AT_CONSOLE", "person", what, "have `govbus account reset-password` run at the console"
    )


def takes_new_duty(roles: frozenset[Role], wanted: Role) -> bool:
    """Whether somebody with these roles would with another one begin to decide, to run the bus or to audit.

    Whoever made the account, or gave it its password, has seen that one: an operator could log in before the
    person does, and be what he must not be. So no password from before counts in the new duty.
    """
    duty = DUTY_OF[wanted]
    return duty is not Duty.EXCHANGE and duty_of(roles) is not duty


def enable_problem(person: Person, principal: Principal) -> Problem | None:
    """Why somebody may not switch an account on again, or None: another than he switched it off.

    The authority may in any case, so that no account stays off because somebody has left.
    """
    if person.active or Role.AUTHORITY in principal.roles or person.disabled_by == principal.person:
        return None
    what = "somebody else switched the account off"
    return Problem("DISABLED_BY_ANOTHER", "person", what, "ask whoever did it, or the authority")


def own_account_problem(actor: str, subject: UUID) -> Problem | None:
    """Nobody changes his own account as its administrator; what is one's own has actions of its own."""
    if actor != str(subject):
        return None
    return Problem("OWN_ACCOUNT", "person", "this is your own account", "let another person do it")


def _department(department: Department) -> Iterator[Problem]:
    if not _ID.fullmatch(department.id):
        remedy = "use small letters, digits and underscores, a letter first"
        yield Problem("ID", "id", f"{department.id!r} is no id", remedy)
    for field in ("zh", "en"):
        if not 0 < len(getattr(department, field).strip()) <= _LONGEST:
            yield Problem("NAME", field, "the name is empty or too long", "give the official name")
    if not is_credit_code(department.credit_code):
        what = f"{department.credit_code!r} is no unified social credit code"
        yield Problem("CREDIT_CODE", "credit_code", what, "copy all 18 characters")
    yield from _contacts(department.contacts)


def _contacts(contacts: Contacts) -> Iterator[Problem]:
    for field, zh in _CONTACTS:
        contact: Contact = getattr(contacts, field)
        for part in ("name", "phone"):
            if not getattr(contact, part).strip():
                yield Problem("CONTACT", f"{field}.{part}", f"{zh}: {part} is missing", "name the person")


def _person(person: Person) -> Iterator[Problem]:
    if not _LOGIN.fullmatch(person.login):
        remedy = "use 2 to 40 small letters, digits, dots, hyphens and underscores, a letter first"
        yield Problem("LOGIN", "login", f"{person.login!r} is no login name", remedy)
    if not 0 < len(person.name.strip()) <= _LONGEST:
        yield Problem("NAME", "name", "the name is empty or too long", "give the person's name")
    if person.email and not _EMAIL.fullmatch(person.email):
        yield Problem("EMAIL", "email", "this is no e-mail address", "correct it, or leave it empty")
    if not may_hold(person.roles):
        what = "the roles are of several duties"
        yield Problem("SEPARATION", "roles", what, "give them to several persons")
    unknown = [each for each in person.oversees if each != EVERYWHERE and not _ID.fullmatch(each)]
    if unknown or (person.oversees and Role.OVERSEER not in person.roles):
        yield Problem("OVERSIGHT", "oversees", "only an overseer oversees departments", "give the role first")
