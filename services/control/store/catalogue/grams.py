"""Pairs of neighbouring characters, by which an index finds texts that contain a word.

PostgreSQL's ``pg_trgm`` counts in threes, and most Chinese words have two characters: it could not find them.
"""

from services.control.catalogue.text import comparable


def grams_of(text: str) -> list[str]:
    """The single characters and the pairs of a search text, each once, in order; pairs within its words."""
    found: dict[str, None] = {}
    for word in text.split():
        found.update(dict.fromkeys(word))
        found.update(dict.fromkeys(_pairs(word)))
    return sorted(found)


def wanted(words: str) -> tuple[str, ...]:
    """The words of a question as they stand in search texts; what says nothing is left out."""
    return tuple(dict.fromkeys(filter(None, map(comparable, words.split()))))


def needed(word: str) -> list[str]:
    """What a text must have among its grams to contain the word."""
    return sorted(set(_pairs(word))) or [word]


def _pairs(word: str) -> list[str]:
    return [word[index : index + 2] for index in range(len(word) - 1)]
