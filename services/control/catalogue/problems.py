"""One thing that is wrong with a catalogue: where, the value that is there, what is wrong, and the remedy."""

import dataclasses
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from services.control.catalogue.fields import Field, label
from services.control.catalogue.rules import Rule
from services.control.catalogue.vocabulary import Language, word
from services.control.catalogue.wording import WORDING

_SHOWN: Final = 60


def named(name: str, value: StrEnum) -> dict[str, str]:
    """A fact that is a value of a closed list, with its word in both languages."""
    return {name: word(value, Language.EN), f"{name}_zh": word(value, Language.ZH)}


def choices(values: Iterable[StrEnum]) -> dict[str, str]:
    """The fact of what could be chosen instead."""
    known = tuple(values)
    return {
        "known": ", ".join(word(each, Language.EN) for each in known),
        "known_zh": "、".join(word(each, Language.ZH) for each in known),
    }


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct: which rule, where, the value that is there, and what the words need to know."""

    rule: Rule
    field: Field | None = None
    value: str = ""
    item: int | None = None
    """Which item of the entry, from 0; None for what is said of the entry."""
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """For the words; a fact with ``_zh`` at its end stands for the one without it in Chinese."""

    def what(self, language: Language = Language.EN) -> str:
        """What is wrong."""
        return self._said(language)[0]

    def remedy(self, language: Language = Language.EN) -> str:
        """What to do about it."""
        return self._said(language)[1]

    @property
    def shown(self) -> str:
        """The value, cut to what fits into a table."""
        return self.value if len(self.value) <= _SHOWN else f"{self.value[: _SHOWN - 1]}…"

    def _said(self, language: Language) -> tuple[str, str]:
        known = dict(self.facts)
        if language is Language.ZH:
            known |= {name.removesuffix("_zh"): fact for name, fact in known.items() if name.endswith("_zh")}
        name = "" if self.field is None else label(self.field, language)
        said = WORDING[self.rule][language]
        return said[0].format(field=name, **known), said[1].format(field=name, **known)
