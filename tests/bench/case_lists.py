"""How fast lists of cases answer with 100,000 of them: `python -m tests.bench.case_lists`.

It starts a PostgreSQL server of its own, generates cases from the life cycle in every state, over 40
departments and two years, and measures each list from many places. It prints JSON.
"""

# ruff: noqa: S311 - chance that is the same each time is meant

import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, text

from services.control.cases.case import Case, Event, fold
from services.control.cases.words import State
from services.control.clocks.calendar_file import china
from services.control.docket.bound import Bound
from services.control.docket.case_clocks import clocks_of, due_lines
from services.control.docket.filed import clock_rows, folded, step_rows
from services.control.docket.written import event_document, opening_document
from services.control.store.cases.listing import Wish, breaches, due, newest
from services.control.store.cases.policies import adopt
from services.control.store.cases.tables import CASES, CLOCKS, EVENTS, STEPS
from services.control.store.cases.writing import next_reminder
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.migrate import migrate
from tests.database_fixture import DatabaseOnly
from tests.support.desk import COUNTY
from tests.support.sharing_cases import IN_STATE, NOW
from topics.event import GrantId

CASES_WANTED: Final = 100_000
AT_ONCE: Final = 2_000
TODAY: Final = date(2026, 11, 26)
ASKED: Final = 200
_DEPARTMENTS: Final = [f"department_{number:02}" for number in range(40)]
_WEIGHTS: Final = {State.DECIDING: 3, State.ACTIVE: 6, State.EXPIRED: 4, State.REFUSED: 2}


def main() -> None:
    """Generate, measure, print."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else CASES_WANTED
    server = DatabaseOnly()
    try:
        server.up()
        with server.opened() as database:
            migrate(database)
            began = perf_counter()
            fill(database, wanted)
            filled = perf_counter() - began
            print(
                json.dumps(
                    {"cases": wanted, "filled_s": round(filled, 1), **measured(database, wanted)}, indent=1
                )
            )
    finally:
        server.reset()


def fill(database: ControlDatabase, wanted: int) -> None:
    """Cases of all states, by the life cycle and the county's clocks."""
    chance = random.Random(7)
    states = [state for state in State for _ in range(_WEIGHTS.get(state, 1))]
    with database.begin() as connection:
        digest = adopt(connection, COUNTY, "operator:bench", NOW, "a bench").digest
    for begin in range(0, wanted, AT_ONCE):
        rows: dict[str, list[dict[str, Any]]] = {"cases": [], "events": [], "steps": [], "clocks": []}
        for _ in range(begin, min(begin + AT_ONCE, wanted)):
            _add(rows, generated(chance, chance.choice(states)), digest, COUNTY)
        with database.begin() as connection:
            for table, name in ((CASES, "cases"), (EVENTS, "events"), (STEPS, "steps"), (CLOCKS, "clocks")):
                if rows[name]:
                    connection.execute(table.insert(), rows[name])
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def generated(chance: random.Random, state: State) -> Case:
    """A case in that state, of some department, begun on some day of the last two years."""
    pattern = IN_STATE[state]()
    moved = timedelta(minutes=chance.randrange(-700_000, 385_000))
    id_ = new_id(NOW + moved, chance.getrandbits)
    opening = type(pattern.opening)(
        str(id_),
        GrantId(f"case-{id_.hex}"),
        pattern.opening.provider,
        pattern.opening.application,
        pattern.opening.rules,
    )
    spread = timedelta(hours=chance.randrange(0, 90))
    return fold(opening, _moved(pattern.events, moved, spread))


def _moved(events: tuple[Event, ...], by: timedelta, spread: timedelta) -> Iterator[Event]:
    for number, event in enumerate(events):
        yield replace(event, when=event.when + by + number * spread)


def _add(rows: dict[str, list[dict[str, Any]]], case: Case, digest: str, policy: Bound) -> None:
    id_ = UUID(case.opening.id)
    chance = random.Random(id_.int)
    lines = due_lines(clocks_of(case, policy, {}), china())
    last = case.events[-1].when if case.events else NOW
    rows["cases"].append(
        {
            "id": id_,
            "grant_id": case.opening.grant,
            "policy": digest,
            "facts": {},
            "opening": opening_document(case.opening),
            "opened_at": last,
            "provider": chance.choice(_DEPARTMENTS),
            "consumer": chance.choice(_DEPARTMENTS),
            "resource": f"population.table_{chance.randrange(1000)}.v1",
            "entry_code": f"307-{chance.randrange(10_000):04}/1",
            "moved_at": last,
            **folded(case, lines),
        }
    )
    rows["events"] += [
        {
            "case_id": id_,
            "number": event.number,
            "action": event.action.value,
            "at": event.when,
            "recorder": "",
            "document": event_document(event),
        }
        for event in case.events
    ]
    rows["steps"] += [{**row, "case_id": id_} for row in step_rows(case)]
    rows["clocks"] += [
        {**row, "case_id": id_, "reminded": 0, "next_reminder_on": next_reminder(line, 0)}
        for line, row in zip(lines, clock_rows(lines), strict=True)
    ]


def measured(database: ControlDatabase, wanted: int) -> dict[str, Any]:
    """The p50 and p95 of each list in milliseconds, asked from many places."""
    chance = random.Random(11)

    def department() -> str:
        return chance.choice(_DEPARTMENTS)

    def state() -> State:
        return chance.choice(list(State))

    asked: dict[str, Callable[[Connection], object]] = {
        "newest": lambda c: newest(c, before=chance.randrange(51, wanted + 1)),
        "newest of a state": lambda c: newest(c, Wish(state=state()), chance.randrange(51, wanted + 1)),
        "newest of an applicant": lambda c: newest(c, Wish(consumer=department())),
        "newest of a provider in a state": lambda c: newest(c, Wish(provider=department(), state=state())),
        "due": lambda c: due(c),
        "due of a provider": lambda c: due(c, Wish(provider=department())),
        "due within a week": lambda c: due(c, until=TODAY + timedelta(days=chance.randrange(8))),
        "due on a deep page": lambda c: due(c, after=(TODAY, chance.randrange(wanted))),
        "breaches": lambda c: breaches(c, TODAY, limit=50),
        "breaches of a provider": lambda c: breaches(c, TODAY, department(), limit=50),
    }
    return {
        "kb_per_case": round(_bytes(database) / wanted / 1000, 1),
        "at": datetime.now(UTC).isoformat(),
        "ms": {name: _times(database, ask) for name, ask in asked.items()},
    }


def _bytes(database: ControlDatabase) -> int:
    """What cases take on the disk, with their indexes."""
    sizes = " + ".join(f"pg_total_relation_size('{each.name}')" for each in (CASES, EVENTS, STEPS, CLOCKS))
    with database.begin() as connection:
        return int(connection.execute(text(f"SELECT {sizes}")).scalar_one())


def _times(database: ControlDatabase, ask: Callable[[Connection], object]) -> dict[str, float]:
    took = []
    for _ in range(ASKED):
        began = perf_counter()
        with database.begin() as connection:
            ask(connection)
        took.append((perf_counter() - began) * 1000)
    took.sort()
    return {"p50": round(took[len(took) // 2], 1), "p95": round(took[len(took) * 95 // 100], 1)}


if __name__ == "__main__":
    main()
