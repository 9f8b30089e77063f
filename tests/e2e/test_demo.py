"""`govbus demo` as a user runs it: a program of its own, over a home of its own, from nothing and again."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from services.stack.api import Stack
from services.stack.settings import StackSettings
from tests.e2e.demo_run import PERSONS, UPDATES, Run, play
from tests.stack_fixture import settings_for, temporary_home
from tests.support.processor_time import seconds_without_others

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

SHAPE = Path(__file__).parents[2] / "docs" / "cli" / "demo.schema.json"
#: What a second `make demo` may take on two cores until the first record is delivered.
FIRST_DELIVERY_SECONDS = 60.0


@pytest.fixture(scope="module")
def settings() -> Iterator[StackSettings]:
    # The Java flags that users get: what is quick for tests says nothing of how soon a user sees something.
    found = settings_for(temporary_home()).model_copy(update={"quick_start": False})
    try:
        yield found
    finally:
        Stack(found).reset()
        shutil.rmtree(found.home, ignore_errors=True)


@pytest.fixture(scope="module")
def first(settings: StackSettings) -> Run:
    return play(settings, "--exit", "--seed", "7")


@pytest.fixture(scope="module")
def second(settings: StackSettings, first: Run) -> Run:
    assert first.code == 0
    return play(settings, "--exit")


@pytest.fixture(params=["first", pytest.param("second", marks=pytest.mark.soak)])
def run(request: pytest.FixtureRequest) -> Run:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Run)
    return found


def test_the_demo_ends_well_and_its_last_line_has_the_documented_shape(run: Run) -> None:
    assert run.code == 0, run.err[-4000:]
    schema = json.loads(SHAPE.read_text(encoding="utf-8"))
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(run.answer)) == []
    assert run.out.count("\n") == 1, "the story is told on the other stream"


def test_the_books_close_over_topics_that_all_hold_something(run: Run) -> None:
    answer = run.answer
    assert answer["balance"]["closed"] is True
    assert answer["balance"]["complete"] is True
    assert answer["balance"]["differences"] == []
    kinds = {"raw.", "resource.", "sub."}
    assert {kind for kind in kinds if any(topic.startswith(kind) for topic in answer["topics"])} == kinds
    assert answer["topics"]["raw.police.public.person"] >= PERSONS + UPDATES
    # The story's mistyped number and impossible term, whatever the generated city has besides.
    assert {"IDENTITY_INVALID", "QUALITY"} <= answer["quarantined"].keys()
    grants = {topic.rsplit(".", 1)[-1] for topic in answer["topics"] if topic.startswith("sub.")}
    assert set(answer["withheld"]) <= grants
    assert sum(answer["withheld"]["health-persons-gusu"].values()) > 0
    assert answer["department_without_grant"] == "TOPIC_AUTHORIZATION_FAILED"


def test_latencies_are_told_with_the_two_clocks_that_they_lie_between(run: Run) -> None:
    latency = run.answer["latency_ms"]
    assert 0 < latency["p50"] <= latency["p99"]
    assert (latency["records"], latency["expected"], latency["missing"]) == (UPDATES, UPDATES, 0)
    assert "PostgreSQL server clock" in latency["clocks"]["from"]
    assert "clock of the machine that reads" in latency["clocks"]["to"]


def test_the_first_delivery_is_told(run: Run) -> None:
    assert 0 < run.answer["first_delivery_seconds"] < run.seconds


@pytest.mark.soak
def test_the_first_delivery_is_soon(run: Run) -> None:
    watched, seconds = run.watched, run.answer["first_delivery_seconds"]
    # Only what others took of the machine is taken off, never what the demo itself made it do.
    assert seconds_without_others(watched.samples, seconds, watched.processors) < FIRST_DELIVERY_SECONDS


def test_nothing_of_it_runs_afterwards(run: Run) -> None:
    assert run.left == []


@pytest.mark.soak
def test_the_second_run_goes_on_with_the_data_of_the_first(first: Run, second: Run) -> None:
    assert "the city of seed 7, 10 persons is kept" in second.err
    # Captured tables are kept whole, so what was there is there still, and more has come.
    before, after = first.answer["topics"], second.answer["topics"]
    raw = [topic for topic in before if topic.startswith("raw.")]
    assert all(after[topic] >= before[topic] for topic in raw)
    assert after["raw.police.public.person"] > before["raw.police.public.person"]
