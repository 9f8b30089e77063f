"""A short chaos run on the real broker: what a long one shows at length, in about a minute and a half."""

import json
from pathlib import Path

import jsonschema
import psutil
import pytest

from services.chaos.faults import FaultKind
from services.chaos.run import ChaosRun, Parameters
from services.cli.chaos import hands

pytestmark = [pytest.mark.soak, pytest.mark.stack, pytest.mark.timeout(900)]

SEED, EVENTS, MINUTES = 4, 18_000, 1.5
SHAPE = json.loads(Path("docs/cli/chaos-engine.schema.json").read_text(encoding="utf-8"))


@pytest.mark.requirement("A4-01", "A5-08")
def test_faults_on_both_processors_lose_repeat_and_reorder_nothing() -> None:
    told: list[str] = []
    answer = ChaosRun(Parameters(MINUTES, EVENTS, SEED), hands(told.append)).run()
    jsonschema.validate(answer, SHAPE)
    assert answer["correct"], json.dumps({**answer, "told": told}, ensure_ascii=False, indent=1)
    assert {what for what, count in answer["found"].items() if count} == set()
    assert answer["balance"]["closed"]
    assert answer["faults"]["counted"] >= 4
    assert set(answer["faults"]["by_kind"]) <= {kind.value for kind in FaultKind}
    assert sum(answer["outcomes"].values()) == EVENTS
    assert all(answer["outcomes"][name] > 100 for name in ("accepted", "stopped", "control"))
    [home] = [line.rsplit(" ", 1)[-1] for line in told if "own stack is in" in line]
    assert not Path(home).exists()
    assert left_behind(home) == []


def left_behind(home: str) -> list[str]:
    """Processes that still know the folder of the run's stack."""
    found = []
    for process in psutil.process_iter(["cmdline", "name"]):
        if any(home in argument for argument in process.info["cmdline"] or ()):
            found.append(process.info["name"])
    return found
