"""The text by which an entry is found: its words, however they are typed, and pinyin initials."""

import re
from typing import Final

from services.control.catalogue.entry import Entry
from services.control.catalogue.text import comparable

_HAN: Final = re.compile(r"[㐀-鿿豈-﫿𠀀-𲎯]+")
_BETWEEN: Final = " "


def search_text(entry: Entry) -> str:
    """All words of an entry, one after another, with the initials of its name and items.

    A search looks for its own ``comparable`` text in this one: 居住证, jzz and ＪＺＺ find 居住证办理信息.
    """
    names = [entry.name, *(item.name for item in entry.items)]
    plain = [*names, entry.name_en, entry.provider.name, entry.summary, str(entry.code or "")]
    found = [comparable(text) for text in plain] + [initials(name) for name in names]
    return _BETWEEN.join(dict.fromkeys(text for text in found if text))


def initials(text: str) -> str:
    """Initials of the pinyin of a Chinese name, in lower case; other letters and digits stay.

    Each run of Han characters is read as a whole, because a character's reading depends on its word.
    """
    return comparable(_HAN.sub(_read, text))


def _read(found: re.Match[str]) -> str:
    # Its dictionaries take half a second to load, which only those wait for who need them.
    from pypinyin import Style, lazy_pinyin

    # What the dictionary does not know stays as it is, and can be found as such.
    return "".join(lazy_pinyin(found[0], style=Style.FIRST_LETTER, errors="default"))
