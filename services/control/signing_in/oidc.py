"""Logs people in through an identity provider: its groups say department and roles at each login."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection

from services.control.accounts.groups import GroupRule, Mapped, Unmapped, map_groups
from services.control.accounts.people import Person
from services.control.accounts.random_text import Random, new_secret
from services.control.accounts.sessions import Method
from services.control.signing_in.identity_provider import (
    Asked,
    Claims,
    ClaimsRefused,
    IdentityProvider,
    ProviderUnavailable,
)
from services.control.store.accounts import identities, persons, roles, sessions
from services.control.store.accounts.acts import CorrectRequest, Order, of_person
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id

_HERE: Final = re.compile(r"/(?![/\\])[!-~]*")
_NOT_A_LOGIN: Final = re.compile(r"[^a-z0-9._-]+")


class Denial(StrEnum):
    """Why somebody is not let in."""

    NO_SUCH_LOGIN = "NO_SUCH_LOGIN"
    """It was not begun in this browser, is too old, or was used before."""
    REFUSED = "REFUSED"
    """What the identity provider said proves nothing."""
    UNMAPPED = "UNMAPPED"
    """The groups make nobody of us; the detail says why."""
    UNKNOWN_DEPARTMENT = "UNKNOWN_DEPARTMENT"
    SWITCHED_OFF = "SWITCHED_OFF"


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """In which claim groups stand, and what each of them gives."""

    claim: str
    rules: tuple[GroupRule, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the secret that it keeps until it comes back."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Return:
    """What the browser brings back; ``old_session`` is what it had, which ends."""

    state: str
    code: str
    browser: str
    now: datetime
    old_session: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who is in, the id for the browser, where it wanted to go, and what the provider signed."""

    person: Person
    session: str
    return_to: str
    id_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Denied:
    """Nobody is let in."""

    denial: Denial
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OidcLogins:
    """Logins at one identity provider."""

    database: ControlDatabase
    provider: IdentityProvider
    groups: GroupMapping
    random: Random

    def begin(self, return_to: str, now: datetime) -> Begun:
        """Begin a login.

        Raises:
            ProviderUnavailable: the identity provider does not answer.
        """
        state, nonce, verifier, browser = (new_secret(self.random) for _ in range(4))
        address = self.provider.address(Asked(state, nonce, verifier))
        # Only a page of ours: an address elsewhere would make the login a tool of whoever wrote the link.
        flow = identities.Flow(nonce, verifier, return_to if _HERE.fullmatch(return_to) else "/")
        with self.database.begin() as connection:
            identities.begin_flow(connection, state, browser, flow, now)
        return Begun(address, browser)

    def finish(self, back: Return) -> LoggedIn | Denied:
        """End a login that this browser began.

        Raises:
            ProviderUnavailable: the identity provider does not answer.
        """
        with self.database.begin() as connection:
            flow = identities.take_flow(connection, back.state, back.browser, back.now)
        if flow is None:
            return Denied(Denial.NO_SUCH_LOGIN)
        if not back.code:
            return Denied(Denial.REFUSED, "the identity provider sent no code")
        try:
            claims = self.provider.claims(back.code, flow.nonce, flow.verifier)
        except ClaimsRefused as error:
            return Denied(Denial.REFUSED, str(error))
        mapped = map_groups(_groups(claims.all, self.groups.claim), self.groups.rules)
        if isinstance(mapped, Unmapped):
            self._shut(claims, back.now)
            return Denied(Denial.UNMAPPED, mapped.value)
        return self._enter(claims, mapped, flow, back)

    def end_address(self, id_token: str, back: str) -> str | None:
        """Where a browser ends its session at the provider too; None where that cannot be done from here."""
        try:
            return self.provider.end_address(id_token, back)
        except ProviderUnavailable:
            return None

    def _enter(
        self, claims: Claims, mapped: Mapped, flow: identities.Flow, back: Return
    ) -> LoggedIn | Denied:
        try:
            with self.database.begin() as connection:
                person = self._person(connection, claims, mapped, back.now)
                if not person.may_enter:
                    return Denied(Denial.SWITCHED_OFF)
                order = Order(str(person.id), back.now)
                id_ = sessions.begin(connection, person, Method.OIDC, order, self.random, back.old_session)
                return LoggedIn(person, id_, flow.return_to, claims.id_token)
        except CorrectRequest as error:
            return Denied(Denial.UNKNOWN_DEPARTMENT, error.problems[0].code)

    def _person(self, connection: Connection, claims: Claims, mapped: Mapped, now: datetime) -> Person:
        """The person behind the claims, made at the first login, with the roles of its groups."""
        id_ = identities.known_as(connection, claims.issuer, claims.subject)
        order = Order(_directory(claims), now, "groups of the identity provider")
        if id_ is None:
            made = _made(claims, mapped, now)
            persons.add_person(connection, made, order)
            identities.link(connection, claims.issuer, claims.subject, made.id, order)
            id_ = made.id
        identities.vouched(connection, claims.issuer, claims.subject, now)
        person = persons.lock_person(connection, id_)
        return _as_mapped(connection, person, mapped, order) if person.active else person

    def _shut(self, claims: Claims, now: datetime) -> None:
        """Whose groups give nothing any more loses its roles now, not when its session ends."""
        with self.database.begin() as connection:
            id_ = identities.known_as(connection, claims.issuer, claims.subject)
            if id_ is not None:
                order = Order(_directory(claims), now, "groups of the identity provider")
                person = persons.lock_person(connection, id_)
                roles.replace_roles(connection, person, frozenset(), order)
                sessions.end_all(connection, id_, order)


def _as_mapped(connection: Connection, person: Person, mapped: Mapped, order: Order) -> Person:
    """Write department, roles and oversight where they differ from the groups."""
    wanted = replace(person, department=mapped.department, roles=mapped.roles, oversees=mapped.oversees)
    if wanted == person:
        return person
    if mapped.department != person.department:
        persons.move(connection, person.id, mapped.department, order)
    roles.replace_roles(connection, person, mapped.roles, order)
    if mapped.oversees != person.oversees:
        roles.replace_oversight(connection, person.id, sorted(mapped.oversees))
        of_person(
            connection,
            order,
            "account.set_oversight",
            person.id,
            departments=",".join(sorted(mapped.oversees)),
        )
        persons.changed(connection, person.id, order)
    return persons.lock_person(connection, person.id)


def _directory(claims: Claims) -> str:
    """Who gives these roles: the directory, by its address."""
    return f"oidc:{claims.issuer}"


def _made(claims: Claims, mapped: Mapped, now: datetime) -> Person:
    """A new person; its login name says where it is from, and its id keeps it apart from all others."""
    id_ = new_id(now)
    said = claims.all
    wished = unicodedata.normalize("NFKD", _text(said, "preferred_username")).casefold().partition("@")[0]
    stem = _NOT_A_LOGIN.sub("", wished).strip("._-")[:20]
    login = f"oidc-{stem}-{id_.hex[-8:]}" if stem else f"oidc-{id_.hex[-12:]}"
    name = _text(said, "name").strip()[:100] or login
    email = _text(said, "email")
    return Person(id_, login, name, mapped.department, email=email if _is_email(email) else "")


def _is_email(text: str) -> bool:
    name, at, host = text.partition("@")
    return bool(name and at and host) and not re.search(r"\s", text) and len(text) <= 200


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _groups(claims: Mapping[str, Any], name: str) -> Iterable[str]:
    """The groups of a claim: a list of texts, or one text; anything else is none."""
    value = claims.get(name)
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
