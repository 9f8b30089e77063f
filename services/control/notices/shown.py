"""What a notice may show: ids of ours, numbers, days and moments; everything else is hidden, never refused.

A notice leaves the bus by mail and webhook, where nobody checks who reads it. So it holds nothing that could
be a person's: no text that somebody wrote, no name, and nothing that looks like the number of a document. A
value that does not fit is hidden rather than refused, because a notice must never stop the change that it
tells of.
"""

import re
from datetime import date, datetime
from typing import Final

from services.control.clocks.calendar import civil_day
from services.control.notices.words import NAMES, Slot
from topics.quality.values import CIVIL_TIME

Fact = str | int | date | datetime

HIDDEN: Final = "***"
MOST: Final = 9_999_999
"""Larger numbers are shown as this one with a plus: no number of a document is as short."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CASE_GRANT: Final = re.compile(r"case-[0-9a-f]{32}")
"""The grant of a case: its UUID without hyphens, in which digits may stand in a row by chance."""
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,6}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*([.-][a-z0-9_]+)*")
_LONGEST_NAME: Final = 120
_LONGEST_DIGITS: Final = re.compile(r"[0-9]{7}")
"""Passports and permits have at least seven digits in a row, and so have resident numbers."""
_LIKE_A_CODE: Final = re.compile(r"(?=[a-z]*[0-9])[a-z0-9]{15,18}")
"""Credit codes and foreigners' numbers: letters and digits without a break."""


def shown(slot: Slot, fact: Fact) -> str:
    """How a notice shows a fact: an id as it is, a number, a day, a moment in Beijing time, or hidden."""
    if isinstance(fact, bool):
        return HIDDEN
    if isinstance(fact, int):
        return _number(fact)
    if isinstance(fact, datetime):
        return HIDDEN if fact.tzinfo is None else f"{fact.astimezone(CIVIL_TIME):%Y-%m-%d %H:%M}"
    if isinstance(fact, date):
        return fact.isoformat()
    return fact if slot in NAMES and is_name(fact) else HIDDEN


def is_name(text: str) -> bool:
    """Whether a text is an id of ours: a UUID, a short number, or a name without anything like a document."""
    if _UUID.fullmatch(text) or _CASE_GRANT.fullmatch(text) or _NUMBER.fullmatch(text):
        return True
    if len(text) > _LONGEST_NAME or _NAME.fullmatch(text) is None:
        return False
    if _LONGEST_DIGITS.search(text):
        return False
    return not any(_LIKE_A_CODE.fullmatch(part) for part in re.split(r"[._-]", text))


def day_of(fact: Fact) -> date | None:
    """The day of a fact that is a day or a moment."""
    if isinstance(fact, datetime):
        return None if fact.tzinfo is None else civil_day(fact)
    return fact if isinstance(fact, date) else None


def _number(number: int) -> str:
    if abs(number) <= MOST:
        return str(number)
    return f"{MOST}+" if number > 0 else f"-{MOST}+"
