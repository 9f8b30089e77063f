"""Which stretch of time is asked for: ``--last``, or ``--from`` and ``--to``; pure."""

import re
from datetime import UTC, datetime
from typing import Final

from services.cli.output import CommandFailed, ExitCode
from services.evidence.making import Span

_DURATION: Final = re.compile(r"(?P<count>[1-9][0-9]{0,5})(?P<unit>[smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def span_of(last: str | None, since: datetime | None, until: datetime | None, now_ms: int) -> Span:
    """The stretch, in milliseconds; moments without a zone are UTC.

    Raises:
        CommandFailed: it is not said, said twice, or ends before it begins.
    """
    if (last is None) == (since is None) or (last is not None and until is not None):
        raise _refused("which stretch of time?", "give --last, or --from and, unless it is now, --to")
    if last is not None:
        return Span(max(0, now_ms - _milliseconds(last)), now_ms)
    begin, end = _moment(since, 0), _moment(until, now_ms)
    if begin > end:
        raise _refused("the stretch ends before it begins", "turn --from and --to round")
    return Span(begin, end)


def _milliseconds(last: str) -> int:
    found = _DURATION.fullmatch(last)
    if found is None:
        raise _refused(f"{last!r} is no length of time", "write 90s, 30m, 1h or 7d")
    return int(found["count"]) * _SECONDS[found["unit"]] * 1000


def _moment(moment: datetime | None, otherwise: int) -> int:
    if moment is None:
        return otherwise
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, int(aware.timestamp() * 1000))


def _refused(what: str, remedy: str) -> CommandFailed:
    return CommandFailed(ExitCode.USAGE, what, "", remedy)
