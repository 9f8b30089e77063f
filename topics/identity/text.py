"""How the text of an identifier is normalised before it is checked."""

from typing import Final

_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_UPPER: Final = {code: code - 0x20 for code in range(ord("a"), ord("z") + 1)}
_TRANSLATION: Final = _FULL_WIDTH | {code + 0xFEE0: upper for code, upper in _UPPER.items()} | _UPPER


def normalise(value: str) -> str:
    """Return `value` with full-width forms as half-width, outer white space cut, ASCII letters upper-case.

    Nothing else is changed: white space, hyphens or look-alike letters inside are for the check to refuse.
    Only ASCII letters are raised, because Unicode upper-casing turns other letters into ASCII ones.
    """
    return value.translate(_TRANSLATION).strip()
