"""All that the API says exists in both languages; each code of the rules has its Chinese words."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.api.codes import Code
from services.api.language import language_of
from services.api.said import problem_in
from services.api.said_in_chinese import CHINESE
from services.api.said_of_accounts import FLAWS, flaws_in_words
from services.control.accounts.passwords import Flaw
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language

CONTROL = Path("services/control")
RULES = ("cases", "tickets", "accounts", "desk", "objections", "ownership", "store/accounts")


def codes_in(path: Path) -> Iterator[str]:
    """The codes of problems that a module makes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def test_each_code_of_the_rules_has_chinese_words() -> None:
    files = [path for area in RULES for path in sorted((CONTROL / area).glob("*.py"))]
    used = {code for path in files for code in codes_in(path)}
    assert len(used) > 80
    assert used - set(CHINESE) == set()


def test_chinese_words_are_chinese_and_say_what_to_do() -> None:
    for code, (what, remedy) in CHINESE.items():
        assert what, code
        assert remedy, code
        assert any("\u4e00" <= each <= "\u9fff" for each in what + remedy), code


def test_a_problem_without_chinese_words_stays_as_it_was_said() -> None:
    problem = Problem("NEW_CODE", "x", "something", "do something")
    assert problem_in(problem, Language.ZH) == problem
    known = Problem("NAME", "name", "the name is empty", "give it")
    assert problem_in(known, Language.EN) == known
    assert problem_in(known, Language.ZH).what == CHINESE["NAME"][0]


@pytest.mark.parametrize("code", Code)
def test_each_code_has_a_status_and_words_in_both_languages(code: Code) -> None:
    assert 400 <= code.status <= 503
    for say in (code.said, code.remedy):
        assert say(Language.ZH)
        assert say(Language.EN)
        assert say(Language.ZH) != say(Language.EN)


def test_each_flaw_of_a_password_has_its_words() -> None:
    assert set(FLAWS) == set(Flaw)
    (problem,) = flaws_in_words([Flaw.TOO_SHORT], Language.ZH)
    assert (problem.code, problem.field) == ("PASSWORD_TOO_SHORT", "new")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, Language.ZH),
        ("", Language.ZH),
        ("en", Language.EN),
        ("en-GB,en;q=0.9", Language.EN),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.ZH),
        ("de,en;q=0.5,zh;q=0.4", Language.EN),
        ("en;q=0.4,zh;q=0.5", Language.ZH),
        ("en;q=0", Language.ZH),
        ("en;q=x", Language.ZH),
        ("fr", Language.ZH),
        (",;,", Language.ZH),
    ],
)
def test_the_readers_first_known_language_counts(header: str | None, language: Language) -> None:
    assert language_of(header) is language
