"""A stretch of time is asked for in one way at a time, and ends after it begins."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.cli.evidence_span import span_of
from services.cli.output import CommandFailed, ExitCode
from services.evidence.making import Span

NOW = 1_800_000_000_000
MORNING = datetime(2026, 11, 26, 8, 0)  # noqa: DTZ001 - as the command line gives it
MORNING_MS = int(MORNING.replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("last", "seconds"),
    [("90s", 90), ("30m", 1_800), ("1h", 3_600), ("7d", 604_800), ("999999d", NOW // 1000)],
)
def test_so_long_until_now(last: str, seconds: int) -> None:
    assert span_of(last, None, None, NOW) == Span(max(0, NOW - seconds * 1000), NOW)


@pytest.mark.parametrize("last", ["0s", "h", "1.5h", "-1h", "1w", "1 h", "9999999d", ""])
def test_what_is_no_length_of_time_is_refused(last: str) -> None:
    with pytest.raises(CommandFailed, match="no length of time") as refused:
        span_of(last, None, None, NOW)
    assert refused.value.code is ExitCode.USAGE


def test_a_moment_without_a_zone_is_utc() -> None:
    east = MORNING.replace(tzinfo=timezone(timedelta(hours=8)))
    assert span_of(None, MORNING, None, NOW) == Span(MORNING_MS, NOW)
    assert span_of(None, east, MORNING, NOW) == Span(MORNING_MS - 8 * 3_600_000, MORNING_MS)


@pytest.mark.parametrize(
    ("last", "since", "until"),
    [(None, None, None), ("1h", MORNING, None), ("1h", None, MORNING), (None, None, MORNING)],
)
def test_a_stretch_is_said_once(last: str | None, since: datetime | None, until: datetime | None) -> None:
    with pytest.raises(CommandFailed, match="which stretch of time"):
        span_of(last, since, until, NOW)


def test_a_stretch_ends_after_it_begins() -> None:
    with pytest.raises(CommandFailed, match="ends before it begins"):
        span_of(None, MORNING, MORNING - timedelta(seconds=1), NOW)
    assert span_of(None, MORNING, MORNING, NOW) == Span(MORNING_MS, MORNING_MS)
