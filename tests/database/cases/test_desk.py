"""Cases in the database: what the desk does in one transaction, what it refuses, and what it asks for."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from services.control.cases.case import Given
from services.control.cases.provisioning import Step
from services.control.cases.words import Action, Actor, RefusalReason, Role, State, StopReason
from services.control.desk.orders import Answer, Declined, Done, KeyReused, NoSuchCase, NotOpened, Overtaken
from services.control.docket.filed import Filed
from services.control.store.cases.checking import differences
from services.control.store.cases.listing import Wish, due, newest, stuck_steps
from services.control.store.cases.reading import DistrustCase, load
from services.control.store.cases.tables import ADOPTIONS, CASES, COMMANDS, EVENTS, POLICIES
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.outbox import OUTBOX, Channel, acts_on
from tests.support.desk import Office, id_of, order, policy
from tests.support.sharing_cases import (
    BUREAU,
    CONSUMER,
    DECIDER,
    ENTERPRISE,
    NOW,
    OPERATOR,
    PART,
    SYSTEM,
    application,
)
from topics.resource import ShareType

REFUSAL: dict[str, Any] = {
    "refusal_reason": RefusalReason.BASIS_INSUFFICIENT,
    "text": "the article gives no such duty",
    "acceptable_if": "name the article",
}
STOP: dict[str, Any] = {"stop_reason": StopReason.RISK, "text": "a leak is suspected"}


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


def deciding(office: Office) -> Filed:
    return office.done(office.opened(), Action.SUBMIT, CONSUMER)


def provisioning(office: Office) -> Filed:
    return office.done(deciding(office), Action.APPROVE, DECIDER)


def active(office: Office) -> Filed:
    filed = provisioning(office)
    return office.provisioned(filed, filed.version)


def requests(office: Office) -> list[dict[str, Any]]:
    wanted = select(OUTBOX.c.document).where(OUTBOX.c.channel == Channel.POLICY).order_by(OUTBOX.c.id)
    with office.database.begin() as connection:
        return list(connection.execute(wanted).scalars())


def problems(answer: Answer) -> list[str]:
    assert isinstance(answer, Declined), answer
    return [each.code for each in answer.problems]


def disagreements(office: Office) -> list[str]:
    with office.database.begin() as connection:
        return [str(each) for each in differences(connection, office.city.calendar)]


def test_a_submitted_application_is_with_its_decider_and_has_its_day(office: Office) -> None:
    filed = deciding(office)
    assert (filed.case.state, filed.version) == (State.DECIDING, 2)
    with office.database.begin() as connection:
        (line,) = due(connection)
    assert (line.number, line.due_on, line.due_for, line.due_from) == (
        filed.number,
        date(2026, 3, 9),
        "reply",
        "provider",
    )
    assert disagreements(office) == []


@pytest.mark.requirement("A6-02")
def test_what_is_unconditional_passes_without_a_decision(office: Office) -> None:
    office.city.changes = {"share_type": ShareType.UNCONDITIONAL}
    wanted = application(resource=ENTERPRISE, items=("name",), rows=(), committed=False)
    filed = office.done(office.opened(wanted), Action.SUBMIT, CONSUMER)
    assert [event.action for event in filed.case.events] == [
        Action.SUBMIT,
        Action.ACCEPT_UNCONDITIONAL,
        Action.PROVISION,
    ]
    assert {event.who for event in filed.case.events[1:]} == {SYSTEM}
    assert [each["wanted"] for each in requests(office)] == ["provide"]


@pytest.mark.requirement("A6-06", "C2")
def test_the_policy_says_who_looks_first_and_who_decides(control_database: ControlDatabase) -> None:
    first = Office(control_database, policy("province-sample-2024"))
    assert deciding(first).case.state is State.PRECHECK
    by_authority = Office(control_database, policy("jiyuan-2022"))
    filed = deciding(by_authority)
    assert problems(by_authority.act(filed, Action.APPROVE, DECIDER)) == ["WRONG_ROLE"]
    assert by_authority.done(filed, Action.APPROVE, BUREAU).case.state is State.PROVISIONING


def test_a_case_keeps_the_policy_that_it_was_opened_under(office: Office) -> None:
    filed = office.opened()
    Office(office.database, policy("jiyuan-2022"))
    filed = office.done(filed, Action.SUBMIT, CONSUMER)
    assert office.done(filed, Action.APPROVE, DECIDER).case.state is State.PROVISIONING


def test_without_a_policy_or_an_entry_or_for_others_no_case_is_opened(
    control_database: ControlDatabase, office: Office
) -> None:
    def codes(wanted: Any = None, actor: Actor = CONSUMER) -> list[str]:
        with control_database.begin() as connection:
            answer = office.desk.open(connection, order(actor), new_id(NOW), wanted or application())
        assert isinstance(answer, NotOpened)
        return [each.code for each in answer.problems]

    assert codes(application(resource="legal.nothing.v1")) == ["RESOURCE_UNKNOWN"]
    assert codes(actor=DECIDER) == ["WRONG_ROLE"]
    assert codes(application(applicant="tax")) == ["OTHER_DEPARTMENT"]
    with control_database.begin() as connection:
        connection.execute(text("TRUNCATE case_policy_adoptions"))
    assert codes() == ["POLICY_MISSING"]


def test_a_decision_asks_for_exactly_the_grant_that_was_decided(office: Office) -> None:
    filed = office.done(deciding(office), Action.APPROVE_IN_PART, DECIDER, approval=PART)
    (request,) = requests(office)
    assert (request["wanted"], request["case"], request["round"]) == ("provide", filed.case.opening.id, 4)
    assert request["steps"] == [each.value for each in Step]
    grant = request["grant"]
    assert (grant["id"], grant["state"], grant["items"]) == (
        filed.case.opening.grant,
        "filling",
        list(PART.items),
    )
    assert grant["masks"] == {"name": {"kind": "partial", "keep_first": 1, "keep_last": 0}}


def test_a_refusal_asks_for_nothing_and_is_told_with_its_code_and_not_its_text(office: Office) -> None:
    filed = office.done(deciding(office), Action.REFUSE, DECIDER, **REFUSAL)
    assert filed.case.state is State.REFUSED
    assert requests(office) == []
    with office.database.begin() as connection:
        acts = acts_on(connection, "case", filed.case.opening.id)
    assert [act.what for act in acts] == ["case.open", "case.submit", "case.request_decision", "case.refuse"]
    assert (acts[-1].reason, acts[-1].facts["department"]) == ("BASIS_INSUFFICIENT", "police")
    assert "duty" not in str(acts)


def test_who_entered_it_and_for_whom_are_both_told(office: Office) -> None:
    filed = deciding(office)
    with office.database.begin() as connection:
        act = acts_on(connection, "case", filed.case.opening.id)[1]
    assert (act.who, act.facts["for"], act.facts["role"]) == ("operator:test", "Chen", "consumer")
    assert filed.recorders == ("operator:test", "")


def test_every_step_is_visible_and_the_last_one_makes_the_case_active(office: Office) -> None:
    filed = provisioning(office)
    case = office.done(
        filed, Action.STEP_FAILED, SYSTEM, round_=filed.version, step=Step.TOPIC, text="no broker"
    )
    with office.database.begin() as connection:
        (stuck,) = stuck_steps(connection)
    assert (stuck.number, stuck.step, stuck.reason, stuck.attempts) == (filed.number, "topic", "no broker", 1)
    case = office.done(case, Action.RETRY_STEP, OPERATOR, step=Step.TOPIC)
    case = office.provisioned(case, filed.version)
    assert case.case.state is State.ACTIVE
    assert [each["wanted"] for each in requests(office)] == ["provide", "provide", "open"]
    assert disagreements(office) == []


def test_a_result_of_a_provisioning_that_is_over_is_refused(office: Office) -> None:
    filed = active(office)
    first = 4
    office.done(filed, Action.SUSPEND, BUREAU, **STOP)
    resumed = office.done(filed, Action.RESUME, BUREAU)
    late = office.act(resumed, Action.STEP_DONE, SYSTEM, round_=first, step=Step.RIGHTS)
    assert problems(late) == ["STEP_OF_OTHER_ROUND"]
    assert office.done(resumed, Action.STEP_DONE, SYSTEM, round_=resumed.version, step=Step.RIGHTS)
    assert [each["wanted"] for each in requests(office)] == ["provide", "open", "suspend", "provide"]


@pytest.mark.requirement("A8-05")
def test_what_stops_a_case_asks_for_the_end_of_its_grant_even_when_its_entry_is_gone(office: Office) -> None:
    filed = active(office)
    office.city.gone = True
    office.done(filed, Action.SUSPEND, BUREAU, **STOP)
    office.done(filed, Action.TERMINATE, DECIDER, **STOP)
    asked = requests(office)[-2:]
    assert [(each["wanted"], each["grant"]) for each in asked] == [("suspend", None), ("end", None)]


def test_no_grant_is_asked_for_that_the_entry_does_not_carry_any_more(office: Office) -> None:
    filed = active(office)
    office.done(filed, Action.SUSPEND, BUREAU, **STOP)
    office.city.changes = {"share_type": ShareType.NOT_SHARED}
    office.done(filed, Action.RESUME, BUREAU)
    request = requests(office)[-1]
    assert (request["wanted"], request["grant"], request["excess"]) == ("provide", None, ["NOT_SHARED"])


def test_the_same_key_does_the_same_thing_once_and_answers_alike(office: Office) -> None:
    filed = office.opened()
    first = office.act(filed, Action.SUBMIT, CONSUMER, key="k1")
    office.done(filed, Action.APPROVE, DECIDER)
    again = office.act(filed, Action.SUBMIT, CONSUMER, NOW + timedelta(days=1), key="k1")
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert (again.repeated, again.filed.case, again.filed.version) == (True, first.filed.case, 2)
    assert len(requests(office)) == 1


def test_a_refused_order_is_answered_alike_too(office: Office) -> None:
    filed = office.opened(application(scenario=""))
    first = office.act(filed, Action.SUBMIT, CONSUMER, key="k1")
    office.done(filed, Action.EDIT, CONSUMER, application=application())
    again = office.act(filed, Action.SUBMIT, CONSUMER, key="k1")
    assert problems(first) == problems(again) == ["SCENARIO_MISSING"]
    assert isinstance(again, Declined)
    assert (again.repeated, again.version) == (True, 0)


def test_a_key_is_not_taken_for_something_else(office: Office) -> None:
    filed, other = office.opened(), office.opened()
    office.act(filed, Action.SUBMIT, CONSUMER, key="k1")
    assert isinstance(office.act(other, Action.SUBMIT, CONSUMER, key="k1"), KeyReused)
    assert isinstance(office.act(filed, Action.WITHDRAW, CONSUMER, key="k1"), KeyReused)
    assert office.done(other, Action.SUBMIT, CONSUMER).version == 2


def test_a_case_is_opened_once_under_a_key(office: Office) -> None:
    found = []
    for _ in range(2):
        with office.database.begin() as connection:
            asked = order(CONSUMER, key="k1")
            found.append(office.desk.open(connection, asked, new_id(NOW), application()))
    first, again = found
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert (again.filed.case, again.filed.number, again.repeated) == (
        first.filed.case,
        first.filed.number,
        True,
    )
    with office.database.begin() as connection:
        other = office.desk.open(connection, order(CONSUMER, key="k1"), new_id(NOW), application(filing="2"))
        assert isinstance(other, KeyReused)
        assert len(newest(connection)) == 1


def test_who_decides_on_an_old_version_is_told_what_happened_meanwhile(office: Office) -> None:
    filed = deciding(office)
    office.done(filed, Action.COMPLAIN, CONSUMER)
    answer = office.act(filed, Action.APPROVE, DECIDER, seen=filed.version)
    assert isinstance(answer, Overtaken)
    assert [event.action for event in answer.meanwhile] == [Action.COMPLAIN]
    assert isinstance(office.act(filed, Action.APPROVE, DECIDER, seen=filed.version + 1), Done)


def test_a_case_that_there_is_not_is_said_to_be_none(office: Office) -> None:
    assert isinstance(office.act(new_id(NOW), Action.SUBMIT, CONSUMER), NoSuchCase)


def test_nothing_of_an_action_stays_if_its_transaction_is_rolled_back(office: Office) -> None:
    filed = deciding(office)

    class Away(Exception):  # noqa: N818
        pass

    def breaks_off() -> None:
        with office.database.begin() as connection:
            office.desk.act(connection, order(DECIDER, key="k1"), id_of(filed), Action.APPROVE, Given())
            raise Away

    with pytest.raises(Away):
        breaks_off()
    assert requests(office) == []
    assert disagreements(office) == []
    assert office.done(filed, Action.APPROVE, DECIDER, key="k1").case.state is State.PROVISIONING


@pytest.mark.parametrize(
    "change",
    [
        EVENTS.update().values(recorder="nobody"),
        EVENTS.delete(),
        POLICIES.update().values(recorded_at=NOW),
        ADOPTIONS.delete(),
    ],
    ids=["change an event", "delete events", "change a policy", "delete an adoption"],
)
def test_history_cannot_be_changed(office: Office, change: Any) -> None:
    deciding(office)
    with pytest.raises(DBAPIError, match="never changed or deleted"), office.database.begin() as connection:
        connection.execute(change)


def test_a_state_that_is_not_the_fold_of_its_events_is_found_and_nothing_is_decided_on_it(
    office: Office,
) -> None:
    filed = deciding(office)
    with office.database.begin() as connection:
        connection.execute(CASES.update().values(state="active"))
    assert any("active" in each for each in disagreements(office))
    with pytest.raises(DistrustCase):
        office.act(filed, Action.SUSPEND, BUREAU, **STOP)


@pytest.mark.parametrize(
    ("column", "value"),
    [("due_on", date(2030, 1, 1)), ("open_complaints", 3), ("ends_on", date(2030, 1, 1)), ("level", 1)],
)
def test_each_stored_column_is_proved(office: Office, column: str, value: Any) -> None:
    deciding(office)
    with office.database.begin() as connection:
        connection.execute(CASES.update().values({column: value}))
    assert [each for each in disagreements(office) if column in each]


def test_lists_show_what_was_asked_for_page_by_page(office: Office) -> None:
    cases = [office.opened() for _ in range(5)]
    office.done(cases[1], Action.SUBMIT, CONSUMER)
    office.done(cases[3], Action.SUBMIT, CONSUMER, NOW + timedelta(days=1))
    with office.database.begin() as connection:
        page = newest(connection, limit=2)
        assert [line.number for line in page] == [5, 4]
        assert [line.number for line in newest(connection, before=page[-1].number, limit=9)] == [3, 2, 1]
        assert [line.number for line in newest(connection, Wish(state=State.DECIDING))] == [4, 2]
        assert newest(connection, Wish(provider="tax")) == []
        first, second = due(connection)
        assert (first.number, second.number) == (2, 4)
        assert [line.number for line in due(connection, after=(first.due_on or date.min, first.number))] == [
            4
        ]
        assert [line.number for line in due(connection, until=first.due_on)] == [2]


def test_every_person_is_refused_what_the_table_refuses(office: Office) -> None:
    filed = deciding(office)
    own = Actor("Chen", Role.PROVIDER, "police")
    assert problems(office.act(filed, Action.APPROVE, own)) == ["OWN_WORK"]
    assert problems(office.act(filed, Action.ACTIVATE, OPERATOR)) == ["WRONG_STATE"]
    assert problems(office.act(filed, Action.APPROVE, DECIDER, datetime(2026, 1, 1, tzinfo=UTC))) == [
        "TIME_BACKWARDS"
    ]


def test_after_a_clock_was_set_back_delivery_can_be_stopped_and_nothing_else(office: Office) -> None:
    filed, early = active(office), NOW - timedelta(minutes=10)
    assert problems(office.act(filed, Action.COMPLAIN, CONSUMER, early)) == ["TIME_BACKWARDS"]
    stopped = office.done(filed, Action.SUSPEND, BUREAU, early, **STOP)
    assert stopped.case.state is State.SUSPENDED
    assert stopped.case.events[-1].when == filed.case.events[-1].when
    assert office.done(stopped, Action.TERMINATE, BUREAU, early, **STOP).case.state is State.TERMINATED


def test_a_loaded_case_is_what_was_answered(office: Office) -> None:
    work: list[Callable[[Office], Filed]] = [deciding, provisioning, active]
    for made in work:
        filed = made(office)
        with office.database.begin() as connection:
            assert load(connection, id_of(filed)) == filed
    with office.database.begin() as connection:
        assert connection.execute(select(COMMANDS.c.key).where(COMMANDS.c.answer.is_(None))).all() == []
