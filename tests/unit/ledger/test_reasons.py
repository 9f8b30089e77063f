"""The documented lists are complete in both directions."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from services.cli.output import ExitCode
from services.ledger.proof import What
from topics.event import ControlReason, EndedReason, StopReason, SupersededReason, WithheldReason

DOCS = Path(__file__).parents[3] / "docs"
_CODE = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


def section(file: str, title: str) -> str:
    text = (DOCS / file).read_text(encoding="utf-8")
    found = [part for part in text.split("\n## ") if part.startswith(title)]
    assert len(found) == 1, f"{file} has no section {title!r}"
    return found[0]


@pytest.mark.parametrize(
    ("file", "title", "codes"),
    [
        ("reasons.md", "Stopped", StopReason),
        ("reasons.md", "Control", ControlReason),
        ("reasons.md", "Superseded", SupersededReason),
        ("reasons.md", "Withheld", WithheldReason),
        ("reasons.md", "Ended", EndedReason),
        ("auditor.md", "Differences", What),
    ],
)
def test_every_code_is_documented_once_and_nothing_else_is(
    file: str, title: str, codes: type[StrEnum]
) -> None:
    documented = _CODE.findall(section(file, title))
    assert sorted(documented) == sorted(code.value for code in codes)


def test_every_exit_code_is_documented() -> None:
    found = re.findall(r"^\| (\d) \|", section("auditor.md", "Exit codes"), re.MULTILINE)
    assert found == [str(int(code)) for code in ExitCode]
