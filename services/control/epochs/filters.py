"""Which rows a filtered epoch reads and may sweep: by values of the source's primary key; pure.

Only key columns: a row that left a filter over other columns while a change was lost would be swept though
it is there, and a row's key never changes without being another row.

A filter names values, or ranges of hashes of values: a range holds one of 65,536 of all rows and tells nobody
which is meant, so that a key that is personal data stands in no command, signal, marker or log.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from topics.event import RecordId

HASHED_TYPES: Final = frozenset({"int2", "int4", "int8", "text", "varchar", "uuid"})
"""PostgreSQL's types whose text in a record id is the same as in SQL; of others no hash can be compared."""
_DIGITS: Final = 4
_RANGE: Final = re.compile(f"[0-9a-f]{{{_DIGITS}}}")
_SUFFIX: Final = ":hash"


class CorrectFilter(ValueError):  # noqa: N818 - says what the caller does
    """The filter cannot be used; its text says why and how one is written."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Columns of the primary key, each with the values that are meant; all of them must fit.

    Args:
        primary_key: the key columns in their declared order.
        values: column → values as text.
        hashes: column → ranges of hashes of its values, as ``range_of`` gives them.
    """

    primary_key: tuple[str, ...]
    values: Mapping[str, frozenset[str]]
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def parsed(cls, texts: tuple[str, ...], primary_key: tuple[str, ...]) -> "Filter | None":
        """``column=value[,value…]`` or ``column:hash=range[,range…]`` for each; None where nothing is given.

        Raises:
            CorrectFilter: a text has another form, or names a column outside the primary key.
        """
        values: dict[str, frozenset[str]] = {}
        hashes: dict[str, frozenset[str]] = {}
        for text in texts:
            column, parts = _split(text)
            hashed = column not in primary_key and column.endswith(_SUFFIX)
            name = column.removesuffix(_SUFFIX) if hashed else column
            if name not in primary_key:
                raise CorrectFilter(f"{name} is not of the source's primary key ({', '.join(primary_key)})")
            if hashed and not all(_RANGE.fullmatch(part) for part in parts):
                raise CorrectFilter(f"a range of hashes is {_DIGITS} digits of 0-9a-f, in {text!r}")
            (hashes if hashed else values)[name] = parts
        return cls(primary_key, values, hashes) if values or hashes else None

    @property
    def texts(self) -> tuple[str, ...]:
        """The filter as it is written on a command line; ``parsed`` reads it back."""
        plain = {column: ",".join(sorted(values)) for column, values in self.values.items()}
        ranges = {f"{column}{_SUFFIX}": ",".join(sorted(found)) for column, found in self.hashes.items()}
        return tuple(f"{name}={parts}" for name, parts in sorted((plain | ranges).items()))

    @property
    def condition(self) -> str:
        """The filter as the condition of an SQL statement; values are literals of no type yet."""
        parts = [f"{_name(column)} IN ({_list(values)})" for column, values in sorted(self.values.items())]
        parts += [f"{_hash(column)} IN ({_list(found)})" for column, found in sorted(self.hashes.items())]
        return " AND ".join(parts)

    def covers(self, record: RecordId) -> bool:
        """Whether the row of that record id is meant."""
        row = dict(zip(self.primary_key, _parts(record, self.primary_key), strict=True))
        return all(row[column] in values for column, values in self.values.items()) and all(
            range_of(row[column]) in found for column, found in self.hashes.items()
        )


def range_of(value: str) -> str:
    """The range of hashes that a value of a key column falls into: the first digits of its SHA-256."""
    return sha256(value.encode()).hexdigest()[:_DIGITS]


def hashed(records: Iterable[RecordId], primary_key: tuple[str, ...], most: int) -> Filter | None:
    """The filter over ranges of hashes that covers these rows, and by chance a few others.

    None where there are none, or so many that a column would have more than ``most`` ranges.
    """
    rows = [_parts(record, primary_key) for record in records]
    ranges = {
        column: frozenset(range_of(row[place]) for row in rows) for place, column in enumerate(primary_key)
    }
    if not rows or max(map(len, ranges.values())) > most:
        return None
    return Filter(primary_key, {}, ranges)


def cannot_hash(where: Filter, types: Mapping[str, str]) -> Collection[str]:
    """The hashed columns of a filter whose type does not allow it, or is not known."""
    return sorted(column for column in where.hashes if types.get(column) not in HASHED_TYPES)


def _parts(record: RecordId, primary_key: tuple[str, ...]) -> list[str]:
    return [record] if len(primary_key) == 1 else [str(part) for part in json.loads(record)]


def _split(text: str) -> tuple[str, frozenset[str]]:
    column, equals, values = text.partition("=")
    parts = [part.strip() for part in values.split(",")]
    if not equals or not all(parts):
        raise CorrectFilter(f"{text!r} is not of the form column=value[,value…]")
    return column.strip(), frozenset(parts)


def _hash(column: str) -> str:
    digest = f"sha256(convert_to({_name(column)}::text, 'UTF8'))"
    return f"left(encode({digest}, 'hex'), {_DIGITS})"


def _name(column: str) -> str:
    return _quoted(column, '"')


def _list(values: Collection[str]) -> str:
    return ", ".join(_quoted(each, "'") for each in sorted(values))


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote
