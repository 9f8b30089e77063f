"""How much may be said on a case, and for how long data may be asked for: for pages, the API and files alike.

What is beyond them is never cut: it is refused, and the fault does not repeat it.
"""

import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from services.control.cases.application import Application
from services.control.cases.words import Problem

LONGEST_TEXT: Final = 4000
"""Characters of what people write, as the API's forms have it."""
LONGEST_NAME: Final = 500
"""Characters of a document, an article, a number, an item or a value."""
MOST_NAMES: Final = 2000
"""Items of an application, its filters, and the values of one."""
LONGEST_BACK: Final = timedelta(days=366)
"""So long before today a first day may be: an application may have waited for its entry, not for years."""
LONGEST_AHEAD: Final = timedelta(days=3_653)
"""So long after today a last day may be: ten years. Who needs the data longer applies anew in time."""
_LINES: Final = frozenset("\t\n\r")


def application_bounds(application: Application, today: date) -> Iterator[Problem]:
    """Yield in what an application goes beyond what one can be.

    Args:
        application: as it was written, complete or not.
        today: the day in official time.
    """
    yield from text_problems("scenario", application.scenario)
    yield from text_problems("batch_justification", application.batch_justification)
    yield from _name_problems("basis.document", application.basis.document)
    yield from _name_problems("basis.article", application.basis.article)
    yield from _name_problems("filing", application.filing)
    yield from _names_problems("items", application.items)
    yield from _names_problems("rows", tuple(row.item for row in application.rows))
    for row in application.rows[:MOST_NAMES]:
        yield from _names_problems("rows", row.values)
    if application.start < today - LONGEST_BACK:
        what = f"the first day {application.start} is long over"
        yield Problem("DAYS_TOO_EARLY", "start", what, "choose a first day within the last year, or later")
    yield from end_problems(application.end, today)


def end_problems(end: date, today: date) -> Iterator[Problem]:
    """Yield that a last day is too far away."""
    if end > today + LONGEST_AHEAD:
        what = f"the last day {end} is more than ten years ahead"
        yield Problem("DAYS_TOO_LATE", "end", what, "choose a last day within ten years")


def text_problems(field: str, text: str) -> Iterator[Problem]:
    """Yield what is wrong with a text of several lines: its length, or characters that are none of a text."""
    yield from _problems(field, text, LONGEST_TEXT, _LINES)


def _name_problems(field: str, text: str) -> Iterator[Problem]:
    yield from _problems(field, text, LONGEST_NAME, frozenset())


def _names_problems(field: str, names: tuple[str, ...]) -> Iterator[Problem]:
    """Of many names at most one problem of each kind."""
    if len(names) > MOST_NAMES:
        yield Problem("TOO_MANY", field, f"more than {MOST_NAMES} are named", "name fewer")
        return
    found = {problem.code: problem for name in names for problem in _name_problems(field, name)}
    yield from found.values()


def _problems(field: str, text: str, longest: int, allowed: frozenset[str]) -> Iterator[Problem]:
    if len(text) > longest:
        yield Problem("TOO_LONG", field, f"it is longer than {longest} characters", "say it in fewer words")
    elif any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text if sign not in allowed):
        what = "it holds control characters"
        yield Problem("CONTROL_CHARACTERS", field, what, "write it anew without them")
