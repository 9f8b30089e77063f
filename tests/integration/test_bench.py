"""Benches in their smallest form, on stacks of their own: all parts run and answer in the published shape."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "cli" / "bench.schema.json").read_text(encoding="utf-8"))

pytestmark = [pytest.mark.soak, pytest.mark.stack, pytest.mark.timeout(900)]


def bench(folder: Path, *words: str) -> dict[str, Any]:
    """Run a bench with its temporary files in a folder, and see that it leaves nothing there."""
    program = Path(sys.executable).with_name("govbus")
    done = subprocess.run(
        [str(program), "bench", *words, "--quick", "--json"],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert list(folder.glob("govbus-bench-????????")) == []
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    jsonschema.validate(answer, SCHEMA)
    return answer


@pytest.mark.parametrize("name", ["fanout", "gate"])
def test_a_race_has_figures_of_the_bus_and_of_everybody_who_can_run_here(tmp_path: Path, name: str) -> None:
    tmp_path.chmod(0o711)
    answer = bench(tmp_path, name, "--repeats", "1")
    found = answer["compressions"]["lz4"]
    for comparator in ("copy_loop", "faust"):
        assert answer[f"ratio_{comparator}"] is not None, found["failures"]
    for comparator, figures in found["contenders"].items():
        if figures is not None and figures["same_records"] is not None:
            same = figures["same_records"]
            assert same["equal"] == same["compared"], comparator


def test_a_register_is_loaded_whole_and_its_processes_are_weighed(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    answer = bench(tmp_path, "load", "--events", "1000")
    assert answer["delivered"] == 1_000 * 4 + 200, "one of the five grants covers a fifth"
    assert all(answer["peak_resident_mb"].values())


def test_a_grant_that_refuses_writes_stops_its_own_group_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    answer = bench(tmp_path, "grants")
    assert answer["isolation"] == {"own_group_stopped": True, "others_went_on": True, "recovered": True}


def test_latency_is_told_for_each_rate_and_stage(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    answer = bench(tmp_path, "end-to-end")
    for rate in answer["rates"].values():
        assert rate["arrived"] == rate["changes"]
        assert all(rate["stages"].values())
