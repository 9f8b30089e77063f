"""Works on replays: each step with what the ledger is owed of it, in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB

from services.control.replays.life import Order, Replay, State, Step, after, requested
from services.control.store.outbox import Act, Fact, append
from services.control.store.replays.tables import REPLAYS
from services.ledger.replay.scope import scope_from
from services.ledger.replay.words import Purpose

KIND: Final = "replay"
"""What an act calls a replay."""
_LOCK: Final = 4_207_019
"""Of PostgreSQL's advisory locks those that let one process run a replay at a time."""


def request(connection: Connection, order: Order, who: str, now: datetime, console: str = "") -> Replay:
    """Ask for a replay.

    Raises:
        Refused: a rule is against it.
    """
    order = requested(order)
    row = {
        "purpose": order.purpose.value,
        "scope": order.scope.record(),
        "options": dict(order.options),
        "reason": order.reason,
        "basis": order.basis,
        "state": State.REQUESTED.value,
        "version": 1,
        "requested_by": who,
        "requested_at": now,
        "moved_at": now,
        "parts": {},
    }
    number = connection.execute(REPLAYS.insert().values(row).returning(REPLAYS.c.number)).scalar_one()
    replay = _found(connection, number)
    _owe(connection, replay, Step.REQUEST, who, now, console)
    return replay


def step(
    connection: Connection,
    number: int,
    what: Step,
    who: str,
    now: datetime,
    console: str = "",
    result: Mapping[str, Any] | None = None,
) -> Replay:
    """Take a step with a replay.

    Raises:
        LookupError: there is none of that number.
        Refused: a rule is against it.
    """
    replay = load(connection, number, lock=True)
    if replay is None:
        raise LookupError(f"there is no replay {number}")
    state = after(replay, what, who)
    changes: dict[str, Any] = {"state": state.value, "version": replay.version + 1, "moved_at": now}
    if what is Step.APPROVE:
        changes["approved_by"] = who
    if result is not None:
        changes["result"] = dict(result)
    connection.execute(update(REPLAYS).where(REPLAYS.c.number == number).values(changes))
    moved = _found(connection, number)
    _owe(connection, moved, what, who, now, console)
    return moved


def load(connection: Connection, number: int, *, lock: bool = False) -> Replay | None:
    """A replay; None where there is none of that number."""
    wanted = select(REPLAYS).where(REPLAYS.c.number == number)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return None if row is None else _replay(row)


def listed(
    connection: Connection,
    state: State | None = None,
    before: int | None = None,
    limit: int = 50,
    *,
    whole: bool = True,
) -> list[Replay]:
    """Replays from the newest on; ``before`` is the number of the last one of the page before.

    Those that are not ``whole`` have results without what is long: rows of a difference, and chains.
    """
    kept: list[ColumnElement[Any]] = [each for each in REPLAYS.c if each.name != "parts"]
    if not whole:
        short = REPLAYS.c.result.op("-")("rows").op("-")("chains").cast(JSONB).label("result")
        kept = [short if each is REPLAYS.c.result else each for each in kept]
    wanted = select(*kept).order_by(REPLAYS.c.number.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(REPLAYS.c.state == state.value)
    if before is not None:
        wanted = wanted.where(REPLAYS.c.number < before)
    return [_replay(row) for row in connection.execute(wanted)]


def note_progress(connection: Connection, number: int, progress: Mapping[str, Any]) -> None:
    """Say how far it is; nothing that the ledger is owed."""
    wanted = update(REPLAYS).where(REPLAYS.c.number == number)
    connection.execute(wanted.values(progress=dict(progress)))


def note_part(connection: Connection, number: int, name: str, became: Mapping[str, Any]) -> None:
    """Keep what became of one part, so that it is not done again."""
    added = cast({name: dict(became)}, JSONB)
    wanted = update(REPLAYS).where(REPLAYS.c.number == number)
    connection.execute(wanted.values(parts=REPLAYS.c.parts.op("||")(added)))


def parts(connection: Connection, number: int) -> dict[str, Any]:
    """What became of the parts that are done."""
    found = connection.execute(select(REPLAYS.c.parts).where(REPLAYS.c.number == number)).scalar_one()
    return dict(found)


def take_turn(connection: Connection, number: int) -> bool:
    """Whether nobody else runs this replay; ours until the session's connection is closed."""
    return bool(connection.execute(select(func.pg_try_advisory_lock(_LOCK, number))).scalar_one())


def give_turn(connection: Connection, number: int) -> None:
    """Let another run it."""
    connection.execute(select(func.pg_advisory_unlock(_LOCK, number)))


def _owe(connection: Connection, replay: Replay, what: Step, who: str, now: datetime, console: str) -> None:
    facts: dict[str, Fact] = {
        "purpose": replay.order.purpose.value,
        "after": replay.state.value,
        "basis": replay.order.basis,
        "requested_by": replay.requested_by,
    }
    if console:
        facts["console"] = console
    for name, value in replay.order.scope.record().items():
        facts[f"scope.{name}"] = value
    if replay.order.separate:
        facts["separate"] = True
    if replay.result is not None and what is Step.FINISH:
        facts["verdict"] = str(replay.result.get("verdict", ""))
    reason = replay.order.reason
    append(connection, Act(who, f"replay.{what.value}", KIND, str(replay.number), now, reason, facts))


def _found(connection: Connection, number: int) -> Replay:
    replay = load(connection, number)
    if replay is None:
        raise LookupError(f"replay {number} was written a moment ago")
    return replay


def _replay(row: Row[Any]) -> Replay:
    order = Order(Purpose(row.purpose), scope_from(row.scope), row.reason, row.basis, row.options)
    return Replay(
        number=row.number,
        order=order,
        state=State(row.state),
        version=row.version,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        approved_by=row.approved_by,
        moved_at=row.moved_at,
        progress=row.progress,
        result=row.result,
    )
