"""Keeps rulings as they are given, and how far each is: whoever comes next goes on there."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, or_, select, update

from services.control.accounts.actions import Action
from services.control.ownership.decided import DecidedRuling, Given, Stage
from services.control.store.outbox import Act, answering, append
from services.control.store.rulings.tables import OWNERSHIP_RULINGS
from topics.event import GrantId, ResourceId
from topics.ownership import Decision

KIND: Final = "claim"
"""What acts are about: a column in which a department publishes what another owns."""
_TURN: Final = 4_207_008
"""Of PostgreSQL's advisory locks those of the columns that rulings are about."""
_C: Final = OWNERSHIP_RULINGS.c
_OPEN: Final = (Stage.DECIDED.value, Stage.WRITTEN.value)


def give(connection: Connection, given: Given) -> tuple[DecidedRuling, bool]:
    """Keep a ruling, and owe it to the ledger; whether it is the one that was given last already.

    One that was given before on the same column and is not on the bus yet is overtaken by it.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_TURN, func.hashtext(object_of(given)))))
    before = next(iter(of_column(connection, *given.about)), None)
    if before is not None and before.stage is not Stage.OVERTAKEN and before.given.says_the_same(given):
        return before, True
    statement = OWNERSHIP_RULINGS.insert().values(_row(given)).returning(OWNERSHIP_RULINGS)
    kept = _decided(connection.execute(statement).one())
    waiting = (_C.claimant == given.claimant, _C.source_column == given.column, _C.number < kept.number)
    _overtake(connection, f"overtaken by the ruling {kept.given.id}", *waiting)
    append(connection, _act(given))
    return kept, False


def of_column(connection: Connection, claimant: ResourceId, column: str) -> list[DecidedRuling]:
    """Every ruling on a column, the newest first."""
    wanted = select(OWNERSHIP_RULINGS).where(_C.claimant == claimant, _C.source_column == column)
    return [_decided(row) for row in connection.execute(wanted.order_by(_C.number.desc()))]


def ruled_on(connection: Connection) -> set[tuple[ResourceId, str]]:
    """The columns on which the authority has ruled, by their resource."""
    wanted = select(_C.claimant, _C.source_column).distinct()
    return {(ResourceId(row.claimant), row.source_column) for row in connection.execute(wanted)}


def by_number(connection: Connection, number: int) -> DecidedRuling:
    """One ruling, of which it is known that it is kept."""
    return _decided(connection.execute(select(OWNERSHIP_RULINGS).where(_C.number == number)).one())


def next_due(connection: Connection, now: datetime) -> DecidedRuling | None:
    """The oldest of those whose time has come."""
    wanted = (
        select(OWNERSHIP_RULINGS)
        .where(_C.stage.in_(_OPEN), or_(_C.next_at.is_(None), _C.next_at <= now))
        .order_by(_C.number)
        .limit(1)
    )
    row = connection.execute(wanted).one_or_none()
    return None if row is None else _decided(row)


def written(
    connection: Connection,
    ruling: DecidedRuling,
    version: int,
    resources: Iterable[ResourceId],
    losing: Iterable[GrantId],
) -> None:
    """Note the policy version in which it stands, and what says otherwise since.

    One that was overtaken in this very moment stands there too: the one that overtook it comes after it.
    """
    values = {
        "stage": Stage.WRITTEN.value,
        "version": version,
        "resources": sorted(resources),
        "losing": sorted(losing),
        "attempts": 0,
        "note": "",
        "next_at": None,
    }
    _change(connection, ruling, values, Stage.DECIDED, Stage.OVERTAKEN)


def in_force(
    connection: Connection, ruling: DecidedRuling, since: datetime, instances: Mapping[str, int]
) -> None:
    """Note since when every instance of the gate decides by it."""
    values = {
        "stage": Stage.IN_FORCE.value,
        "in_force_at": since,
        "instances": dict(instances),
        "attempts": 0,
        "note": "",
        "next_at": None,
    }
    _change(connection, ruling, values, Stage.WRITTEN)


def overtaken(connection: Connection, ruling: DecidedRuling, note: str) -> None:
    """Note that a later one stands in the policy already."""
    _overtake(connection, note, _C.number == ruling.number)


def put_off(
    connection: Connection, ruling: DecidedRuling, note: str, next_at: datetime, *, failed: bool
) -> None:
    """Note why it waits and until when; ``failed`` counts it as an attempt."""
    attempts = ruling.attempts + 1 if failed else 0
    values = {"note": note, "next_at": next_at, "attempts": attempts}
    _change(connection, ruling, values, Stage.DECIDED, Stage.WRITTEN)


def object_of(given: Given) -> str:
    """What acts on rulings are about."""
    return f"{given.claimant}/{given.column}"


def _act(given: Given) -> Act:
    facts = {
        "ruling": given.id,
        "decision": given.decision.value,
        "basis": given.basis,
        "item": given.item,
        "resource": given.owner,
        "department": given.department,
    }
    what = Action.CLAIM_DECIDE.value
    account, told = answering(given.by, given.recorder)
    return Act(account, what, KIND, object_of(given), given.at, given.text, facts | told)


def _overtake(connection: Connection, note: str, *which: Any) -> None:
    values = {"stage": Stage.OVERTAKEN.value, "note": note, "attempts": 0, "next_at": None}
    still = _C.stage == Stage.DECIDED.value
    connection.execute(update(OWNERSHIP_RULINGS).where(still, *which).values(values))


def _change(connection: Connection, ruling: DecidedRuling, values: Mapping[str, Any], *stages: Stage) -> None:
    which = (_C.number == ruling.number, _C.stage.in_([each.value for each in stages]))
    connection.execute(update(OWNERSHIP_RULINGS).where(*which).values(values))


def _row(given: Given) -> dict[str, Any]:
    return {
        "id": given.id,
        "claimant": given.claimant,
        "source_column": given.column,
        "owner": given.owner,
        "item": given.item,
        "decision": given.decision.value,
        "basis": given.basis,
        "text": given.text,
        "given_by": given.by,
        "department": given.department,
        "recorder": given.recorder,
        "given_at": given.at,
        "stage": Stage.DECIDED.value,
    }


def _decided(row: Row[Any]) -> DecidedRuling:
    given = Given(
        id=row.id,
        claimant=ResourceId(row.claimant),
        column=row.source_column,
        owner=ResourceId(row.owner),
        item=row.item,
        decision=Decision(row.decision),
        basis=row.basis,
        text=row.text,
        by=row.given_by,
        department=row.department,
        at=row.given_at.astimezone(UTC),
        recorder=row.recorder,
    )
    return DecidedRuling(
        number=row.number,
        given=given,
        stage=Stage(row.stage),
        attempts=row.attempts,
        note=row.note,
        next_at=row.next_at,
        version=row.version,
        in_force_at=row.in_force_at,
        instances=row.instances,
        resources=tuple(ResourceId(each) for each in row.resources),
        losing=tuple(GrantId(each) for each in row.losing),
    )
