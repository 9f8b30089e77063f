"""Departments with three named persons, people, and what groups of an identity provider make of them."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.control.accounts.groups import GroupRule, Mapped, Unmapped, map_groups
from services.control.accounts.people import (
    Department,
    Person,
    department_problems,
    own_account_problem,
    person_problems,
    roles_problem,
)
from services.control.accounts.roles import Role
from services.control.catalogue.entry import Contact, Contacts

ID = UUID(int=7)
CONTACTS = Contacts(Contact("周建国", "0512-101"), Contact("吴敏", "0512-102"), Contact("郑晓", "0512-103"))
POLICE = Department("police", "公安局", "Police", "113205000140832149", CONTACTS)
WANG = Person(ID, "wang.li", "王丽", "police")


@pytest.mark.requirement("A1-08")
@pytest.mark.parametrize("who", ["head", "deputy", "clerk"])
@pytest.mark.parametrize("part", ["name", "phone"])
def test_a_department_names_its_three_persons_with_telephones(who: str, part: str) -> None:
    assert department_problems(POLICE) == ()
    without = replace(getattr(CONTACTS, who), **{part: " "})
    (problem,) = department_problems(replace(POLICE, contacts=replace(CONTACTS, **{who: without})))
    assert (problem.code, problem.field) == ("CONTACT", f"{who}.{part}")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (replace(POLICE, id="Police"), "ID"),
        (replace(POLICE, zh=""), "NAME"),
        (replace(POLICE, en="x" * 101), "NAME"),
        (replace(POLICE, credit_code="113205000140832140"), "CREDIT_CODE"),
    ],
)
def test_what_is_wrong_with_a_department_is_said(wrong: Department, code: str) -> None:
    assert [each.code for each in department_problems(wrong)] == [code]


@pytest.mark.parametrize(
    ("wrong", "codes"),
    [
        (WANG, []),
        (replace(WANG, login="W"), ["LOGIN"]),
        (replace(WANG, login="wang li"), ["LOGIN"]),
        (replace(WANG, name=" "), ["NAME"]),
        (replace(WANG, email="wang"), ["EMAIL"]),
        (replace(WANG, email="wang@example.gov.cn"), []),
        (replace(WANG, roles=frozenset({Role.AUTHORITY, Role.AUDITOR})), ["SEPARATION"]),
        (replace(WANG, oversees=frozenset({"police"})), ["OVERSIGHT"]),
        (replace(WANG, roles=frozenset({Role.OVERSEER}), oversees=frozenset({"*"})), []),
    ],
)
def test_what_is_wrong_with_a_person_is_said(wrong: Person, codes: list[str]) -> None:
    assert [each.code for each in person_problems(wrong)] == codes


@pytest.mark.parametrize("held", Role)
@pytest.mark.parametrize("wanted", Role)
def test_a_role_of_another_duty_is_not_given(held: Role, wanted: Role) -> None:
    together = [{Role.PROVIDER, Role.CONSUMER}, {Role.AUDITOR, Role.OVERSEER}]
    fits = held is wanted or {held, wanted} in together
    problem = roles_problem(frozenset({held}), wanted)
    assert (problem is None) is fits
    assert problem is None or problem.code == "SEPARATION"


def test_nobody_administers_his_own_account() -> None:
    problem = own_account_problem(str(ID), ID)
    assert problem is not None
    assert problem.code == "OWN_ACCOUNT"
    assert own_account_problem("console:wang", ID) is None


RULES = (
    GroupRule("gb-police", "police"),
    GroupRule("gb-tax", "tax"),
    GroupRule("gb-give", roles=frozenset({Role.PROVIDER})),
    GroupRule("gb-take", roles=frozenset({Role.CONSUMER})),
    GroupRule("gb-run", roles=frozenset({Role.OPERATOR})),
    GroupRule("gb-watch", "audit_office", frozenset({Role.OVERSEER}), frozenset({"police"})),
    GroupRule("gb-scope", oversees=frozenset({"tax"})),
)


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (["gb-police", "gb-give"], Mapped("police", frozenset({Role.PROVIDER}))),
        (
            ["gb-police", "gb-give", "gb-take", "x"],
            Mapped("police", frozenset({Role.PROVIDER, Role.CONSUMER})),
        ),
        (["gb-watch"], Mapped("audit_office", frozenset({Role.OVERSEER}), frozenset({"police"}))),
        (
            ["gb-watch", "gb-scope"],
            Mapped("audit_office", frozenset({Role.OVERSEER}), frozenset({"police", "tax"})),
        ),
        (["gb-police", "gb-give", "gb-scope"], Mapped("police", frozenset({Role.PROVIDER}))),
        ([], Unmapped.NO_GROUP),
        (["GB-POLICE"], Unmapped.NO_GROUP),
        (["gb-police"], Unmapped.NO_ROLE),
        (["gb-give"], Unmapped.NO_DEPARTMENT),
        (["gb-police", "gb-tax", "gb-give"], Unmapped.SEVERAL_DEPARTMENTS),
        (["gb-police", "gb-give", "gb-run"], Unmapped.SEPARATION),
    ],
)
def test_groups_say_department_and_roles_or_nothing(groups: list[str], found: Mapped | Unmapped) -> None:
    assert map_groups(groups, RULES) == found
