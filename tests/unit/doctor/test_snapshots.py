"""A full volume as the doctor judges it: how the snapshot stands, and which rows of the source never came."""

import pytest

from producers.snapshot import Snapshot, SnapshotState, TableVolume, Written
from services.doctor.capture import Captured
from services.doctor.finding import Level
from services.doctor.snapshots import judge_snapshot, judge_too_many, judge_uncounted, judge_volumes
from topics.event import ProviderId

POLICE = Captured(ProviderId("police"), has_secrets=True)
RECAPTURE = "govbus apply --recapture police"


def volume(
    rows: int,
    scanned: int | None,
    written: Written | None,
    *,
    settled: bool = True,
    table: str = "public.person",
) -> TableVolume:
    return TableVolume(table, rows, scanned, written, settled)


#: What the source has, what the snapshot scanned, what came → how many rows are missing.
VOLUMES = [
    pytest.param(10, 10, Written(reads=10), 0, id="whole"),
    pytest.param(10, 10, Written(reads=9, creates=1), 0, id="one created since"),
    pytest.param(10, 10, Written(reads=10, creates=5), 0, id="created, not yet counted"),
    pytest.param(0, 0, Written(), 0, id="an empty table"),
    pytest.param(1, 0, Written(), 1, id="nothing copied"),
    pytest.param(10, 9, Written(reads=9), 1, id="one too few"),
    pytest.param(10, None, Written(), 10, id="never scanned"),
    pytest.param(10, None, Written(creates=10), 0, id="never scanned, all created since"),
    pytest.param(9, 10, Written(reads=10, deletes=1), 0, id="one deleted since"),
    pytest.param(9, 10, Written(reads=10, deletes=2), 1, id="one too many deleted: one of them never came"),
    pytest.param(
        9, 9, Written(reads=9, creates=1, deletes=2), 1, id="a deletion does not hide a missing row"
    ),
    pytest.param(10, 10, Written(at_most=10), 0, id="as many offsets as rows"),
    pytest.param(10, 10, Written(at_most=9), 1, id="fewer offsets than rows"),
    pytest.param(10, 3, None, 0, id="older than its raw topic keeps"),
]


@pytest.mark.parametrize(("rows", "scanned", "written", "missing"), VOLUMES)
def test_how_many_rows_of_the_source_never_came(
    rows: int, scanned: int | None, written: Written | None, missing: int
) -> None:
    assert volume(rows, scanned, written).missing == missing


LOSSES = [
    (10, Written(reads=10), 0),
    (10, Written(reads=9, creates=5), 1),
    (10, Written(at_most=10), 0),
    (10, Written(at_most=9), 1),
    (None, Written(), 0),
    (10, None, 0),
]


@pytest.mark.parametrize(("scanned", "written", "lost"), LOSSES)
def test_how_many_scanned_rows_never_reached_kafka(
    scanned: int | None, written: Written | None, lost: int
) -> None:
    assert volume(5, scanned, written).lost == lost


JUDGED = [
    (volume(10, 10, Written(reads=10)), Level.OK, ""),
    (volume(10, 9, Written(reads=9)), Level.FAILURE, RECAPTURE),
    (volume(10, 9, Written(reads=9), settled=False), Level.WARNING, "govbus doctor, in a minute"),
    (volume(5, 10, Written(reads=9)), Level.FAILURE, RECAPTURE),
    (volume(10, 3, None), Level.NOTE, ""),
    (volume(30_000, 30_000, Written(at_most=30_100)), Level.OK, ""),
]


@pytest.mark.parametrize(("given", "level", "remedy"), JUDGED)
def test_a_table_is_judged_by_what_is_missing(given: TableVolume, level: Level, remedy: str) -> None:
    (finding,) = judge_volumes(POLICE, [given])
    assert (finding.level, finding.remedy) == (level, remedy)
    assert "capture.police: public.person has" in finding.seen


SNAPSHOTS = [
    (Snapshot(SnapshotState.COMPLETE, {"public.person": 3}, {}), False, Level.OK, ""),
    (Snapshot(SnapshotState.RUNNING, {}, {}), False, Level.NOTE, ""),
    (Snapshot(SnapshotState.RUNNING, {}, {}), True, Level.FAILURE, "govbus logs connect"),
    (Snapshot(), False, Level.WARNING, "govbus logs connect"),
    (Snapshot(SnapshotState.ABORTED, {}, {}), False, Level.FAILURE, RECAPTURE),
    (Snapshot(SnapshotState.INCOMPLETE, {}, {"public.person": "x"}), False, Level.FAILURE, RECAPTURE),
]


@pytest.mark.parametrize(("snapshot", "stalled", "level", "remedy"), SNAPSHOTS)
def test_a_snapshot_is_judged_by_how_it_stands(
    snapshot: Snapshot, stalled: bool, level: Level, remedy: str
) -> None:
    finding = judge_snapshot(POLICE, snapshot, stalled=stalled)
    assert (finding.level, finding.remedy) == (level, remedy)


def test_what_cannot_be_counted_is_not_called_well() -> None:
    assert judge_uncounted(POLICE, "public.person", "InsufficientPrivilege").level is Level.WARNING
    assert judge_too_many(POLICE, "public.person", 5).level is Level.NOTE
