"""Who asks: the person behind a session's cookie or a token, and whether that person may do it.

Everything here waits for the database: handlers and dependencies that use it are plain functions, which run
in the thread pool.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from fastapi import Request
from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security import cookies
from services.api.security.cookies import parts_of
from services.control.accounts import token_bucket
from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Refused, Whose, may_person
from services.control.accounts.people import Person
from services.control.accounts.token_bucket import Rate
from services.control.accounts.tokens import Standing
from services.control.store.accounts import counters, sessions, tokens

_NOBODYS: Final = Whose()
_SCHEME: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and by what: the id of a session, or the prefix of a token."""

    person: Person
    principal: Principal
    session: str | None = None
    token: str | None = None

    @property
    def name(self) -> str:
        """The person's id, by which acts and keys know it."""
        return self.principal.person


def asker_of(request: Request) -> Asker:
    """Who asks; looked up once for each request.

    Raises:
        AnswerProblem: nobody is logged in, or somebody asks too often.
    """
    known = getattr(request.state, "asker", None)
    if isinstance(known, Asker):
        return known
    found = _by_token(request) if _authorization(request) else _by_session(request)
    request.state.asker = found
    return found


def asker_again(request: Request) -> Asker:
    """Who asks, looked up again because an answer has been going on for a while.

    The session is not used by this: its id may not change, since the answer's headers are with the browser.

    Raises:
        AnswerProblem: the session or the token does not count any more.
    """
    known, parts = asker_of(request), parts_of(request)
    with parts.database.begin() as connection:
        if known.token is not None:
            shown = _shown(request, connection, parts)
            person, scopes = shown.person, shown.token.scopes
        else:
            found = sessions.still(connection, known.session or "", parts.clock(), parts.session_rules)
            if found is None:
                raise _log_in()
            person, scopes = found, None
    again = replace(known, person=person, principal=person.principal(scopes))
    request.state.asker = again
    return again


def asker_or_none(request: Request) -> Asker | None:
    """Who asks, or None where nobody is logged in: for pages that everybody may see.

    Raises:
        AnswerProblem: somebody asks too often.
    """
    try:
        return asker_of(request)
    except AnswerProblem as error:
        if error.code is Code.LOG_IN:
            return None
        raise


def principal_of(request: Request) -> Principal:
    """Who asks, as permissions know it.

    Raises:
        AnswerProblem: nobody is logged in, or somebody asks too often.
    """
    return asker_of(request).principal


def require(request: Request, action: Action, whose: Whose = _NOBODYS) -> Principal:
    """Who asks, who may do it with an object of these departments.

    Raises:
        AnswerProblem: nobody is logged in, or that person may not.
    """
    principal = principal_of(request)
    permit(parts_of(request), principal, action, whose)
    return principal


def permit(parts: Parts, principal: Principal, action: Action, whose: Whose) -> Allowed:
    """In which role somebody may do it; each refusal is counted.

    Raises:
        AnswerProblem: with the reason.
    """
    answer = may_person(principal, action, whose)
    if isinstance(answer, Refused):
        parts.refusals.count(action.value, answer.reason.value)
        raise AnswerProblem(
            Code.FORBIDDEN, refusal=answer.reason, reason=answer.reason.value, action=action.value
        )
    return answer


def _authorization(request: Request) -> str:
    """Where a token is shown, cookies say nothing: a page of another site cannot send this header."""
    return request.headers.get("authorization", "")


def _token_in(request: Request) -> str:
    given = _authorization(request)
    return given[len(_SCHEME) :].strip() if given.lower().startswith(_SCHEME) else ""


def _by_token(request: Request) -> Asker:
    parts = parts_of(request)
    with parts.database.begin() as connection:
        shown = _shown(request, connection, parts)
        token = shown.token
        _within(connection, f"token:{token.prefix}", parts, token_bucket.OF_TOKENS)
    return Asker(shown.person, shown.person.principal(token.scopes), token=token.prefix)


def _shown(request: Request, connection: Connection, parts: Parts) -> tokens.Shown:
    """The token that was shown, and whose it is.

    Raises:
        AnswerProblem: it does not count; where its owner has only to log in once more, that is said.
    """
    vouched = timedelta(days=parts.settings.oidc_token_days)
    shown = tokens.use_token(connection, _token_in(request), parts.clock(), vouched)
    if isinstance(shown, tokens.Shown):
        return shown
    unconfirmed = shown is Standing.UNCONFIRMED
    raise _log_in(**({"reason": Standing.UNCONFIRMED.value.upper()} if unconfirmed else {}))


def _by_session(request: Request) -> Asker:
    parts, id_ = parts_of(request), cookies.session_of(request)
    if not id_:
        raise _log_in()
    now = parts.clock()
    with parts.database.begin() as connection:
        used = sessions.use(connection, id_, now, parts.session_rules, parts.random)
        if not isinstance(used, sessions.Used):
            raise _log_in()
        _within(connection, f"person:{used.person.id}", parts, token_bucket.OF_PERSONS)
    if used.new_id is not None:
        cookies.set_session(request, used.new_id)
    return Asker(used.person, used.person.principal(), session=used.new_id or id_)


def _log_in(**more: Any) -> AnswerProblem:
    return AnswerProblem(Code.LOG_IN, headers={"www-authenticate": "Bearer"}, **more)


def _within(connection: Connection, key: str, parts: Parts, rate: Rate) -> None:
    wait = counters.allow(connection, key, parts.clock(), rate)
    if wait > timedelta(0):
        raise too_many(wait)


def too_many(wait: timedelta, code: Code = Code.TOO_MANY) -> AnswerProblem:
    """That somebody has to wait, and how long."""
    seconds = max(1, -(-wait // timedelta(seconds=1)))
    return AnswerProblem(code, headers={"retry-after": str(seconds)})
