"""What plan notes is told also where nothing is to be changed: it stays true after an apply."""

import pytest

from services.cli import plan as command
from services.control.difference import Plan, Refusal


@pytest.mark.parametrize(
    ("refusals", "first"), [((), "Nothing to change."), ((Refusal("t", "because"),), "note: slow")]
)
def test_a_note_is_told_where_there_are_no_steps(
    refusals: tuple[Refusal, ...], first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command._print_plan(Plan((), refusals, ("slow", "late")))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == first
    assert {"note: slow", "note: late"} <= set(lines)
