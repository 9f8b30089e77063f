"""How a policy pack is written as YAML, and how it becomes the pack that the rest of the code knows."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from services.control.clocks.pack import Content, Given, Level, Pack, Source, Standing
from services.control.clocks.policy_keys import KEYS, Kind, PolicyKey
from services.control.clocks.rules import (
    REMINDERS,
    AgreedDate,
    ClockRule,
    Extension,
    FixedDate,
    Length,
    NaturalDays,
    Stage,
    WorkingDays,
)
from services.control.definition_error import DefinitionError
from services.control.yaml_source import Loc, YamlSource
from topics.resource import Declared, Name, Titles

PackId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
Days = Annotated[int, Field(ge=1, le=3_660, strict=True)]
Text = Annotated[str, Field(min_length=1)]
_MONTH_AND_DAY: Final = re.compile(r"(0[1-9]|1[0-2])-(last|[0-3][0-9])")
_DAYS_OF_MONTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LENGTHS: Final = ("at_once", "working_days", "natural_days", "by", "agreed")
_WANTED: Final = {Kind.RETENTION: "days", Kind.CHOICE: "choice", Kind.LIST: "words"}
"""What a value of a kind is written as; the others are stages."""


class ExtensionForm(Declared):
    """The one extension."""

    most: Days
    approver: Name


class StageForm(Declared):
    """One stage of a clock: exactly one of at_once, working_days, natural_days, by and agreed."""

    name: Name
    obliged: Name
    starts_on: Name
    at_once: bool = False
    working_days: Days | None = None
    natural_days: Days | None = None
    by: str | None = None
    agreed: bool = False
    calendar: Literal["cn"] = "cn"
    counts_first_day: bool = False
    pauses_while: tuple[Name, ...] = ()
    extension: ExtensionForm | None = None
    remind_at: tuple[Annotated[int, Field(ge=1, le=100)], ...] = REMINDERS
    advisory: bool = False
    on_breach: tuple[Name, ...] = ()
    when: dict[Name, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_one_length(self) -> Self:
        given = [name for name in _LENGTHS if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"has {' and '.join(given) or 'no length'}, not one of {', '.join(_LENGTHS)}")
        if self.by is not None and not _is_month_and_day(self.by):
            raise ValueError(f"by is {self.by!r}, not a month and day such as 01-31, or 02-last")
        if self.at_once and (self.pauses_while or self.extension or self.counts_first_day):
            raise ValueError("at_once leaves no day: it neither waits, nor is it extended, nor counted")
        if self.pauses_while and (self.by or self.agreed):
            raise ValueError("pauses_while stands beside a date, which does not wait")
        if list(self.remind_at) != sorted(set(self.remind_at)):
            raise ValueError("remind_at does not rise")
        return self

    def stage(self) -> Stage:
        """The stage that the rest of the code knows."""
        extension = (
            None if self.extension is None else Extension(self.extension.most, self.extension.approver)
        )
        rule = ClockRule(
            length=self._length(),
            calendar=self.calendar,
            counts_first_day=self.counts_first_day,
            pauses_while=self.pauses_while,
            extension=extension,
            remind_at=self.remind_at,
            advisory=self.advisory,
            on_breach=self.on_breach,
        )
        return Stage(self.name, self.obliged, self.starts_on, rule, MappingProxyType(dict(self.when)))

    def _length(self) -> Length:
        if self.at_once:
            return WorkingDays(0)
        if self.working_days is not None:
            return WorkingDays(self.working_days)
        if self.natural_days is not None:
            return NaturalDays(self.natural_days)
        if self.by is None:
            return AgreedDate()
        month, day = self.by.split("-")
        return FixedDate(int(month), None if day == "last" else int(day))


class SourceForm(Declared):
    """Where a value is from: one of the pack's documents, and the article in it."""

    document: Name
    article: Text | None = None
    verified: bool = True

    @model_validator(mode="after")
    def _is_verified_by_an_article(self) -> Self:
        if self.verified and self.article is None:
            raise ValueError("is verified and names no article: name it, or write verified: false")
        return self


