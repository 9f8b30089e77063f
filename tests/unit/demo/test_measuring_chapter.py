"""The demo's chapter about latency, over a real source and departments that read when the test says so."""

import time
from io import StringIO
from unittest.mock import Mock

import pytest
from rich.console import Console

from services.cli import demo_story
from services.cli.demo_story import DemoStory
from services.demo.databases import create_city, load_city
from services.demo.narration import Narrator
from services.demo.readers import Arrival
from tests.unit.demo.test_databases import PASSWORDS
from tests.unit.demo.test_latency import arrival

CHANGES = 3


class Department:
    """Reads one change at each look, as far as there are some."""

    consumer, topic = "education", "sub.x"

    def __init__(self, changes: int) -> None:
        self._left = changes

    def poll(self) -> list[Arrival]:
        if not self._left:
            return []
        self._left -= 1
        return [arrival(self._left, 20, committed_ms=int(time.time() * 1000) + 60_000)]


def measured(admin_dsn: str, readable: int) -> tuple[int, int, str]:
    class Story(DemoStory):
        @property
        def admin_dsn(self) -> str:
            return admin_dsn

    told = StringIO()
    story = Story(Mock(), Narrator(Console(file=told, width=200)), persons=None, seed=None, updates=CHANGES)
    story.readers = [Department(readable)]  # type: ignore[list-item]
    latencies = story.measure()
    return latencies.expected, latencies.missing, told.getvalue()


@pytest.mark.parametrize("readable", [CHANGES, CHANGES - 1])
def test_each_change_is_waited_for_and_what_does_not_come_is_told(
    admin_dsn: str, monkeypatch: pytest.MonkeyPatch, readable: int
) -> None:
    create_city(admin_dsn, PASSWORDS)
    load_city(admin_dsn, 300, seed=5)
    monkeypatch.setattr(demo_story, "PATIENCE_SECONDS", 60 if readable == CHANGES else 0.3)
    expected, missing, told = measured(admin_dsn, readable)
    assert (expected, missing) == (CHANGES, CHANGES - readable)
    assert f"{CHANGES} addresses changed" in told
    assert f"{readable} of them are readable" in told
