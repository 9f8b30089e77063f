"""Row filters, compiled: does a record's scope lie inside a grant's rows?"""

from collections.abc import Mapping
from dataclasses import dataclass

from topics.grants.declaration import RowFilter


@dataclass(frozen=True, slots=True)
class RowPredicate:
    """All filters must match; a grant without filters covers every row. A missing value matches none."""

    filters: tuple[tuple[str, frozenset[str]], ...]

    def matches(self, scope: Mapping[str, object]) -> bool:
        """Whether a record with these scope items is inside."""
        return all(_text(scope.get(item)) in values for item, values in self.filters)


def compile_rows(filters: tuple[RowFilter, ...]) -> RowPredicate:
    """Compile the declared filters."""
    return RowPredicate(tuple((entry.item, frozenset(entry.values)) for entry in filters))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
