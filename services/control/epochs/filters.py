"""Which rows a filtered epoch reads and may sweep: by values of the source's primary key; pure.

Only key columns: a row that left a filter over other columns while a change was lost would be swept though
it is there, and a row's key never changes without being another row.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from topics.event import RecordId


class CorrectFilter(ValueError):  # noqa: N818 - says what the caller does
    """The filter cannot be used; its text says why and how one is written."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Columns of the primary key, each with the values that are meant; all of them must fit.

    Args:
        primary_key: the key columns in their declared order.
        values: column → values as text.
    """

    primary_key: tuple[str, ...]
    values: Mapping[str, frozenset[str]]

    @classmethod
    def parsed(cls, texts: tuple[str, ...], primary_key: tuple[str, ...]) -> "Filter | None":
        """``column=value[,value…]`` for each column; None where nothing is given.

        Raises:
            CorrectFilter: a text has another form, or names a column outside the primary key.
        """
        found: dict[str, frozenset[str]] = {}
        for text in texts:
            column, equals, values = text.partition("=")
            column = column.strip()
            if not equals or not all(found_values := [part.strip() for part in values.split(",")]):
                raise CorrectFilter(f"{text!r} is not of the form column=value[,value…]")
            if column not in primary_key:
                known = ", ".join(primary_key)
                raise CorrectFilter(f"{column} is not of the source's primary key ({known})")
            found[column] = frozenset(found_values)
        return cls(primary_key, found) if found else None

    @property
    def texts(self) -> tuple[str, ...]:
        """The filter as it is written on a command line; ``parsed`` reads it back."""
        return tuple(f"{column}={','.join(sorted(values))}" for column, values in sorted(self.values.items()))

    @property
    def condition(self) -> str:
        """The filter as the condition of an SQL statement; values are literals of no type yet."""
        parts = [
            f"{_quoted(column, chr(34))} IN ({', '.join(_quoted(each, chr(39)) for each in sorted(values))})"
            for column, values in sorted(self.values.items())
        ]
        return " AND ".join(parts)

    def covers(self, record: RecordId) -> bool:
        """Whether the row of that record id is meant."""
        parts = [record] if len(self.primary_key) == 1 else json.loads(record)
        row = dict(zip(self.primary_key, map(str, parts), strict=True))
        return all(row[column] in values for column, values in self.values.items())


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote
