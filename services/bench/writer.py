"""Changes rows at a steady rate, in a process of its own: ``python -m services.bench.writer …``.

The connection comes in the environment variable GOVBUS_BENCH_DSN. Each transaction changes some rows and
commits with ``synchronous_commit=on``; the k-th one is due at its own time and is not skipped when late.
The last line printed says how many changes were committed and how long it took.
"""

import argparse
import json
import os
import random
import threading
import time
from contextlib import closing
from dataclasses import dataclass

import psycopg2

_CHANGE = (
    "UPDATE public.person SET address = %s, updated_at = clock_timestamp() AT TIME ZONE 'UTC'"
    " WHERE id = ANY(%s)"
)


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be written."""

    rate: float
    """Changes per second, all connections together."""
    seconds: float
    per_transaction: int
    connections: int
    rows: int
    seed: int


def write(task: Task, dsn: str) -> dict[str, float]:
    """Write with all connections; return changes and seconds."""
    begin = time.monotonic() + 0.3
    counts = [0] * task.connections
    threads = [
        threading.Thread(target=_one, args=(task, dsn, number, begin, counts), name=f"writer {number}")
        for number in range(task.connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"changes": sum(counts), "seconds": time.monotonic() - begin}


def _one(task: Task, dsn: str, number: int, begin: float, counts: list[int]) -> None:
    # Connections share no rows, so that none waits for another's lock.
    own = range(1 + number, task.rows + 1, task.connections)
    rng = random.Random(f"{task.seed}:{number}")  # noqa: S311 - not a secret
    every = task.per_transaction * task.connections / task.rate
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SET synchronous_commit = on")
        for turn in range(int(task.seconds / every)):
            _pause(begin + (turn + number / task.connections) * every)
            ids = rng.sample(own, task.per_transaction)
            cursor.execute(_CHANGE, (f"江苏省苏州市姑苏区人民路{rng.randint(1, 9_999)}号", ids))
            counts[number] += cursor.rowcount


def _pause(until: float) -> None:
    rest = until - time.monotonic()
    if rest > 0:
        time.sleep(rest)


def main() -> None:
    """Read the task, write, print what was done."""
    parser = argparse.ArgumentParser(prog="services.bench.writer")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    for name in ("--per-transaction", "--connections", "--rows", "--seed"):
        parser.add_argument(name, type=int, required=True)
    task = Task(**vars(parser.parse_args()))
    print(json.dumps(write(task, os.environ["GOVBUS_BENCH_DSN"])))


if __name__ == "__main__":
    main()
