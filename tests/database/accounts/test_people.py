"""Departments, people and roles in a real PostgreSQL: what is refused is refused by the tables too."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from services.control.accounts.people import Person
from services.control.accounts.roles import Role
from services.control.accounts.sessions import Method, SessionRules, Standing
from services.control.accounts.tokens import Standing as TokenStanding
from services.control.catalogue.entry import Contact
from services.control.store.accounts import departments, persons, roles, sessions, tokens
from services.control.store.accounts.acts import CorrectRequest
from services.control.store.accounts.tables import ROLES
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on
from tests.database.accounts.city import (
    CONTACTS,
    NOW,
    POLICE,
    RANDOM,
    TAX,
    WANG,
    acts,
    another,
    hire,
    order,
    settle,
)


@pytest.mark.requirement("A1-08")
def test_a_department_is_kept_with_its_three_persons_and_can_be_corrected(
    control_database: ControlDatabase,
) -> None:
    changed = replace(POLICE, contacts=replace(CONTACTS, clerk=Contact("李然", "0512-203")))
    with control_database.begin() as connection:
        settle(connection)
        assert departments.department_of(connection, "police") == POLICE
        departments.edit_department(connection, changed, order())
        assert departments.departments(connection) == [changed, TAX]
        assert [act.what for act in acts_on(connection, "department", "police")] == [
            "account.add_department",
            "account.edit_department",
        ]


def test_a_department_is_added_once_and_only_complete(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        settle(connection)
        for wrong in (
            POLICE,
            replace(POLICE, id="police_two"),
            replace(TAX, contacts=replace(CONTACTS, head=Contact())),
        ):
            with pytest.raises(CorrectRequest):
                departments.add_department(connection, wrong, order())
        with pytest.raises(CorrectRequest, match="there is no department"):
            departments.edit_department(connection, replace(TAX, id="nobody"), order())


def test_a_person_is_kept_with_roles_and_every_change_is_owed_to_the_ledger(
    control_database: ControlDatabase,
) -> None:
    with control_database.begin() as connection:
        settle(connection)
        persons.add_person(connection, WANG, order())
        assert roles.give_role(connection, WANG.id, Role.PROVIDER, order())
        assert roles.give_role(connection, WANG.id, Role.CONSUMER, order())
        assert not roles.give_role(connection, WANG.id, Role.CONSUMER, order())
        found = persons.person_by_login(connection, "wang.li")
        assert found is not None
        assert found.roles == {Role.PROVIDER, Role.CONSUMER}
        assert found.rights == 3
        assert persons.people(connection) == [found] == persons.people(connection, "police")
        assert persons.people(connection, "tax") == []
        assert acts(connection, WANG) == ["account.add", "account.give_role", "account.give_role"]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(WANG, login="Wang"),
        replace(WANG, department="nobody"),
        replace(WANG, roles=frozenset({Role.AUTHORITY})),
    ],
)
def test_who_cannot_be_added_is_not(control_database: ControlDatabase, wrong: Person) -> None:
    with control_database.begin() as connection:
        settle(connection)
        with pytest.raises(CorrectRequest):
            persons.add_person(connection, wrong, order())
        assert persons.people(connection) == []


def test_a_login_name_belongs_to_one(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        settle(connection)
        persons.add_person(connection, WANG, order())
        with pytest.raises(CorrectRequest, match="taken"):
            persons.add_person(connection, another(2, "wang.li", "tax"), order())


@pytest.mark.parametrize("held", Role)
@pytest.mark.parametrize("wanted", Role)
def test_a_second_duty_is_refused(control_database: ControlDatabase, held: Role, wanted: Role) -> None:
    together = [{Role.PROVIDER, Role.CONSUMER}, {Role.AUDITOR, Role.OVERSEER}]
    with control_database.begin() as connection:
        settle(connection)
        hire(connection, held)
        if held is wanted or {held, wanted} in together:
            roles.give_role(connection, WANG.id, wanted, order())
        else:
            with pytest.raises(CorrectRequest, match="duty"):
                roles.give_role(connection, WANG.id, wanted, order())


@pytest.mark.parametrize(("role", "duty"), [("authority", "management"), ("authority", "operation")])
def test_the_tables_themselves_refuse_a_second_duty(
    control_database: ControlDatabase, role: str, duty: str
) -> None:
    with control_database.begin() as connection:
        settle(connection)
        hire(connection, Role.OPERATOR)
    values = {"person": WANG.id, "role": role, "duty": duty, "given_at": NOW, "given_by": "somebody"}
    with pytest.raises(IntegrityError), control_database.begin() as connection:
        connection.execute(insert(ROLES).values(values))
    with pytest.raises(IntegrityError), control_database.begin() as connection:
        connection.execute(text("UPDATE persons SET duty = 'management'"))


def test_who_lost_all_roles_may_get_another_duty(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        settle(connection)
        hire(connection, Role.PROVIDER, Role.CONSUMER)
        assert roles.take_role(connection, WANG.id, Role.PROVIDER, order())
        assert not roles.take_role(connection, WANG.id, Role.PROVIDER, order())
        with pytest.raises(CorrectRequest):
            roles.give_role(connection, WANG.id, Role.AUDITOR, order())
        assert roles.take_role(connection, WANG.id, Role.CONSUMER, order())
        assert roles.give_role(connection, WANG.id, Role.AUDITOR, order())
        assert persons.lock_person(connection, WANG.id).roles == {Role.AUDITOR}


def test_nobody_gives_himself_a_role(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        settle(connection)
        hire(connection, Role.AUTHORITY)
        himself = order(str(WANG.id))
        for attempt in (roles.give_role, roles.take_role):
            with pytest.raises(CorrectRequest, match="own account"):
                attempt(connection, WANG.id, Role.AUTHORITY, himself)


@pytest.mark.requirement("A1-06")
def test_what_an_overseer_oversees_is_kept_and_goes_with_the_role(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        settle(connection)
        hire(connection, Role.AUDITOR)
        with pytest.raises(CorrectRequest, match="overseer"):
            roles.set_oversight(connection, WANG.id, ["police"], order())
        roles.give_role(connection, WANG.id, Role.OVERSEER, order())
        roles.set_oversight(connection, WANG.id, ["tax", "police"], order())
        roles.set_oversight(connection, WANG.id, ["*"], order())
        assert persons.lock_person(connection, WANG.id).oversees == {"*"}
        roles.take_role(connection, WANG.id, Role.OVERSEER, order())
        assert persons.lock_person(connection, WANG.id).oversees == frozenset()


@pytest.mark.requirement("A11-04")
def test_an_account_that_is_switched_off_loses_all_that_was_open_for_good(
    control_database: ControlDatabase,
) -> None:
    rules, later = SessionRules(), timedelta(seconds=1)
    with control_database.begin() as connection:
        settle(connection)
        wang = hire(connection, Role.CONSUMER)
        id_ = sessions.begin(connection, wang, Method.PASSWORD, order(str(wang.id)), RANDOM)
        made = tokens.create_token(
            connection, wang.id, "export", ["case:look"], NOW + timedelta(days=1), order(str(wang.id)), RANDOM
        )
        assert persons.disable(connection, wang.id, order(why="left the office"))
        assert not persons.disable(connection, wang.id, order())
        assert sessions.use(connection, id_, NOW, rules, RANDOM) is Standing.ENDED
        assert tokens.use_token(connection, made.text, NOW) is TokenStanding.REVOKED
        assert persons.enable(connection, wang.id, order())
        assert sessions.use(connection, id_, NOW + later, rules, RANDOM) is Standing.ENDED
        assert tokens.use_token(connection, made.text, NOW + later) is TokenStanding.REVOKED
        assert acts(connection, wang)[-2:] == ["account.disable", "account.enable"]
        assert acts_on(connection, "account", str(wang.id))[-2].reason == "left the office"


def test_who_is_unknown_cannot_be_changed(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection, pytest.raises(CorrectRequest, match="no such person"):
        roles.give_role(connection, WANG.id, Role.PROVIDER, order())


def test_a_change_that_is_rolled_back_leaves_no_act(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        settle(connection)
        hire(connection)
        before = acts(connection, WANG)

    def broken() -> None:
        with control_database.begin() as connection:
            roles.give_role(connection, WANG.id, Role.PROVIDER, order())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with control_database.begin() as connection:
        assert acts(connection, WANG) == before
        assert persons.lock_person(connection, WANG.id).roles == frozenset()
