"""Who is shown what of the ledger in a receipt, and who may fetch which, by the one table of permissions."""

from itertools import product

import pytest

from services.control.accounts.decision import Principal, Whose
from services.control.accounts.roles import Role
from services.control.evidence.ordering import Subject, Wish, may_fetch, shown_to
from services.evidence.entries import ACTS, DELIVERY
from services.evidence.receipt_making import EVERYTHING

GRANT = Whose("police", "health")
RECORD = Whose("police")
NOTHING = frozenset[str]()
OF = Subject(0, 17, topic="raw.police.public.person")


def person(department: str, *roles: Role) -> Principal:
    return Principal(
        "p", department, frozenset(roles), frozenset({"*"}) if Role.OVERSEER in roles else frozenset()
    )


@pytest.mark.parametrize(
    ("who", "whose", "shown"),
    [
        (person("data_bureau", Role.AUDITOR), GRANT, EVERYTHING),
        (person("data_bureau", Role.AUDITOR), RECORD, EVERYTHING),
        (person("health", Role.CONSUMER), GRANT, {ACTS}),
        (person("police", Role.PROVIDER), GRANT, {DELIVERY}),
        (person("police", Role.PROVIDER), RECORD, {DELIVERY}),
        (person("data_bureau", Role.OVERSEER), GRANT, NOTHING),
        (person("tax", Role.CONSUMER), GRANT, NOTHING),
    ],
)
def test_each_is_shown_what_concerns_the_own_department(
    who: Principal, whose: Whose, shown: frozenset[str]
) -> None:
    assert shown_to(who, whose) == shown


@pytest.mark.parametrize(
    ("role", "department", "shown"),
    list(product(Role, ("health", "police", "tax"), (EVERYTHING, frozenset({ACTS}), NOTHING))),
)
def test_a_receipt_is_fetched_by_auditors_and_by_whoever_may_see_as_much_in_the_department_that_asked(
    role: Role, department: str, shown: frozenset[str]
) -> None:
    wish = Wish(OF, shown, "somebody", "health", GRANT)
    own = department == "health" and shown != EVERYTHING
    assert may_fetch(person(department, role), wish) is (role is Role.AUDITOR or own)


def test_what_was_shown_to_another_party_is_not_fetched_by_the_department_that_asked() -> None:
    wish = Wish(OF, frozenset({DELIVERY}), "somebody", "health", GRANT)
    assert not may_fetch(person("health", Role.CONSUMER), wish)


@pytest.mark.parametrize(("grant", "topic"), [(None, None), ("g", "raw.police.public.person")])
def test_a_receipt_is_of_one_thing(grant: str | None, topic: str | None) -> None:
    with pytest.raises(ValueError, match="of a grant's record or of a raw record"):
        Subject(0, 0, grant, topic)
