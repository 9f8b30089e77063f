"""The page of the API: each address that it shows is one of the API, and each code stands in its table."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from services.api.codes import Code
from services.control.accounts.decision import Refusal
from services.control.catalogue.vocabulary import Language

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
PATHS: Final = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))["paths"]
_SHOWN: Final = re.compile(
    r"^curl (?P<options>.*?)\"?(?:\$BUS|https://[a-z.]+)(?P<path>/api/v1[^\s\"?]*)", re.M
)
SHOWN: Final = [(found["options"], found["path"]) for found in _SHOWN.finditer(PAGE)]


def pattern(path: str) -> re.Pattern[str]:
    """What addresses a path of the document stands for; an entry may be called by its code, with a slash."""
    parts = (
        "[^?]+" if part == "{entry}" else "[^/]+" if part.startswith("{") else part
        for part in path.split("/")
    )
    return re.compile("/".join(parts))


@pytest.mark.parametrize(("options", "path"), SHOWN)
def test_a_shown_call_is_one_of_the_api(options: str, path: str) -> None:
    method = "post" if " -d " in f" {options}" or "-F " in options else "get"
    fitting = [known for known in PATHS if pattern(known).fullmatch(path)]
    assert any(method in PATHS[known] for known in fitting), f"{method} {path}"


def test_the_page_shows_calls() -> None:
    assert len(SHOWN) > 15


def test_each_code_stands_in_the_table_with_its_status_and_words() -> None:
    rows = [f"| {code.status} | `{code.value}` | {code.said(Language.EN)} |" for code in Code]
    table = PAGE[PAGE.index("| status | code | what |") :].split("\n\n")[0].splitlines()[2:]
    assert table == sorted(rows, key=lambda row: int(row.split("|")[1]))


def test_each_reason_of_a_refusal_is_named() -> None:
    named = set(re.findall(r"`([A-Z_]+)`", PAGE))
    assert {reason.value for reason in Refusal} - {"UNKNOWN_ACTION"} <= named
