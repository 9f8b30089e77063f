"""A ticket as it is shown: the parties read what was written, others see that something was."""

import json
from typing import Any

import pytest

from services.control.cases.words import Actor, Role
from services.control.tickets.marking import marks_owed
from services.control.tickets.shown import HIDDEN, shown
from services.control.tickets.ticket import Ticket
from services.control.tickets.wording import TITLES, title
from services.control.tickets.words import Action, Duty, NoticeKind, RefusalReason, Route, State
from tests.support.tickets import (
    BUREAU,
    CALENDAR,
    EVIDENCE,
    NOW,
    PROVIDER,
    REPORTER,
    SYSTEM,
    WRONG,
    closed,
    days,
    in_order,
    new,
    refused,
    taken,
    verifying,
)
from topics.disputes import Act


def view(ticket: Ticket, actor: Actor = REPORTER) -> dict[str, Any]:
    return shown(ticket, actor, CALENDAR, NOW + days(1))


@pytest.mark.requirement("A11-13")
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OVERSEER, Role.OPERATOR, Role.CONSUMER, Role.PROVIDER])
def test_who_is_no_party_reads_nothing_of_what_was_written(role: Role) -> None:
    found = view(refused(), Actor("Sun", role, "education"))
    text = json.dumps(found, ensure_ascii=False)
    for secret in (
        "门牌号",
        EVIDENCE.title,
        EVIDENCE.sha256,
        "said in words",
        "bring a newer extract",
        "Chen",
    ):
        assert secret not in text
    assert (found["statement"], found["events"][-1]["text"]) == (HIDDEN, HIDDEN)
    assert (found["state"], found["events"][-1]["refusal_reason"]) == ("refused", "RECORD_IS_RIGHT")


@pytest.mark.parametrize("actor", [REPORTER, PROVIDER, BUREAU, SYSTEM])
def test_the_parties_read_all_of_it(actor: Actor) -> None:
    found = view(refused(), actor)
    assert found["statement"] == new().opening.statement
    assert found["evidence"][0]["sha256"] == EVIDENCE.sha256
    assert found["events"][-1]["acceptable_if"] == "bring a newer extract"


def test_nothing_that_is_shown_holds_a_value_of_the_record() -> None:
    text = json.dumps(view(closed()), ensure_ascii=False)
    assert not [value for value in WRONG.values() if value in text]


def test_the_ticket_proves_who_received_the_wrong_version_and_when_each_was_told() -> None:
    found = view(closed())
    assert [(each["consumer"], each["at"], each["block"], each["told"]) for each in found["recipients"]] == [
        ("health", "resource.population.person.v1:0:17", "ledger.delivery:2:40", "corrected"),
        ("education", "resource.population.person.v1:0:17", "ledger.delivery:2:40", "corrected"),
    ]
    telling = [each for each in found["events"] if each["action"] == "tell"]
    assert [(each["told"]["grant"], each["when"]) for each in telling] == [
        ("health-persons-gusu", NOW.isoformat()),
        ("education-persons", NOW.isoformat()),
    ]


def test_clocks_are_shown_with_their_due_days_and_what_is_left() -> None:
    [dispatch, verify] = view(verifying())["clocks"]
    assert (dispatch["duty"], dispatch["state"]) == ("dispatch", "met")
    assert (verify["due"], verify["remaining"], verify["breached"]) == ("2026-03-09", 4, False)


def test_who_looks_sees_what_he_may_do() -> None:
    assert view(in_order())["allowed"] == ["confirm", "reopen"]
    assert view(in_order(), PROVIDER)["allowed"] == []


@pytest.mark.requirement("A9-06")
def test_a_record_is_marked_from_the_dispatch_to_the_correction_and_under_each_round_anew() -> None:
    first, second = "0198a000-0000-7000-8000-000000000001.1", "0198a000-0000-7000-8000-000000000001.2"
    assert marks_owed(None, new()) == ()
    [(act, dispute, contested)] = marks_owed(new(), verifying())
    assert (act, dispute, contested) == (Act.OPEN, first, verifying().reported.contested)
    assert marks_owed(verifying(), refused()) == ((Act.CLOSE, first, None),)
    again = taken(in_order(), Action.REOPEN, REPORTER)
    assert marks_owed(in_order(), again) == ((Act.OPEN, second, again.reported.contested),)


def test_every_word_of_a_ticket_has_a_name_in_both_languages() -> None:
    for kind in (State, Action, RefusalReason, Duty, Route, NoticeKind):
        assert set(TITLES[kind]) == set(kind)
        for word in kind:
            assert title(word).zh
            assert title(word).en
