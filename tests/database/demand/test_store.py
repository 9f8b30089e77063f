"""Needs in a real database: what is read is what happened; one draft answers all that are alike."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.control.cases.words import Actor, Role
from services.control.demand.life import Refused
from services.control.demand.merging import demand_list, merged
from services.control.demand.need import Given
from services.control.demand.words import Action, DeclineReason, State
from services.control.store.accounts.departments import add_department
from services.control.store.catalogue.dossiers import EntryId, by_id
from services.control.store.database import ControlDatabase
from services.control.store.demand import work
from services.control.store.demand.reading import Filed, Wish, keys, listed, load, of_numbers, stated
from services.control.store.demand.tables import EVENTS
from services.control.store.errors import ReadAgain
from services.control.store.ids import new_id
from services.control.store.outbox import acts_on
from tests.support.needs import ASSIGNEE, BUREAU, CONSUMER, IN_STATE, LATER, NOW, given, opening
from tests.support.stored_catalogue import brought, numbered, opened
from tests.support.web import CONSOLE, DEPARTMENTS


@pytest.fixture
def database(control_database: ControlDatabase) -> ControlDatabase:
    """With the departments of the sample city."""
    with control_database.begin() as connection:
        for department in DEPARTMENTS:
            add_department(connection, department, CONSOLE)
    return control_database


def made_at(now: datetime) -> Callable[[], UUID]:
    return lambda: new_id(now)


def stating(database: ControlDatabase, **changes: object) -> Filed:
    """A need that was just stated."""
    with database.begin() as connection:
        done = work.state(connection, opening(**{"id": new_id(NOW), **changes}), made_at(NOW))
    assert isinstance(done, Filed), done
    return done


def acting(
    database: ControlDatabase,
    number: int,
    action: Action,
    who: Actor,
    said: Given | None = None,
    seen: int = -1,
) -> Filed | Refused:
    """What came of an action; on the version that is there unless another one was seen."""
    with database.begin() as connection:
        filed = load(connection, number, lock=True)
        assert filed is not None
        version = filed.version if seen < 0 else seen
        if action is Action.DRAFT:
            return work.draft(connection, filed, version, who, LATER, made_at(LATER))
        return work.act(connection, filed, version, action, who, LATER, said or given(action), made_at(LATER))


def test_what_is_read_is_what_happened(database: ControlDatabase) -> None:
    for state, make in IN_STATE.items():
        if state in (State.DRAFTED, State.KNOWN):
            continue  # Their entries are made below.
        wanted = make()
        filed = stating(database)
        for event in wanted.events:
            assert isinstance(acting(database, filed.number, event.action, event.who, event.given), Filed)
        with database.reading() as connection:
            found = load(connection, filed.number)
        assert found is not None
        assert (found.need.state, found.need.assigned_to) == (wanted.state, wanted.assigned_to)
        assert [each.given for each in found.need.events] == [each.given for each in wanted.events]


@pytest.mark.requirement("A6-07")
def test_what_was_assigned_leads_to_a_draft_that_answers_every_need_for_the_same_data(
    database: ControlDatabase,
) -> None:
    first = stating(database)
    second = stating(database, who=Actor("li", Role.CONSUMER, "tax"), subject="救助（流浪）", items=("地点",))
    other = stating(database, subject="别的信息")
    for each in (first, second, other):
        name = "" if each is other else "流浪人员救助信息"
        said = Given(department="police", subject=name)
        assert isinstance(acting(database, each.number, Action.ASSIGN, BUREAU, said), Filed)
    done = acting(database, second.number, Action.DRAFT, ASSIGNEE)
    assert isinstance(done, Filed), done
    assert done.need.entry is not None
    with database.reading() as connection:
        states = {line.number: (line.state, line.entry) for line in stated(connection)}
        entry = by_id(connection, EntryId(done.need.entry))
    assert states == {
        first.number: (State.DRAFTED, str(done.need.entry)),
        second.number: (State.DRAFTED, str(done.need.entry)),
        other.number: (State.ASSIGNED, None),
    }
    assert entry is not None
    version = entry.dossier.versions[-1]
    assert version.state.value == "draft"
    assert version.entry.name == "流浪人员救助信息"
    assert version.entry.provider.credit_code == DEPARTMENTS[0].credit_code
    assert [item.name for item in version.entry.items] == ["姓名", "救助日期", "地点"]


@pytest.mark.requirement("A2-09")
def test_a_need_for_what_is_published_is_counted_with_its_entry(database: ControlDatabase) -> None:
    with database.begin() as connection:
        brought(connection, opened(connection, numbered(2)))
    code = numbered(2).code
    with database.begin() as connection:
        refused = work.state(connection, opening(subject=numbered(2).name), made_at(NOW))
    assert isinstance(refused, Refused)
    assert [each.code for each in refused.problems] == ["IN_CATALOGUE"]
    filed = stating(database, subject="居住证信息", code=code)
    assert filed.need.state is State.KNOWN
    pointed = stating(database, who=Actor("li", Role.CONSUMER, "tax"), subject="居住信息")
    assert isinstance(acting(database, pointed.number, Action.POINT, BUREAU, Given(code=code)), Filed)
    with database.reading() as connection:
        (merged,) = demand_list(stated(connection))
    assert (merged.code, merged.published, merged.departments) == (str(code), True, ("health", "tax"))


def test_pages_of_the_demand_list_read_a_few_needs_and_come_to_the_whole_list(
    database: ControlDatabase,
) -> None:
    one, _, other = (stating(database, subject=name) for name in ("救助信息", " 救助信息", "流浪人员"))
    stating(database, subject="婚姻登记", who=replace(CONSUMER, department="tax"))
    stating(database, subject="婚姻登记")
    for number in (one.number, other.number):
        acting(database, number, Action.ASSIGN, BUREAU, Given(department="police", subject="救助信息"))
    acting(database, other.number, Action.DRAFT, ASSIGNEE)
    gone = stating(database, subject="不再需要")
    acting(database, gone.number, Action.WITHDRAW, CONSUMER)
    with database.reading() as connection:
        whole = demand_list(stated(connection))
        groups = merged(keys(connection))
        pages = [
            each
            for group in groups
            for each in demand_list(of_numbers(connection, [need.number for need in group]))
        ]
    assert [each.subject for each in whole] == ["婚姻登记", "救助信息"]
    assert tuple(pages) == whole


def test_what_there_is_not_is_not_named(database: ControlDatabase) -> None:
    filed = stating(database)
    with database.begin() as connection:
        draft = opened(connection, numbered(3))
    assert draft.dossier.published is None
    for said, action, code in (
        (Given(department="nobody"), Action.ASSIGN, "UNKNOWN_DEPARTMENT"),
        (Given(code=numbered(3).code), Action.POINT, "RESOURCE_UNKNOWN"),
    ):
        refused = acting(database, filed.number, action, BUREAU, said)
        assert isinstance(refused, Refused)
        assert [each.code for each in refused.problems] == [code]
    with database.begin() as connection:
        done = work.state(connection, opening(code=numbered(3).code), made_at(NOW))
    assert isinstance(done, Refused)


@pytest.mark.requirement("A6-07")
def test_why_not_is_kept_and_listed_and_each_step_is_owed_to_the_ledger(database: ControlDatabase) -> None:
    filed = stating(database)
    assert isinstance(acting(database, filed.number, Action.DECLINE, BUREAU), Filed)
    with database.reading() as connection:
        (line,) = listed(connection, Wish(state=State.DECLINED, department="health"))
        acts = acts_on(connection, "need", str(filed.need.opening.id))
        assert listed(connection, Wish(assigned_to="police")) == []
    assert (line.reason, line.answer) == (DeclineReason.NOBODY_HOLDS_IT, "经核查无部门掌握")
    assert [(act.what, act.facts.get("after")) for act in acts] == [
        ("demand.state", None),
        ("demand.decline", "declined"),
    ]


def test_who_saw_an_older_version_decides_nothing(database: ControlDatabase) -> None:
    filed = stating(database)
    assert isinstance(acting(database, filed.number, Action.ASSIGN, BUREAU), Filed)
    with pytest.raises(ReadAgain):
        acting(database, filed.number, Action.WITHDRAW, CONSUMER, seen=0)
    with pytest.raises(ReadAgain):
        acting(database, filed.number, Action.DRAFT, ASSIGNEE, seen=0)


def test_pages_of_a_list_go_on_below_the_last_number(database: ControlDatabase) -> None:
    numbers = [stating(database, subject=f"信息{number}").number for number in range(3)]
    with database.reading() as connection:
        first = listed(connection, limit=2)
        rest = listed(connection, before=first[-1].number, limit=2)
    assert [each.number for each in (*first, *rest)] == sorted(numbers, reverse=True)


@pytest.mark.parametrize("change", ["UPDATE need_events SET text = 'x'", "DELETE FROM need_events"])
def test_what_happened_is_never_changed(database: ControlDatabase, change: str) -> None:
    filed = stating(database)
    assert isinstance(acting(database, filed.number, Action.WITHDRAW, CONSUMER), Filed)
    with pytest.raises(DBAPIError, match="never changed"), database.begin() as connection:
        connection.execute(text(change))
    with database.reading() as connection:
        assert connection.execute(EVENTS.select()).one().number == 1
