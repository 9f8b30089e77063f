"""Logs people in by name and password, and changes passwords.

Whoever is unknown, has no password, is switched off or has no role gets the same answer after the same work.
The work of a hash is done outside of transactions, so that it holds no rows.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.accounts.hashing import Hasher, Verdict
from services.control.accounts.passwords import Flaw, PasswordRules, first_password, flaws, is_old
from services.control.accounts.people import Person
from services.control.accounts.random_text import Random
from services.control.accounts.sessions import Method
from services.control.cases.words import Problem
from services.control.notices.digest import next_digest
from services.control.notices.of_accounts import password_reset
from services.control.store.accounts import counters, passwords, sessions
from services.control.store.accounts.acts import CorrectRequest, Order, of_person
from services.control.store.accounts.identities import is_linked
from services.control.store.accounts.persons import lock_person, person_by_login
from services.control.store.clocks.calendars import read_calendar
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.notices import addresses
from services.control.store.notices.happenings import tell

_LONGEST_LOGIN: Final = 200


class Denial(StrEnum):
    """Why somebody is not let in."""

    WRONG = "WRONG"
    """Name or password; nobody is told which."""
    WAIT = "WAIT"
    """Too many tries before: for how long is said."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try to log in; ``old_session`` is what the browser brought along, which ends."""

    login: str
    password: str
    address: str | None
    now: datetime
    old_session: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who is in, and the id for the browser."""

    person: Person
    session: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Nobody is let in, and after which time another try makes sense."""

    denial: Denial
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a name before the password is looked at."""

    person: Person | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class LocalLogins:
    """Logins against the control plane's own tables."""

    database: ControlDatabase
    hasher: Hasher
    random: Random
    rules: PasswordRules = field(default_factory=PasswordRules)

    def log_in(self, wish: Try) -> LoggedIn | Denied:
        """Let somebody in, or not."""
        login = wish.login.strip().casefold()[:_LONGEST_LOGIN]
        name = counters.of_name(login)
        address = None if wish.address is None else counters.of_address(wish.address)
        with self.database.begin() as connection:
            counted = [each for each in (name, address) if each is not None]
            longest = counters.begin_try(connection, counted, wish.now)
            known = _known(connection, login) if longest == timedelta(0) else None
        if known is None:
            return Denied(Denial.WAIT, longest)
        verdict = self._verdict(known, wish.password)
        stronger = self.hasher.hash(wish.password, self.random) if verdict.right and verdict.weak else None
        with self.database.begin() as connection:
            person = self._still_right(connection, known, verdict)
            if person is None:
                _note_failure(connection, known, wish.now)
                return Denied(Denial.WRONG)
            counters.was_right(connection, name, address)
            if stronger is not None:
                passwords.renew(connection, person.id, stronger)
            order = Order(str(person.id), wish.now)
            person = self._with_old_password(connection, person, order)
            id_ = sessions.begin(connection, person, Method.PASSWORD, order, self.random, wish.old_session)
            return LoggedIn(person, id_)

    def change_own(
        self, person: Person, old: str, new: str, now: datetime
    ) -> str | Denied | tuple[Flaw, ...]:
        """Replace one's own password; all sessions end, and the id of a new one is returned.

        The old password is asked for again, and counts as a try: who finds an open browser must not guess.
        """
        name = counters.of_name(person.login)
        with self.database.begin() as connection:
            longest = counters.begin_try(connection, [name], now)
            kept = passwords.hashes(connection, person.id)
        if longest > timedelta(0):
            return Denied(Denial.WAIT, longest)
        if not kept or not self._check(kept[0], old).right:
            return Denied(Denial.WRONG)
        found = flaws(new, person.login, person.name, self.rules)
        if not found and any(self._check(each, new).right for each in kept):
            found = (Flaw.USED_BEFORE,)
        made = "" if found else self.hasher.hash(new, self.random)
        with self.database.begin() as connection:
            counters.was_right(connection, name, None)
            if found:
                return found
            return self._replace(connection, person.id, kept[0], made, now)

    def reset(self, connection: Connection, person: UUID, order: Order) -> str:
        """Give a person a new first password, which is returned once; all its sessions end.

        Raises:
            CorrectRequest: there is no such person, or it logs in at the identity provider only.
        """
        found = lock_person(connection, person)
        if is_linked(connection, person) and not passwords.hashes(connection, person):
            what = "the person logs in at the identity provider and has no password here"
            raise CorrectRequest(
                Problem("NO_PASSWORD", "person", what, "have it reset at the identity provider")
            )
        known = passwords.hashes(connection, person)
        made = first_password(self.random)
        passwords.set_first(connection, found.id, self.hasher.hash(made, self.random), order)
        sessions.end_all(connection, found.id, order)
        counters.unlock(connection, found.login)
        if known:
            _tell_reset(connection, found, order)
        return made

    def _replace(
        self, connection: Connection, id_: UUID, before: str, made: str, now: datetime
    ) -> str | Denied:
        """Unless somebody was quicker and the old password is no longer the one that counts."""
        person = lock_person(connection, id_)
        if not person.may_enter or passwords.hashes(connection, id_)[:1] != [before]:
            return Denied(Denial.WRONG)
        order = Order(str(id_), now)
        passwords.set_own(connection, id_, made, order)
        sessions.end_all(connection, id_, order)
        return sessions.begin(connection, lock_person(connection, id_), Method.PASSWORD, order, self.random)

    def _verdict(self, known: _Known, password: str) -> Verdict:
        """The password is looked at whoever asks; who may not be let in has none that is right."""
        person = known.person
        usable = person is not None and person.may_enter and bool(person.roles)
        return self._check(known.hash if usable else None, password)

    def _check(self, kept: str | None, password: str) -> Verdict:
        """A text that no password can be is not hashed as it is, but costs the same."""
        fits = len(password) <= self.rules.longest
        return self.hasher.check(kept if fits else None, password if fits else "")

    def _with_old_password(self, connection: Connection, person: Person, order: Order) -> Person:
        """The person, who has to change a password that has outlived the rules."""
        since = passwords.set_at(connection, person.id)
        if person.must_change_password or since is None or not is_old(since, order.now, self.rules):
            return person
        passwords.demand_change(connection, person.id, order)
        return lock_person(connection, person.id)

    def _still_right(self, connection: Connection, known: _Known, verdict: Verdict) -> Person | None:
        """The person as it is now, unless it or its password changed while the password was looked at."""
        if known.person is None or not verdict.right:
            return None
        person = lock_person(connection, known.person.id)
        same = passwords.hashes(connection, person.id)[:1] == [known.hash]
        return person if same and person.may_enter and person.roles else None


def _tell_reset(connection: Connection, person: Person, order: Order) -> None:
    """The department, and the owner in his own mailbox, which whoever reset the password does not read.

    Not of the first password of a new account: whoever gets it asked for it.
    """
    now, account = order.now, str(person.id)
    happened = password_reset(account, person.department, order.by, now)
    own = addresses.of_account(connection, account, person.email, now)
    digest = next_digest(now, read_calendar(connection))
    tell(connection, happened, new_id(now), digest, [] if own is None else [own])


def _known(connection: Connection, login: str) -> _Known:
    person = person_by_login(connection, login)
    kept = [] if person is None else passwords.hashes(connection, person.id)
    return _Known(person, kept[0] if kept else None)


def _note_failure(connection: Connection, known: _Known, now: datetime) -> None:
    """Of names that nobody has, nothing is noted: it may have been a password."""
    if known.person is not None:
        of_person(connection, Order("unknown", now), "account.login_failed", known.person.id)
