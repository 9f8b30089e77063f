"""API tokens: shown once, known by a prefix, narrow and mortal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.control.accounts.random_text import digest, new_secret
from services.control.accounts.tokens import (
    LONGEST_LIFE,
    Standing,
    Token,
    issue,
    prefix_of,
    standing,
    token_problems,
)
from tests.unit.accounts.seeded import seeded

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
DAY = timedelta(days=1)
TOKEN = Token("gbt_abcdefgh", "p1", "nightly export", frozenset({"catalogue:look"}), NOW, NOW + DAY)


def test_a_token_shows_its_prefix_and_is_kept_as_a_hash() -> None:
    made = issue(seeded())
    assert prefix_of(made.text) == made.prefix
    assert made.text.startswith(f"{made.prefix}_")
    assert made.digest == digest(made.text)
    assert made.text.encode() not in made.digest
    assert issue(seeded(8)).text != made.text


def test_a_secret_has_256_bits() -> None:
    asked: list[int] = []

    def random(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    assert len(new_secret(random)) == 43
    assert asked == [32]


@pytest.mark.parametrize(
    "text", ["", "gbt_abcdefgh", "gbt_abcdefgh_short", "xxx_abcdefgh_" + "a" * 43, "a" * 9999]
)
def test_what_is_no_token_has_no_prefix(text: str) -> None:
    assert prefix_of(text) is None


@pytest.mark.parametrize(
    ("name", "scopes", "ends", "codes"),
    [
        ("export", ["catalogue:look"], DAY, []),
        ("export", ["catalogue:look"], LONGEST_LIFE, []),
        ("export", ["catalogue:look"], LONGEST_LIFE + timedelta(seconds=1), ["EXPIRY"]),
        ("export", ["catalogue:look"], timedelta(0), ["EXPIRY"]),
        (" ", [], -DAY, ["NAME", "SCOPE", "EXPIRY"]),
        ("export", ["everything"], DAY, ["SCOPE"]),
        ("export", ["account:own"], DAY, ["SCOPE"]),
        ("x" * 101, ["case:look"], DAY, ["NAME"]),
    ],
)
def test_a_wish_for_a_token_is_checked(
    name: str, scopes: list[str], ends: timedelta, codes: list[str]
) -> None:
    assert [each.code for each in token_problems(name, scopes, NOW + ends, NOW)] == codes


def test_a_token_counts_until_it_expires_or_is_revoked() -> None:
    assert standing(TOKEN, NOW + DAY - timedelta(seconds=1)) is Standing.VALID
    assert standing(TOKEN, NOW + DAY) is Standing.EXPIRED
    assert standing(replace(TOKEN, revoked_at=NOW), NOW) is Standing.REVOKED
