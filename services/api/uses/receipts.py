"""Receipts as departments and auditors ask for them: who may, what it shows, and the file once it is made."""

from typing import Final

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own, require_sight, visible_to
from services.api.uses.snapshots import whose_grant
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Problem
from services.control.evidence.ordering import (
    RAW,
    Order,
    Subject,
    Wish,
    may_fetch,
    may_know_recipients,
    sees_everything,
    shown_to,
)
from services.control.owners import whose_topic
from services.control.store.receipts import orders
from services.evidence.faults import Faulty
from services.evidence.trust import trust_from

MOST_WAITING: Final = 50
"""Orders of one department that are neither made nor refused."""


def ask(
    parts: Parts, principal: Principal, connection: Connection, subject: Subject, trust: str = ""
) -> Order:
    """Ask for a receipt, in a transaction of the caller's.

    Args:
        parts: of the web process.
        principal: who asks; the receipt shows of the ledger what that person may see.
        connection: the transaction.
        subject: of what.
        trust: the text of the trust file that it is to be verified against; empty for the installation's own.

    Raises:
        AnswerProblem: somebody may not, the trust file is none, or too many of the department's are waiting.
    """
    permit(parts, principal, Action.AUDIT_LOOK, own(principal))
    whose = _whose(parts, connection, subject)
    require_sight(parts, principal, Action.AUDIT_LOOK, whose)
    permit(parts, principal, Action.AUDIT_LOOK, whose)
    if subject.topic is not None and not may_know_recipients(principal, whose):
        raise AnswerProblem(Code.NOT_FOUND)
    witness = _witness(trust)
    if orders.waiting(connection, principal.department) >= MOST_WAITING:
        what = f"{MOST_WAITING} receipts of your department are still being made"
        raise AnswerProblem(
            Code.REFUSED, [Problem("RECEIPTS_WAITING", "receipt", what, "wait for one of them")]
        )
    shown = shown_to(principal, whose)
    wish = Wish(subject, shown, principal.person, principal.department, whose, witness)
    return orders.ask(connection, wish, parts.clock())


def listed(parts: Parts, principal: Principal, before: int | None, limit: int) -> list[Order]:
    """Orders that somebody sees, the newest first: the own department's about what that person sees, or all.

    Raises:
        AnswerProblem: somebody may not look.
    """
    seen = visible_to(parts, principal, Action.AUDIT_LOOK)
    department = None if sees_everything(principal) else principal.department
    with parts.database.reading() as connection:
        return orders.listed(connection, department, seen, before, limit)


def one(parts: Parts, principal: Principal, number: int) -> Order:
    """One of them.

    Raises:
        AnswerProblem: there is none, it is another department's, or about what that person does not see.
    """
    permit(parts, principal, Action.AUDIT_LOOK, own(principal))
    with parts.database.reading() as connection:
        found = orders.load(connection, number)
    own_one = found is not None and found.wish.department == principal.department
    if found is None or not (own_one or sees_everything(principal)):
        raise AnswerProblem(Code.NOT_FOUND)
    require_sight(parts, principal, Action.AUDIT_LOOK, found.wish.whose)
    return found


def told_detail(principal: Principal, order: Order) -> str:
    """What stands in the way, as the bus says it: it may name others' grants, so auditors alone read it."""
    return order.detail if sees_everything(principal) else ""


def content(parts: Parts, principal: Principal, number: int) -> bytes:
    """The receipt.

    Raises:
        AnswerProblem: there is none yet, or somebody may not have it.
    """
    order = one(parts, principal, number)
    if not may_fetch(principal, order.wish):
        raise AnswerProblem(Code.FORBIDDEN)
    with parts.database.reading() as connection:
        found = orders.content(connection, number)
    if found is None:
        raise AnswerProblem(Code.WRONG_STATE)
    return found


def _whose(parts: Parts, connection: Connection, subject: Subject) -> Whose:
    """The departments of a record; of what is none of theirs, nobody."""
    if subject.grant is not None:
        return whose_grant(parts, connection, subject.grant)
    topic = str(subject.topic)
    return whose_topic(topic, None) if topic.startswith(RAW) else Whose()


def _witness(trust: str) -> bytes | None:
    """The checkpoint of a trust file.

    Raises:
        AnswerProblem: it is none.
    """
    if not trust.strip():
        return None
    try:
        return trust_from(trust.strip().encode()).witness.text()
    except (Faulty, AttributeError, RecursionError) as error:
        what, remedy = "this is no trust file", "take the file that `govbus evidence trust` wrote, unchanged"
        raise AnswerProblem(Code.INVALID, [Problem("TRUST_MALFORMED", "trust", what, remedy)]) from error
