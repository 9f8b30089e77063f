"""The state of a list in its address: filters, order and page; and links that change one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import Request

Value = str | Sequence[str] | None
PAGING: Final = ("after", "before")
"""What says which page it is; another filter begins at the first page."""


@dataclass(frozen=True, slots=True)
class Address:
    """A path with its parameters, in their order."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, otherwise: str = "") -> str:
        """The first value of a parameter."""
        return next((value for known, value in self.parameters if known == name), otherwise)

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a parameter."""
        return tuple(value for known, value in self.parameters if known == name)

    def has(self, name: str, value: str) -> bool:
        """Whether a parameter has this value among its own."""
        return (name, value) in self.parameters

    def others(self, *names: str) -> tuple[tuple[str, str], ...]:
        """What a form has to carry along besides its own fields: never a page of the old list."""
        return tuple(each for each in self.parameters if each[0] not in {*names, *PAGING})

    def to(self, **changes: Value) -> str:
        """The address with some parameters changed; None takes one away, and the page begins anew."""
        paging = set(PAGING) - set(changes)
        kept = [each for each in self.parameters if each[0] not in changes and each[0] not in paging]
        return self._with([*kept, *_pairs(changes)])

    def toggled(self, name: str, value: str) -> str:
        """The address with one value of a parameter more, or less where it is there."""
        if self.has(name, value):
            rest = [each for each in self.parameters if each != (name, value) and each[0] not in PAGING]
            return self._with(rest)
        kept = [each for each in self.parameters if each[0] not in PAGING]
        return self._with([*kept, (name, value)])

    def sorted_by(self, name: str) -> str:
        """The address sorted by a column; once more turns the order round."""
        now = self.get("sort")
        return self.to(sort=f"-{name}" if now == name else name)

    def direction(self, name: str) -> str:
        """How the list is sorted by a column, as ``aria-sort`` says it."""
        now = self.get("sort")
        return "ascending" if now == name else "descending" if now == f"-{name}" else "none"

    def __str__(self) -> str:
        return self._with(self.parameters)

    def _with(self, parameters: Sequence[tuple[str, str]]) -> str:
        return f"{self.path}?{urlencode(parameters)}" if parameters else self.path


def address_of(request: Request) -> Address:
    """The address of a request; empty parameters and the language are left out."""
    given = request.query_params.multi_items()
    return Address(request.url.path, tuple(each for each in given if each[1] and each[0] != "lang"))


def page_number(text: str) -> int | None:
    """A number from an address; None where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _pairs(changes: Mapping[str, Value]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in changes.items():
        values = () if value is None else (value,) if isinstance(value, str) else value
        found += [(name, each) for each in values if each]
    return found
