"""The demo proves nothing before everything is decided, and its figures add up over generations."""

from dataclasses import replace
from typing import Any

import pytest

from services.cli.demo_books import Books, books_of, settled_books, withheld_by_grant
from services.cli.demo_waiting import DemoStuck
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import PERSON

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
