"""Reads cases: a case is folded from its events each time, and what lists show is never decided on."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select

from services.control.cases.case import fold
from services.control.cases.words import State
from services.control.docket.bound import Bound, bound_of
from services.control.docket.filed import Filed
from services.control.docket.written import event_of, opening_of
from services.control.store.cases.tables import CASES, EVENTS, POLICIES
from services.control.store.errors import StoreError


class DistrustCase(StoreError):  # noqa: N818 - named after what its catcher must do
    """What is stored of a case is not what its events come to: nothing is decided on it meanwhile."""


def load(connection: Connection, case: UUID, *, lock: bool = False) -> Filed | None:
    """A case with all its events; None where there is none of that id.

    Args:
        connection: inside the caller's transaction.
        case: its id.
        lock: whether others who want to act on the case wait until the transaction ends. Without it, read
            inside ``ControlDatabase.reading``: row and events must be of one moment.

    Raises:
        DistrustCase: the stored state is not what the events come to.
        UnknownForm: an event was written by a newer program.
    """
    wanted = select(CASES).where(CASES.c.id == case)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        return None
    filed = _filed(connection, row, _policy(connection, row.policy))
    _require_same(filed, row)
    return filed


def of_consumer(connection: Connection, consumer: str, states: Iterable[State]) -> list[Filed]:
    """All cases of an applicant in one of these states, by their numbers, however many they are.

    Raises:
        DistrustCase: the stored state of one is not what its events come to.
        UnknownForm: an event was written by a newer program.
    """
    named = sorted(state.value for state in states)
    wanted = select(CASES).where(CASES.c.consumer == consumer, CASES.c.state.in_(named))
    found = list(_all_made(connection, connection.execute(wanted.order_by(CASES.c.number)).all()))
    for row, filed in found:
        _require_same(filed, row)
    return [filed for _, filed in found]


def id_of(connection: Connection, number: int) -> UUID | None:
    """The id of the case with a number."""
    return connection.execute(select(CASES.c.id).where(CASES.c.number == number)).scalar_one_or_none()


def each_case(connection: Connection, after: int = 0, limit: int = 500) -> Iterator[tuple[Row[Any], Filed]]:
    """Some cases in the order of their numbers, each with its row; for checks and simulations.

    Args:
        connection: inside the caller's transaction.
        after: the number before the first one.
        limit: how many at most; call again with the last number.

    Raises:
        UnknownForm: an event was written by a newer program.
    """
    wanted = select(CASES).where(CASES.c.number > after).order_by(CASES.c.number).limit(limit)
    yield from _all_made(connection, connection.execute(wanted).all())


def _all_made(connection: Connection, rows: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], Filed]]:
    policies: dict[str, Bound] = {}
    events = _events_of(connection, [row.id for row in rows])
    for row in rows:
        if row.policy not in policies:
            policies[row.policy] = _policy(connection, row.policy)
        yield row, _made(row, policies[row.policy], events.get(row.id, []))


def _require_same(filed: Filed, row: Row[Any]) -> None:
    if (filed.version, filed.case.state.value) != (row.version, row.state):
        raise DistrustCase(
            f"case {row.number} is stored as {row.state} at version {row.version}, its events come to "
            f"{filed.case.state.value} at {filed.version}; `govbus case check` lists such cases"
        )


def _filed(connection: Connection, row: Row[Any], policy: Bound) -> Filed:
    return _made(row, policy, _events_of(connection, [row.id]).get(row.id, []))


def _made(row: Row[Any], policy: Bound, events: Sequence[Row[Any]]) -> Filed:
    return Filed(
        case=fold(opening_of(row.opening), (event_of(each.document) for each in events)),
        number=row.number,
        digest=row.policy,
        policy=policy,
        facts=row.facts,
        entry_code=row.entry_code,
        recorders=tuple(each.recorder for each in events),
    )


def _events_of(connection: Connection, cases: Sequence[UUID]) -> dict[UUID, list[Row[Any]]]:
    found: dict[UUID, list[Row[Any]]] = {}
    for row in connection.execute(_events(cases)):
        found.setdefault(row.case_id, []).append(row)
    return found


def _events(cases: Sequence[UUID]) -> Select[Any]:
    columns = (EVENTS.c.case_id, EVENTS.c.document, EVENTS.c.recorder)
    return select(*columns).where(EVENTS.c.case_id.in_(cases)).order_by(EVENTS.c.case_id, EVENTS.c.number)


def _policy(connection: Connection, digest: str) -> Bound:
    return bound_of(
        connection.execute(select(POLICIES.c.document).where(POLICIES.c.digest == digest)).scalar_one()
    )
