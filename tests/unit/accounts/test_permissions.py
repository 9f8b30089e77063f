"""Who may do what: every cell against a file that was written by hand, and against the life cycles."""

from functools import cache
from pathlib import Path

import pytest

from services.control.accounts.actions import Action, Area, Kind
from services.control.accounts.decision import (
    EVERYWHERE,
    SCOPES,
    Actor,
    Allowed,
    Principal,
    Refusal,
    Refused,
    Whose,
    may,
    may_person,
    permitted,
    scope_of,
)
from services.control.accounts.permissions import COLUMNS, PERMISSIONS, Reach
from services.control.accounts.roles import Duty, Role, duty_of, may_hold
from services.control.accounts.words import said
from services.control.cases import table, words
from services.control.catalogue import lifecycle
from services.control.catalogue.vocabulary import Language
from services.control.demand.table import TRANSITIONS as NEEDS
from services.control.demand.words import Action as NeedAction
from services.control.demand.words import Party

EXPECTED = Path(__file__).parent / "expected_permissions.txt"
LETTERS = {"a": (True, True), "o": (True, False), "x": (False, True), "-": (False, False)}
OWN, OTHER = "police", "health"

# What a party of a case is in the table: a role, with its own department's objects, others', or both.
PARTIES = {
    words.Party.APPLICANT: {(Role.CONSUMER, OWN)},
    words.Party.PROVIDER: {(Role.PROVIDER, OWN)},
    words.Party.DECIDER: {(Role.PROVIDER, OWN), (Role.AUTHORITY, OTHER)},
    words.Party.AUTHORITY: {(Role.AUTHORITY, OTHER)},
    words.Party.ANY_AUTHORITY: {(Role.AUTHORITY, OWN), (Role.AUTHORITY, OTHER)},
    words.Party.ARBITER: {(Role.AUTHORITY, OTHER)},
    words.Party.OPERATOR: {(Role.OPERATOR, OWN), (Role.OPERATOR, OTHER)},
    words.Party.SYSTEM: set(),
    # Any department of a case may complain (A6-10), and the authority; who only looks or operates is none.
    words.Party.ANYONE: {
        (Role.AUTHORITY, OWN),
        (Role.AUTHORITY, OTHER),
        (Role.PROVIDER, OWN),
        (Role.CONSUMER, OWN),
    },
}


@cache
def expected() -> dict[str, str]:
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def actor(role: Role) -> Actor:
    return Actor("p1", role, OWN, frozenset({EVERYWHERE}))


def person(*roles: Role, **more: object) -> Principal:
    return Principal("p1", OWN, frozenset(roles), **more)  # type: ignore[arg-type]


def cells(action: Action) -> set[tuple[Role, str]]:
    return {
        (role, where)
        for role in Role
        for where in (OWN, OTHER)
        if isinstance(may(actor(role), action, where), Allowed)
    }


def test_table_and_file_name_the_same_actions() -> None:
    assert set(expected()) == {each.value for each in Action} == {each.value for each in PERMISSIONS}


@pytest.mark.requirement("A1-05", "A1-06")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_each_cell_is_what_the_file_says(action: Action, role: Role) -> None:
    letter = expected()[action.value][COLUMNS.index(role)]
    answers = [isinstance(may(actor(role), action, where), Allowed) for where in (OWN, OTHER)]
    assert tuple(answers) == LETTERS[letter]


@pytest.mark.parametrize("action", words.Action)
def test_a_case_is_open_to_exactly_those_whom_its_life_cycle_knows(action: words.Action) -> None:
    transitions = [each for (_, taken), each in table.TRANSITIONS.items() if taken is action]
    known = {cell for each in transitions for party in each.parties for cell in PARTIES[party]}
    assert cells(Action(f"case.{action.value}")) == known


@pytest.mark.parametrize("action", lifecycle.Action)
def test_an_entry_is_open_to_exactly_those_whom_its_life_cycle_knows(action: lifecycle.Action) -> None:
    made = {lifecycle.Action.OPEN, lifecycle.Action.REVISE}
    roles = {Role.PROVIDER} if action in made else set()
    if action in lifecycle.TRANSITIONS:
        roles = {Role(role.value) for role in lifecycle.TRANSITIONS[action].roles}
    # Providers touch their own entries only; the authority reviews everybody's.
    known = {(role, OWN) for role in roles} | {(role, OTHER) for role in roles - {Role.PROVIDER}}
    assert cells(Action(f"catalogue.{action.value}")) == known


def test_roles_are_those_of_cases_and_catalogue() -> None:
    assert {role.value for role in Role} == {role.value for role in lifecycle.Role}
    assert {role.value for role in Role} == {role.value for role in words.Role} - {"system"}


