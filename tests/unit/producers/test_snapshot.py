"""A snapshot is complete only if every table was scanned successfully, whatever COMPLETED says."""

from typing import Any

import pytest

from producers.snapshot import STALLED_AFTER_S, SnapshotState, newest_snapshot


def sent(kind: str, at_ms: int = 1, **data: str) -> dict[str, Any]:
    return {"type": kind, "aggregate_type": "Initial Snapshot", "additional_data": data, "timestamp": at_ms}


STARTED = sent("STARTED", connector_name="raw.police")
RESOLVED = sent("DATA_COLLECTIONS_RESOLVED", data_collections="public.person, public.card")
COMPLETED = sent("COMPLETED", connector_name="raw.police")


def scanned(table: str, status: str = "SUCCEEDED", rows: int = 3) -> dict[str, Any]:
    return sent("TABLE_SCAN_COMPLETED", scanned_collection=table, status=status, total_rows_scanned=str(rows))


BOTH = [scanned("public.person"), scanned("public.card", rows=0)]
STORIES = [
    ("nothing ever", [], SnapshotState.NONE),
    ("skipped at a restart", [sent("SKIPPED")], SnapshotState.NONE),
    ("just begun", [STARTED, RESOLVED], SnapshotState.RUNNING),
    ("half way", [STARTED, RESOLVED, BOTH[0]], SnapshotState.RUNNING),
    ("both scanned, one empty", [STARTED, RESOLVED, *BOTH, COMPLETED], SnapshotState.COMPLETE),
    ("one never scanned", [STARTED, RESOLVED, BOTH[0], COMPLETED], SnapshotState.INCOMPLETE),
    (
        "one failed, and COMPLETED all the same",
        [STARTED, RESOLVED, BOTH[0], scanned("public.card", "SQL_EXCEPTION", 0), COMPLETED],
        SnapshotState.INCOMPLETE,
    ),
    ("completed without any table", [STARTED, COMPLETED], SnapshotState.INCOMPLETE),
    ("aborted", [STARTED, RESOLVED, sent("ABORTED")], SnapshotState.ABORTED),
    (
        "complete, then skipped",
        [STARTED, RESOLVED, *BOTH, COMPLETED, sent("SKIPPED")],
        SnapshotState.COMPLETE,
    ),
    ("a newer one runs", [STARTED, RESOLVED, *BOTH, COMPLETED, STARTED, RESOLVED], SnapshotState.RUNNING),
]


@pytest.mark.parametrize(("story", "state"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES])
def test_a_snapshot_is_complete_only_if_every_table_was_copied(
    story: list[dict[str, Any]], state: SnapshotState
) -> None:
    assert newest_snapshot(story).state is state


def test_what_was_not_copied_is_named_with_its_status() -> None:
    story = [STARTED, RESOLVED, scanned("public.person", "SQL_EXCEPTION", 0), COMPLETED]
    assert newest_snapshot(story).failed == {"public.card": "NOT_SCANNED", "public.person": "SQL_EXCEPTION"}


LIMIT_MS = STALLED_AFTER_S * 1000
UNDER_WAY = [STARTED, RESOLVED, sent("IN_PROGRESS", at_ms=1_000)]
ENDED = [*UNDER_WAY, *BOTH, COMPLETED]


@pytest.mark.parametrize(
    ("story", "now_ms", "records_came", "stalled"),
    [
        pytest.param(UNDER_WAY, 1_000 + LIMIT_MS, False, False, id="silent for as long as it may be"),
        pytest.param(UNDER_WAY, 1_001 + LIMIT_MS, False, True, id="silent for longer"),
        pytest.param(UNDER_WAY, 1_001 + LIMIT_MS, True, False, id="silent, and records come"),
        pytest.param(UNDER_WAY[:1], 1_001 + LIMIT_MS, False, True, id="began and told nothing more"),
        pytest.param(ENDED, 1_001 + LIMIT_MS, False, False, id="ended long ago"),
        pytest.param([], 1_001 + LIMIT_MS, False, False, id="never begun"),
    ],
)
def test_a_snapshot_that_shows_no_progress_for_the_stated_time_is_stalled(
    story: list[dict[str, Any]], now_ms: int, records_came: bool, stalled: bool
) -> None:
    assert newest_snapshot(story).is_stalled(now_ms, records_came=records_came) is stalled
