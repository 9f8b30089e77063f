"""A step that is looked at often keeps its time and its bar, and does not flood a file."""

import io
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from services.stack.progress import Bars


@dataclass
class Shown:
    """Bars on a console, by a clock of the test's."""

    terminal: bool
    now: float = 0.0
    out: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        console = Console(file=self.out, force_terminal=self.terminal, width=100)
        self.bars = Bars(console, lambda: self.now)

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()


def test_without_a_terminal_a_line_comes_every_few_seconds_and_at_each_new_step() -> None:
    shown = Shown(terminal=False)
    for look in range(40):
        shown.now = look / 2
        shown.bars.show("scanning", f"scanning {look}", look, 40)
    shown.bars.done("scanning", "scanning done")
    shown.bars.show("counting", "counting 1", 1, 2)
    assert shown.lines == [
        "scanning 0 …",
        "scanning 10 …",
        "scanning 20 …",
        "scanning 30 …",
        "scanning done",
        "counting 1 …",
    ]


def test_a_bar_has_a_total_and_its_time_goes_on_through_all_looks() -> None:
    shown = Shown(terminal=True)
    begun = []
    for look in range(3):
        shown.bars.show("scanning", f"scanning {look}", look, 40)
        [task] = shown.bars._progress.tasks
        begun.append(task.start_time)
    assert (task.total, task.completed, task.description) == (40, 2, "scanning 2")
    assert len(set(begun)) == 1, "it began once"


@pytest.mark.parametrize("again", [7, 0])
def test_a_step_that_comes_back_begins_anew(again: int) -> None:
    shown = Shown(terminal=True)
    shown.bars.show("deciding", "deciding", 10, 10)
    shown.bars.done("deciding", "deciding done")
    shown.bars.show("deciding", "deciding", again, 20)
    [task] = shown.bars._progress.tasks
    assert (task.total, task.completed, task.finished) == (20, again, False)
