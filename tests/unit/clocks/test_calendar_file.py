"""Calendar files: what the project brings along, and everything that is wrong with one at once."""

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest

from services.control.clocks.calendar import DayKind
from services.control.clocks.calendar_file import (
    CalendarInvalid,
    china,
    packaged_years,
    parse_year,
    read_year,
    written,
)
from tests.support.calendar_seed import notices
from tests.unit.clocks.notices import notice_of_2027

DAY = timedelta(days=1)
GOOD = written(notice_of_2027())


def errors(text: str) -> list[str]:
    with pytest.raises(CalendarInvalid) as refused:
        parse_year(text, "2027.csv")
    return [str(each) for each in refused.value.errors]


def test_the_years_of_the_project_are_those_of_chinesecalendar() -> None:
    files = {int(path.stem): path.read_text(encoding="utf-8") for path in packaged_years().glob("*.csv")}
    assert files == {year: written(days) for year, days in notices().items()}


def test_each_day_is_worked_or_free_as_chinesecalendar_says() -> None:
    calendar, day, end = china(), date(2004, 1, 1), date(max(china().years), 12, 31)
    assert calendar.years == frozenset(range(2004, end.year + 1))
    while day <= end:
        assert calendar.is_working_day(day) == chinese_calendar.is_workday(day), day
        day += DAY


def test_a_file_is_read_as_it_was_written() -> None:
    assert sorted(parse_year(GOOD, "2027.csv"), key=lambda each: each.day) == sorted(
        notice_of_2027(), key=lambda each: each.day
    )


def test_a_file_as_a_spreadsheet_saves_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "2027.csv"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode() + b",,,\r\n")
    assert len(read_year(path, "2027.csv")) == len(notice_of_2027())


def test_a_notice_may_change_the_last_three_days_of_the_december_before() -> None:
    days = parse_year(GOOD + "2026-12-29,holiday,元旦,2027\n", "2027.csv")
    assert days[0].day == date(2026, 12, 29)


def test_all_errors_of_a_file_are_said_at_once_each_with_its_line_and_remedy() -> None:
    wrong = [
        "2027-02-30,holiday,春节,2027",
        "2027/2/6,holiday,春节,2027",
        "20270206,holiday,春节,2027",
        "2027-02-05,holiday,春节,2027",
        "2026-12-28,holiday,元旦,2027",
        "2027-12-29,holiday,元旦,2027",
        "2028-01-03,holiday,元旦,2027",
        "2027-02-08,free,春节,2027",
        "2027-02-08,make-up,春节,2027",
        "2027-02-09,holiday,,2027",
        "2027-02-10,holiday,春节,2026",
        "2027-02-11,holiday",
    ]
    first = len(GOOD.splitlines()) + 1
    assert errors(GOOD + "\n".join(wrong)) == [
        f"2027.csv:{first}: date: '2027-02-30' is no date; write it as 2027-02-06",
        f"2027.csv:{first + 1}: date: '2027/2/6' is no date; write it as 2027-02-06",
        f"2027.csv:{first + 2}: date: '20270206' is no date; write it as 2027-02-06",
        f"2027.csv:{first + 3}: date: 2027-02-05 stands there twice; keep one of the two",
        *(
            f"2027.csv:{first + 4 + number}: date: {day} is a day of another year; take the line out: "
            "the notice of 2027 is about days from 2026-12-29 to 2027-12-28"
            for number, day in enumerate(["2026-12-28", "2027-12-29", "2028-01-03"])
        ),
        f"2027.csv:{first + 7}: kind: 'free' is no kind of day; write one of: holiday, make-up",
        f"2027.csv:{first + 8}: kind: 2027-02-08 is worked anyway, it is no Saturday or Sunday; "
        "correct the date, or take the line out",
        f"2027.csv:{first + 9}: name: the name is missing; write which holiday it belongs to",
        f"2027.csv:{first + 10}: year: '2026' is another year than 2027, which the file begins with; "
        "put each year's notice into a file of its own",
        f"2027.csv:{first + 11}: has 2 cells; give each line the columns date, kind, name, year",
    ]


def test_one_line_with_several_errors_says_each() -> None:
    line = len(GOOD.splitlines()) + 1
    assert [each.split(": ")[0:2] for each in errors(GOOD + "x,y,,z\n")] == [
        [f"2027.csv:{line}", field] for field in ("kind", "date", "name", "year")
    ]


def test_a_file_without_a_statutory_holiday_was_cut_off() -> None:
    cut = [each for each in notice_of_2027() if each.day.month < 10]
    assert [each.split(": ")[2] for each in errors(written(cut))] == [
        f"2027-10-0{day} is a holiday by law and not among the days; take over the whole notice, "
        "also the holidays that fall on a weekend"
        for day in (1, 2, 3)
    ]


def test_a_statutory_holiday_is_not_worked() -> None:
    # 2 May 2027 is a Sunday.
    worked = GOOD.replace("2027-05-02,holiday", "2027-05-02,make-up")
    assert len(errors(worked)) == 1


def test_the_second_of_may_is_a_statutory_holiday_since_2025() -> None:
    of_2024 = GOOD.replace("2027", "2024").replace("2024-05-02,holiday,节日,2024\n", "")
    of_2024 = of_2024.replace("2024-01-09,make-up", "2024-01-06,make-up")
    assert {each.kind for each in parse_year(of_2024, "2024.csv")} == set(DayKind)


@pytest.mark.parametrize("text", ["", "\n", "day,kind\n", "date,kind,name\n2027-01-01,holiday,元旦\n"])
def test_a_file_with_other_columns_is_none(text: str) -> None:
    assert errors(text) == [
        "2027.csv:1: has other columns than a calendar; begin the file with the line date,kind,name,year"
    ]


@pytest.mark.parametrize(
    "text", ["date,kind,name,year\n", "date,kind,name,year\n2027-01-01,holiday,元旦,27\n"]
)
def test_a_file_says_of_which_year_it_is(text: str) -> None:
    assert "write the year of the notice into the column year" in errors(text)[0]


def test_a_file_that_is_missing_or_in_another_encoding_is_said(tmp_path: Path) -> None:
    with pytest.raises(CalendarInvalid, match="cannot be read: No such file"):
        read_year(tmp_path / "2027.csv", "2027.csv")
    (tmp_path / "2027.csv").write_bytes(GOOD.encode("gbk"))
    with pytest.raises(CalendarInvalid, match="save the file as CSV UTF-8"):
        read_year(tmp_path / "2027.csv", "2027.csv")
