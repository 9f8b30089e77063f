"""Which cases have something to do with grants, for comparing them with the running bus."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, select

from services.control.cases.words import State
from services.control.docket.filed import Filed
from services.control.store.cases.reading import load
from services.control.store.cases.tables import CASES
from topics.event import GrantId

_SERVED = (State.PROVISIONING, State.ACTIVE, State.SUSPENDED)


def served_cases(connection: Connection) -> Iterator[Filed]:
    """Every case that has, or may get again, a grant on the bus, in the order of their numbers."""
    wanted = select(CASES.c.id).where(CASES.c.state.in_([state.value for state in _SERVED]))
    yield from _loaded(connection, list(connection.execute(wanted.order_by(CASES.c.number)).scalars()))


def cases_of_grants(connection: Connection, grants: list[GrantId]) -> dict[GrantId, Filed]:
    """The case of each of these grants, as far as there is one, whatever its state."""
    wanted = select(CASES.c.id).where(CASES.c.grant_id.in_(grants))
    found = _loaded(connection, list(connection.execute(wanted).scalars()))
    return {filed.case.opening.grant: filed for filed in found}


def case_of_grant(connection: Connection, grant: GrantId, *, lock: bool = False) -> Filed | None:
    """The case of a grant; with ``lock`` others wait for it until the transaction ends."""
    case = connection.execute(select(CASES.c.id).where(CASES.c.grant_id == grant)).scalar_one_or_none()
    return None if case is None else load(connection, case, lock=lock)


def _loaded(connection: Connection, cases: list[UUID]) -> Iterator[Filed]:
    for case in cases:
        filed = load(connection, case)
        if filed is not None:
            yield filed
