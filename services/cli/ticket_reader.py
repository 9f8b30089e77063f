"""As whom a ticket is read at a shell: an account that may look, or the operator, who reads no texts."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from services.cli.acting import Acting, acting
from services.cli.bus import console_account
from services.cli.ticket_step import whose
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import Allowed, may_person
from services.control.cases.words import Actor, Role
from services.control.store.outbox import Act, append
from services.control.store.tickets.reading import Filed
from services.control.tickets.parties import may_read


def reader(connection: Connection, login: str | None, filed: Filed, now: datetime) -> Actor:
    """Who reads; that texts are read is owed to the ledger, as on a page.

    Raises:
        CommandFailed: there is no such account, or it may not look.
    """
    if login is None:
        return Actor(console_account(), Role.OPERATOR, "")
    who = _reading(acting(connection, login, Asked.TICKET_LOOK, whose(filed)), filed)
    if may_read(filed.ticket, who.actor):
        facts = {"role": who.role.value, "department": who.person.department, "for": who.id}
        what, id_ = Asked.TICKET_LOOK_TEXTS.value, filed.ticket.opening.id
        append(connection, Act(who.console, what, "ticket", id_, now, facts=facts))
    return who.actor


def _reading(who: Acting, filed: Filed) -> Acting:
    """The same account in the role that reads the texts, if it has one."""
    answer = may_person(who.person.principal(), Asked.TICKET_LOOK_TEXTS, whose(filed))
    return replace(who, role=answer.role) if isinstance(answer, Allowed) else who
