"""What an action on a ticket demands beyond its party: reports, decisions, corrections, rulings, telling."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.control.cases.words import Actor, Role
from services.control.tickets.correction import Verdict
from services.control.tickets.evidence import Evidence
from services.control.tickets.life import report
from services.control.tickets.recipients import owed
from services.control.tickets.ticket import Ticket, kind_of
from services.control.tickets.words import Action, NoticeKind, RefusalReason, Route, State
from tests.support.tickets import (
    AUTHORITY,
    BUREAU,
    COUNCIL,
    EVIDENCE,
    HIGHER,
    IN_STATE,
    NOW,
    PROVIDER,
    PROVIDING,
    RECEIPTS,
    REPORTER,
    REPORTING,
    RULES,
    SYSTEM,
    codes,
    confirmed,
    contested,
    corrected,
    correcting,
    escalated,
    in_order,
    new,
    opening,
    receipt,
    refused,
    reported,
    taken,
    told,
    verifying,
)


def gaps(**changes: Any) -> list[str]:
    after = report(opening(**changes))
    return [] if isinstance(after, Ticket) else [problem.code for problem in after.problems]


@pytest.mark.requirement("A9-01")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"statement": "  错  "}, ["STATEMENT_MISSING"]),
        ({"evidence": ()}, ["EVIDENCE_MISSING"]),
        ({"evidence": (replace(EVIDENCE, sha256="AB" * 32),)}, ["EVIDENCE_MALFORMED"]),
        ({"evidence": (replace(EVIDENCE, size=0),)}, ["EVIDENCE_MALFORMED"]),
        ({"evidence": (EVIDENCE, EVIDENCE)}, ["EVIDENCE_DOUBLED"]),
        ({"evidence": tuple(Evidence(f"{n:064x}", 1, "") for n in range(21))}, ["EVIDENCE_TOO_MUCH"]),
        (
            {"reported": reported(contested=replace(contested("address"), record="王小明"))},
            ["RECORD_MALFORMED"],
        ),
        ({"reporter": replace(REPORTER, department=PROVIDING)}, ["REPORTER_PROVIDES"]),
    ],
)
def test_a_report_says_what_is_wrong_and_proves_it(changes: dict[str, Any], expected: list[str]) -> None:
    assert gaps(**changes) == expected


def test_all_gaps_of_a_report_are_said_at_once() -> None:
    assert gaps(statement="", evidence=()) == ["STATEMENT_MISSING", "EVIDENCE_MISSING"]


@pytest.mark.requirement("A9-02")
@pytest.mark.parametrize(
    ("route", "action", "actor", "expected"),
    [
        (Route.AUTHORITY, Action.DISPATCH, BUREAU, []),
        (Route.AUTHORITY, Action.FORWARD, SYSTEM, ["DISPATCH_FIRST"]),
        (Route.PROVIDER, Action.FORWARD, SYSTEM, []),
        (Route.PROVIDER, Action.DISPATCH, BUREAU, ["NO_DISPATCH"]),
        (Route.BOTH, Action.FORWARD, SYSTEM, []),
        (Route.BOTH, Action.DISPATCH, BUREAU, ["NO_DISPATCH"]),
    ],
)
def test_the_policy_pack_says_who_receives_a_report(
    route: Route, action: Action, actor: Actor, expected: list[str]
) -> None:
    assert codes(new(replace(RULES, route=route)), action, actor) == expected


@pytest.mark.requirement("A9-07")
@pytest.mark.parametrize(
    ("gap", "code"),
    [
        ({"refusal_reason": None}, "REASON_MISSING"),
        ({"text": " "}, "TEXT_MISSING"),
        ({"acceptable_if": ""}, "ACCEPTABLE_IF_MISSING"),
    ],
)
def test_a_refusal_says_its_reason_and_what_would_change_it(gap: dict[str, Any], code: str) -> None:
    assert codes(verifying(), Action.REFUSE, PROVIDER, **gap) == [code]
    ticket = refused()
    assert ticket.refusal is not None
    assert (ticket.refusal.reason, ticket.refusal.acceptable_if) == (
        RefusalReason.RECORD_IS_RIGHT,
        "bring a newer extract",
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (corrected(18), []),
        (corrected(18, Verdict.GONE), []),
        (corrected(17), ["NOT_LATER"]),
        (corrected(18, Verdict.PARTLY), ["NOT_CORRECTED"]),
        (corrected(16, Verdict.STANDING), ["NOT_CORRECTED", "NOT_LATER"]),
    ],
)
def test_a_ticket_advances_only_by_a_newer_version_that_says_nothing_disputed(
    found: Any, expected: list[str]
) -> None:
    assert codes(correcting(), Action.ARRIVE, SYSTEM, correction=found) == expected


@pytest.mark.parametrize("state", [State.VERIFYING, State.REFUSED, State.ESCALATED, State.CORRECTING])
def test_a_correction_counts_whatever_was_said_about_the_report(state: State) -> None:
    assert taken(IN_STATE[state](), Action.ARRIVE, SYSTEM).state is State.CORRECTED


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (corrected(31, Verdict.STANDING), []),
        (corrected(31, Verdict.PARTLY), []),
        (corrected(31), ["STILL_CORRECTED"]),
        (corrected(30, Verdict.STANDING), ["NOT_LATER"]),
    ],
)
def test_an_error_that_comes_back_takes_the_ticket_back_to_the_provider(
    found: Any, expected: list[str]
) -> None:
    for before in (in_order(), confirmed()):
        assert codes(before, Action.REVERT, SYSTEM, correction=found) == expected
    again = taken(in_order(), Action.REVERT, SYSTEM, correction=corrected(31, Verdict.STANDING))
    assert (again.state, again.correction, again.listed) == (State.CORRECTING, None, False)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"reported": None}, ["RECORD_MISSING"]),
        ({"reported": reported(29)}, ["NOT_LATER"]),
        (
            {"reported": reported(31, contested=replace(contested("address"), record="0" * 32))},
            ["RECORD_OTHER"],
        ),
        ({"text": ""}, ["TEXT_MISSING"]),
    ],
)
def test_the_reporter_reopens_with_the_version_that_is_still_wrong(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert codes(in_order(), Action.REOPEN, REPORTER, **changes) == expected


def test_a_reopened_ticket_begins_again_at_the_provider() -> None:
    ticket = taken(in_order(), Action.REOPEN, REPORTER)
    assert (ticket.state, ticket.round, ticket.correction) == (State.VERIFYING, 2, None)
    assert ticket.reported == reported(31)


def test_a_refusal_is_taken_to_the_body_that_rules_and_that_is_not_who_decided() -> None:
    ticket = escalated()
    assert codes(ticket, Action.UPHOLD, HIGHER) == ["OTHER_DEPARTMENT"]
    assert codes(ticket, Action.UPHOLD, Actor(PROVIDER.person, Role.AUTHORITY, AUTHORITY)) == ["OWN_DECISION"]
    assert taken(ticket, Action.UPHOLD, BUREAU).state is State.CORRECTING
    ticket = taken(ticket, Action.ESCALATE, PROVIDER)
    assert codes(ticket, Action.DISMISS, BUREAU) == ["OTHER_DEPARTMENT"]
    assert codes(ticket, Action.ESCALATE, REPORTER) == ["NO_HIGHER_LEVEL"]
    assert taken(ticket, Action.DISMISS, HIGHER).state is State.DISMISSED


@pytest.mark.parametrize("action", [Action.DISPATCH, Action.RETURN])
def test_nobody_judges_what_he_has_reported(action: Action) -> None:
    moved = Actor(REPORTER.person, Role.AUTHORITY, COUNCIL)
    assert codes(new(), action, moved) == ["OWN_WORK"]
    assert codes(new(), action, Actor("Li", Role.AUTHORITY, REPORTING)) == ["OWN_TICKET"]


def test_who_provides_the_record_rules_on_no_ticket_about_it() -> None:
    rules = replace(RULES, dispute_levels=(PROVIDING,))
    ticket = taken(taken(verifying(new(rules)), Action.REFUSE, PROVIDER), Action.ESCALATE, REPORTER)
    assert codes(ticket, Action.UPHOLD, Actor("Li", Role.AUTHORITY, PROVIDING)) == ["OTHER_DEPARTMENT"]


def test_an_event_before_the_last_one_is_refused() -> None:
    assert codes(new(), Action.DISPATCH, BUREAU, NOW - timedelta(seconds=1)) == ["TIME_BACKWARDS"]
    assert codes(verifying(), Action.ACCEPT, PROVIDER, NOW - timedelta(seconds=1)) == ["TIME_BACKWARDS"]


def test_an_event_keeps_what_its_action_demands_and_nothing_else_that_came_along() -> None:
    event = verifying().events[-1]
    assert (event.number, event.who, event.when) == (1, BUREAU, NOW)
    kept = (
        event.refusal_reason,
        event.reported,
        event.correction,
        event.receipts,
        event.told,
        event.evidence,
    )
    assert kept == (None, None, None, None, None, ())


def test_a_ticket_is_closed_when_the_ledger_was_asked_and_all_were_told() -> None:
    ticket = confirmed()
    assert codes(ticket, Action.CLOSE, SYSTEM) == ["RECIPIENTS_UNKNOWN"]
    ticket = taken(ticket, Action.LIST, SYSTEM)
    assert codes(ticket, Action.CLOSE, SYSTEM) == ["NOT_ALL_TOLD"]
    ticket = taken(ticket, Action.TELL, SYSTEM)
    assert codes(ticket, Action.CLOSE, SYSTEM) == ["NOT_ALL_TOLD"]
    assert codes(ticket, Action.TELL, SYSTEM) == ["NOT_OWED"]
    ticket = taken(ticket, Action.TELL, SYSTEM, told=told("education", "education-persons"))
    assert taken(ticket, Action.CLOSE, SYSTEM).state is State.CLOSED


def test_a_list_from_before_the_correction_does_not_close_a_ticket() -> None:
    ticket = taken(taken(correcting(), Action.LIST, SYSTEM), Action.ARRIVE, SYSTEM)
    ticket = taken(ticket, Action.CONFIRM, REPORTER)
    assert "RECIPIENTS_UNKNOWN" in codes(ticket, Action.CLOSE, SYSTEM)


def test_where_nobody_received_it_a_ticket_is_closed_without_telling() -> None:
    ticket = taken(confirmed(), Action.LIST, SYSTEM, receipts=())
    assert taken(ticket, Action.CLOSE, SYSTEM).state is State.CLOSED


def test_what_the_ledger_has_named_once_is_never_dropped() -> None:
    ticket = taken(in_order(), Action.LIST, SYSTEM)
    assert codes(ticket, Action.LIST, SYSTEM, receipts=RECEIPTS[:1]) == ["RECEIPT_DROPPED"]
    assert codes(ticket, Action.LIST, SYSTEM, receipts=(*RECEIPTS, receipt(offset=18))) == []


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.REPORTED, None),
        (State.RETURNED, None),
        (State.VERIFYING, NoticeKind.DISPUTED),
        (State.CORRECTING, NoticeKind.DISPUTED),
        (State.ESCALATED, NoticeKind.DISPUTED),
        (State.REFUSED, NoticeKind.UNFOUNDED),
        (State.DISMISSED, NoticeKind.UNFOUNDED),
        (State.WITHDRAWN, NoticeKind.UNFOUNDED),
        (State.CORRECTED, NoticeKind.CORRECTED),
        (State.CONFIRMED, NoticeKind.CORRECTED),
        (State.CLOSED, NoticeKind.CORRECTED),
    ],
)
def test_what_is_told_is_what_holds_in_the_state(state: State, kind: NoticeKind | None) -> None:
    assert kind_of(IN_STATE[state]()) is kind


def test_that_a_dispute_was_unfounded_is_told_to_those_only_who_were_told_of_it() -> None:
    ticket = taken(verifying(), Action.LIST, SYSTEM)
    ticket = taken(ticket, Action.TELL, SYSTEM, told=told(kind="disputed"))
    ticket = taken(ticket, Action.REFUSE, PROVIDER)
    assert owed(ticket.receipts, ticket.told, NoticeKind.UNFOUNDED) == (
        ("health", "health-persons-gusu", NoticeKind.UNFOUNDED),
    )
    other = told("education", "education-persons", "unfounded")
    assert codes(ticket, Action.TELL, SYSTEM, told=other) == ["NOT_OWED"]
    assert codes(ticket, Action.TELL, SYSTEM, told=told(kind="unfounded")) == []


def test_after_an_error_has_come_back_everybody_is_told_again() -> None:
    ticket = taken(taken(in_order(), Action.LIST, SYSTEM), Action.TELL, SYSTEM)
    ticket = taken(ticket, Action.REVERT, SYSTEM, correction=corrected(31, Verdict.STANDING))
    assert len(owed(ticket.receipts, ticket.told, NoticeKind.DISPUTED)) == 2
    ticket = taken(ticket, Action.ARRIVE, SYSTEM, correction=corrected(32))
    assert codes(ticket, Action.TELL, SYSTEM) == []


def test_a_report_that_is_supplemented_keeps_its_old_evidence_and_gets_new() -> None:
    more = replace(EVIDENCE, sha256="cd" * 32)
    ticket = taken(IN_STATE[State.RETURNED](), Action.SUPPLEMENT, REPORTER, evidence=(more,))
    assert (ticket.opening.evidence, ticket.events[-1].evidence) == ((EVIDENCE,), (more,))
    broken = (replace(more, size=-1),)
    assert codes(IN_STATE[State.RETURNED](), Action.SUPPLEMENT, REPORTER, evidence=broken) == [
        "EVIDENCE_MALFORMED"
    ]
