"""The menu shows what the table of permissions opens to each role, and nothing else."""

import pytest

from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal
from services.control.accounts.permissions import PERMISSIONS, Reach
from services.control.accounts.roles import Role
from services.portal.navigation import MENU, sections

PLACES = tuple(place for section in MENU for place in section.places)


def seen(*roles: Role, first_login: bool = False) -> set[str]:
    """The paths in the menu of somebody with these roles."""
    who = Principal("zhang", "health", frozenset(roles), must_change_password=first_login)
    return {place.path for section in sections(who) for place in section.places}


@pytest.mark.requirement("A1-05")
@pytest.mark.parametrize("role", Role)
def test_a_place_is_shown_to_a_role_where_the_table_lets_it_look_at_what_is_its_own(role: Role) -> None:
    for place in PLACES:
        reach = {PERMISSIONS[action].of(role) for action in place.needs}
        assert (place.path in seen(role)) == (not place.needs or bool(reach & {Reach.OWN, Reach.ALL})), place


def test_a_consumer_finds_no_place_of_others_work() -> None:
    others = {"/catalogue/import", "/quarantine", "/conflicts"}
    assert not seen(Role.CONSUMER) & others
    assert {"/apply", "/cases", "/tickets"} <= seen(Role.CONSUMER)


def test_whoever_must_change_the_password_first_sees_only_what_needs_no_permission() -> None:
    assert seen(Role.OPERATOR, first_login=True) == {place.path for place in PLACES if not place.needs}


def test_roles_that_nobody_may_hold_together_open_nothing() -> None:
    assert seen(Role.OPERATOR, Role.AUDITOR) == {place.path for place in PLACES if not place.needs}


def test_every_place_but_those_for_everybody_names_what_it_needs() -> None:
    free = {place.path for place in PLACES if not place.needs}
    assert free == {"/", "/tasks", "/inbox"}
    assert {action for place in PLACES for action in place.needs} <= set(Action)
