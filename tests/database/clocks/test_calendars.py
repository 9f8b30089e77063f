"""Calendars and policy packs in the store: filled once, renewed by year and version, never in silence."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.control.clocks.calendar import CalendarDay, DayKind
from services.control.clocks.calendar_file import china, packaged_years, read_year
from services.control.clocks.pack_file import PacksInvalid, load_packs, packaged_packs
from services.control.store.clocks.calendars import import_year, known_years, read_calendar
from services.control.store.clocks.packs import import_pack, read_pack, read_packs
from services.control.store.database import ControlDatabase
from services.control.store.errors import RaiseVersion
from services.control.store.outbox import acts_on
from services.control.store.prepare import prepare

WHEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
NATIONAL = (packaged_packs() / "national-2025.yaml").read_text(encoding="utf-8")


def days_of(year: int) -> tuple[CalendarDay, ...]:
    return read_year(packaged_years() / f"{year}.csv", f"{year}.csv")


def test_a_database_is_filled_with_the_calendars_and_packs_of_the_project(
    control_database: ControlDatabase,
) -> None:
    done = prepare(control_database, WHEN)
    assert done.years == tuple(sorted(china().years))
    with control_database.begin() as connection:
        assert read_calendar(connection) == china()
        stored = read_packs(connection)
    packaged = load_packs(packaged_packs())
    assert {id_: pack.values for id_, pack in stored.items()} == {
        id_: pack.values for id_, pack in packaged.items()
    }
    again = prepare(control_database, WHEN)
    assert (again.years, again.packs) == ((), ())


def test_a_year_that_somebody_has_imported_is_not_replaced(control_database: ControlDatabase) -> None:
    own = [*days_of(2026), CalendarDay(date(2026, 11, 27), DayKind.HOLIDAY, "本地放假", 2026)]
    with control_database.begin() as connection:
        import_year(connection, own, "operator", WHEN)
    prepare(control_database, WHEN)
    with control_database.begin() as connection:
        assert not read_calendar(connection).is_working_day(date(2026, 11, 27))


def test_a_notice_replaces_the_one_of_its_year_and_no_other(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        assert import_year(connection, days_of(2025), "operator", WHEN)
        assert import_year(connection, days_of(2026), "operator", WHEN)
        assert not import_year(connection, days_of(2026), "operator", WHEN)
        shorter = days_of(2026)[:-1]
        assert import_year(connection, shorter, "operator", WHEN)
        calendar = read_calendar(connection)
        assert known_years(connection) == {2025, 2026}
        acts = acts_on(connection, "calendar-year", "cn/2026")
    assert set(calendar.days.values()) == {*days_of(2025), *shorter}
    assert [act.facts["edition"] for act in acts] == [1, 2]


def test_a_day_that_two_notices_name_is_the_later_ones(control_database: ControlDatabase) -> None:
    moved = date(2025, 12, 31)
    earlier = CalendarDay(moved, DayKind.HOLIDAY, "元旦", 2025)
    later = replace(earlier, kind=DayKind.MAKE_UP, year=2026)
    with control_database.begin() as connection:
        import_year(connection, [*days_of(2026), later], "operator", WHEN)
        import_year(connection, [*days_of(2025), earlier], "operator", WHEN)
        assert read_calendar(connection).days[moved] == later


def test_a_notice_is_about_one_year(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        for days in ((), (*days_of(2025), *days_of(2026))):
            with pytest.raises(ValueError, match="one year"):
                import_year(connection, days, "operator", WHEN)


def test_versions_of_a_pack_stay_and_the_newest_counts(control_database: ControlDatabase) -> None:
    second = NATIONAL.replace("version: 1", "version: 2").replace("working_days: 10", "working_days: 8")
    with control_database.begin() as connection:
        first = import_pack(connection, NATIONAL, "national-2025.yaml", "operator", WHEN)
        assert import_pack(connection, NATIONAL, "national-2025.yaml", "operator", WHEN) is None
        import_pack(connection, second, "national-2025.yaml", "operator", WHEN)
        bound, newest = read_pack(connection, "national-2025", 1), read_packs(connection)["national-2025"]
        assert read_pack(connection, "national-2025", 3) is None
    assert first is not None
    assert bound is not None
    assert (bound.version, newest.version) == (1, 2)
    assert bound.values == first.values
    key = "clocks.subscription.provider_reply"
    assert bound.values[key] != newest.values[key]


def test_a_version_never_says_something_else(control_database: ControlDatabase) -> None:
    other = NATIONAL.replace("working_days: 10", "working_days: 8")
    with control_database.begin() as connection:
        import_pack(connection, NATIONAL, "national-2025.yaml", "operator", WHEN)
    with pytest.raises(RaiseVersion, match="version: 2"), control_database.begin() as connection:
        import_pack(connection, other, "national-2025.yaml", "operator", WHEN)


def test_a_text_that_is_no_pack_is_refused_with_every_error(control_database: ControlDatabase) -> None:
    broken = NATIONAL.replace("working_days: 10", "working_days: 0").replace("level: national", "level: moon")
    with pytest.raises(PacksInvalid) as told, control_database.begin() as connection:
        import_pack(connection, broken, "mine.yaml", "operator", WHEN)
    assert len(told.value.errors) == 2
    assert all(error.file == "mine.yaml" for error in told.value.errors)
