"""Accounts as the API answers them."""

import hashlib
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from services.api.forms import Form, Word
from services.api.shapes import Answer
from services.control.accounts.people import Department, Person
from services.control.accounts.roles import Role
from services.control.catalogue.entry import Contact, Contacts


class ContactForm(Form):
    """A named person of a department."""

    name: Word
    phone: Word


class DepartmentForm(Form):
    """A department; its id stands in the address."""

    zh: Word
    en: Word
    credit_code: Word
    head: ContactForm
    deputy: ContactForm
    clerk: ContactForm
    active: bool = True

    def department(self, id_: str) -> Department:
        """The department that the rules know."""
        head, deputy, clerk = (
            Contact(each.name, each.phone) for each in (self.head, self.deputy, self.clerk)
        )
        contacts = Contacts(head, deputy, clerk)
        return Department(id_, self.zh, self.en, self.credit_code, contacts, self.active)


class ContactAnswer(Answer):
    """A named person of a department."""

    name: str
    phone: str


class ContactsAnswer(Answer):
    """The three named persons."""

    head: ContactAnswer
    deputy: ContactAnswer
    clerk: ContactAnswer


class DepartmentAnswer(Answer):
    """A department with its three named persons."""

    id: str
    zh: str
    en: str
    credit_code: str
    contacts: ContactsAnswer
    active: bool


class PersonAnswer(Answer):
    """An account."""

    id: UUID
    login: str
    name: str
    department: str
    roles: list[Role]
    oversees: list[str]
    email: str
    active: bool
    must_change_password: bool
    rights: int = Field(description="Counts the changes of what the person may do; the ETag says the same.")


class ChangedAnswer(PersonAnswer):
    """An account after a change."""

    password: Annotated[
        str | None, Field(description="A first password, shown this once and never again.")
    ] = None


class TokenAnswer(Answer):
    """A token, by its prefix."""

    prefix: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class IssuedAnswer(Answer):
    """A new token."""

    prefix: str
    expires_at: datetime
    token: Annotated[str | None, Field(description="Its text, shown this once and never again.")] = None


class OpenSessionAnswer(Answer):
    """An open session of the reader."""

    number: int
    method: str
    began_at: datetime
    used_at: datetime


def version_of(department: Department) -> int:
    """What a department says, as a number: another one where something of it has changed."""
    return int.from_bytes(hashlib.sha256(repr(department).encode()).digest()[:7], "big")


def person_answer(person: Person) -> PersonAnswer:
    """An account."""
    return PersonAnswer(**_person(person))


def changed_answer(person: Person) -> ChangedAnswer:
    """An account after a change, without the password that is shown once."""
    return ChangedAnswer(**_person(person))


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "login": person.login,
        "name": person.name,
        "department": person.department,
        "roles": sorted(person.roles),
        "oversees": sorted(person.oversees),
        "email": person.email,
        "active": person.active,
        "must_change_password": person.must_change_password,
        "rights": person.rights,
    }
