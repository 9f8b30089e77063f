"""Whom a trace is asked about: what is no number is refused before anything is looked up."""

from datetime import UTC, datetime

import pytest

from services.control.tracing.looking import NoIdentity, Person, normalised
from tests.support.tracing import NOW, number
from topics.identity.kinds import IdentityKind

ANNA = number(1)


@pytest.mark.parametrize("resident", ["", "1", ANNA[:-1] + ("1" if ANNA[-1] != "1" else "2"), "x" * 18])
def test_what_is_no_number_is_refused_without_repeating_it(resident: str) -> None:
    with pytest.raises(NoIdentity) as told:
        normalised(Person(IdentityKind.RESIDENT_ID, resident), datetime.now(UTC).date())
    assert not resident or resident not in str(told.value).split(": ", 1)[1]


def test_a_passport_needs_the_state_that_issued_it() -> None:
    with pytest.raises(NoIdentity, match="COUNTRY_MALFORMED"):
        normalised(Person(IdentityKind.PASSPORT, "E12345678"), NOW.date())
