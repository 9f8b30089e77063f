"""Writes retirements, and what each change of one owes to the ledger; the caller has asked the rules."""

from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, update
from sqlalchemy.dialects.postgresql import insert

from services.control.retirements.plan import By, Retirement
from services.control.retirements.words import State
from services.control.store.outbox import Act, Fact, append
from services.control.store.retirements.tables import RETIREMENTS

RETIRE, POSTPONE, CANCEL = "catalogue.retire", "catalogue.postpone", "catalogue.cancel_retirement"
RETIRED: Final = "catalogue.retired"
KIND: Final = "resource"
"""What acts are about: a version, by its id."""


def add(connection: Connection, planned: Retirement, by: By) -> bool:
    """Keep a new plan; False where one for the version stands, made by somebody who was quicker."""
    row = _row(planned) | {"changed_at": planned.announced_at}
    statement = insert(RETIREMENTS).values(row).on_conflict_do_nothing()
    if connection.execute(statement.returning(RETIREMENTS.c.id)).first() is None:
        return False
    append(connection, _act(planned, RETIRE, by))
    return True


def change(connection: Connection, after: Retirement, what: str, by: By) -> Retirement:
    """Keep a plan that was changed, with its row locked, and say in the ledger by whom and why.

    Args:
        connection: in the transaction in which the row was locked.
        after: the plan as it is now.
        what: what the change is called in the ledger.
        by: who changed it, and when.
    """
    moved = replace(after, version=after.version + 1)
    row = _row(moved) | {"changed_at": by.now}
    connection.execute(update(RETIREMENTS).where(RETIREMENTS.c.id == moved.id).values(row))
    append(connection, _act(moved, what, by))
    return moved


def postponed(found: Retirement, day: date, why: str, by: str) -> Retirement:
    """The plan with a later day."""
    return replace(found, retires_on=day, why=why, by=by)


def ended(found: Retirement, state: State, why: str, by: str) -> Retirement:
    """The plan once it is over, one way or the other."""
    return replace(found, state=state, why=why, by=by)


def _row(found: Retirement) -> dict[str, Any]:
    return {
        "id": found.id,
        "old_id": found.old,
        "new_id": found.new,
        "provider": found.provider,
        "state": found.state.value,
        "announced_at": found.announced_at,
        "parallel_from": found.parallel_from,
        "retires_on": found.retires_on,
        "working_days": found.working_days,
        "why": found.why,
        "changed_by": found.by,
        "lock_version": found.version,
    }


def _act(found: Retirement, what: str, by: By) -> Act:
    facts: dict[str, Fact] = {
        "retirement": str(found.id),
        "new": found.new,
        "provider": found.provider,
        "parallel_from": found.parallel_from.isoformat(),
        "retires_on": found.retires_on.isoformat(),
        "role": by.role,
        "department": by.department,
    }
    if by.person:
        facts["for"] = by.person
    return Act(by.account, what, KIND, found.old, by.now, found.why, facts)
