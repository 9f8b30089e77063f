"""How long a reader may be away, and how long it waits between attempts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.errors import FellBehind
from consumers.retry import Retry
from consumers.wholeness import Wholeness, as_metadata, from_metadata

WEEK_S = 7 * 24 * 3600.0
START = 1_767_225_600.0


@pytest.mark.parametrize(("away_s", "is_behind"), [(WEEK_S - 1, False), (WEEK_S, False), (WEEK_S + 1, True)])
def test_reader_that_was_away_for_longer_than_records_are_kept_fell_behind(
    away_s: float, is_behind: bool
) -> None:
    whole = Wholeness(WEEK_S)
    whole.begin(0, START)
    if not is_behind:
        whole.check("t", START + away_s)
        return
    with pytest.raises(FellBehind, match="rebuild"):
        whole.check("t", START + away_s)


def test_reader_at_the_end_is_whole_however_long_nothing_comes() -> None:
    whole = Wholeness(WEEK_S)
    whole.begin(0, START)
    whole.at_end(0)
    whole.check("t", START + 10 * WEEK_S)
    assert whole.as_of(0, START + 10 * WEEK_S) == START + 10 * WEEK_S


def test_first_reading_of_old_records_is_whole_as_of_its_start() -> None:
    whole = Wholeness(WEEK_S)
    whole.begin(0, START)
    whole.read(0, START - 10 * WEEK_S)
    whole.check("t", START + WEEK_S)
    with pytest.raises(FellBehind):
        whole.check("t", START + WEEK_S + 1)


def test_one_partition_that_is_behind_is_enough() -> None:
    whole = Wholeness(WEEK_S)
    whole.begin(0, START)
    whole.begin(1, START)
    whole.at_end(0)
    with pytest.raises(FellBehind, match="partition 1"):
        whole.check("t", START + 2 * WEEK_S)


def test_partitions_that_went_to_another_reader_are_not_watched() -> None:
    whole = Wholeness(WEEK_S)
    whole.begin(0, START)
    whole.forget()
    whole.check("t", START + 2 * WEEK_S)


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_time_travels_with_the_offset(moment_ms: int) -> None:
    assert from_metadata(as_metadata(moment_ms / 1000)) == pytest.approx(moment_ms / 1000, abs=0.002)


@pytest.mark.parametrize(
    "text", [None, "", "kcat", "govbus-whole-as-of:", "govbus-whole-as-of:x", "govbus-whole-as-of:٤"]
)
def test_offset_of_another_client_carries_no_time(text: str | None) -> None:
    assert from_metadata(text) is None


@pytest.mark.parametrize(
    ("failures", "chance", "expected"),
    [(1, 1.0, 1.0), (1, 0.0, 0.5), (2, 1.0, 2.0), (4, 1.0, 8.0), (5, 1.0, 10.0), (10_000, 1.0, 10.0)],
)
def test_waits_grow_up_to_a_limit_with_jitter(failures: int, chance: float, expected: float) -> None:
    assert Retry(first_s=1.0, factor=2.0, longest_s=10.0).wait_s(failures, chance) == expected


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"first_s": 0.0}, {"factor": 0.5}, {"longest_s": 0.1}])
def test_retry_that_could_not_wait_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="retry"):
        Retry(**wrong)  # type: ignore[arg-type]
