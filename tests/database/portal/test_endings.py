"""What ends something for good asks for its name on the page, and does nothing without it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.control.accounts.roles import Role
from services.control.cases.words import Action
from services.control.store.demand.writing import add
from services.control.tickets.words import Action as TicketAction
from tests.database.api.test_catalogue import published
from tests.database.tickets.filing import file, taken
from tests.support import needs, tickets
from tests.support.desk import Office
from tests.support.portal import Portal, Reader
from tests.support.sharing_cases import APPLICANT, CONSUMER, DECIDER, application

SAID = {
    "text": "said in words",
    "reason": "LAW_FORBIDS",
    "refusal_reason": "",
    "acceptable_if": "name the article",
}


def a_ticket(portal: Portal) -> str:
    return f"/tickets/{file(portal.parts.database).number}"


def an_escalated_ticket(portal: Portal) -> str:
    filed = file(portal.parts.database)
    steps = (
        (TicketAction.DISPATCH, tickets.BUREAU),
        (TicketAction.REFUSE, tickets.PROVIDER),
        (TicketAction.ESCALATE, tickets.REPORTER),
    )
    taken(portal.parts.database, filed.id, *steps)
    return f"/tickets/{filed.number}"


def a_need(portal: Portal) -> str:
    with portal.parts.database.begin() as connection:
        add(connection, needs.after())
    return "/demand/1"


def an_objection(portal: Portal) -> str:
    reader = portal.reader(Role.CONSUMER, department=APPLICANT)
    entry = published(portal, portal.at(Role.PROVIDER))
    page = reader.open(f"/objections/new?entry={entry}")
    return reader.sent(page, f"/objections/new?entry={entry}", text="应当无条件开放").path


def an_escalated_case(portal: Portal) -> str:
    office = Office(portal.parts.database)
    filed = office.done(office.opened(replace(application(), committed=True)), Action.SUBMIT, CONSUMER)
    filed = office.done(filed, Action.NEGOTIATE, DECIDER)
    return f"/cases/{office.done(filed, Action.ESCALATE, CONSUMER).case.opening.id}"


def number_of(path: str, reader: Reader) -> str:
    """The name that a page asks for: a case is called by its number, its address by its id."""
    last = path.rpartition("/")[2]
    return last if last.isdigit() else reader.open(path).text.partition("Case ")[2].split()[0].rstrip(":")


@pytest.mark.parametrize(
    ("made", "role", "action", "over"),
    [
        (a_ticket, Role.CONSUMER, "withdraw", "withdrawn"),
        (an_escalated_ticket, Role.AUTHORITY, "dismiss", "dismissed"),
        (a_need, Role.CONSUMER, "withdraw", "withdrawn"),
        (a_need, Role.AUTHORITY, "decline", "declined"),
        (an_objection, Role.CONSUMER, "withdraw", "withdrawn"),
        (an_escalated_case, Role.AUTHORITY, "actions/dismiss", "Refused by a ruling"),
    ],
)
def test_what_ends_something_for_good_asks_for_its_name(
    portal: Portal, made: Callable[[Portal], str], role: Role, action: str, over: str
) -> None:
    path = made(portal)
    department = APPLICANT if role is Role.CONSUMER else "data_bureau"
    reader = portal.reader(role, department=department)
    name = number_of(path, reader)
    said = SAID | ({"refusal_reason": "BASIS_INSUFFICIENT"} if "cases" in path else {})
    said |= {"refusal_reason": "RECORD_IS_RIGHT"} if "tickets" in path else {}
    page = reader.open(path)
    assert page.form(f"{path}/{action}").fields["confirm"] == ""
    for typed in ("", "another"):
        refused = reader.sent(page, f"{path}/{action}", **{**said, "confirm": typed})
        assert (refused.status, refused.faults) == (422, []), refused.text
        assert f"{path}/{action}" in [form.action for form in reader.open(path).forms]
    done = reader.sent(page, f"{path}/{action}", **{**said, "confirm": name})
    assert done.status == 200, done.text
    assert over in done.text
    assert f"{path}/{action}" not in [form.action for form in done.forms]
