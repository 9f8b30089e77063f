"""How full volumes stand is told from what the collector saw: who waits, how fast it goes, what is over."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.epochs.standing import volume
from services.control.epochs.state import EpochState, every_epoch, newest_epoch
from tests.support.volumes import BEGAN_MS, ENDED_MS, epoch, volume_document
from tests.support.web import NOW

RESOURCE = "population.person.v1"
_MARKERS = st.lists(
    st.builds(
        lambda kind, number: {
            "kind": kind,
            "generation": number,
            "timestamp_ms": 1,
            "offsets": [],
            "counts": {},
            "digest": "",
            "detail": "",
        },
        st.sampled_from(["BEGIN", "END", "ABORTED", "WAITING", "INCOMPLETE"]),
        st.integers(1, 4),
    ),
    max_size=12,
)


@given(_MARKERS, st.integers(0, 12))
def test_markers_may_be_read_in_two_pieces(markers: list[dict[str, Any]], at: int) -> None:
    whole = every_epoch(markers, "raw")
    assert every_epoch(markers[at:], "raw", every_epoch(markers[:at], "raw")) == whole
    newest = newest_epoch(markers, "raw")
    assert newest == whole[-1] if whole else newest.state is EpochState.NONE
    assert [each.number for each in whole] == sorted({each.number for each in whole})


def samples(*came: int) -> dict[str, Any]:
    """What had come at looks ten seconds apart."""
    looks = [[(NOW + timedelta(seconds=10 * at)).isoformat(), each] for at, each in enumerate(came)]
    return {"number": 1, "came": came[-1], "samples": looks}


@pytest.mark.parametrize(
    ("came", "counted", "columns", "rate", "left", "percent"),
    [
        ((0, 100), 1_100, [], 10.0, 100.0, 9),
        ((0, 100, 100, 100), 1_100, [], 100 / 30, 300.0, 9),
        ((100, 100), 1_100, [], 0.0, None, 9),
        ((0, 100), None, [], 10.0, None, None),
        ((0, 1_200), 1_100, [], 120.0, None, 100),
        ((0, 100), 1_100, ["id"], 10.0, None, None),
        ((7,), 1_100, [], None, None, 0),
    ],
)
def test_rate_and_time_left_are_told_where_they_can_be(
    came: tuple[int, ...],
    counted: int | None,
    columns: list[str],
    rate: float | None,
    left: float | None,
    percent: int | None,
) -> None:
    document = volume_document(epochs=[epoch(1, "open", columns=columns)], progress=samples(*came))
    advance = volume(RESOURCE, document, counted).advance
    assert advance is not None
    assert advance.rate == (None if rate is None else pytest.approx(rate))
    assert advance.left_s == (None if left is None else pytest.approx(left))
    assert advance.percent == percent


def test_what_is_expected_is_what_the_newest_whole_volume_scanned_where_nothing_was_compared() -> None:
    document = volume_document(epochs=[epoch(2, "open"), epoch(1, "ended")], progress=samples(0, 10))
    advance = volume(RESOURCE, document, None).advance
    assert advance is not None
    assert advance.expected == 1_234_567


def test_the_shrink_guard_is_told_with_its_share() -> None:
    newest = volume(RESOURCE, volume_document(epochs=[epoch(1, "waiting")]), None).newest
    assert newest is not None
    assert (newest.is_open, newest.would_go_percent) == (True, 40.0)


@pytest.mark.parametrize(
    ("marked_ms", "columns", "stands"),
    [
        (BEGAN_MS - 1, [], False),
        (BEGAN_MS, [], True),
        (ENDED_MS, [], True),
        (BEGAN_MS - 1, ["id"], True),
        (None, [], False),
    ],
)
def test_a_mark_stands_until_a_whole_volume_has_ended_that_began_afterwards(
    marked_ms: int | None, columns: list[str], stands: bool
) -> None:
    document = volume_document(epochs=[epoch(1, "ended", columns=columns)], marked_ms=marked_ms)
    assert (volume(RESOURCE, document, None).marked is not None) is stands
