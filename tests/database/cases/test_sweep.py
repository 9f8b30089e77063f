"""What time makes due is done and told once, whoever is away meanwhile."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from services.control.cases.words import Action, State
from services.control.clocks.calendar import calendar_of
from services.control.clocks.calendar_file import china
from services.control.desk.sweep import Swept, sweep
from services.control.docket.filed import Filed
from services.control.process.cases import CasesTurn, MendObjects
from services.control.store.cases.checking import differences
from services.control.store.cases.listing import breaches, due
from services.control.store.cases.reading import load
from services.control.store.cases.tables import CASES
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX, acts_on
from tests.support.desk import Office, id_of, policy
from tests.support.sharing_cases import AFTER, CONSUMER, DECIDER

ESCALATING = policy("national-2025")
"""Ten working days, and a breach is escalated."""


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 1, 0, tzinfo=UTC)


def told(office: Office, filed: Filed) -> list[tuple[str, Any]]:
    with office.database.begin() as connection:
        acts = acts_on(connection, "case", filed.case.opening.id)
    wanted = {"case.reminder", "case.breach", "case.target_missed", "case.recounted"}
    return [(act.what, act.facts.get("percent")) for act in acts if act.what in wanted]


def read(office: Office, filed: Filed) -> Filed:
    with office.database.begin() as connection:
        found = load(connection, id_of(filed))
    assert found is not None
    return found


def deciding(office: Office) -> Filed:
    return office.done(office.opened(), Action.SUBMIT, CONSUMER)


def active(office: Office) -> Filed:
    filed = office.done(deciding(office), Action.APPROVE, DECIDER)
    return office.provisioned(filed, filed.version)


@pytest.mark.requirement("A6-03")
def test_a_duty_reminds_at_half_at_four_fifths_and_on_its_last_day_once_each(office: Office) -> None:
    filed = deciding(office)
    for day in (4, 5, 5, 6, 9, 9):
        sweep(office.desk, office.database, on(3, day))
    assert told(office, filed) == [("case.reminder", 50), ("case.reminder", 80), ("case.reminder", 100)]


def test_what_happens_to_a_case_does_not_make_it_remind_again(office: Office) -> None:
    filed = deciding(office)
    sweep(office.desk, office.database, on(3, 5))
    office.done(filed, Action.COMPLAIN, CONSUMER, on(3, 5))
    assert sweep(office.desk, office.database, on(3, 5)) == Swept()
    assert told(office, filed) == [("case.reminder", 50)]


def test_after_days_away_only_the_highest_is_told(office: Office) -> None:
    filed = deciding(office)
    sweep(office.desk, office.database, on(3, 9))
    assert told(office, filed) == [("case.reminder", 100)]


@pytest.mark.requirement("A6-09")
def test_a_breach_is_listed_and_told_once_and_the_day_itself_is_none(office: Office) -> None:
    filed = deciding(office)
    assert sweep(office.desk, office.database, on(3, 9)).breached == 0
    assert sweep(office.desk, office.database, on(3, 10)).breached == 1
    assert sweep(office.desk, office.database, on(3, 11)) == Swept()
    with office.database.begin() as connection:
        (breach,) = breaches(connection, date(2026, 3, 10))
    assert (breach.number, breach.stage, breach.obliged, breach.due_on) == (
        filed.number,
        "reply",
        "provider",
        date(2026, 3, 9),
    )


def test_an_answer_that_came_too_late_between_two_sweeps_is_told_too(office: Office) -> None:
    filed = deciding(office)
    office.done(filed, Action.RETURN, DECIDER, on(3, 10))
    office.done(filed, Action.WITHDRAW, CONSUMER, on(3, 11))
    assert sweep(office.desk, office.database, on(3, 12)).breached == 1
    with office.database.begin() as connection:
        assert breaches(connection, date(2026, 3, 12)) == []


def test_the_control_plane_escalates_an_overdue_answer_where_the_policy_says_so(
    control_database: ControlDatabase,
) -> None:
    office = Office(control_database, ESCALATING)
    filed = deciding(office)
    assert sweep(office.desk, office.database, on(3, 16)).escalated == 0
    assert sweep(office.desk, office.database, on(3, 17)).escalated == 1
    found = read(office, filed)
    assert (found.case.state, found.case.level) == (State.ESCALATED, 1)
    assert found.case.events[-1].text.startswith("REPLY_OVERDUE 2026-03-16 ")
    assert sweep(office.desk, office.database, on(3, 18)) == Swept()


def test_where_nobody_rules_the_breach_is_only_told(control_database: ControlDatabase) -> None:
    office = Office(control_database, policy("national-2025", levels=()))
    filed = deciding(office)
    swept = sweep(office.desk, office.database, on(3, 17))
    assert (swept.breached, swept.escalated, swept.declined) == (1, 0, {})
    assert read(office, filed).case.state is State.DECIDING


def test_a_missed_target_is_told_and_is_no_breach(control_database: ControlDatabase) -> None:
    office = Office(control_database, policy("department-sample"))
    filed = deciding(office)
    swept = sweep(office.desk, office.database, on(3, 6))
    assert (swept.missed_targets, swept.breached) == (1, 0)
    assert ("case.target_missed", None) in told(office, filed)


@pytest.mark.requirement("A8-05")
def test_a_case_expires_after_its_last_day_and_its_grant_ends(office: Office) -> None:
    filed = active(office)
    last_day = datetime(2027, 3, 9, 15, 59, tzinfo=UTC)
    assert sweep(office.desk, office.database, last_day).expired == 0
    assert sweep(office.desk, office.database, datetime(2027, 3, 9, 16, 0, tzinfo=UTC)).expired == 1
    assert read(office, filed).case.state is State.EXPIRED
    with office.database.begin() as connection:
        documents = connection.execute(select(OUTBOX.c.document).where(OUTBOX.c.document.is_not(None)))
        assert list(documents.scalars())[-1]["wanted"] == "end"
    assert sweep(office.desk, office.database, AFTER) == Swept()


def test_a_sweep_that_broke_off_is_finished_by_the_next(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [active(office) for _ in range(3)]
    carried_out, calls = office.desk.carry_out, []

    class Broken(BaseException):
        """The process ends, which no guard of a case survives."""

    def breaks(_desk: Any, *args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise Broken
        return carried_out(*args)

    monkeypatch.setattr(type(office.desk), "carry_out", breaks)
    with pytest.raises(Broken):
        sweep(office.desk, office.database, AFTER)
    monkeypatch.undo()
    assert [read(office, each).case.state for each in cases].count(State.EXPIRED) == 1
    assert sweep(office.desk, office.database, AFTER).expired == 2


def distrusted(office: Office, filed: Filed) -> None:
    with office.database.begin() as connection:
        connection.execute(CASES.update().where(CASES.c.id == id_of(filed)).values(version=99))


@pytest.mark.requirement("A8-05")
def test_a_distrusted_case_is_reported_and_every_other_expires(office: Office) -> None:
    first, *others = [active(office) for _ in range(3)]
    distrusted(office, first)
    swept = sweep(office.desk, office.database, AFTER)
    assert (list(swept.failed), swept.expired) == ([id_of(first)], 2)
    assert "case check" in swept.failed[id_of(first)]
    assert [read(office, each).case.state for each in others] == [State.EXPIRED] * 2


def test_a_distrusted_case_keeps_no_other_from_its_reminder_and_its_breach(office: Office) -> None:
    first, second = deciding(office), deciding(office)
    distrusted(office, first)
    assert sweep(office.desk, office.database, on(3, 9)).reminded == 1
    assert sweep(office.desk, office.database, on(3, 10)).breached == 1
    assert told(office, first) == []
    assert [what for what, _ in told(office, second)] == ["case.reminder", "case.breach"]


def test_a_turn_that_left_a_case_out_stands_as_failing_after_everything_else_was_done(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = active(office), active(office)
    distrusted(office, first)
    turn = CasesTurn(office.database, office.desk, lambda: AFTER)
    with pytest.raises(MendObjects, match="1 left out"):
        turn.turn()
    assert read(office, second).case.state is State.EXPIRED
    assert str(id_of(first)) in caplog.text


def test_a_fault_of_one_case_that_nobody_foresaw_is_told_by_its_kind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = active(office), active(office)
    carried_out = office.desk.carry_out

    def breaks(desk: Any, connection: Any, order: Any, case: Any, *more: Any) -> Any:
        if case == id_of(first):
            raise KeyError("a secret")
        return carried_out(connection, order, case, *more)

    monkeypatch.setattr(type(office.desk), "carry_out", breaks)
    swept = sweep(office.desk, office.database, AFTER)
    assert (swept.failed, swept.expired) == ({id_of(first): "KeyError"}, 1)
    assert read(office, second).case.state is State.EXPIRED


@pytest.mark.requirement("A6-03")
def test_a_provisional_day_is_counted_anew_when_the_notice_of_its_year_comes(office: Office) -> None:
    known = china()
    office.city.calendar = calendar_of("cn", [day for day in known.days.values() if day.year < 2026])
    # Before the National Day: by weekdays 7 October would be worked, by the notice of 2026 it is free.
    filed = office.done(office.opened(now=on(9, 28)), Action.SUBMIT, CONSUMER, on(9, 28))
    with office.database.begin() as connection:
        (line,) = due(connection)
    assert (line.due_on, line.due_provisional) == (date(2026, 10, 7), True)
    assert sweep(office.desk, office.database, on(9, 28)) == Swept()
    office.city.calendar = known
    assert sweep(office.desk, office.database, on(9, 29)).recounted == 1
    with office.database.begin() as connection:
        (line,) = due(connection)
        assert (line.due_on, line.due_provisional) == (date(2026, 10, 10), False)
        assert list(differences(connection, known)) == []
    assert ("case.recounted", None) in told(office, filed)
    assert sweep(office.desk, office.database, on(9, 29)) == Swept()
