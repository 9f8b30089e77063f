"""The departments that are told for their office: those with an active account of the authority or operator."""

from sqlalchemy import Connection, select

from services.control.accounts.roles import Role
from services.control.notices.event import Offices
from services.control.store.accounts.tables import PERSONS, ROLES


def offices(connection: Connection) -> Offices:
    """Who is told as the authority and as the operator now; nobody where no account has the role."""
    wanted = (
        select(ROLES.c.role, PERSONS.c.department)
        .join(PERSONS, PERSONS.c.id == ROLES.c.person)
        .where(ROLES.c.role.in_([Role.AUTHORITY.value, Role.OPERATOR.value]), PERSONS.c.active)
        .distinct()
        .order_by(ROLES.c.role, PERSONS.c.department)
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(wanted):
        found.setdefault(row.role, []).append(row.department)
    return Offices(tuple(found.get(Role.AUTHORITY.value, ())), tuple(found.get(Role.OPERATOR.value, ())))