@pytest.mark.requirement("A1-06")
def test_who_audits_or_oversees_changes_nothing() -> None:
    for permission in PERMISSIONS.values():
        if permission.kind is Kind.CHANGE:
            assert permission.of(Role.AUDITOR) is permission.of(Role.OVERSEER) is Reach.NONE


def test_none_of_the_three_kept_apart_sees_values_of_records() -> None:
    for action in (Action.DATA_REVEAL, Action.QUARANTINE_REVEAL):
        assert cells(action) <= {(Role.PROVIDER, OWN), (Role.CONSUMER, OWN)}


def test_who_makes_accounts_gives_no_roles_and_who_gives_roles_makes_no_accounts() -> None:
    makers, givers = cells(Action.ACCOUNT_ADD), cells(Action.ACCOUNT_GIVE_ROLE)
    assert makers
    assert givers
    assert {role for role, _ in makers}.isdisjoint(role for role, _ in givers)


@pytest.mark.parametrize("action", ["", "case.fly", "CASE.LOOK", "case", "*", "case.look "])
def test_what_nobody_knows_is_refused(action: str) -> None:
    for role in Role:
        assert may(actor(role), action, OWN) == Refused(Refusal.UNKNOWN_ACTION)
    assert may_person(person(Role.AUTHORITY), action, Whose(OWN)) == Refused(Refusal.UNKNOWN_ACTION)


@pytest.mark.parametrize(
    ("role", "action", "where", "reason"),
    [
        (Role.CONSUMER, Action.CASE_APPROVE, OWN, Refusal.WRONG_ROLE),
        (Role.PROVIDER, Action.CASE_APPROVE, OTHER, Refusal.OTHER_DEPARTMENT),
        (Role.AUTHORITY, Action.CASE_APPROVE, OWN, Refusal.OWN_DEPARTMENT),
        (Role.PROVIDER, Action.CASE_APPROVE, None, Refusal.OTHER_DEPARTMENT),
    ],
)
def test_a_refusal_says_why(role: Role, action: Action, where: str | None, reason: Refusal) -> None:
    assert may(actor(role), action, where) == Refused(reason)


@pytest.mark.requirement("A1-06")
def test_an_overseer_looks_only_at_what_he_oversees() -> None:
    scoped = Actor("p1", Role.OVERSEER, OWN, frozenset({"health"}))
    assert may(scoped, Action.CASE_LOOK, OWN) == Allowed(Role.OVERSEER)
    assert may(scoped, Action.CASE_LOOK, "health") == Allowed(Role.OVERSEER)
    assert may(scoped, Action.CASE_LOOK, "tax") == Refused(Refusal.NOT_OVERSEEN)
    assert may(scoped, Action.CASE_LOOK, None) == Refused(Refusal.NOT_OVERSEEN)
    assert may(Actor("p1", Role.OVERSEER, OWN), Action.CASE_LOOK, "health") == Refused(Refusal.NOT_OVERSEEN)


@pytest.mark.parametrize(
    ("roles", "possible"),
    [
        ({Role.PROVIDER, Role.CONSUMER}, True),
        ({Role.AUDITOR, Role.OVERSEER}, True),
        ({Role.AUTHORITY}, True),
        (set(), True),
        ({Role.AUTHORITY, Role.OPERATOR}, False),
        ({Role.AUTHORITY, Role.AUDITOR}, False),
        ({Role.OPERATOR, Role.AUDITOR}, False),
        ({Role.AUTHORITY, Role.PROVIDER}, False),
        ({Role.OPERATOR, Role.CONSUMER}, False),
        ({Role.PROVIDER, Role.OVERSEER}, False),
    ],
)
def test_management_operation_audit_and_exchange_are_never_one_person(
    roles: set[Role], possible: bool
) -> None:
    assert may_hold(roles) is possible
    if not possible:
        for action in (Action.CATALOGUE_LOOK, Action.CASE_LOOK):
            assert may_person(person(*roles), action, Whose(OWN, OWN)) == Refused(Refusal.SEPARATION)
        with pytest.raises(ValueError, match="several duties"):
            duty_of(roles)


def test_a_person_acts_in_the_role_that_may_and_each_role_has_its_own_department_of_the_object() -> None:
    both = person(Role.PROVIDER, Role.CONSUMER)
    asks = Whose(provider="health", consumer=OWN)
    assert may_person(both, Action.CASE_SUBMIT, asks) == Allowed(Role.CONSUMER)
    assert may_person(both, Action.CASE_APPROVE, asks) == Refused(Refusal.OTHER_DEPARTMENT)
    assert may_person(both, Action.CASE_APPROVE, Whose(OWN, "health")) == Allowed(Role.PROVIDER)
    authority = person(Role.AUTHORITY)
    assert may_person(authority, Action.CASE_APPROVE, Whose(OWN, "health")) == Allowed(Role.AUTHORITY)
    assert may_person(authority, Action.CASE_APPROVE, Whose("health", OWN)) == Refused(Refusal.OWN_DEPARTMENT)


