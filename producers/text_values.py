"""Reads text from a file (CSV cells, dates in JSON) as the Avro value that an item needs."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

from topics.quality.values import CIVIL_TIME, EPOCH

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
_TRUTH: Final = {"true": True, "false": False, "1": True, "0": False, "是": True, "否": False}
_PER_SECOND: Final = {"timestamp-millis": 1_000, "timestamp-micros": 1_000_000}
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def from_cell(text: str, avro_type: Any) -> Any:
    """Read a cell of a table; an empty one is null where the item may be null.

    Raises:
        ValueError: the text is no such value; the message does not repeat it.
    """
    branches = avro_type if isinstance(avro_type, list) else [avro_type]
    if text == "" and "null" in branches:
        return None
    return _from_text(text, next(branch for branch in branches if branch != "null"))


def from_json(value: Any, avro_type: Any) -> Any:
    """Read a JSON value: dates and times may be text, everything else stays as it is.

    Raises:
        ValueError: text that is no date or time.
    """
    branches = avro_type if isinstance(avro_type, list) else [avro_type]
    branch = next((branch for branch in branches if branch != "null"), "null")
    if isinstance(value, str) and isinstance(branch, dict) and branch.get("logicalType") in _MOMENTS:
        return _from_text(value, branch)
    return value


def _from_text(text: str, branch: Any) -> Any:
    logical = branch.get("logicalType") if isinstance(branch, dict) else None
    if logical in _MOMENTS:
        return _MOMENTS[logical](text)
    name = branch["type"] if isinstance(branch, dict) else branch
    reader = _READERS.get(name)
    if reader is None:
        raise ValueError(f"an item of type {name} cannot be given as text; use JSON lines")
    return reader(text)


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("is not a whole number")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("is not a number") from None


def _boolean(text: str) -> bool:
    value = _TRUTH.get(text.lower())
    if value is None:
        raise ValueError("is neither true nor false")
    return value


def _days(text: str) -> int:
    try:
        return (date.fromisoformat(text) - EPOCH).days
    except ValueError:
        raise ValueError("is not a date such as 2024-12-31") from None


def _moment(per_second: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("is not a time such as 2024-12-31T08:00:00+08:00") from None
        since = (moment if moment.tzinfo else moment.replace(tzinfo=CIVIL_TIME)) - _START
        return (
            since.days * 86_400 + since.seconds
        ) * per_second + since.microseconds * per_second // 1_000_000

    return read


_MOMENTS: Final[dict[str, Callable[[str], int]]] = {
    "date": _days,
    **{name: _moment(per_second) for name, per_second in _PER_SECOND.items()},
}
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "string": str,
    "int": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
}
