"""Each step of an entry is told to who has to act next and who has asked, and the time of each review too."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.control.accounts.roles import Role
from services.control.catalogue.lifecycle import Action
from services.control.clocks.calendar_file import china
from services.control.notices.event import Happened
from services.control.notices.text import text_of
from services.control.notices.words import Kind, Language, Slot
from services.control.process.cases import CasesTurn
from services.control.store.cases.policies import adopt
from services.control.store.catalogue.dossiers import EntryId, by_id
from services.control.store.catalogue.steps import Asked, edit_entry, open_entry, take_step
from services.control.store.catalogue.telling import tell_reviews
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.notices import inbox
from tests.support.desk import policy
from tests.support.stored_catalogue import CLERK, REVIEWER, RULES, brought, done, numbered, opened
from tests.support.web import NOW, Web, statement

CITY = policy("national-2025", "jiyuan-2022")
"""Five working days to review an entry, and five to bring one that law or function changed."""
POLICE, AUTHORITY = "police", "data_bureau"


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    """Departments, somebody in the authority's office, and the packs of the city."""
    found = Web(control_database)
    found.hire(Role.AUTHORITY, department=AUTHORITY)
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
    return found


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 1, 0, tzinfo=UTC)


def told(web: Web, department: str) -> list[Kind]:
    with web.parts.database.reading() as connection:
        page = inbox.page(connection, department, "somebody", limit=100)
    return [each.happened.kind for each in reversed(page)]


@pytest.mark.requirement("A2-03")
def test_each_step_to_publication_is_told_to_who_acts_next_and_who_has_asked(web: Web) -> None:
    steps = [
        (Action.SUBMIT, CLERK, Kind.ENTRY_SUBMITTED),
        (Action.REFUSE_REGISTRATION, REVIEWER, Kind.ENTRY_REGISTRATION_REFUSED),
        (Action.SUBMIT, CLERK, Kind.ENTRY_SUBMITTED),
        (Action.REGISTER, REVIEWER, Kind.ENTRY_REGISTERED),
        (Action.REQUEST_PUBLICATION, CLERK, Kind.ENTRY_PUBLICATION_REQUESTED),
        (Action.REFUSE_PUBLICATION, REVIEWER, Kind.ENTRY_PUBLICATION_REFUSED),
        (Action.SUBMIT, CLERK, Kind.ENTRY_SUBMITTED),
        (Action.REGISTER, REVIEWER, Kind.ENTRY_REGISTERED),
        (Action.REQUEST_PUBLICATION, CLERK, Kind.ENTRY_PUBLICATION_REQUESTED),
        (Action.PUBLISH, REVIEWER, Kind.ENTRY_PUBLISHED),
    ]
    with web.parts.database.begin() as connection:
        stored = opened(connection, numbered(1))
        for action, who, _ in steps:
            stored = done(take_step(connection, stored, action, Asked(who, NOW, "理由"), RULES))
    wanted = [kind for _, _, kind in steps]
    assert told(web, AUTHORITY) == told(web, POLICE) == wanted
    assert told(web, "tax") == []


def test_a_refused_step_tells_nobody(web: Web) -> None:
    with web.parts.database.begin() as connection:
        take_step(connection, opened(connection, numbered(1)), Action.SUBMIT, Asked(REVIEWER, NOW), RULES)
    assert told(web, AUTHORITY) == []


@pytest.mark.requirement("A2-09")
def test_who_stated_a_need_is_told_that_the_entry_begun_for_it_is_published(web: Web) -> None:
    consumer, any_version = web.at(Role.CONSUMER, department="health"), {"if-match": "*"}
    number = consumer.post("/demand/needs", statement()).json()["number"]
    path = f"/demand/needs/{number}/actions"
    assign = {"action": "assign", "department": POLICE}
    assert web.at(Role.AUTHORITY, department=AUTHORITY).post(path, assign, headers=any_version).is_success
    drafted = web.at(Role.PROVIDER).post(path, {"action": "draft"}, headers=any_version).json()
    with web.parts.database.begin() as connection:
        stored = by_id(connection, EntryId(UUID(drafted["entry"])))
        assert stored is not None
        brought(connection, done(edit_entry(connection, stored, numbered(1), Asked(CLERK, NOW))))
    assert told(web, "health")[-1] is Kind.ENTRY_PUBLISHED
    assert [kind for kind in told(web, "health") if kind.startswith("entry.")] == [Kind.ENTRY_PUBLISHED]


@pytest.mark.requirement("A2-06")
def test_the_authority_is_reminded_of_a_review_and_all_are_told_when_it_is_late(web: Web) -> None:
    with web.parts.database.begin() as connection:
        stored = done(open_entry(connection, new_id(NOW), numbered(1), Asked(CLERK, NOW)))
        done(take_step(connection, stored, Action.SUBMIT, Asked(CLERK, NOW), RULES))
    days: dict[int, list[int]] = {3: [], 5: [50], 6: [50, 80], 9: [50, 80, 100], 10: [50, 80, 100, 100]}
    for day, percents in days.items():
        assert tell(web, on(3, day)) == (day > 3)
        assert not tell(web, on(3, day))
        assert percents == [each.facts[Slot.PERCENT] for each in clocks(web, AUTHORITY)]
    kinds = [each.kind for each in clocks(web, AUTHORITY)]
    assert kinds == [Kind.CLOCK_REMINDER, Kind.CLOCK_REMINDER, Kind.CLOCK_LAST_DAY, Kind.CLOCK_OVERDUE]
    assert [each.kind for each in clocks(web, POLICE)] == [Kind.CLOCK_OVERDUE]
    (late,) = clocks(web, POLICE)
    text = text_of(late, Language.EN, "https://portal")
    assert text.link == f"https://portal/catalogue/entries/{stored.id}"
    assert "review an update of the catalogue" in text.subject


@pytest.mark.requirement("A2-05")
def test_the_department_is_reminded_to_bring_what_a_change_of_law_demands(web: Web) -> None:
    with web.parts.database.begin() as connection:
        published = brought(connection, opened(connection, numbered(1)))
        asked = Asked(CLERK, on(12, 3), "法律修订", date(2026, 11, 30))
        revised = done(take_step(connection, published, Action.REVISE, asked, RULES))
    assert tell(web, on(12, 7))
    assert [each.kind for each in clocks(web, POLICE)] == [Kind.CLOCK_LAST_DAY]
    with web.parts.database.begin() as connection:
        done(take_step(connection, revised, Action.SUBMIT, Asked(CLERK, on(12, 7)), RULES))
    assert not tell(web, on(12, 8))


def test_the_loop_tells_the_time_of_reviews_once_a_day(web: Web) -> None:
    with web.parts.database.begin() as connection:
        stored = done(open_entry(connection, new_id(NOW), numbered(1), Asked(CLERK, NOW)))
        done(take_step(connection, stored, Action.SUBMIT, Asked(CLERK, NOW), RULES))
    turn = CasesTurn(web.parts.database, web.parts.desk, lambda: on(3, 10))
    assert turn.turn()
    assert not turn.turn()
    assert [each.kind for each in clocks(web, AUTHORITY)] == [Kind.CLOCK_OVERDUE]


def tell(web: Web, now: datetime) -> bool:
    with web.parts.database.begin() as connection:
        return tell_reviews(connection, china(), now, lambda: new_id(now))


def clocks(web: Web, department: str) -> list[Happened]:
    with web.parts.database.reading() as connection:
        page = inbox.page(connection, department, "somebody", limit=100)
    found = [each.happened for each in reversed(page)]
    return [each for each in found if each.kind.startswith("clock.")]
