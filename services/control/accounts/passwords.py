"""What a password must be, and how a first one is made."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from unicodedata import normalize

from services.control.accounts.random_text import Random

_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without what looks like something else: a first password is typed from paper."""
_GROUPS: Final = 4
_GROUP: Final = 5
_COMMON: Final = (
    "password",
    "passw0rd",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "govbus",
    "admin",
    "iloveyou",
    "woaini",
)
_RUN: Final = 5


class Flaw(StrEnum):
    """What is wrong with a password."""

    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    TOO_UNIFORM = "TOO_UNIFORM"
    """Too few of: small letters, capital letters, digits, other characters."""
    NAMES_ITS_OWNER = "NAMES_ITS_OWNER"
    GUESSABLE = "GUESSABLE"
    """A common word, one character again and again, or a run such as 12345 or edcba."""
    USED_BEFORE = "USED_BEFORE"


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """What is asked of passwords; a fixed life only where the rules of the place want one."""

    shortest: int = 12
    longest: int = 128
    kinds: int = 3
    life: timedelta | None = None


def flaws(password: str, login: str, name: str, rules: PasswordRules) -> tuple[Flaw, ...]:
    """Everything that is wrong with a password; whether it was used before only its hashes can say."""
    return tuple(_flaws(normalize("NFC", password), login, name, rules))


def is_old(changed_at: datetime, now: datetime, rules: PasswordRules) -> bool:
    """Whether a password has outlived the rules."""
    return rules.life is not None and now - changed_at >= rules.life


def first_password(random: Random) -> str:
    """A password to begin with: twenty characters in four groups, more than 110 bits."""
    drawn = _drawn(random)
    while True:
        groups = ["".join(next(drawn) for _ in range(_GROUP)) for _ in range(_GROUPS)]
        made = "-".join(groups)
        if not flaws(made, "", "", PasswordRules()):
            return made


def _flaws(password: str, login: str, name: str, rules: PasswordRules) -> Iterator[Flaw]:
    if len(password) < rules.shortest:
        yield Flaw.TOO_SHORT
    if len(password) > rules.longest:
        yield Flaw.TOO_LONG
        return
    if len({_kind(character) for character in password}) < rules.kinds:
        yield Flaw.TOO_UNIFORM
    folded = password.casefold()
    owner = [each.casefold() for each in (login, name) if len(each) > 1]
    if any(each in folded or each[::-1] in folded for each in owner):
        yield Flaw.NAMES_ITS_OWNER
    if any(each in folded for each in _COMMON) or _has_run(folded):
        yield Flaw.GUESSABLE


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    if character.islower():
        return "small"
    return "capital" if character.isupper() else "other"


def _has_run(password: str) -> bool:
    """Whether so many characters in a row are the same, each the next, or each the one before."""
    steps = [ord(after) - ord(before) for before, after in pairwise(password)]
    width = _RUN - 1
    windows = (set(steps[at : at + width]) for at in range(len(steps) - width + 1))
    return any(window in ({0}, {1}, {-1}) for window in windows)


def _drawn(random: Random) -> Iterator[str]:
    """Characters of the alphabet, each as likely as another."""
    bound = 256 - 256 % len(_ALPHABET)
    while True:
        yield from (_ALPHABET[byte % len(_ALPHABET)] for byte in random(32) if byte < bound)
