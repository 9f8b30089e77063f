"""Reads and writes departments with their three named persons."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from services.control.accounts.actions import Action
from services.control.accounts.people import Department, department_problems
from services.control.cases.words import Problem
from services.control.catalogue.entry import Contact, Contacts
from services.control.store.accounts.acts import CorrectRequest, Noted, Order, note
from services.control.store.accounts.tables import DEPARTMENTS

_WHO = ("head", "deputy", "clerk")


def add_department(connection: Connection, department: Department, order: Order) -> None:
    """Add a department.

    Raises:
        CorrectRequest: something is wrong with it, or it is there already, by id or by credit code.
    """
    _check(department)
    statement = insert(DEPARTMENTS).values(**_values(department), changed_at=order.now)
    added = connection.execute(statement.on_conflict_do_nothing().returning(DEPARTMENTS.c.id)).first()
    if added is None:
        what = f"{department.id} or its credit code is there already"
        raise CorrectRequest(Problem("TAKEN", "id", what, "edit the department that is there"))
    note(connection, order, Noted(Action.ACCOUNT_ADD_DEPARTMENT, "department", department.id))


def edit_department(connection: Connection, department: Department, order: Order) -> None:
    """Replace what is known of a department.

    Raises:
        CorrectRequest: something is wrong with it, or there is none of this id.
    """
    _check(department)
    statement = update(DEPARTMENTS).where(DEPARTMENTS.c.id == department.id)
    values = {**_values(department), "changed_at": order.now}
    if connection.execute(statement.values(values).returning(DEPARTMENTS.c.id)).first() is None:
        raise CorrectRequest(unknown_department(department.id))
    note(connection, order, Noted(Action.ACCOUNT_EDIT_DEPARTMENT, "department", department.id))


def department_of(connection: Connection, id_: str) -> Department | None:
    """The department of an id."""
    row = connection.execute(select(DEPARTMENTS).where(DEPARTMENTS.c.id == id_)).first()
    return None if row is None else _department(row)


def lock_department(connection: Connection, id_: str) -> Department | None:
    """The department of an id, which nobody else changes before this transaction ends."""
    wanted = select(DEPARTMENTS).where(DEPARTMENTS.c.id == id_).with_for_update()
    row = connection.execute(wanted).first()
    return None if row is None else _department(row)


def ids_of(connection: Connection, credit_codes: Iterable[str]) -> dict[str, str]:
    """The ids of departments by their credit codes; codes that no department has are left out."""
    columns = (DEPARTMENTS.c.credit_code, DEPARTMENTS.c.id)
    wanted = select(*columns).where(DEPARTMENTS.c.credit_code.in_(list(credit_codes)))
    return {row.credit_code: row.id for row in connection.execute(wanted)}


def departments(
    connection: Connection,
    visible: Collection[str] | None = None,
    after: str = "",
    limit: int | None = None,
) -> list[Department]:
    """Departments by id.

    Args:
        connection: inside the caller's transaction.
        visible: only these; None all.
        after: the id of the last one of the page before.
        limit: how many at most.
    """
    wanted = select(DEPARTMENTS).where(DEPARTMENTS.c.id > after).order_by(DEPARTMENTS.c.id).limit(limit)
    if visible is not None:
        wanted = wanted.where(DEPARTMENTS.c.id.in_(sorted(visible)))
    return [_department(row) for row in connection.execute(wanted)]


def unknown_department(id_: str) -> Problem:
    """That there is no such department."""
    what = f"there is no department {id_}"
    return Problem("UNKNOWN_DEPARTMENT", "department", what, "add the department first")


def _check(department: Department) -> None:
    problems = department_problems(department)
    if problems:
        raise CorrectRequest(*problems)


def _values(department: Department) -> dict[str, Any]:
    contacts = {who: getattr(department.contacts, who) for who in _WHO}
    return {
        "id": department.id,
        "zh": department.zh.strip(),
        "en": department.en.strip(),
        "credit_code": department.credit_code,
        "active": department.active,
        **{f"{who}_name": contact.name.strip() for who, contact in contacts.items()},
        **{f"{who}_phone": contact.phone.strip() for who, contact in contacts.items()},
    }


def _department(row: Row[Any]) -> Department:
    kept = row._mapping
    contacts = Contacts(*(Contact(kept[f"{who}_name"], kept[f"{who}_phone"]) for who in _WHO))
    return Department(row.id, row.zh, row.en, row.credit_code, contacts, row.active)
