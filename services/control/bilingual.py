"""The words of closed lists in Chinese and English."""

from collections.abc import Callable, Iterable
from enum import StrEnum

from services.control.catalogue.vocabulary import Language

Said = tuple[str, str]
"""Chinese, English."""
Speaker = Callable[[StrEnum, Language], str]


def speaker_of(words: Iterable[tuple[StrEnum, Said]]) -> Speaker:
    """Says the word for a value of one of the lists; values of two lists may be the same text.

    The speaker raises ``KeyError`` for a value that nobody has given a word.
    """
    known = {(type(value), value.value): both for value, both in words}

    def said(value: StrEnum, language: Language) -> str:
        chinese, english = known[type(value), value.value]
        return chinese if language is Language.ZH else english

    return said
