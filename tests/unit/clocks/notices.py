"""A notice that no year has had, for tests of what an import changes."""

from datetime import date

from services.control.clocks.calendar import CalendarDay, DayKind

HOLIDAYS = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 5), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)]


def notice_of_2027() -> tuple[CalendarDay, ...]:
    """Off are 1 to 4 January and the fixed feasts; nothing is worked for them in December 2026."""
    holidays = [CalendarDay(date(2027, *each), DayKind.HOLIDAY, "节日", 2027) for each in HOLIDAYS]
    return (*holidays, CalendarDay(date(2027, 1, 9), DayKind.MAKE_UP, "元旦", 2027))
