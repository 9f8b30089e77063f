"""A table becomes a catalogue: all of its entries where nothing is wrong, else everything that is wrong.

One row holds one item. What is said of the entry may stand on any of its rows, or the same on several; a new
entry begins where the code changes, or the name where there is no code.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from services.control.catalogue.across import Seen
from services.control.catalogue.checks import Place, entry_problems
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import COLUMNS, ENTRY_FIELDS, ITEM_FIELDS, Field, Scope
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.problems import Problem
from services.control.catalogue.reading import is_item_row, places, read_entry
from services.control.catalogue.rules import Rule
from services.control.catalogue.table import (
    FileRefused,
    Found,
    Headings,
    Line,
    Row,
    find_headings,
    rows_under,
)
from services.control.catalogue.text import comparable

Progress = Callable[[int], None]
"""Takes the number of the row that was reached."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A complete catalogue."""

    entries: tuple[Entry, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """Everything that is wrong with a table, by row and column; nothing of it is used."""

    found: tuple[Found, ...]
    entries: int = 0
    rows: int = 0


def import_lines(
    lines: Iterable[Line], rules: CatalogueRules, progress: Progress = lambda _row: None
) -> Imported | Rejected:
    """Read a table whole.

    Args:
        lines: of the file; an iterator is read once, a line at a time.
        rules: what the authority accepts.
        progress: is told each row.
    """
    source, run = iter(lines), _Run(rules)
    try:
        run.read(source, progress)
    except FileRefused as error:
        run.found.append(error.found)
    if not run.found and not run.count:
        run.found.append(Found(Problem(Rule.NO_ENTRIES)))
    if run.found:
        found = sorted(run.found, key=lambda each: (each.row or 0, each.column or 0))
        return Rejected(tuple(found), run.count, run.rows)
    return Imported(tuple(run.entries), run.rows)


@dataclass(slots=True)
class _Group:
    """The rows of one entry: its cells with the row of each, and the rows of its items."""

    first: int
    cells: dict[Field, str] = field(default_factory=dict)
    rows: dict[Field, int] = field(default_factory=dict)
    items: list[Row] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    refused: set[tuple[Field, int]] = field(default_factory=set)
    """Cells that could not be taken, by field and row."""

    def is_continued_by(self, row: Row) -> bool:
        """Whether a row belongs to this entry."""
        code, name = row.cells.get(Field.CODE), row.cells.get(Field.NAME)
        own_code, own_name = self.cells.get(Field.CODE), self.cells.get(Field.NAME)
        if own_code is None and own_name is None:
            return code is None and name is None
        if code is not None and own_code is not None:
            return code == own_code
        return name is None or own_name is None or name == own_name

    def add(self, row: Row) -> None:
        """Take a row."""
        self.found.extend(row.found)
        self.refused |= {(each.problem.field, row.number) for each in row.found if each.problem.field}
        for each in ENTRY_FIELDS:
            text = row.cells.get(each)
            if text is not None and each in self.cells and text != self.cells[each]:
                facts = {"first": self.rows[each], "other": self.cells[each]}
                self.found.append(Found(Problem(Rule.ROW_CONTRADICTS, each, text, facts=facts), row.number))
            elif text is not None:
                self.cells[each], self.rows[each] = text, self.rows.get(each, row.number)
        refused = {each.problem.field for each in row.found}
        if is_item_row(row.cells) or not refused.isdisjoint(ITEM_FIELDS):
            self.items.append(row)

    def unread(self) -> Iterator[Place]:
        """Places of cells that could not be taken; an entry's field may still stand on another row."""
        numbers = {row.number: index for index, row in enumerate(self.items)}
        for each, row in self.refused:
            if COLUMNS[each].scope is Scope.ITEM:
                yield each, numbers[row]
            elif each not in self.cells:
                yield each, None

    def row_of(self, problem: Problem) -> int:
        """The row that a problem is about."""
        if problem.item is not None:
            return self.items[problem.item].number
        return self.first if problem.field is None else self.rows.get(problem.field, self.first)


@dataclass(slots=True)
class _Run:
    """One reading: entries are kept only as long as nothing is wrong."""

    rules: CatalogueRules
    entries: list[Entry] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    count: int = 0
    rows: int = 0
    _seen: Seen = field(default_factory=Seen)
    _ended: dict[str, tuple[int, str]] = field(default_factory=dict)

    def read(self, lines: Iterator[Line], progress: Progress) -> None:
        """Read headings and rows, entry by entry."""
        headings = find_headings(lines)
        self.found.extend(headings.found)
        group: _Group | None = None
        for row in rows_under(headings, lines):
            self.rows += 1
            progress(row.number)
            if group is None or not group.is_continued_by(row):
                if group is not None:
                    self._take(group, headings)
                group = _Group(row.number)
            group.add(row)
        if group is not None:
            self._take(group, headings)

    def _take(self, group: _Group, headings: Headings) -> None:
        """One entry is complete: read it, check it, and keep it or what is wrong with it."""
        entry, problems = read_entry(group.cells, [row.cells for row in group.items])
        unread = places(problems) | set(group.unread()) | _absent(headings, len(group.items))
        problems.extend(entry_problems(entry, self.rules, unread))
        problems.extend(self._between(entry, group))
        self.count += 1
        found = [Found(each, group.row_of(each), None) for each in problems]
        named = str(entry.code or entry.name)
        self.found.extend(
            Found(each.problem, each.row, each.column or headings.column(each.problem.field), named)
            for each in (*group.found, *found)
        )
        if self.found:
            self.entries.clear()
        else:
            self.entries.append(entry)

    def _between(self, entry: Entry, group: _Group) -> Iterator[Problem]:
        """What is wrong between this entry and those before; rows that stand apart are said only as such."""
        code, name = group.cells.get(Field.CODE, ""), comparable(entry.name)
        first = self._ended.setdefault(code, (group.first, name)) if code else (group.first, name)
        if first[0] != group.first and name in ("", first[1]):
            yield Problem(Rule.ROW_APART, Field.CODE, code, facts={"first": first[0]})
        else:
            yield from self._seen.add(entry, group.first)


def _absent(headings: Headings, items: int) -> frozenset[Place]:
    """Places of the columns that the table has not: the headings say so, once."""
    of_entry = {(each, None) for each in headings.absent}
    of_items = {(each, index) for each in headings.absent & set(ITEM_FIELDS) for index in range(items)}
    return frozenset(of_entry | of_items)
