"""The requirement ids that docs/requirements.md claims are carried by tests, and no test carries another."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ID = re.compile(r"^\| (A\d+-\d\d) \|", re.MULTILINE)


def claimed() -> set[str]:
    return set(_ID.findall((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")))


@cache
def carried() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
                found.update(str(given.value) for given in node.args if isinstance(given, ast.Constant))
    return found


def test_every_claimed_requirement_is_shown_by_a_test() -> None:
    assert claimed() - carried() == set()


def test_every_requirement_that_a_test_shows_is_claimed() -> None:
    assert carried() - claimed() == set()
