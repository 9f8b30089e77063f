"""The demo proves nothing before everything is decided, and its figures add up over generations."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from typing import Any
from unittest.mock import Mock

import jsonschema
import pytest
from rich.console import Console

from services.cli.demo_books import Books, books_of, settled_books, withheld_by_grant
from services.cli.demo_story import DemoStory
from services.cli.demo_waiting import DemoStuck
from services.demo.latency import Latencies
from services.demo.narration import Narrator
from services.ledger.lookup import Lookup
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import PERSON, shape

SETTLED = Books({"closed": True, "complete": True}, {}, {}, {}, "", "the books close")
WAITING = "2 records are pending: gate has yet to decide 2 of raw.police.public.person"


def generation(number: int, **withheld: int) -> dict[str, Any]:
    return {"grant": "health-persons-gusu", "generation": number, "withheld": withheld}


def test_what_is_withheld_under_two_generations_of_a_grant_is_added_up() -> None:
    found = withheld_by_grant(
        [
            generation(1, OUTSIDE_ROWS=3, FILLED_BY_EPOCH=7),
            {"grant": "education-persons", "generation": 1, "withheld": {}},
            generation(2, OUTSIDE_ROWS=4, INTERNAL=1),
        ]
    )
    assert found == {
        "health-persons-gusu": {"OUTSIDE_ROWS": 7, "FILLED_BY_EPOCH": 7, "INTERNAL": 1},
        "education-persons": {},
    }


def test_the_proof_waits_until_nothing_is_pending_and_tells_what_is(city: MemoryCity) -> None:
    city.change("c", after={**PERSON, "id": 3})
    city.change("c", after={**PERSON, "id": 4})
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        city.pump()

    books = settled_books(lambda: books_of(city.lookup), tell)
    assert told == [WAITING]
    assert books.balance["complete"] is True
    assert books.verdict == "the books close, and nothing is pending"


def test_the_proof_that_would_wait_for_ever_says_what_for() -> None:
    now = iter(range(100))
    told: list[str] = []
    with pytest.raises(DemoStuck, match=f"waited 10 s for gate and fan-out to decide everything: {WAITING}"):
        settled_books(lambda: replace(SETTLED, pending=WAITING), told.append, 10, lambda: next(now))
    assert told == [WAITING], "the same is not told again and again"


def test_the_last_chapter_says_that_everything_is_decided_and_what_the_latency_was_taken_over(
    city: MemoryCity,
) -> None:
    class Story(DemoStory):
        @contextmanager
        def lookup(self) -> Iterator[Lookup]:
            yield city.lookup

    told = StringIO()
    story = Story(Mock(), Narrator(Console(file=told, width=200)), persons=None, seed=None, updates=2)
    answer = story.prove("refused", Latencies(0, expected=2, _arrived={"raw.x/0/1": 12.0}))
    jsonschema.validate(answer.as_json(), shape("demo").schema)
    assert "everything is decided, nothing is pending" in told.getvalue()
    assert "over 1 of 2 changes; 1 NEVER BECAME READABLE" in told.getvalue()
    assert "the books close, and nothing is pending" in told.getvalue()
