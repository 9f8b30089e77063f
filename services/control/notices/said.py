"""One kind of notice in one language, and in both."""

from typing import NamedTuple


class Said(NamedTuple):
    """What happened, and what to do now; names in braces are slots (`words.Slot`)."""

    subject: str
    what_to_do: str


Both = tuple[Said, Said]
"""In Chinese and in English, in the order of `words.Language`."""
