"""Of a reset password is told whose account it was and who did it, by ids, and nothing else."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.control.notices.of_accounts import password_reset
from services.control.notices.shown import HIDDEN
from services.control.notices.text import text_of
from services.control.notices.words import Language

NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
WANG, ZHAO = str(UUID(int=7)), str(UUID(int=8))


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("by", "told"), [(ZHAO, ZHAO), ("console:zhao min", "console")])
def test_a_reset_names_the_account_and_who_did_it_but_no_login_at_the_machine(
    by: str, told: str, language: Language
) -> None:
    text = text_of(password_reset(WANG, "police", by, NOON), language, "https://portal")
    assert WANG in text.subject
    assert told in text.what_to_do
    assert "zhao" not in text.what_to_do
    assert HIDDEN not in f"{text.subject}{text.what_to_do}"
