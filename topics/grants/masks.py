"""Masks, compiled: what a consumer sees of an item that its grant does not give in full."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import date, timedelta

from topics.grants.declaration import DistrictMask, DropMask, HashMask, Mask, PartialMask, YearMask

MaskFunction = Callable[[object], object]

_EPOCH = date(1970, 1, 1)
_DISTRICT_LENGTH = 6
_YEAR_LENGTH = 4


def compile_mask(mask: Mask, item: str, grant_key: bytes) -> MaskFunction:
    """The function of one mask; null stays null under every mask, so that absence is not disguised."""
    function = _function(mask, item, grant_key)
    return lambda value: None if value is None else function(value)


def _function(mask: Mask, item: str, grant_key: bytes) -> MaskFunction:
    match mask:
        case PartialMask():
            return lambda value: partial(str(value), mask.keep_first, mask.keep_last)
        case HashMask():
            return lambda value: keyed_hash(str(value), item, grant_key)
        case YearMask():
            return year
        case DistrictMask():
            return lambda value: str(value)[:_DISTRICT_LENGTH]
        case DropMask():
            return lambda _value: None


def partial(text: str, keep_first: int, keep_last: int) -> str:
    """Keep both ends, star the middle; a text no longer than what is kept is starred whole."""
    hidden = len(text) - keep_first - keep_last
    if hidden <= 0:
        return "*" * len(text)
    return text[:keep_first] + "*" * hidden + (text[-keep_last:] if keep_last else "")


def keyed_hash(text: str, item: str, grant_key: bytes) -> str:
    """HMAC-SHA256 under the grant's key, bound to the item: equal values link inside one grant only."""
    return hmac.new(grant_key, f"{item}\0{text}".encode(), hashlib.sha256).hexdigest()[:32]


def year(value: object) -> object:
    """1 January of a date in days since 1970; the first four characters of a text."""
    if isinstance(value, int):
        day = _EPOCH + timedelta(days=value)
        return (date(day.year, 1, 1) - _EPOCH).days
    return str(value)[:_YEAR_LENGTH]
