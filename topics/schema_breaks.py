"""What of a changed schema breaks readers of the old one: then it needs a version of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from topics.schema_rules import ItemForm


class How(StrEnum):
    """In which way an item breaks readers."""

    GONE = "gone"
    TYPE = "type"
    EMPTY = "empty"
    """It may be empty, which it never was."""


@dataclass(frozen=True, slots=True)
class Break:
    """One difference that a reader of the old version cannot follow; both types where they differ."""

    item: str
    how: How
    was: str = ""
    now: str = ""

    def __str__(self) -> str:
        match self.how:
            case How.GONE:
                return f"{self.item} is gone"
            case How.TYPE:
                return f"{self.item} was {self.was} and is {self.now}"
            case How.EMPTY:
                return f"{self.item} may be empty now"


def breaks(old: Mapping[str, ItemForm], new: Mapping[str, ItemForm]) -> tuple[Break, ...]:
    """The items that are gone, of another type, or empty where they never were.

    An item more breaks nobody, since a grant names its items. A wider type does: a column of the narrower one
    cannot hold it.
    """
    return tuple(_breaks(old, new))


def _breaks(old: Mapping[str, ItemForm], new: Mapping[str, ItemForm]) -> Iterator[Break]:
    for item, was in old.items():
        now = new.get(item)
        if now is None:
            yield Break(item, How.GONE)
        elif _type(was) != _type(now):
            yield Break(item, How.TYPE, _type(was), _type(now))
        elif now.nullable and not was.nullable:
            yield Break(item, How.EMPTY)


def _type(form: ItemForm) -> str:
    return form.type if form.logical is None else f"{form.type} ({form.logical})"
