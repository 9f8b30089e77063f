"""How texts of a catalogue are tidied, compared and searched for what nobody could read elsewhere."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_GUARDED: Final = re.compile(r"''*[=+\-@\t\r\n＝＋－＠]")
_UNREADABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_LATER_IDEOGRAPHS: Final = range(0x20000, 0x40000)
"""Planes of Han characters, some of which are younger than the tables of this Python."""
_PLACEHOLDERS: Final = frozenset(
    {"", "无", "暂无", "没有", "na", "none", "null", "不详", "待定", "待补充", "空"}
)


def tidy(text: str) -> str:
    """Outer white space cut and line ends made one kind; nothing inside a text is changed."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


@lru_cache(maxsize=65_536)
def comparable(text: str) -> str:
    """A text without what differs by the keyboard alone: width, case, white space, punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(each for each in folded if unicodedata.category(each)[0] not in "PZCS")


def is_placeholder(text: str) -> bool:
    """Whether a text fills a cell and says nothing, such as 无, / or --."""
    return comparable(text) in _PLACEHOLDERS


def unreadable(text: str) -> str | None:
    """The first character that another system could not show, as U+XXXX; line ends are allowed.

    Control, invisible, private-use and unassigned characters, surrogates and U+FFFD. A rare character typed
    with a private-use font looks right on one machine only.
    """
    for each in text:
        if _is_unreadable(each):
            return f"U+{ord(each):04X}"
    return None


def _is_unreadable(character: str) -> bool:
    if character == "\n" or ord(character) in _LATER_IDEOGRAPHS:
        return False
    return character == "\ufffd" or unicodedata.category(character) in _UNREADABLE


def printable(text: str) -> str:
    """Text that moves no cursor and hides nothing on a terminal: what cannot be shown stands as U+XXXX."""
    return "".join(each if each.isprintable() else _in_words(each) for each in text)


def _in_words(character: str) -> str:
    return " " if character.isspace() else f"<U+{ord(character):04X}>"


def guarded(text: str) -> str:
    """Text that a spreadsheet shows and does not compute, though saved as CSV (OWASP, CSV injection)."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The inverse of ``guarded``; a formula sign that nobody guarded stays as it is."""
    return text[1:] if _GUARDED.match(text) else text
