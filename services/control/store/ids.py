"""Ids that sort by the time at which they were made (UUID version 7, RFC 9562)."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

Chance = Callable[[int], int]
"""Gives a number of so many random bits."""

_VERSION: Final = 0x7
_VARIANT: Final = 0b10


def new_id(now: datetime, chance: Chance = secrets.randbits) -> UUID:
    """An id made at this instant."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    number = milliseconds << 80 | _VERSION << 76 | chance(12) << 64 | _VARIANT << 62 | chance(62)
    return UUID(int=number)
