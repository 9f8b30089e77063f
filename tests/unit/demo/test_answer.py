"""The demo's and the status' JSON answers have their published shapes, and latencies are ranked rightly."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.cli.stack import status_answer
from services.demo.answer import DemoAnswer, percentile
from services.demo.latency import Latencies
from services.stack.api import ComponentStatus, State

SCHEMAS = Path(__file__).parents[3] / "docs" / "cli"


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


def test_the_demo_answers_in_its_published_shape() -> None:
    latencies = Latencies(since_ms=0, expected=3, _arrived={"a/0/1": 10.0, "a/0/2": 20.0})
    answer = DemoAnswer(
        topics={"raw.police.public.person": 3},
        quarantined={"QUALITY": 1},
        withheld={"education-persons": {"FILLED_BY_EPOCH": 2}},
        balance={"closed": True, "complete": True, "quiet": True, "sums": {"raw": 3}, "differences": []},
        latencies=latencies,
        first_delivery_seconds=12.5,
        refused_reader="TOPIC_AUTHORIZATION_FAILED",
    )
    jsonschema.validate(answer.as_json(), schema("demo"))
    latency = answer.as_json()["latency_ms"]
    assert (latency["p50"], latency["records"], latency["expected"], latency["missing"]) == (10.0, 2, 3, 1)
    assert answer.latency_text().endswith("p99 20.0 ms over 2 of 3 changes; 1 NEVER BECAME READABLE")


@pytest.mark.parametrize("state", list(State))
def test_a_status_has_its_published_shape(state: State) -> None:
    part = ComponentStatus("kafka", state, 17, 29092, 410.5, 3.2)
    answer = status_answer([part], {"kafka": ""}, healthy=False)
    jsonschema.validate(json.loads(json.dumps(answer)), schema("status"))


RANKS = [([], 50, None), ([7.0], 99, 7.0), ([1.0, 2.0, 3.0, 4.0], 50, 2.0), ([1.0, 2.0, 3.0, 4.0], 51, 3.0)]


@pytest.mark.parametrize(("values", "percent", "expected"), RANKS)
def test_percentiles_are_values_that_were_measured(
    values: list[float], percent: float, expected: float | None
) -> None:
    assert percentile(values, percent) == expected
