"""What the packs say of grades, at the desk, over HTTP and on the page: checked first, masked or reasoned."""

from typing import Any, Final

import pytest

from services.control.accounts.roles import Role
from services.control.cases.words import Action, State
from services.control.catalogue.vocabulary import Grade
from services.control.desk.orders import Answer, Declined, KeyReused
from services.control.docket.bound import CHECKED_FROM, MASKED_FROM, Bound
from services.control.store.cases.checking import differences
from services.control.store.cases.policies import adopt
from services.control.store.cases.reading import load
from services.control.store.database import ControlDatabase
from tests.database.api.test_cases import act, submitted
from tests.support.desk import COUNTY, Office, id_of, saying
from tests.support.portal import Portal
from tests.support.sharing_cases import BUREAU, CONSUMER, DECIDER, NOW, application
from tests.support.web import Web
from topics.resource import ShareType

GRADES: Final = {"id_number": Grade.CORE, "name": Grade.IMPORTANT}
MASKED: Final = saying(COUNTY, MASKED_FROM, "important")
BOTH: Final = saying(MASKED, CHECKED_FROM, "core")
WHY: Final = "签约服务须核对本人姓名"
WHOLE: Final = (("id_number", WHY), ("name", WHY))


def office_of(database: ControlDatabase, policy: Bound) -> Office:
    office = Office(database, policy)
    office.city.grades = dict(GRADES)
    return office


def problems(answer: Answer) -> list[tuple[str, str]]:
    assert isinstance(answer, Declined), answer
    return [(each.code, each.field) for each in answer.problems]


@pytest.mark.requirement("A3-11")
def test_what_the_grades_ask_for_is_checked_told_decided_and_granted(
    control_database: ControlDatabase,
) -> None:
    office = office_of(control_database, BOTH)
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    assert filed.case.state is State.PRECHECK
    office.done(filed, Action.ACCEPT, BUREAU)
    assert problems(office.act(filed, Action.APPROVE, DECIDER)) == [
        ("GRADE_UNMASKED", "masks.id_number"),
        ("GRADE_UNMASKED", "masks.name"),
    ]
    given = office.done(filed, Action.APPROVE, DECIDER, whole=WHOLE)
    assert given.case.state is State.PROVISIONING
    with office.database.begin() as connection:
        kept = load(connection, id_of(filed))
        assert list(differences(connection, office.city.calendar)) == []
    assert kept is not None
    assert kept.case.approval is not None
    assert (kept.case.approval.whole, kept.case.approval.masks) == (WHOLE, ())


@pytest.mark.requirement("A3-11", "A6-02")
def test_a_free_entry_waits_for_a_decision_where_a_grade_asks_for_a_mask(
    control_database: ControlDatabase,
) -> None:
    office = office_of(control_database, MASKED)
    office.city.changes = {"share_type": ShareType.UNCONDITIONAL}
    waits = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    assert waits.case.state is State.DECIDING
    lower = office.opened(application(items=("household_district",)))
    assert office.done(lower, Action.SUBMIT, CONSUMER).case.state is State.PROVISIONING


def test_one_key_stands_for_one_reason(control_database: ControlDatabase) -> None:
    office = office_of(control_database, MASKED)
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    first = office.done(filed, Action.APPROVE, DECIDER, key="k", whole=WHOLE)
    assert office.done(filed, Action.APPROVE, DECIDER, key="k", whole=WHOLE).version == first.version
    other = office.act(filed, Action.APPROVE, DECIDER, key="k", whole=(("name", "another"),))
    assert isinstance(other, KeyReused)


def adopted(web: Web) -> None:
    with web.parts.database.begin() as connection:
        adopt(connection, MASKED, "operator:test", NOW, "for a test")
    web.city.grades = dict(GRADES)


@pytest.mark.requirement("A3-11")
def test_the_api_says_what_each_grade_asks_for_and_every_gap_of_a_decision(
    control_database: ControlDatabase,
) -> None:
    web = Web(control_database)
    adopted(web)
    number, provider = submitted(web.at(Role.CONSUMER, department="health")), web.at(Role.PROVIDER)
    graded = provider.get(f"/cases/{number}/context").json()["graded"]
    assert [(each["name"], each["grade"], each["masked_only"]) for each in graded] == [
        ("id_number", "core", True),
        ("name", "important", True),
        ("birth_date", "general", False),
        ("household_district", "general", False),
    ]
    part: dict[str, Any] = {
        "items": ["id_number", "name"],
        "start": "2026-03-10",
        "end": "2027-03-09",
        "rows": [{"item": "household_district", "values": ["320508", "320505"]}],
    }
    wanted: dict[str, Any] = {"action": "approve_in_part", "approval": part, "text": "姓名即可"}
    refused = act(provider, number, **wanted)
    assert [each["field"] for each in refused.json()["problems"]] == ["masks.id_number", "masks.name"]
    assert "脱敏" in refused.text
    part["masks"] = {"id_number": {"kind": "hash"}}
    done = act(provider, number, **wanted, whole={"name": WHY})
    assert done.status_code == 200, done.text
    shown = provider.get(f"/cases/{number}").json()
    assert shown["approval"]["whole"] == [["name", WHY]]


@pytest.mark.requirement("A3-11")
def test_the_page_of_a_decision_names_article_grades_and_gaps_at_their_fields(
    control_database: ControlDatabase,
) -> None:
    portal = Portal(control_database)
    adopted(portal)
    number = submitted(portal.at(Role.CONSUMER, department="health"))
    provider = portal.reader(Role.PROVIDER, department="police")
    page = provider.open(f"/cases/{number}")
    assert page.faults == []
    for words in ("from which grade on an item goes out masked only", "第八条", "masked only"):
        assert words in page.text
    path = f"{page.path}/actions/approve"
    refused = provider.sent(page, path)
    assert (refused.status, refused.faults) == (422, [])
    assert "say under whole.name why the stated duty needs its whole value" in refused.text
    assert 'aria-describedby="approve-whole-name-hint approve-whole-name-problem"' in refused.answer.text
    done = provider.sent(refused, path, **{"whole.id_number": WHY, "whole.name": WHY})
    assert (done.status, done.faults) == (200, [])
    assert WHY in done.text


def test_where_no_pack_says_a_grade_the_page_asks_for_nothing_more(control_database: ControlDatabase) -> None:
    portal = Portal(control_database)
    portal.city.grades = dict(GRADES)
    number = submitted(portal.at(Role.CONSUMER, department="health"))
    page = portal.reader(Role.PROVIDER, department="police").open(f"/cases/{number}")
    assert 'name="whole.' not in page.answer.text
    assert "masked only" not in page.text
