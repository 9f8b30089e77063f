"""How `govbus demo` ends: well only if the books close and every measured change arrived."""

import io
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from services.cli import demo, demo_traffic
from services.cli.output import ExitCode
from services.demo.answer import DemoAnswer
from services.demo.kept import OtherCity, SampleCity
from services.demo.latency import Latencies
from services.stack.api import Stack
from tests.unit.cli.called import Govbus, shape


def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: DemoAnswer | Exception) -> None:
    class Story:
        def __init__(self, *_: Any, **__: Any) -> None:
            """As the real one is called."""

        def show_accounts(self) -> None:
            return

        def play(self) -> DemoAnswer:
            if isinstance(end, Exception):
                raise end
            return end

    monkeypatch.setenv("GOVBUS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(demo, "DemoStory", Story)


@pytest.mark.parametrize(
    ("closed", "expected", "code"), [(True, 1, ExitCode.OK), (True, 2, ExitCode.NEGATIVE), (False, 1, 1)]
)
def test_the_demo_ends_well_only_if_the_books_close_and_no_change_is_missing(
    govbus: Govbus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, closed: bool, expected: int, code: int
) -> None:
    balance = {"closed": closed, "complete": True, "quiet": True, "sums": {}, "differences": []}
    latencies = Latencies(0, expected=expected, _arrived={"raw.x/0/1": 12.0})
    played(monkeypatch, tmp_path, DemoAnswer({}, {}, {}, balance, latencies, 1.0, "refused"))
    ended = govbus("demo", "--exit", "--json")
    assert ended.code == code
    assert list(shape("demo").iter_errors(ended.answer)) == []
    assert ended.answer["latency_ms"]["missing"] == expected - 1


def test_another_seed_than_the_kept_one_is_a_mistake_of_the_command_line_with_a_remedy(
    govbus: Govbus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    played(monkeypatch, tmp_path, OtherCity(SampleCity(200, 7), 8))
    ended = govbus("demo", "--seed", "8", "--exit")
    assert ended.code == ExitCode.USAGE
    assert "there is no city of seed 8" in ended.err
    assert "govbus demo --seed 7" in ended.err
    assert "govbus reset" in ended.err


def test_traffic_ends_well_with_ctrl_c_and_says_how_many_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_traffic, "admin_dsn", lambda _stack: "")
    monkeypatch.setattr(demo_traffic, "play_traffic", lambda _dsn, changes, _rng: map(str, range(changes)))
    waits: list[float] = []

    def interrupted(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt

    console, stack = Console(file=io.StringIO()), cast("Stack", None)
    assert demo_traffic.go_on(stack, console, 3, waits.append) == 3
    waits.clear()
    assert demo_traffic.go_on(stack, console, 10, interrupted) == 2
