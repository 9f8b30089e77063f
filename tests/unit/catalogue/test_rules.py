"""The list of rules is closed: documented, worded in both languages, and each broken by a test."""

import re
from pathlib import Path

import pytest

from services.control.catalogue.problems import Problem
from services.control.catalogue.rules import Rule
from services.control.catalogue.vocabulary import Language
from services.control.catalogue.wording import WORDING

HERE = Path(__file__).parent
DOCUMENT = (HERE.parents[2] / "docs" / "catalogue.md").read_text(encoding="utf-8")
_HAN = re.compile(r"[一-鿿]")


def test_every_rule_is_documented_once_and_nothing_else_is() -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", DOCUMENT.split("\n## Rules")[1], re.MULTILINE)
    assert sorted(documented) == sorted(rule.value for rule in Rule)


@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_says_what_is_wrong_and_what_to_do_in_both_languages(rule: Rule) -> None:
    english, chinese = WORDING[rule][Language.EN], WORDING[rule][Language.ZH]
    assert all(english)
    assert all(_HAN.search(said) for said in chinese)
    braces = [set(re.findall(r"{(\w+)}", "".join(said))) - {"field"} for said in (english, chinese)]
    assert braces[0] == braces[1], "both languages use the same facts"


@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_is_broken_by_a_test(rule: Rule) -> None:
    texts = [path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py") if path != Path(__file__)]
    assert any(f"Rule.{rule.name}" in text for text in texts)


def test_a_long_value_is_cut_for_a_table_and_whole_in_the_problem() -> None:
    problem = Problem(Rule.TEXT_PLACEHOLDER, value="字" * 100)
    assert problem.shown == "字" * 59 + "…"
    assert len(problem.value) == 100
