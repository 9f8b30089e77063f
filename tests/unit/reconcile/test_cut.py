"""Which transactions a snapshot sees; and that folding what it sees, in commit order, gives its rows."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reconcile.cut import Visibility
from tests.support.examples import examples

EPOCH = 1 << 32


@pytest.mark.parametrize(
    ("text", "transaction", "sees"),
    [
        ("100:105:", 99, True),
        ("100:105:", 104, True),
        ("100:105:101,103", 101, False),
        ("100:105:101,103", 102, True),
        ("100:105:101,103", 105, False),
        ("100:105:", 4_000_000_000, True),
        (f"{EPOCH + 10}:{EPOCH + 12}:", 11, True),
        (f"{EPOCH + 10}:{EPOCH + 12}:{EPOCH + 11}", 11, False),
        (f"{EPOCH + 10}:{EPOCH + 12}:", EPOCH - 5, True),
        (f"{EPOCH - 2}:{EPOCH - 1}:", 3, False),
    ],
)
def test_a_snapshot_sees_what_ended_before_it(text: str, transaction: int, sees: bool) -> None:
    assert Visibility.parse(text).sees(transaction) is sees


class Server:
    """As much of PostgreSQL as matters: writes lock rows, commits are logged, and seen some time later."""

    def __init__(self, chance: random.Random, rows: int) -> None:
        self.chance = chance
        self.rows = rows
        self.locks: dict[int, int] = {}
        self.writes: dict[int, list[int]] = {}
        self.open: set[int] = set()
        self.logged: list[int] = []
        self.seen: list[int] = []
        self.versions: dict[int, list[int]] = {row: [] for row in range(rows)}
        self.next = 100

    def step(self) -> None:
        kind = self.chance.choice(["begin", "write", "write", "log", "leave"])
        if kind == "begin":
            self.open.add(self.next)
            self.writes[self.next] = []
            self.next += 1
        elif kind == "write" and self.open:
            self._write(self.chance.choice(sorted(self.open)))
        elif kind == "log" and self.open:
            transaction = self.chance.choice(sorted(self.open))
            self.open.remove(transaction)
            self.logged.append(transaction)
        elif kind == "leave" and (waiting := sorted(set(self.logged) - set(self.seen))):
            # Whichever session comes first: not always the one whose commit was logged first.
            transaction = self.chance.choice(waiting)
            self.seen.append(transaction)
            self.locks = {row: by for row, by in self.locks.items() if by != transaction}

    def _write(self, transaction: int) -> None:
        row = self.chance.randrange(self.rows)
        if self.locks.setdefault(row, transaction) == transaction:
            self.writes[transaction].append(row)
            self.versions[row].append(transaction)

    def snapshot(self) -> Visibility:
        running = {each for each in range(100, self.next) if each not in self.seen}
        future = max(self.seen, default=99) + 1
        listed = frozenset(each for each in running if each < future)
        return Visibility(min([*running, future]), future, listed)

    def rows_in(self, snapshot: Visibility) -> dict[int, int]:
        """What a query under the snapshot gets of each row: its last version that is seen."""
        found = {}
        for row, versions in self.versions.items():
            known = [each for each in versions if snapshot.sees(each)]
            if known:
                found[row] = known[-1]
        return found


@examples(300)
@given(seed=st.integers(0, 2**32), before=st.integers(5, 120), after=st.integers(0, 60))
def test_the_changes_that_a_snapshot_sees_in_commit_order_are_its_rows(
    seed: int, before: int, after: int
) -> None:
    server = Server(random.Random(seed), rows=4)  # noqa: S311 - not a secret
    for _ in range(before):
        server.step()
    snapshot = server.snapshot()
    rows = server.rows_in(snapshot)
    for _ in range(after):
        server.step()
    folded: dict[int, int] = {}
    for transaction in server.logged:
        if snapshot.sees(transaction):
            folded |= dict.fromkeys(server.writes[transaction], transaction)
    assert folded == rows


def test_commits_are_not_always_seen_in_the_order_of_the_log() -> None:
    """Why transactions are asked by number: a cut at a place in the log would be wrong here."""
    chance = random.Random(7)  # noqa: S311 - not a secret
    server, out_of_order = Server(chance, rows=4), False
    for _ in range(400):
        server.step()
        seen = [each in server.seen for each in server.logged]
        out_of_order |= seen != sorted(seen, reverse=True)
    assert out_of_order
