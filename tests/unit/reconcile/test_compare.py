"""Two sides that differ are found to differ, in the row and the way in which they do."""

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.reconcile.compare import Compared, Difference, Kind, compare, of_topic
from services.reconcile.rows import key_digest
from services.reconcile.spill import NOTHING, Spill, State, ranges_for, read_range
from tests.support.examples import examples

RANGES = 16
Rows = Mapping[str, list[str]]
"""Record id → contents of its rows: a table may have a row twice."""


def digest(content: str) -> bytes:
    return hashlib.blake2b(content.encode(), digest_size=16).digest()


def table(folder: Path, rows: Rows) -> Spill:
    spill = Spill(folder, RANGES)
    for id_, contents in rows.items():
        for content in contents:
            spill.add(id_.encode(), digest(f"{id_}={content}"))
    spill.flush()
    return spill


def topic(folder: Path, records: Iterable[tuple[str, str, str | None, bool]]) -> Spill:
    """Records: identity, record id, content (None: withdrawn), whether it is moving."""
    spill = Spill(folder, RANGES)
    for offset, (identity, id_, content, moving) in enumerate(records):
        gone = State.MOVING_GONE if moving else State.GONE
        row = State.MOVING_ROW if moving else State.ROW
        key = key_digest(f"{identity}:{id_}".encode())
        state = gone if content is None else row
        shown = NOTHING if content is None else digest(f"{id_}={content}")
        spill.add(id_.encode(), shown, key, state, 0, offset)
    spill.flush()
    return spill


def found(
    folder: Path, rows: Rows, records: Iterable[tuple[str, str, str | None, bool]], *, source: bool = True
) -> tuple[list[Difference], Compared]:
    spill = table(folder / "table", rows)
    records_of = of_topic(topic(folder / "topic", records))
    compared = Compared()
    differences = list(
        compare(
            RANGES,
            lambda at: read_range(folder / "table", at),
            spill.totals(),
            records_of,
            compared,
            table_is_right=source,
        )
    )
    return differences, compared


def test_equal_sides_have_equal_counts_and_digests_and_no_difference(tmp_path: Path) -> None:
    rows = {str(number): [f"row {number}"] for number in range(200)}
    old = [("p", id_, "old", False) for id_ in rows]
    new = [("p", id_, contents[0], False) for id_, contents in rows.items()]
    differences, compared = found(tmp_path, rows, [*old, *new])
    assert differences == []
    assert (compared.table.count, compared.table.digest) == (compared.topic.count, compared.topic.digest)
    assert (compared.table.count, compared.differing_ranges) == (200, 0)


def test_a_row_that_is_there_twice_is_not_taken_for_a_record_that_was_sent_twice(tmp_path: Path) -> None:
    differences, _ = found(tmp_path, {"1": ["a", "a"]}, [("p", "1", "a", False), ("p", "1", "a", False)])
    assert [each.kind for each in differences] == [Kind.DUPLICATED]


def test_a_withdrawn_key_is_not_taken_for_a_row_without_a_digest(tmp_path: Path) -> None:
    rows = Spill(tmp_path / "table", RANGES)
    rows.add(b"1", NOTHING, state=State.UNFIT)
    rows.flush()
    gone = of_topic(topic(tmp_path / "topic", [("p", "1", None, False)]))
    of_table = partial(read_range, tmp_path / "table")
    differences = list(compare(RANGES, of_table, rows.totals(), gone, Compared(), table_is_right=True))
    assert [each.kind for each in differences] == [Kind.LOST]


def test_each_way_to_differ_is_told_apart(tmp_path: Path) -> None:
    rows = {"same": ["a"], "lost": ["b"], "update": ["new"], "twice": ["c"], "withdrawn": ["d"]}
    records = [
        ("p", "same", "a", False),
        ("p", "update", "new", False),
        ("p", "update", "old", False),
        ("p", "twice", "c", False),
        ("q", "twice", "c", False),
        ("p", "withdrawn", "d", False),
        ("p", "withdrawn", None, False),
        ("p", "extra", "e", False),
        ("p", "deleted", "f", False),
        ("p", "deleted", None, False),
    ]
    differences, compared = found(tmp_path, rows, records)
    assert {each.id: each.kind for each in differences} == {
        "lost": Kind.LOST,
        "update": Kind.DIFFERENT,
        "twice": Kind.DUPLICATED,
        "withdrawn": Kind.LOST,
        "extra": Kind.EXTRA,
    }
    assert {each.id: each.at for each in differences}["update"] == ((0, 2),)
    assert (compared.table.count, compared.topic.count) == (5, 5)


def test_a_sinks_table_is_the_side_that_is_examined(tmp_path: Path) -> None:
    rows = {"same": ["a"], "changed": ["by hand"], "extra": ["x"], "twice": ["t", "t"]}
    records = [
        ("p", id_, content, False)
        for id_, content in [("same", "a"), ("changed", "as sent"), ("missing", "m"), ("twice", "t")]
    ]
    differences, _ = found(tmp_path, rows, records, source=False)
    assert {each.id: each.kind for each in differences} == {
        "changed": Kind.DIFFERENT,
        "extra": Kind.EXTRA,
        "missing": Kind.LOST,
        "twice": Kind.DUPLICATED,
    }


def test_a_follower_may_have_any_state_since_its_commit_and_no_other(tmp_path: Path) -> None:
    rows = {"before": ["1"], "between": ["2"], "after": ["3"], "older": ["0"], "strange": ["9"]}
    records: list[tuple[str, str, str | None, bool]] = []
    for id_ in rows:
        records += [("p", id_, "0", False), ("p", id_, "1", False)]
        records += [("p", id_, "2", True), ("p", id_, "3", True)]
    records += [("p", "new", "1", True), ("p", "going", "1", False), ("p", "going", None, True)]
    differences, _ = found(tmp_path, rows, records, source=False)
    assert {each.id: each.kind for each in differences} == {
        "older": Kind.DIFFERENT,
        "strange": Kind.DIFFERENT,
    }


def test_two_rows_of_one_content_do_not_cancel_out(tmp_path: Path) -> None:
    records = [("p", "a", "x", False), ("q", "a", "x", False), ("r", "a", "x", False)]
    differences, _ = found(tmp_path, {"a": ["x"]}, records)
    assert [each.kind for each in differences] == [Kind.DUPLICATED]


_CONTENTS = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.text("xy", max_size=2), max_size=12)


@examples(80)
@given(source=_CONTENTS, copy=_CONTENTS)
def test_whatever_differs_is_found_and_nothing_else(source: dict[str, str], copy: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        differences, _ = found(
            Path(folder),
            {id_: [content] for id_, content in source.items()},
            [("p", id_, content, False) for id_, content in copy.items()],
        )
    expected = dict.fromkeys(source.keys() - copy.keys(), Kind.LOST)
    expected |= dict.fromkeys(copy.keys() - source.keys(), Kind.EXTRA)
    both = source.keys() & copy.keys()
    expected |= {id_: Kind.DIFFERENT for id_ in both if source[id_] != copy[id_]}
    assert {each.id: each.kind for each in differences} == expected


def test_ranges_grow_with_the_rows_and_stay_a_power_of_two() -> None:
    assert [ranges_for(rows) for rows in (0, 50_000, 1_000_000, 10**9)] == [16, 16, 256, 4096]
