"""More time for a duty, at the desk: kept, told, counted, and refused without a trace."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from services.control.cases.more_time import MoreTime
from services.control.cases.words import Action
from services.control.clocks.rules import Extension
from services.control.desk.orders import Declined
from services.control.docket.bound import REPLY
from services.control.docket.filed import Filed
from services.control.store.cases.checking import differences
from services.control.store.cases.tables import CASES, CLOCKS
from services.control.store.database import ControlDatabase
from services.control.store.notices.tables import NOTICE_EVENTS
from tests.support.desk import COUNTY, Office, extending, id_of
from tests.support.sharing_cases import CONSUMER, DECIDER

MORE = MoreTime(2, "head_of_department")
AT = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database, extending(COUNTY, REPLY, Extension(3, "head_of_department")))


def deciding(office: Office) -> Filed:
    return office.done(office.opened(), Action.SUBMIT, CONSUMER)


def due(office: Office, filed: Filed) -> list[date]:
    with office.database.begin() as connection:
        of_case = select(CASES.c.due_on).where(CASES.c.id == id_of(filed))
        of_clock = select(CLOCKS.c.due_on).where(CLOCKS.c.case_id == id_of(filed))
        return [connection.execute(each).scalar_one() for each in (of_case, of_clock)]


@pytest.mark.requirement("A6-03", "C18")
def test_who_decides_takes_more_time_once_and_all_parties_are_told(office: Office) -> None:
    filed = deciding(office)
    assert due(office, filed) == [date(2026, 3, 9)] * 2
    after = office.done(filed, Action.EXTEND, DECIDER, AT, more_time=MORE, text="需核对历史档案")
    assert due(office, filed) == [date(2026, 3, 11)] * 2
    assert after.case.events[-1].more_time == MoreTime(2, "head_of_department", 1)
    again = office.act(filed, Action.EXTEND, DECIDER, AT, more_time=MORE)
    assert isinstance(again, Declined)
    assert [each.code for each in again.problems] == ["EXTENSION_REFUSED"]
    with office.database.begin() as connection:
        wanted = select(NOTICE_EVENTS.c.kind).order_by(NOTICE_EVENTS.c.happened_at)
        told = connection.execute(wanted).scalars()
        assert list(told)[-1] == "case.extended"
        assert list(differences(connection, office.city.calendar)) == []


def test_without_a_reason_or_days_nothing_is_given(office: Office) -> None:
    filed = deciding(office)
    silent = office.act(filed, Action.EXTEND, DECIDER, AT, text=" ")
    assert isinstance(silent, Declined)
    assert {each.code for each in silent.problems} == {"TEXT_MISSING", "DAYS_MISSING"}
    assert due(office, filed) == [date(2026, 3, 9)] * 2


def test_the_same_key_gives_more_time_once(office: Office) -> None:
    filed = deciding(office)
    first = office.act(filed, Action.EXTEND, DECIDER, AT, key="k", more_time=MORE)
    again = office.act(filed, Action.EXTEND, DECIDER, AT, key="k", more_time=MORE)
    assert getattr(again, "repeated", False)
    assert not getattr(first, "repeated", True)
