"""A policy pack: what one layer of government demands, each value with its document and article."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from services.control.clocks.rules import Stage


class Level(StrEnum):
    """Layers of government, from the highest to the lowest."""

    NATIONAL = "national"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    DEPARTMENT = "department"


ORDER = tuple(Level)


class Standing(StrEnum):
    """What the documents of a pack are worth."""

    IN_FORCE = "in_force"
    PUBLISHED = "published"
    """They were issued; whether they are still in force was not looked up."""
    DRAFT = "draft"
    """A draft for consultation."""
    TEMPLATE = "template"
    """A model text that others adopt."""
    SAMPLE = "sample"
    """Made up, or taken from practice, to show what a pack can say."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value is from."""

    document: str
    """Its full title."""
    article: str | None
    """None where the article is not known, and then the value is not verified."""
    verified: bool
    """Whether somebody compared the value with the text of the document."""


Content = Stage | int | str | tuple[str, ...]
"""A stage of a clock, days, a choice, or several words."""


@dataclass(frozen=True, slots=True)
class Given:
    """One value, or one stage of a clock, as one pack gives it."""

    key: str
    content: Content
    source: Source
    pack: str
    level: Level
    place: str = field(compare=False)
    """``file:line``, for who corrects it."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One layer's values."""

    id: str
    zh: str
    en: str
    level: Level
    version: int
    standing: Standing
    effective_from: date | None
    """None where no day is known: it then counts always."""
    values: Mapping[str, tuple[Given, ...]]
    """By key; several where a clock has several stages."""

    @property
    def unverified(self) -> int:
        """How many values nobody compared with the text of their document."""
        return sum(not each.source.verified for given in self.values.values() for each in given[:1])
