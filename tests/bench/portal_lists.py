"""How fast the portal's lists answer: `python -m tests.bench.portal_lists [CASES] [ENTRIES] [TOPICS]`.

It starts a PostgreSQL server of its own, generates a large city (cases and entries as their own benches
do), and asks the whole web process for each list as several people, from the cookie to the last byte. It
prints JSON, and ends with 1 where the slowest twentieth of a page takes longer than it may.
"""

# ruff: noqa: S311 - chance that is the same each time is meant

import json
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from shutil import rmtree
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text

from services.control.accounts.people import Department
from services.control.accounts.roles import Role
from services.control.catalogue.parameters import CatalogueRules
from services.control.clocks.calendar_file import china
from services.control.demand.words import Action
from services.control.replays.life import Order, Step
from services.control.replays.running import MOST_ROWS
from services.control.store.accounts.departments import add_department
from services.control.store.catalogue.loading import Loaded, Loading, load
from services.control.store.catalogue.tables import ENTRIES
from services.control.store.database import ControlDatabase
from services.control.store.demand.writing import add as add_need
from services.control.store.ids import new_id
from services.control.store.migrate import migrate
from services.control.store.outbox import Act, append_all
from services.control.store.reconciliations.proofs import keep
from services.control.store.replays import work
from services.control.store.snapshots import Kind, put
from services.control.store.tickets.writing import add
from services.control.tickets.life import report
from services.control.tickets.ticket import Ticket
from services.demo.numbers import credit_code
from services.ledger.replay.scope import Scope
from services.ledger.replay.words import Purpose
from tests.bench import case_lists, catalogue_lists
from tests.database_fixture import DatabaseOnly
from tests.support import needs
from tests.support.operating import Operated, grant_document
from tests.support.tickets import opening
from tests.support.volumes import epoch, proof, volume_document
from tests.support.web import CONSOLE, CONTACTS, NOW
from topics.event import ResourceId

ALLOWED_MS: Final = 300.0
ACTS: Final = 200_000
TICKETS: Final = 5_000
NEEDS: Final = 5_000
REPLAYS: Final = 1_000
DEPARTMENTS: Final = [f"department_{number:02}" for number in range(40)]
PEOPLE: Final[Mapping[str, tuple[Role, str]]] = {
    "authority": (Role.AUTHORITY, "data_bureau"),
    "provider": (Role.PROVIDER, "department_05"),
    "consumer": (Role.CONSUMER, "department_07"),
    "operator": (Role.OPERATOR, "data_bureau"),
    "auditor": (Role.AUDITOR, "data_bureau"),
}
PAGES: Final = (
    "/",
    "/tasks",
    "/inbox",
    "/catalogue",
    "/catalogue?q=%E4%B8%8D%E5%8A%A8%E4%BA%A7",
    "/catalogue/mounting",
    "/catalogue/mounting?state=no_topic",
    "/catalogue/duties",
    "/catalogue/directories/share",
    "/catalogue/directories/open",
    "/demand",
    "/breaches",
    "/refusals",
    "/credentials",
    "/conflicts",
    "/maintenance",
    "/cases",
    "/cases?state=active",
    "/cases?sort=due",
    "/grants",
    "/grants?sort=lag",
    "/grants?words=07",
    "/topics",
    "/topics?words=raw&after=3",
    "/quarantine",
    "/connectors",
    "/tickets",
    "/tickets?state=reported",
    "/tickets?overdue=yes",
    "/volumes",
    "/volumes?words=7",
    "/volumes/population.table_0.v1",
    "/operations",
    "/operations/alarms",
    "/audit",
    "/audit?who=clerk",
    "/audit?kind=case&object=case-00777",
    "/audit?area=kill",
    "/audit?since=2026-03-01&until=2026-03-02",
    "/replays",
    "/replays?state=done",
    "/admin/people",
    "/admin/departments",
)


def main() -> int:
    """Generate, measure, print; returns the exit code."""
    given = [int(argument) for argument in sys.argv[1:]]
    cases, entries, topics, rounds = given + [100_000, 10_000, 1_000, 40][len(given) :]
    server = DatabaseOnly()
    try:
        server.up()
        with server.opened() as database:
            migrate(database)
            portal = Operated(database)
            began = perf_counter()
            fill(portal, cases, entries, topics)
            filled = perf_counter() - began
            figures = measured(portal, rounds)
    finally:
        server.reset()
        rmtree(server.settings.home, ignore_errors=True)
    slow = [f"{who} {path}" for (who, path), each in figures.items() if each["p95"] > ALLOWED_MS]
    answer = {
        "cases": cases,
        "entries": entries,
        "topics": topics,
        "rounds": rounds,
        "filled_s": round(filled, 1),
        "slowest_p95_ms": max(each["p95"] for each in figures.values()),
        "slower_than_allowed": slow,
        "ms": {f"{who} {path}": each for (who, path), each in figures.items()},
    }
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1) + "\n")
    return 1 if slow else 0


