"""What is wrong between entries: doubled codes and names, and departments that are written in two ways."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.control.catalogue.checks import entry_problems, is_credit_code
from services.control.catalogue.entry import Department, Entry, ResourceCode
from services.control.catalogue.fields import Field
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.problems import Problem
from services.control.catalogue.rules import Rule
from services.control.catalogue.text import comparable


@dataclass(frozen=True, slots=True)
class _First:
    """Who was first: its row (or its number among the entries), and what it said."""

    row: int
    said: str


@dataclass(slots=True)
class Seen:
    """What the entries before this one said; it keeps keys and names, never whole entries."""

    _codes: dict[ResourceCode, _First] = field(default_factory=dict)
    _names: dict[tuple[str, str], _First] = field(default_factory=dict)
    _departments: dict[str, _First] = field(default_factory=dict)

    def add(self, entry: Entry, row: int) -> Iterator[Problem]:
        """Take an entry, and yield what is wrong between it and those before it."""
        if entry.code is not None:
            first = self._codes.setdefault(entry.code, _First(row, entry.name))
            if first.row != row:
                facts = {"other": first.said, "first": first.row}
                yield Problem(Rule.CODE_TWICE, Field.CODE, str(entry.code), facts=facts)
        yield from self._name(entry, row)
        yield from self._provider(entry.provider, row)

    def _name(self, entry: Entry, row: int) -> Iterator[Problem]:
        key = (comparable(entry.provider.name), comparable(entry.name))
        if not key[1]:
            return
        first = self._names.setdefault(key, _First(row, entry.name))
        if first.row != row:
            facts = {"other": first.said, "first": first.row}
            yield Problem(Rule.NAME_TWICE, Field.NAME, entry.name, facts=facts)

    def _provider(self, provider: Department, row: int) -> Iterator[Problem]:
        if not provider.name or not is_credit_code(provider.credit_code):
            return
        pair = f"{provider.name} {provider.credit_code}"
        for field_, said in ((Field.PROVIDER, provider.name), (Field.PROVIDER_CODE, provider.credit_code)):
            first = self._departments.setdefault(said, _First(row, pair))
            if first.said != pair:
                facts = {"first": first.row, "other": first.said}
                yield Problem(Rule.PROVIDER_DIFFERS, field_, said, facts=facts)


def catalogue_problems(entries: Iterable[Entry], rules: CatalogueRules) -> Iterator[tuple[int, Problem]]:
    """Yield everything that is wrong with a catalogue, each with the number of its entry from 1."""
    seen = Seen()
    for number, entry in enumerate(entries, start=1):
        for problem in (*entry_problems(entry, rules), *seen.add(entry, number)):
            yield number, problem
