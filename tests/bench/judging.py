"""What it takes to judge a source's row in a reconciliation: each engine against the gate's own functions.

    python -m tests.bench.judging --rows 40000

Generated persons, in memory: no database, no Kafka. Prints one JSON object: microseconds of processor time
for each row, and how many times less than one by one.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from datetime import date
from itertools import islice

from tests.bench.reconcile import lines
from tests.unit.reconcile.test_judge import IMPLEMENTATIONS, judge, one_by_one
from topics.event import Record

_AT_ONCE = 5_000
_EPOCH = date(1970, 1, 1)
_NAMES = ("id", "id_number", "name", "birth_date", "sex", "address", "household_district")


def persons(count: int) -> list[Record]:
    """Rows as they are read, in the values that travel."""
    return [_person(line.rstrip("\n").split("\t")) for line in islice(lines(count), count)]


def _person(cells: Sequence[str]) -> Record:
    row: Record = dict(zip(_NAMES, cells, strict=False))
    born = (date.fromisoformat(cells[3]) - _EPOCH).days
    return {**row, "id": int(cells[0]), "birth_date": born, "updated_at": 1_767_225_600_000_000}


def per_row(rows: Sequence[Record], work: Callable[[Sequence[Record]], object]) -> float:
    """Microseconds of processor time for each row."""
    began = time.process_time()
    for first in range(0, len(rows), _AT_ONCE):
        work(rows[first : first + _AT_ONCE])
    return (time.process_time() - began) * 1e6 / len(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=40_000)
    rows = persons(parser.parse_args().rows)
    found = {"one_by_one": per_row(rows, lambda some: [one_by_one(row) for row in some])}
    for each in IMPLEMENTATIONS:
        judging = judge(each)
        found[each.value] = per_row(rows, lambda some, judging=judging: list(judging.judged(some)))  # type: ignore[misc]
    ratios = {f"{name}_ratio": round(found["one_by_one"] / us, 2) for name, us in found.items()}
    print(json.dumps({**{f"{name}_us": round(us, 1) for name, us in found.items()}, **ratios}))


if __name__ == "__main__":
    main()
