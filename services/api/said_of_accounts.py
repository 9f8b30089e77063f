"""What is wrong with a password, in both languages."""

from collections.abc import Iterable, Mapping
from typing import Final

from services.control.accounts.passwords import Flaw
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language

FLAWS: Final[Mapping[Flaw, tuple[str, str, str, str]]] = {
    Flaw.TOO_SHORT: ("密码太短", "请至少使用 12 个字符", "it is too short", "use at least 12 characters"),
    Flaw.TOO_LONG: ("密码太长", "请最多使用 128 个字符", "it is too long", "use at most 128 characters"),
    Flaw.TOO_UNIFORM: (
        "字符种类太少",
        "请使用大写、小写、数字、其他字符中的至少三种",
        "it has too few kinds of characters",
        "use at least three of: small letters, capital letters, digits, others",
    ),
    Flaw.NAMES_ITS_OWNER: (
        "密码包含账号或姓名",
        "请勿使用账号或姓名",
        "it contains the login name or the name",
        "leave them out",
    ),
    Flaw.GUESSABLE: (
        "密码容易被猜到",
        "请勿使用常用词或连续字符",
        "it is easily guessed",
        "use no common words, no runs and no repetitions",
    ),
    Flaw.USED_BEFORE: (
        "密码以前用过",
        "请使用新的密码",
        "it was used before",
        "choose one that you have not used",
    ),
}


def flaws_in_words(flaws: Iterable[Flaw], language: Language) -> tuple[Problem, ...]:
    """Each flaw as a problem of the field ``new``."""
    return tuple(_flaw(each, language) for each in flaws)


def _flaw(flaw: Flaw, language: Language) -> Problem:
    zh, do_zh, en, do_en = FLAWS[flaw]
    what, remedy = (zh, do_zh) if language is Language.ZH else (en, do_en)
    return Problem(f"PASSWORD_{flaw.value}", "new", what, remedy)


def wrong_in_words(language: Language) -> tuple[Problem, ...]:
    """That the old password is not the one that counts, as a problem of the field ``old``."""
    said = ("原密码有误", "请核对后重试") if language is Language.ZH else ("it is wrong", "check it")
    return (Problem("PASSWORD_WRONG", "old", *said),)
