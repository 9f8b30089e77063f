"""A version's end on a real database: told, postponed, given up, carried out once whoever dies in between."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from services.cli.demo_offices import departments_of
from services.control.accounts.people import Person
from services.control.accounts.roles import Role
from services.control.cases.case import Given
from services.control.cases.words import Action, Actor, State, StopReason
from services.control.cases.words import Role as CaseRole
from services.control.clocks.calendar import CalendarDay, DayKind, with_year
from services.control.desk.catalogued import PublishedEntries
from services.control.desk.desk import Desk
from services.control.desk.orders import Declined, Done, NotOpened, Order
from services.control.desk.retiring import Retiring
from services.control.docket.filed import Filed
from services.control.docket.requests import Wanted
from services.control.notices.words import Kind
from services.control.process.retirements import RetirementsTurn
from services.control.retirements.plan import By, Retirement, Wish
from services.control.retirements.words import Refusal
from services.control.retirements.words import State as Ending
from services.control.store.accounts import departments, persons, roles
from services.control.store.accounts.acts import Order as AccountOrder
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.cases.reading import load
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.notices import inbox
from services.control.store.outbox import Channel, acts_on, pending
from services.control.store.retirements.reading import by_id, listed
from tests.support.desk import Office, id_of, order
from tests.support.policy import sample_definitions
from tests.support.retiring import FIRST, NEW, OLD, days_before, morning, publish_entry, two_versions
from tests.support.sharing_cases import AUTHORITY, BUREAU, CONSUMER, DECIDER, NOW, application
from topics.event import ConsumerId, GrantId, ResourceId

CONSOLE = AccountOrder("console:test", NOW)
WANG = By("wang", "provider", "police", NOW)


@dataclass
class Town:
    """A desk over two versions of persons, and the loop that looks after their ends."""

    database: ControlDatabase
    now: datetime = NOW
    office: Office = field(init=False)

    def __post_init__(self) -> None:
        self.office = Office(self.database)
        self.office.desk = Desk(PublishedEntries(two_versions()), self.office.city, GrantOutbox())
        with self.database.begin() as connection:
            publish_entry(connection)
            for department in departments_of(sample_definitions()):
                departments.add_department(connection, department, CONSOLE)
            for login, role in (("li", Role.AUTHORITY), ("zhao", Role.OPERATOR)):
                person = Person(
                    new_id(NOW), login, login, AUTHORITY if login == "li" else "market_regulation"
                )
                persons.add_person(connection, person, CONSOLE)
                roles.give_role(connection, person.id, role, CONSOLE)

    @property
    def retiring(self) -> Retiring:
        return Retiring(self.office.desk.entries, self.office.desk.calendars)

    def turn(self, now: datetime) -> bool:
        return RetirementsTurn(self.database, self.office.desk, lambda: now).turn()

    def case(self, state: State = State.ACTIVE, consumer: str = "health", version: ResourceId = OLD) -> Filed:
        """A case of a consumer that has come to a state."""
        applicant = Actor(f"of-{consumer}", CaseRole.CONSUMER, consumer)
        wanted = replace(application(), applicant=ConsumerId(consumer), resource=version)
        filed = self.office.done(self.office.opened(wanted, actor=applicant), Action.SUBMIT, applicant)
        if state is State.DECIDING:
            return filed
        filed = self.office.done(filed, Action.APPROVE, DECIDER)
        if state is State.PROVISIONING:
            return filed
        filed = self.office.provisioned(filed, filed.version)
        if state is State.SUSPENDED:
            filed = self.office.done(filed, Action.SUSPEND, BUREAU, stop_reason=StopReason.RISK)
        assert filed.case.state is state
        return filed

    def announced(self, day: date = FIRST, **changes: Any) -> Retirement:
        wish = replace(Wish(OLD, NEW, date(2026, 3, 2), day, "住址拆分"), **changes)
        with self.database.begin() as connection:
            done = self.retiring.plan(connection, wish, "police", 30, WANG)
        assert isinstance(done, Retirement), done
        return done

    def read(self, filed: Filed) -> Filed:
        with self.database.reading() as connection:
            found = load(connection, id_of(filed))
        assert found is not None
        return found

    def states(self, *cases: Filed) -> list[State]:
        return [self.read(each).case.state for each in cases]

    def plan(self, id_: UUID) -> Retirement:
        with self.database.reading() as connection:
            found = by_id(connection, id_)
        assert found is not None
        return found

    def told(self, department: str) -> list[Kind]:
        """What a department was told of resources, oldest first."""
        with self.database.begin() as connection:
            page = inbox.page(connection, department, "somebody", limit=100)
        kinds = [each.happened.kind for each in reversed(page)]
        return [kind for kind in kinds if kind.value.startswith("resource.")]

    def acts(self) -> list[str]:
        with self.database.begin() as connection:
            return [act.what for act in acts_on(connection, "resource", OLD)]

    def ends_owed(self) -> list[GrantId]:
        """The grants whose end is owed to the bus."""
        with self.database.begin() as connection:
            entries = pending(connection, Channel.POLICY, 1000)
            documents = [each.document for each in entries if each.document is not None]
        return [each["id"] for each in documents if each.get("wanted") == Wanted.END.value]


@pytest.fixture
def town(control_database: ControlDatabase) -> Town:
    return Town(control_database)


def test_an_end_is_told_at_once_to_each_consumer_that_has_the_version_and_to_the_offices(town: Town) -> None:
    town.case(State.ACTIVE, "health")
    town.case(State.SUSPENDED, "education")
    town.case(State.DECIDING, "archives")
    town.case(State.ACTIVE, "tax", NEW)
    done = town.announced()
    for department in ("health", "education", "police", AUTHORITY, "market_regulation"):
        assert town.told(department) == [Kind.VERSION_ANNOUNCED], department
    for department in ("archives", "tax"):
        assert town.told(department) == [], department
    assert town.acts() == ["catalogue.retire"]
    assert town.plan(done.id) == done


def test_what_is_against_it_changes_nothing(town: Town) -> None:
    town.case()
    wish = Wish(OLD, ResourceId("population.person.v3"), date(2026, 3, 2), date(2026, 3, 9), "")
    with town.database.begin() as connection:
        found = town.retiring.plan(connection, wish, "police", 30, WANG)
    assert isinstance(found, tuple)
    assert [each.code for each in found] == [
        Refusal.SUCCESSOR_UNKNOWN,
        Refusal.PARALLEL_TOO_SHORT,
        Refusal.WHY_MISSING,
    ]
    with town.database.reading() as connection:
        assert listed(connection) == []
    assert town.told("health") == town.acts() == []


def test_of_two_who_announce_at_once_one_does(town: Town) -> None:
    town.case()
    met, found = threading.Barrier(2, timeout=20), []

    def announce() -> None:
        with town.database.begin() as connection:
            met.wait()
            wish = Wish(OLD, NEW, date(2026, 3, 2), FIRST, "住址拆分")
            found.append(town.retiring.plan(connection, wish, "police", 30, WANG))

    threads = [threading.Thread(target=announce) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (done,) = [each for each in found if isinstance(each, Retirement)]
    (refused,) = [each for each in found if isinstance(each, tuple)]
    assert [each.code for each in refused] == [Refusal.ALREADY_ENDING]
    with town.database.reading() as connection:
        assert listed(connection) == [done]
    assert town.told("health") == [Kind.VERSION_ANNOUNCED]


def test_reminders_come_thirty_seven_and_one_days_before_once_each(town: Town) -> None:
    town.case()
    town.announced()
    for days in (40, 31, 30, 30, 8, 7, 6, 1, 1):
        town.turn(days_before(FIRST, days))
    assert town.told("health") == [Kind.VERSION_ANNOUNCED, *[Kind.VERSION_RETIRES] * 3]
    assert town.turn(days_before(FIRST, 1)) is False


def test_a_consumer_whose_grant_begins_after_the_announcement_is_told_then(town: Town) -> None:
    town.announced()
    assert town.turn(NOW) is False
    town.case(State.ACTIVE, "education")
    assert town.turn(NOW + timedelta(days=1)) is True
    assert town.turn(NOW + timedelta(days=1)) is False
    assert town.told("education") == [Kind.VERSION_ANNOUNCED]
    assert town.told("police") == [Kind.VERSION_ANNOUNCED]


def test_on_the_day_every_case_of_the_version_ends_and_the_bus_is_owed_it(town: Town) -> None:
    old = [
        town.case(State.ACTIVE, "health"),
        town.case(State.SUSPENDED, "education"),
        town.case(State.PROVISIONING, "archives"),
    ]
    newer, undecided = town.case(State.ACTIVE, "health", NEW), town.case(State.DECIDING, "tax")
    done = town.announced()
    town.turn(days_before(FIRST, 1))
    assert town.states(*old) == [State.ACTIVE, State.SUSPENDED, State.PROVISIONING]
    assert town.ends_owed() == []
    assert town.turn(morning(FIRST)) is True
    assert town.states(*old) == [State.TERMINATED] * 3
    assert town.states(newer, undecided) == [State.ACTIVE, State.DECIDING]
    event = town.read(old[0]).case.events[-1]
    assert (event.stop_reason, event.who.role) == (StopReason.RESOURCE_ENDED, CaseRole.SYSTEM)
    assert event.text == f"VERSION_RETIRED {FIRST} {NEW}"
    assert sorted(town.ends_owed()) == sorted(each.case.opening.grant for each in old)
    assert town.plan(done.id).state is Ending.RETIRED
    assert town.acts() == ["catalogue.retire", "catalogue.retired"]
    assert town.told("health")[-1] is Kind.VERSION_RETIRED
    assert town.turn(morning(FIRST)) is False


def test_of_a_retired_version_nothing_is_applied_for_nor_approved(town: Town) -> None:
    undecided = town.case(State.DECIDING)
    town.announced()
    town.turn(morning(FIRST))
    answer = town.office.act(undecided, Action.APPROVE, DECIDER, morning(FIRST))
    assert isinstance(answer, Declined)
    assert [each.code for each in answer.problems] == ["RESOURCE_UNKNOWN"]
    with town.database.begin() as connection:
        opened = town.office.desk.open(connection, order(CONSUMER), new_id(NOW), application())
        assert isinstance(opened, NotOpened)
        wanted = replace(application(), resource=NEW)
        assert isinstance(town.office.desk.open(connection, order(CONSUMER), new_id(NOW), wanted), Done)


class _Dies(Exception):  # noqa: N818 - stands for a kill
    """The process is gone."""


@dataclass(frozen=True)
class _DyingDesk(Desk):
    """A desk whose process dies when it ends the n-th case."""

    before: Callable[[], bool] = lambda: False

    def carry_out(
        self,
        connection: Connection,
        order: Order,
        case: UUID,
        action: Action,
        given: Given,
        round_: int | None = None,
    ) -> Any:
        answer = Desk.carry_out(self, connection, order, case, action, given, round_)
        if self.before():
            raise _Dies
        return answer


@pytest.mark.parametrize("survives", range(3))
def test_a_process_that_dies_on_the_day_loses_nothing_and_doubles_nothing(town: Town, survives: int) -> None:
    cases = [town.case(State.ACTIVE, consumer) for consumer in ("health", "education", "archives")]
    done = town.announced()
    ended = iter(range(100))
    desk = _DyingDesk(
        town.office.desk.entries,
        town.office.desk.calendars,
        GrantOutbox(),
        before=lambda: next(ended) == survives,
    )
    with pytest.raises(_Dies):
        RetirementsTurn(town.database, desk, lambda: morning(FIRST)).turn()
    assert town.states(*cases).count(State.TERMINATED) == survives
    assert town.plan(done.id).state is Ending.PLANNED
    assert town.turn(morning(FIRST)) is True
    assert town.states(*cases) == [State.TERMINATED] * 3
    assert len(town.ends_owed()) == 3
    assert town.plan(done.id).state is Ending.RETIRED
    for consumer in ("health", "education", "archives"):
        assert town.told(consumer) == [Kind.VERSION_ANNOUNCED, Kind.VERSION_RETIRED]
        terminated = [each.action for each in town.read(cases[0]).case.events].count(Action.TERMINATE)
        assert terminated == 1


def test_a_case_that_comes_back_after_the_day_is_ended_all_the_same(town: Town) -> None:
    """As an approval does that was under way when the last of the others ended."""
    late = town.case(State.DECIDING)
    town.announced()
    town.turn(morning(FIRST))
    with town.database.begin() as connection:
        connection.execute(text("UPDATE retirements SET state = 'planned'"))
    late = town.office.done(late, Action.APPROVE, DECIDER, morning(FIRST))
    with town.database.begin() as connection:
        connection.execute(text("UPDATE retirements SET state = 'retired'"))
    assert late.case.state is State.PROVISIONING
    assert town.turn(morning(FIRST)) is True
    assert town.states(late) == [State.TERMINATED]


def test_one_distrusted_case_holds_up_no_other_and_keeps_its_version_from_being_over(town: Town) -> None:
    bad, good = town.case(State.ACTIVE, "health"), town.case(State.ACTIVE, "education")
    done = town.announced()
    with town.database.begin() as connection:
        wrong = {"id": id_of(bad)}
        connection.execute(text("UPDATE cases SET version = version + 1 WHERE id = :id"), wrong)
    town.turn(morning(FIRST))
    assert town.states(good) == [State.TERMINATED]
    assert town.plan(done.id).state is Ending.PLANNED
    with town.database.begin() as connection:
        connection.execute(text("UPDATE cases SET version = version - 1 WHERE id = :id"), wrong)
    assert town.turn(morning(FIRST)) is True
    assert town.states(bad) == [State.TERMINATED]
    assert town.plan(done.id).state is Ending.RETIRED


def test_a_postponed_end_is_told_anew_and_comes_on_its_new_day_only(town: Town) -> None:
    case = town.case()
    done = town.announced()
    later = FIRST + timedelta(days=14)
    with town.database.begin() as connection:
        moved = town.retiring.postpone(connection, town.plan(done.id), later, "迁移未完成", WANG)
    assert isinstance(moved, Retirement)
    assert (moved.retires_on, moved.version) == (later, 2)
    town.turn(morning(FIRST))
    assert town.states(case) == [State.ACTIVE]
    town.turn(morning(later))
    assert town.states(case) == [State.TERMINATED]
    assert town.told("health") == [
        Kind.VERSION_ANNOUNCED,
        Kind.VERSION_POSTPONED,
        Kind.VERSION_RETIRES,
        Kind.VERSION_RETIRED,
    ]
    assert town.acts() == ["catalogue.retire", "catalogue.postpone", "catalogue.retired"]


def test_an_end_that_is_given_up_ends_nothing_and_may_be_announced_anew(town: Town) -> None:
    case = town.case()
    done = town.announced()
    with town.database.begin() as connection:
        town.retiring.cancel(connection, town.plan(done.id), "不再变更", WANG)
    town.turn(morning(FIRST))
    assert town.states(case) == [State.ACTIVE]
    assert town.told("health") == [Kind.VERSION_ANNOUNCED, Kind.VERSION_KEPT]
    again = town.announced()
    assert again.id != done.id
    assert town.told("health")[-1] is Kind.VERSION_ANNOUNCED


def test_holidays_that_are_announced_later_move_a_day_that_they_made_too_early(town: Town) -> None:
    """Half a year of 2027 was counted by weekdays; then a fortnight of it turns out to be free."""
    case = town.case()
    begin, first = date(2027, 2, 1), date(2027, 3, 16)
    done = town.announced(first, parallel_from=begin)
    town.turn(NOW)
    assert town.plan(done.id).retires_on == first
    free = [date(2027, 2, 8) + timedelta(days=each) for each in range(12)]
    days = [CalendarDay(day, DayKind.HOLIDAY, "春节", 2027) for day in free]
    town.office.city.calendar = with_year(town.office.city.calendar, 2027, days)
    assert town.turn(NOW + timedelta(days=1)) is True
    moved = town.plan(done.id)
    assert (moved.retires_on, moved.why) == (first + timedelta(days=14), "CALENDAR_CHANGED")
    assert town.told("health") == [Kind.VERSION_ANNOUNCED, Kind.VERSION_POSTPONED]
    assert town.states(case) == [State.ACTIVE]
