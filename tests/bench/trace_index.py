"""How fast the index of the person trace is built, how large it is, and how long a look takes.

Run it from the root: ``python -m tests.bench.trace_index --deliveries 10000000``. It starts a PostgreSQL of
its own, puts canonical records and deliveries in as the control process does (rows by COPY, positions in the
same transaction), and then asks for persons by chance. Reading from Kafka is not part of it.
"""

import argparse
import json
import resource
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from random import Random

from sqlalchemy import text

from services.control.store.database import ControlDatabase, Patience
from services.control.store.migrate import migrate
from services.control.store.trace import writing
from services.control.store.trace.writing import DeliveryRow, SubjectRow, Terms
from services.control.tracing.looking import traced
from tests.database_fixture import DatabaseOnly

GRANTS = 40
BATCH = 20_000
VERSIONS = 5
"""Records of each person."""
PARTITIONS = 12
START_MS = 1_790_000_000_000


def subject(number: int) -> uuid.UUID:
    return uuid.UUID(int=Random(number).getrandbits(128))  # noqa: S311 - the same each time


def change(number: int) -> int:
    return Random(~number).getrandbits(64) - 2**63  # noqa: S311 - the same each time


def rows(deliveries: int) -> Iterator[tuple[list[SubjectRow], list[DeliveryRow]]]:
    """Batches of about as many rows as the control process writes at a time."""
    subjects: list[SubjectRow] = []
    handed: list[DeliveryRow] = []
    for number in range(deliveries // GRANTS):
        person, at_ms, partition = number // VERSIONS, START_MS + number, number % PARTITIONS
        one, of = subject(person), change(number)
        subjects.append(SubjectRow(one, one, of, at_ms, number, 1, partition, 0))
        handed += [
            DeliveryRow(of, at_ms + 1, number, 1, 2 + grant, 1, partition, 1) for grant in range(GRANTS)
        ]
        if len(handed) >= BATCH:
            yield subjects, handed
            subjects, handed = [], []
    yield subjects, handed


def build(database: ControlDatabase, deliveries: int) -> float:
    """Fill the index; returns the seconds that writing took."""
    topics = ["resource.bench.person.v1", *(f"sub.c{n:02}.bench.person.v1.g{n:02}" for n in range(GRANTS))]
    with database.begin() as connection:
        writing.begin(connection, 1)
        for topic in topics:
            writing.topic_ids(connection, [topic])
        terms = [
            Terms(topic, 1, topic.rsplit(".", 1)[1], topic.split(".")[1], "p", "bench.person.v1", "x", "y")
            for topic in topics[1:]
        ]
        writing.put_terms(connection, terms, 1)
    spent = 0.0
    for subjects, handed in rows(deliveries):
        begun = time.perf_counter()
        with database.begin() as connection:
            writing.put_subjects(connection, subjects)
            writing.put_deliveries(connection, handed)
            writing.move(connection, {(1, 0): len(handed)})
        spent += time.perf_counter() - begun
    return spent


def looks(database: ControlDatabase, deliveries: int, count: int = 200) -> list[float]:
    """Milliseconds of each look at a person chosen by chance."""
    chance, found = Random(5), []  # noqa: S311 - the same each time
    persons = deliveries // GRANTS // VERSIONS
    for _ in range(count):
        one = subject(chance.randrange(persons))
        begun = time.perf_counter()
        with database.reading() as connection:
            answer = traced(connection, one)
        found.append((time.perf_counter() - begun) * 1000)
        assert len(answer.recipients) == GRANTS * VERSIONS, answer
    return sorted(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=10_000_000)
    deliveries = parser.parse_args().deliveries
    server = DatabaseOnly()
    try:
        server.up()
        with server.opened("bench") as owner:
            migrate(owner)
        patience = Patience(statement_ms=600_000)
        with closing(ControlDatabase(server.address("bench"), patience)) as database:
            seconds = build(database, deliveries)
            took = looks(database, deliveries)
            with database.begin() as connection:
                size = connection.execute(
                    text(
                        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
                        "WHERE relname IN ('trace_subjects', 'trace_deliveries')"
                    )
                ).scalar_one()
        answer = {
            "deliveries": deliveries,
            "build_s": round(seconds, 1),
            "rows_per_s": round(deliveries * (1 + 1 / GRANTS) / seconds),
            "bytes": int(size),
            "look_ms": {"median": round(took[len(took) // 2], 1), "p99": round(took[-3], 1)},
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        print(json.dumps(answer))
    finally:
        server.reset()


if __name__ == "__main__":
    main()
