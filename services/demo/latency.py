"""How long changes take from the commit at the source to a department: each one is waited for."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from services.demo.city import CITY_DAY
from services.demo.databases import POLICE, TABLES, database_dsn
from services.demo.oracle import expect_person
from services.demo.readers import Arrival
from services.demo.rows import ACCEPTED, PersonRow
from topics.delivery import milliseconds
from topics.event import GrantId

MEASURED_GRANT: Final = GrantId("education-persons")
"""It covers every person, so that each accepted change of one arrives there exactly once."""
PACE_SECONDS: Final = 0.01
"""Between two changes: about 100 a second."""
PATIENCE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.05
_MOST_PERSONS: Final = 500


@dataclass(slots=True)
class Latencies:
    """What was changed, and how long each change took that has arrived.

    Args:
        since_ms: the source's clock before the first change: what was committed earlier is not measured.
        grant: where arrivals count.
        expected: changes committed so far.
    """

    since_ms: float
    grant: GrantId = MEASURED_GRANT
    expected: int = 0
    _arrived: dict[str, float] = field(default_factory=dict)

    @property
    def milliseconds(self) -> Sequence[float]:
        """One for each change that has arrived, slow ones included."""
        return tuple(self._arrived.values())

    @property
    def missing(self) -> int:
        """Changes that have not arrived."""
        return self.expected - len(self._arrived)

    def take(self, arrivals: Iterable[Arrival]) -> None:
        """Count what belongs to the changes; a second arrival of the same change counts for nothing."""
        for arrival in arrivals:
            sent = arrival.delivery
            if sent.grant == self.grant and milliseconds(sent.ce_time) >= self.since_ms:
                self._arrived.setdefault(sent.ce_id, arrival.latency_ms)

    def await_all(
        self,
        poll: Callable[[], Iterable[Arrival]],
        seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Until every change has arrived, or for so many seconds; what has not is ``missing`` then."""
        deadline = clock() + seconds
        self.take(poll())
        while self.missing and clock() < deadline:
            # Arrivals are timed in the readers' own threads; this only looks for them, and costs little.
            pause(_LOOK_SECONDS)
            self.take(poll())


class Addresses:
    """Changes the addresses of persons whose records the gate accepts, one transaction each."""

    def __init__(self, admin_dsn: str) -> None:
        self._dsn = database_dsn(admin_dsn, POLICE)

    def source_clock_ms(self) -> float:
        """The source's clock, in whole milliseconds as its commit timestamps are told."""
        with closing(psycopg2.connect(self._dsn)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)")
            [(now,)] = cursor.fetchall()
        return float(now)

    def change(self, changes: int, pause: Callable[[float], None] = time.sleep) -> Iterator[None]:
        """Change so many, a person after the other; each is committed when it is yielded.

        Raises:
            psycopg2.Error: the server cannot be reached or refuses.
        """
        with closing(psycopg2.connect(self._dsn)) as connection:
            connection.autocommit = True
            persons = accepted_persons(connection)
            with connection.cursor() as cursor:
                for number in range(changes):
                    cursor.execute(
                        "UPDATE public.person SET address = %s WHERE id = %s",
                        (f"人民路{time.time_ns() % 10_000_000}号", persons[number % len(persons)]),
                    )
                    yield
                    pause(PACE_SECONDS)


def accepted_persons(connection: Connection) -> list[int]:
    """Persons that the gate accepts, by the city's own judgement: a stopped change would never arrive."""
    names = ", ".join(TABLES[POLICE].column_names)
    found: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM public.person ORDER BY id")  # noqa: S608 - names of ours
        for values in cursor:
            row = PersonRow(*values)
            if expect_person(row, CITY_DAY).outcome == ACCEPTED:
                found.append(row.id)
            if len(found) == _MOST_PERSONS:
                break
    return found