class ValueForm(Declared):
    """One value with its source: stages of a clock, days, a choice, or several words."""

    source: SourceForm
    stages: tuple[StageForm, ...] | None = None
    days: Days | None = None
    choice: Text | None = None
    words: tuple[Text, ...] | None = None

    def contents(self) -> tuple[Content, ...]:
        """What is given, whichever kind it is."""
        if self.stages is not None:
            return tuple(each.stage() for each in self.stages)
        return tuple(each for each in (self.days, self.choice, self.words) if each is not None)


class PackForm(Declared):
    """A pack as its file says it."""

    id: PackId
    titles: Titles
    level: Level
    version: int = Field(ge=1)
    standing: Standing
    effective_from: date | None
    documents: dict[Name, Text] = Field(min_length=1)
    values: dict[str, ValueForm] = Field(min_length=1)

    def problems(self, source: YamlSource) -> Iterator[DefinitionError]:
        """What is wrong beyond the form, each at its line."""
        for key, value in self.values.items():
            for path, problem, remedy in (*_key_problems(key, value), *self._source_problems(value)):
                yield source.error(("values", key, *path), problem, remedy)

    def pack(self, source: YamlSource) -> Pack:
        """The pack that the rest of the code knows."""
        values: Mapping[str, tuple[Given, ...]] = {
            key: tuple(
                Given(key, content, self._source(value), self.id, self.level, _place(source, key, number))
                for number, content in enumerate(value.contents())
            )
            for key, value in self.values.items()
        }
        return Pack(
            self.id,
            self.titles.zh,
            self.titles.en,
            self.level,
            self.version,
            self.standing,
            self.effective_from,
            MappingProxyType(values),
        )

    def _source_problems(self, value: ValueForm) -> Iterator[tuple[Loc, str, str]]:
        if value.source.document not in self.documents:
            known = ", ".join(sorted(self.documents))
            problem = f"there is no document {value.source.document} in this pack"
            yield ("source", "document"), problem, f"name one of: {known}; or add it to documents"

    def _source(self, value: ValueForm) -> Source:
        return Source(self.documents[value.source.document], value.source.article, value.source.verified)


def _key_problems(key: str, value: ValueForm) -> Iterator[tuple[Loc, str, str]]:
    known = KEYS.get(key)
    if known is None:
        yield (), f"there is no key {key}", "`govbus clock packs list` shows those that there are"
        return
    wanted = _WANTED.get(known.kind, "stages")
    given = [name for name in ("stages", *_WANTED.values()) if getattr(value, name) is not None]
    if given != [wanted]:
        yield (), f"has {' and '.join(given) or 'no value'}, but is a {known.kind}", f"give it {wanted}"
    elif known.kind is Kind.CHOICE and value.choice not in known.choices:
        yield ("choice",), f"{value.choice!r} is no choice here", f"write one of: {', '.join(known.choices)}"
    elif value.words is not None:
        yield from _word_problems(known, value.words)
    elif value.stages is not None:
        yield from _stage_problems(known.kind, value.stages)


def _word_problems(key: PolicyKey, words: tuple[str, ...]) -> Iterator[tuple[Loc, str, str]]:
    if not words:
        yield ("words",), "is empty", f"name some of: {', '.join(key.choices)}"
    for number, word in enumerate(words):
        if word not in key.choices:
            remedy = f"write some of: {', '.join(key.choices)}"
            yield ("words", number), f"{word!r} is no choice here", remedy
        elif word in words[:number]:
            yield ("words", number), f"{word} is given twice", "keep one of the two"


def _stage_problems(kind: Kind, stages: tuple[StageForm, ...]) -> Iterator[tuple[Loc, str, str]]:
    if not stages:
        yield ("stages",), "is empty", "give it a stage"
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for number, stage in enumerate(stages):
        which = stage.name, tuple(sorted(stage.when.items()))
        if which in seen:
            problem = f"{stage.name} is given twice for the same facts"
            yield ("stages", number), problem, "keep one of the two, or tell them apart by when"
        seen.add(which)
        if kind is Kind.NOTICE and stage.working_days is None:
            yield ("stages", number), "a notice is given working days before", "give working_days"


def _is_month_and_day(text: str) -> bool:
    found = _MONTH_AND_DAY.fullmatch(text)
    if found is None:
        return False
    return found[2] == "last" or 1 <= int(found[2]) <= _DAYS_OF_MONTHS[int(found[1]) - 1]


def _place(source: YamlSource, key: str, number: int) -> str:
    return f"{source.file}:{source.line(('values', key, 'stages', number))}"
