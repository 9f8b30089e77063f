"""The acts on an object, as far as the control plane owes or has told them to the ledger."""

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.api.parts import Parts
from services.api.security.asking import permit
from services.api.uses import accounts, cases, catalogue, tickets
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.store.accounts import persons
from services.control.store.cases import reading as cases_read
from services.control.store.cases.granted import granted_as
from services.control.store.catalogue import dossiers
from services.control.store.outbox import Act, Entry, append, entries_on
from services.control.store.tickets import reading as tickets_read

_ACCOUNT: Final = "account"


def acts(
    parts: Parts, principal: Principal, kind: str, object_: str, after: int = 0, limit: int = 50
) -> list[Entry]:
    """Acts on an object, the oldest first; who looks at a person's is recorded himself.

    Raises:
        AnswerProblem: somebody may not look at acts on what is that department's.
    """
    permit(parts, principal, Action.AUDIT_LOOK, own(principal))
    with parts.database.begin() as connection:
        permit(parts, principal, Action.AUDIT_LOOK, _whose(connection, kind, object_))
        found = entries_on(connection, kind, object_, after, limit)
        if kind == _ACCOUNT:
            now, what = parts.clock(), Action.AUDIT_LOOK.value
            append(connection, Act(principal.person, what, "audit", object_, now))
    return found


def _whose(connection: Connection, kind: str, object_: str) -> Whose:
    """The departments of an object; nobody's where it is not there: then only who sees everything looks."""
    read = _READ.get(kind)
    return Whose() if read is None else read(connection, object_)


def _of_case(connection: Connection, object_: str) -> Whose:
    id_ = _uuid(object_)
    filed = None if id_ is None else cases_read.load(connection, id_, lock=True)
    return Whose() if filed is None else cases.whose(filed)


def _of_ticket(connection: Connection, object_: str) -> Whose:
    id_ = _uuid(object_)
    filed = None if id_ is None else tickets_read.load(connection, id_, lock=True)
    return Whose() if filed is None else tickets.whose(filed)


def _of_entry(connection: Connection, object_: str) -> Whose:
    id_ = _uuid(object_)
    stored = None if id_ is None else dossiers.by_id(connection, dossiers.EntryId(id_))
    return Whose() if stored is None else catalogue.whose_is(connection, stored.dossier)


def _of_account(connection: Connection, object_: str) -> Whose:
    id_ = _uuid(object_)
    found = None if id_ is None else persons.person_of(connection, id_)
    return Whose() if found is None else accounts.whose(found)


def _of_grant(connection: Connection, object_: str) -> Whose:
    found = granted_as(connection, object_)
    return Whose() if found is None else Whose(found.provider, found.consumer)


def _of_department(_connection: Connection, object_: str) -> Whose:
    return Whose(object_, object_)


_READ: Final[Mapping[str, Callable[[Connection, str], Whose]]] = {
    "case": _of_case,
    tickets.KIND: _of_ticket,
    dossiers.KIND: _of_entry,
    _ACCOUNT: _of_account,
    "grant": _of_grant,
    "department": _of_department,
}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