def fill(portal: Operated, cases: int, entries: int, topics: int) -> None:
    """A large city: its cases, entries, tickets, acts, and what the collector saw of its bus."""
    chance, database = random.Random(7), portal.parts.database
    with database.begin() as connection:
        for number, name in enumerate(DEPARTMENTS):
            code = credit_code(chance)
            add_department(connection, Department(name, f"第{number}局", name, code, CONTACTS), CONSOLE)
    case_lists.fill(database, cases)
    _entries(database, entries)
    _tickets(database, chance)
    _needs(database, chance)
    _acts(database, chance)
    _replays(database)
    for kind, documents in _snapshots(topics, chance):
        with database.begin() as connection:
            put(connection, kind, documents, NOW)
    _mounting(database, topics)
    _comparisons(database, topics)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def measured(portal: Operated, rounds: int) -> dict[tuple[str, str], dict[str, float]]:
    """Median and 95th percentile of each page for each person who may see it, in milliseconds."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    portal.hire(Role.CONSUMER, department="department_07", login="clerk")
    for who, (role, department) in PEOPLE.items():
        reader = portal.reader(role, department=department)
        for path in PAGES:
            took = []
            for number in range(rounds + 2):
                # Nobody asks faster than the rate limit allows.
                portal.clock.pass_by(timedelta(seconds=2))
                began = perf_counter()
                answer = reader.look(path)
                if number > 1:
                    took.append((perf_counter() - began) * 1000)
            if answer.status_code == 403:
                continue
            if answer.status_code != 200:
                raise SystemExit(f"{who} {path}: {answer.status_code}")
            p95 = quantiles(took, n=20)[-1]
            found[who, path] = {"p50": round(median(took), 1), "p95": round(p95, 1)}
    return found


def _entries(database: ControlDatabase, wanted: int) -> None:
    entries = list(catalogue_lists.generated(wanted, random.Random(7)))
    loading = Loading("bench", catalogue_lists.WHEN, "bench", CatalogueRules(), new_id)
    with database.begin() as connection:
        done = load(connection, entries, loading)
    if not isinstance(done, Loaded):
        raise SystemExit(f"the generated entries are wrong: {done.clashes[:3]}")


def _tickets(database: ControlDatabase, chance: random.Random) -> None:
    calendar = china()
    with database.begin() as connection:
        for number in range(TICKETS):
            when = NOW - timedelta(minutes=chance.randrange(100_000))
            reporter = replace(opening().reporter, department=chance.choice(DEPARTMENTS))
            ticket = report(opening(id=str(UUID(int=number + 1)), when=when, reporter=reporter))
            if not isinstance(ticket, Ticket):
                raise SystemExit(f"a generated ticket is refused: {ticket.problems}")
            add(connection, ticket, calendar)


def _needs(database: ControlDatabase, chance: random.Random) -> None:
    """Each kind of data is needed by about ten departments; every other need is assigned."""
    with database.begin() as connection:
        for number in range(NEEDS):
            who = replace(needs.CONSUMER, department=chance.choice(DEPARTMENTS))
            subject = f"第{chance.randrange(NEEDS // 10)}类信息"
            steps = [(Action.ASSIGN, needs.BUREAU)] if number % 2 else []
            add_need(connection, needs.after(*steps, id=UUID(int=number + 1), who=who, subject=subject))


def _acts(database: ControlDatabase, chance: random.Random) -> None:
    words = ("case.approve", "case.submit", "catalogue.publish", "ticket.dispatch", "account.look")
    for begin in range(0, ACTS, 5_000):
        acts = [
            Act(
                str(UUID(int=chance.randrange(500))),
                chance.choice(words),
                "case",
                f"case-{chance.randrange(50_000):05}",
                NOW - timedelta(minutes=ACTS - begin - number),
                "a bench",
                {"department": chance.choice(DEPARTMENTS), "number": number},
            )
            for number in range(5_000)
        ]
        with database.begin() as connection:
            append_all(connection, acts)


def _replays(database: ControlDatabase) -> None:
    """Each has ended with a difference of many lines, as large as one may be."""
    row = {
        "subject": "grant-0001",
        "item": "name",
        "recorded": "shown",
        "otherwise": "not shown",
        "records": 7,
    }
    result = {"verdict": "different", "records": 7, "policy": "version 7", "not_retained": 0}
    scope = Scope(resource=ResourceId("population.table_1.v1"))
    order = Order(Purpose.WHAT_IF, scope, "a bench", "of none", {})
    with database.begin() as connection:
        for _ in range(REPLAYS):
            number = work.request(connection, order, "clerk", NOW).number
            for step in (Step.APPROVE, Step.START):
                work.step(connection, number, step, "operator", NOW)
            whole = {**result, "rows": [row] * MOST_ROWS, "rows_left_off": 0}
            work.step(connection, number, Step.FINISH, "operator", NOW, "", whole)


def _snapshots(topics: int, chance: random.Random) -> Iterator[tuple[Kind, dict[str, dict[str, Any]]]]:
    """Half of the topics are grants', the rest raw and canonical ones."""
    moment = datetime.isoformat(NOW - timedelta(minutes=1))
    document = {"records": 1_000_000, "bytes": None, "partitions": 6, "last_record_at": moment}
    grants = {
        f"grant-{number:04}": grant_document(
            chance.choice(DEPARTMENTS),
            chance.choice(DEPARTMENTS),
            chance.choice(("active", "active", "active", "suspended", "filling")),
            lag_seconds=round(chance.expovariate(0.01), 1),
            partitions=[
                {"partition": each, "begin": 0, "end": chance.randrange(10**7), "lag_records": 0}
                for each in range(6)
            ],
        )
        for number in range(topics // 2)
    }
    yield Kind.GRANT, grants
    named = {f"sub.{each['consumer']}.{each['resource']}.{name}": document for name, each in grants.items()}
    for number in range(topics // 4):
        named[f"raw.{DEPARTMENTS[number % 40]}.public.table_{number}"] = document
        named[f"resource.population.table_{number}.v1"] = document
    yield Kind.TOPIC, named
    yield Kind.RESOURCE, {f"population.table_{n}.v1": _resource(n, chance) for n in range(topics // 4)}
    epochs = [epoch(number, "ended") for number in range(20, 0, -1)]
    volumes = [volume_document(each, epochs) for each in DEPARTMENTS]
    yield Kind.EPOCH, {f"population.table_{n}.v1": volumes[n % 40] for n in range(topics // 4)}
    yield Kind.QUARANTINE, {name: {"count": 7, "reasons": {"IDENTITY_MISSING": 7}} for name in DEPARTMENTS}
    running = {"state": "RUNNING", "connector_state": "RUNNING", "trace": None, "snapshot": None}
    tasks = {"tasks": [{"id": 0, "state": "RUNNING", "trace": None}]}
    sinks = {f"sink.{name}": {**running, **tasks} for name in list(grants)[: topics // 10]}
    yield Kind.CONNECTOR, {**{f"capture.{name}": {**running, **tasks} for name in DEPARTMENTS}, **sinks}
    alarm = {"kind": "slot-lag", "detail": "behind", "remedy": "govbus doctor"}
    yield Kind.ALARM, {f"slot-lag:{number}": {**alarm, "subject": str(number)} for number in range(50)}


def _mounting(database: ControlDatabase, topics: int) -> None:
    """The first entries have a topic each, the others none; some topics have no entry."""
    mounted, hidden = topics // 4, topics // 40
    with database.begin() as connection:
        codes = connection.execute(select(ENTRIES.c.code).order_by(ENTRIES.c.sort_key)).scalars().all()
        documents = {
            str(code): _mount(
                "fresh" if number < mounted else "no_topic", number if number < mounted else None
            )
            for number, code in enumerate(codes)
        }
        documents |= {f"population.table_{n}.v1": _mount("no_entry", n) for n in range(hidden)}
        put(connection, Kind.MOUNTING, documents, NOW)


def _comparisons(database: ControlDatabase, topics: int) -> None:
    """Each resource was compared once a day for a month."""
    with database.begin() as connection:
        for number in range(topics // 4):
            name, provider = f"population.table_{number}.v1", DEPARTMENTS[number % 40]
            for day in range(30):
                lost = {"lost": number % 3}
                keep(connection, proof(lost, name, provider=provider, at=NOW - timedelta(days=day)))


def _mount(state: str, number: int | None) -> dict[str, Any]:
    resource = None if number is None else f"population.table_{number}.v1"
    return {"state": state, "resource": resource, "last_event_at": None, "differences": []}


def _resource(number: int, chance: random.Random) -> dict[str, Any]:
    return {
        "provider": DEPARTMENTS[number % 40],
        "records": 1_000_000,
        "accepted": 1_000_000,
        "stopped": chance.randrange(10_000),
        "canonical_end": 1_000_000,
        "freshness_s": round(chance.expovariate(0.001), 1),
        "last_event_at": datetime.isoformat(NOW - timedelta(minutes=chance.randrange(5_000))),
        "stale": chance.random() < 0.1,
    }


if __name__ == "__main__":
    sys.exit(main())
