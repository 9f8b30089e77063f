"""What everybody does with his own account: tokens and sessions."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal
from services.control.accounts.people import Person
from services.control.accounts.tokens import Issued, Token
from services.control.store.accounts import sessions, tokens
from services.control.store.accounts.acts import Order
from services.control.store.accounts.sessions import Listed


def tokens_of(parts: Parts, principal: Principal) -> list[Token]:
    """One's own tokens, never their text."""
    permit(parts, principal, Action.ACCOUNT_REVOKE_OWN, own(principal))
    with parts.database.reading() as connection:
        return tokens.tokens_of(connection, UUID(principal.person))


def token_created(
    parts: Parts,
    principal: Principal,
    connection: Connection,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
) -> Issued:
    """Make a token of one's own; its text is returned once.

    Raises:
        AnswerProblem: somebody may not: no token makes a token.
        CorrectRequest: name, scopes or expiry are wrong.
    """
    permit(parts, principal, Action.ACCOUNT_CREATE_OWN_TOKEN, own(principal))
    order = Order(principal.person, parts.clock())
    id_ = UUID(principal.person)
    return tokens.create_token(connection, id_, name, scopes, expires_at, order, parts.random)


def token_revoked(parts: Parts, principal: Principal, prefix: str) -> None:
    """Revoke a token of one's own.

    Raises:
        AnswerProblem: it is none of one's own, or was revoked before.
    """
    permit(parts, principal, Action.ACCOUNT_REVOKE_OWN, own(principal))
    with parts.database.begin() as connection:
        mine = {each.prefix for each in tokens.tokens_of(connection, UUID(principal.person))}
        order = Order(principal.person, parts.clock())
        if prefix not in mine or not tokens.revoke_token(connection, prefix, order):
            raise AnswerProblem(Code.NOT_FOUND)


def sessions_of(parts: Parts, principal: Principal, person: Person) -> list[Listed]:
    """One's own open sessions."""
    permit(parts, principal, Action.ACCOUNT_REVOKE_OWN, own(principal))
    with parts.database.reading() as connection:
        return sessions.sessions_of(connection, person, parts.clock(), parts.session_rules)


def session_ended(parts: Parts, principal: Principal, number: int) -> None:
    """End one of one's own sessions.

    Raises:
        AnswerProblem: it is none of one's own, or is over.
    """
    permit(parts, principal, Action.ACCOUNT_REVOKE_OWN, own(principal))
    order = Order(principal.person, parts.clock())
    with parts.database.begin() as connection:
        if not sessions.end_number(connection, UUID(principal.person), number, order):
            raise AnswerProblem(Code.NOT_FOUND)
