"""The answer of a run has the documented shape, says no more than was found, and its page shows it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from services.chaos.check import Verdict
from services.chaos.faults import FaultKind, FaultRecord, plan
from services.chaos.report import page, summary
from services.chaos.run import counts
from services.chaos.sequences import Findings, What
from services.cli.main import app

SHAPE = json.loads(Path("docs/cli/chaos-engine.schema.json").read_text(encoding="utf-8"))
RUN = {
    "measured_at": "2026-01-02T03:04:05Z",
    "commit": "abc1234",
    "machine": {
        "processors": 2,
        "processor": "some",
        "system": "Linux x86_64",
        "python": "3.11.7",
        "load_average": [1.0, 2.0, 3.0],
    },
    "minutes": 2.0,
    "events": 100,
    "seed": 5,
}
CLOSED = {"closed": True, "differences": [], "sums": {"raw": 100}}


def fault(number: int, recovery_s: float | None = 1.0, *, happened: bool = True) -> FaultRecord:
    kind = list(FaultKind)[number % len(FaultKind)]
    return FaultRecord(number, kind, "gate.0", number * 10.0, recovery_s, happened)


def answer(
    *faults: FaultRecord, findings: Findings | None = None, balance: Any = None, blocks: int = 9
) -> dict[str, Any]:
    verdict = Verdict(findings or Findings(), {"accepted": 90, "stopped": 10}, {"raw.x": 100}, blocks)
    return summary(RUN, 130.0, faults, verdict, balance or CLOSED, 3)


def test_a_clean_run_is_correct_and_in_time() -> None:
    found = answer(*(fault(number) for number in range(20)))
    jsonschema.validate(found, SHAPE)
    assert (found["correct"], found["in_time"]) == (True, True)
    assert found["faults"]["counted"] == 20
    assert sum(kind["count"] for kind in found["faults"]["by_kind"].values()) == 20


def one_lost() -> Findings:
    findings = Findings()
    findings.add(What.LOST, "sub.x: from raw 0:17")
    return findings


@pytest.mark.parametrize(
    "found",
    [
        answer(fault(1), findings=one_lost()),
        answer(fault(1), balance={**CLOSED, "closed": False}),
        answer(fault(1), fault(2, None)),
        answer(fault(1), blocks=0),
        answer(fault(1, happened=False)),
        answer(),
    ],
    ids=["lost", "books open", "not recovered", "nothing read", "no fault had an effect", "no fault"],
)
def test_a_run_that_shows_less_is_not_correct(found: dict[str, Any]) -> None:
    jsonschema.validate(found, SHAPE)
    assert found["correct"] is False


def test_a_fault_without_effect_is_not_counted() -> None:
    found = answer(fault(1, 1.0), fault(2, 99.0, happened=False))
    assert (found["faults"]["counted"], found["faults"]["without_effect"]) == (1, 1)
    assert found["recovery_s"]["max"] == 1.0


def test_slow_recovery_is_correct_and_late() -> None:
    found = answer(*(fault(number, 11.0) for number in range(3)))
    assert (found["correct"], found["in_time"]) == (True, False)


def test_the_page_shows_the_figures_and_how_to_repeat_them(tmp_path: Path) -> None:
    path = tmp_path / "run.txt"
    shown = answer(fault(0, 1.25), fault(1, 2.5))
    path.write_text("noise before\n" + json.dumps(shown) + "\n", encoding="utf-8")
    printed = CliRunner().invoke(app, ["chaos", "page", str(path)])
    assert printed.exit_code == 0
    assert printed.output == page(shown)
    assert "govbus chaos engine --minutes 2 --events 100 --seed 5" in printed.output
    assert "Measured on 2026-01-02, commit abc1234, 2 processors" in printed.output
    assert "| **all** | 2 | 1.2 | 2.5 | 2.5 |" in printed.output
    assert "nothing was lost, repeated or reordered" in printed.output
    assert "THE RUN FAILED" in page(answer())


def test_a_file_without_an_answer_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "run.txt"
    path.write_text("", encoding="utf-8")
    printed = CliRunner().invoke(app, ["chaos", "page", str(path)])
    assert "does not end with the answer of a run" in str(printed.exception)


def test_the_plan_comes_from_the_seed_and_has_each_kind_on_both_sides_early() -> None:
    first = [fault for fault, _ in zip(plan(7, "fanout.default"), range(9), strict=False)]
    again = [fault for fault, _ in zip(plan(7, "fanout.default"), range(9), strict=False)]
    other = [fault for fault, _ in zip(plan(8, "fanout.default"), range(9), strict=False)]
    assert first == again != other
    assert {fault.kind for fault in first} == set(FaultKind)
    assert {fault.group for fault in first} == {"gate", "fanout.default"}


@pytest.mark.parametrize(
    ("happened", "took", "left", "counted"),
    [
        (True, 2.0, 0.0, True),
        (True, None, 30.0, True),
        (True, None, 5.0, False),
        (False, None, 30.0, False),
        (False, 1.0, 30.0, False),
    ],
    ids=["recovered", "not recovered", "not to be told", "no effect", "no effect, though all moves"],
)
def test_what_did_not_recover_counts_unless_the_stream_was_over_too_soon_to_tell(
    happened: bool, took: float | None, left: float, counted: bool
) -> None:
    assert counts(happened, took, left) is counted
