"""Logging in and out, and changing one's own password: what pages and the API both do."""

from datetime import timedelta
from enum import StrEnum

from fastapi import Request

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.said_of_accounts import flaws_in_words, wrong_in_words
from services.api.security import cookies
from services.api.security.asking import asker_of, asker_or_none, permit, too_many
from services.control.accounts import token_bucket
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.accounts.people import Person
from services.control.accounts.sessions import Method
from services.control.signing_in import local, oidc
from services.control.signing_in.identity_provider import ProviderUnavailable
from services.control.store.accounts import counters, sessions
from services.control.store.accounts.acts import Order


def log_in(request: Request, login: str, password: str) -> Person:
    """Let somebody in by name and password; the answer gives the browser its session.

    Raises:
        AnswerProblem: nobody is let in, or somebody tries too often.
    """
    parts = cookies.parts_of(request)
    address = address_of(request)
    _slowed(parts, address)
    before = cookies.came_with(request)
    found = parts.logins.log_in(local.Try(login, password, address, parts.clock(), before))
    if isinstance(found, local.Denied):
        raise _denied(found)
    cookies.set_session(request, found.session)
    return found.person


class Ended(StrEnum):
    """What a logout here leaves open."""

    WHOLE = "whole"
    """Nothing: somebody was logged in here only."""
    PROVIDER = "provider"
    """The session at the identity provider, which can be ended from here too."""
    ALONE = "alone"
    """The same, and the provider offers no way to end it from here."""


def log_out(request: Request) -> Ended:
    """End the session that the browser brought; without one there is nothing to do."""
    parts, id_ = cookies.parts_of(request), cookies.session_of(request)
    used = None if not id_ else _ended(parts, id_)
    cookies.forget_session(request)
    at_provider = bool(cookies.hint_of(request)) if used is None else used.method is Method.OIDC
    if not at_provider or parts.oidc is None:
        return Ended.WHOLE
    return Ended.ALONE if _end_address(parts, "") is None else Ended.PROVIDER


def end_at_provider(request: Request) -> str | None:
    """Where the browser goes to log out at the identity provider, which it is told once; None where nowhere.

    Only who is logged out here is sent there, so that a link of another site ends nobody's session here.

    Raises:
        AnswerProblem: somebody asks too often.
    """
    if asker_or_none(request) is not None:
        return None
    address = _end_address(cookies.parts_of(request), cookies.hint_of(request))
    cookies.forget_hint(request)
    return address


def after_logout(origin: str) -> str:
    """Where the identity provider sends browsers to that have logged out there."""
    return f"{origin}/login"


def change_password(request: Request, old: str, new: str) -> None:
    """Replace one's own password: all sessions end, and the browser goes on with a new one.

    Raises:
        AnswerProblem: the old one is wrong, the new one has flaws, or it was asked for with a token.
    """
    parts, asker = cookies.parts_of(request), asker_of(request)
    own = Whose(asker.person.department, asker.person.department)
    permit(parts, asker.principal, Action.ACCOUNT_CHANGE_OWN_PASSWORD, own)
    answer = parts.logins.change_own(asker.person, old, new, parts.clock())
    if isinstance(answer, local.Denied) and answer.denial is local.Denial.WAIT:
        raise _denied(answer)
    if isinstance(answer, local.Denied):
        # The session still counts: 401 would say that it does not.
        raise AnswerProblem(Code.INVALID, wrong_in_words)
    if isinstance(answer, tuple):
        raise AnswerProblem(Code.INVALID, lambda language: flaws_in_words(answer, language))
    cookies.set_session(request, answer)


def begin_at_provider(request: Request, return_to: str) -> str:
    """Begin a login at the identity provider; returns where the browser goes.

    Raises:
        AnswerProblem: there is none, it does not answer, or somebody tries too often.
    """
    parts = cookies.parts_of(request)
    logins = _provider(parts)
    _slowed(parts, address_of(request))
    try:
        begun = logins.begin(return_to, parts.clock())
    except ProviderUnavailable as error:
        raise AnswerProblem(Code.UNAVAILABLE, headers={"retry-after": "10"}) from error
    cookies.set_login(request, begun.browser)
    return begun.address


def finish_at_provider(request: Request, state: str, code: str) -> str:
    """End a login that this browser began; returns the page where it wanted to go.

    Raises:
        AnswerProblem: nobody is let in, or the provider does not answer.
    """
    parts = cookies.parts_of(request)
    logins = _provider(parts)
    secret, before = cookies.take_login(request), cookies.came_with(request)
    try:
        found = logins.finish(oidc.Return(state, code, secret, parts.clock(), before))
    except ProviderUnavailable as error:
        raise AnswerProblem(Code.UNAVAILABLE, headers={"retry-after": "10"}) from error
    if isinstance(found, oidc.Denied):
        raise AnswerProblem(Code.LOGIN_REFUSED, reason=found.denial.value)
    cookies.set_session(request, found.session)
    cookies.set_hint(request, found.id_token)
    return found.return_to


def address_of(request: Request) -> str | None:
    """The network address that asks, as the server says it."""
    return None if request.client is None else request.client.host


def _slowed(parts: Parts, address: str | None) -> None:
    """Each login costs the work of a hash: one address gets so many."""
    with parts.database.begin() as connection:
        key = f"login:{address or 'unknown'}"
        wait = counters.allow(connection, key, parts.clock(), token_bucket.OF_LOGINS)
    if wait > timedelta(0):
        raise too_many(wait)


def _denied(denied: local.Denied) -> AnswerProblem:
    if denied.denial is local.Denial.WAIT:
        return too_many(denied.wait, Code.LOGIN_WAIT)
    return AnswerProblem(Code.LOGIN_WRONG)


def _ended(parts: Parts, id_: str) -> sessions.Used | None:
    """End a session; returns what it was, None where it did not count any more."""
    with parts.database.begin() as connection:
        found = sessions.use(connection, id_, parts.clock(), parts.session_rules, parts.random)
        used = found if isinstance(found, sessions.Used) else None
        order = Order("unknown" if used is None else str(used.person.id), parts.clock())
        for each in (id_, None if used is None else used.new_id):
            if each is not None:
                sessions.end(connection, each, order)
    return used


def _end_address(parts: Parts, id_token: str) -> str | None:
    back = after_logout(parts.settings.origin)
    return None if parts.oidc is None else parts.oidc.end_address(id_token, back)


def _provider(parts: Parts) -> oidc.OidcLogins:
    if parts.oidc is None:
        raise AnswerProblem(Code.NO_IDENTITY_PROVIDER)
    return parts.oidc