def test_who_has_no_role_may_do_nothing() -> None:
    for action in Action:
        assert isinstance(may_person(person(), action, Whose(OWN, OWN)), Refused)


def test_before_the_first_password_is_changed_nothing_else_may_be_done() -> None:
    new = person(Role.CONSUMER, must_change_password=True)
    assert may_person(new, Action.CASE_LOOK, Whose(OWN, OWN)) == Refused(Refusal.PASSWORD_CHANGE_FIRST)
    assert may_person(new, Action.ACCOUNT_CHANGE_OWN_PASSWORD, Whose(OWN, OWN)) == Allowed(Role.CONSUMER)


def test_a_token_narrows_what_its_owner_may_and_never_widens_it() -> None:
    looking = person(Role.CONSUMER, scopes=frozenset({"case:look"}))
    assert may_person(looking, Action.CASE_LOOK, Whose(OTHER, OWN)) == Allowed(Role.CONSUMER)
    assert may_person(looking, Action.CASE_SUBMIT, Whose(OTHER, OWN)) == Refused(Refusal.OUT_OF_SCOPE)
    wide = person(Role.CONSUMER, scopes=SCOPES)
    assert may_person(wide, Action.CASE_APPROVE, Whose(OTHER, OWN)) == Refused(Refusal.WRONG_ROLE)
    for action in (Action.ACCOUNT_CREATE_OWN_TOKEN, Action.ACCOUNT_CHANGE_OWN_PASSWORD):
        assert may_person(wide, action, Whose(OWN, OWN)) == Refused(Refusal.OUT_OF_SCOPE)
    assert isinstance(
        may_person(person(Role.CONSUMER, scopes=frozenset()), Action.CASE_LOOK, Whose(OWN, OWN)), Refused
    )


def test_scopes_are_made_of_the_table() -> None:
    assert "quarantine:change" in SCOPES
    assert "account:own" not in SCOPES
    assert {each.partition(":")[0] for each in SCOPES} == {area.value for area in Area}
    assert {scope_of(each) for each in PERMISSIONS.values() if each.kind is Kind.OWN} == {None}


def test_the_buttons_of_a_page_are_what_may_be_done() -> None:
    offered = (Action.CASE_APPROVE, Action.CASE_WITHDRAW, Action.CASE_COMPLAIN)
    assert permitted(person(Role.CONSUMER), offered, Whose(OTHER, OWN)) == (
        Action.CASE_WITHDRAW,
        Action.CASE_COMPLAIN,
    )


def test_nobody_acts_in_a_role_that_he_does_not_have() -> None:
    with pytest.raises(ValueError, match="does not have the role"):
        person(Role.CONSUMER).acting_as(Role.AUTHORITY)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", [Role, Duty, Area, Reach, Refusal, Action])
def test_everything_has_its_words(kind: type[Role], language: Language) -> None:
    found = [said(each, language) for each in kind]
    assert all(found)
    assert len(set(found)) == len(found)


def test_a_need_is_open_to_exactly_those_whom_its_life_cycle_knows() -> None:
    parties = {
        Party.CONSUMER: {(Role.CONSUMER, OWN)},
        Party.ASSIGNEE: {(Role.PROVIDER, OWN)},
        Party.AUTHORITY: {(Role.AUTHORITY, OTHER)},
    }
    for action in NeedAction:
        known = {
            cell for (_, taken), each in NEEDS.items() if taken is action for cell in parties[each.party]
        }
        assert cells(Action(f"demand.{action.value}")) == known


def test_a_ticket_is_open_to_exactly_those_whom_its_life_cycle_knows() -> None:
    life = pytest.importorskip("services.control.tickets.table")
    parties = {
        "reporter": {(Role.CONSUMER, OWN)},
        "provider": {(Role.PROVIDER, OWN)},
        "authority": {(Role.AUTHORITY, OTHER)},
        "arbiter": {(Role.AUTHORITY, OTHER)},
        "system": set(),
    }
    for action in {taken for _, taken in life.TRANSITIONS}:
        transitions = [each for (_, taken), each in life.TRANSITIONS.items() if taken is action]
        known = {cell for each in transitions for party in each.parties for cell in parties[party.value]}
        assert cells(Action(f"ticket.{action.value}")) == known
