"""An auditor takes a played week: balance, digests, an export that is verified elsewhere, day by day."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.cli.demo_week import NARROWED_GRANT, SUSPENDED_GRANT
from services.demo.story import LIN, number_of
from services.stack.api import Stack
from services.stack.settings import StackSettings
from tests.e2e.demo_run import Run, play
from tests.stack_fixture import settings_for, temporary_home

pytestmark = [pytest.mark.soak, pytest.mark.stack, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
DAYS = 5


@pytest.fixture(scope="module")
def settings() -> Iterator[StackSettings]:
    found = settings_for(temporary_home())
    try:
        yield found
    finally:
        Stack(found).reset()
        shutil.rmtree(found.home, ignore_errors=True)


@pytest.fixture(scope="module")
def week(settings: StackSettings) -> Run:
    """The story and then five days, with the stack left running."""
    return play(settings, "--seed", "7", "--days", str(DAYS), longest=600)


def govbus(settings: StackSettings, *arguments: str, said: str = "", codes: tuple[int, ...] = (0,)) -> Any:
    """What the command answers, which is told something on its standard input; it must end well."""
    named = {settings.variable(name): str(value) for name, value in settings if value is not None}
    done = subprocess.run(
        [Path(sys.executable).with_name("govbus"), *arguments, "--json"],
        env={**os.environ, **named},
        input=said,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode in codes, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def verified(folder: Path, bundle: Path, trust: Path) -> Any:
    """Verify where there is nothing but the verifier."""
    program = folder / "elsewhere" / "services" / "evidence"
    shutil.copytree(ROOT / "services" / "evidence", program, dirs_exist_ok=True)
    (program.parent / "__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-m", "services.evidence", str(bundle), "--trust", str(trust), "--json"],
        cwd=folder / "elsewhere",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_week_is_played_day_by_day_and_its_books_close(week: Run) -> None:
    assert week.code == 0, week.err[-4000:]
    shape = json.loads((ROOT / "docs" / "cli" / "demo.schema.json").read_text(encoding="utf-8"))
    assert list(jsonschema.Draft202012Validator(shape).iter_errors(week.answer)) == []
    days = week.answer["week"]
    assert [day["number"] for day in days] == list(range(1, DAYS + 1))
    assert all(day["changes"] > 100 for day in days)
    assert all(one["until"] <= other["since"] for one, other in itertools.pairwise(days))
    told = [day["told"] for day in days]
    assert told[2:] == [
        f"{SUSPENDED_GRANT} suspended",
        f"{SUSPENDED_GRANT} resumed",
        f"{NARROWED_GRANT} no longer holds birth_date",
    ]
    assert week.answer["balance"]["closed"] is True


def test_the_records_of_the_week_are_byte_for_byte_what_the_ledger_says(
    week: Run, settings: StackSettings
) -> None:
    found = govbus(settings, "audit", "digests")
    assert (found["same"], found["skipped"]) == (True, [])
    topics = week.answer["topics"]
    assert found["compared"] > sum(count for name, count in topics.items() if name.startswith("sub."))


@pytest.mark.requirement("A11-02")
def test_one_day_is_exported_and_verified_elsewhere_with_what_it_delivered(
    week: Run, settings: StackSettings, tmp_path: Path
) -> None:
    suspended, trust, bundle = week.answer["week"][2], tmp_path / "trust.json", tmp_path / "day.tar"
    govbus(settings, "evidence", "checkpoint")
    govbus(settings, "evidence", "trust", "-o", str(trust))
    stretch = ("--from", suspended["since"], "--to", suspended["until"])
    govbus(settings, "evidence", "export", *stretch, "-o", str(bundle), "--trust", str(trust))
    proven = verified(tmp_path, bundle, trust)
    assert proven["fault"] is None
    # A bundle begins and ends with a checkpoint, so a part of the day before is in it.
    lines = [each for each in proven["delivered"] if each["grant"] == SUSPENDED_GRANT]
    assert any(not line["delivered"] and line["withheld"] for line in lines), lines
    assert any(each["delivered"] for each in proven["delivered"] if each["grant"] == NARROWED_GRANT)


@pytest.mark.requirement("A11-02")
def test_the_whole_week_is_exported_and_verified_elsewhere(
    week: Run, settings: StackSettings, tmp_path: Path
) -> None:
    days, trust, bundle = week.answer["week"], tmp_path / "trust.json", tmp_path / "week.tar"
    govbus(settings, "evidence", "checkpoint")
    govbus(settings, "evidence", "trust", "-o", str(trust))
    stretch = ("--from", days[0]["since"], "--to", days[-1]["until"])
    govbus(settings, "evidence", "export", *stretch, "-o", str(bundle), "--trust", str(trust))
    proven = verified(tmp_path, bundle, trust)
    assert proven["fault"] is None
    told = {each["grant"] for each in proven["delivered"] if each["delivered"]}
    assert {SUSPENDED_GRANT, NARROWED_GRANT} <= told


def replayed(settings: StackSettings, purpose: str, day: Any, *options: str) -> Any:
    """The result of a replay of one day that one auditor asks for and another one approves."""
    scope = ("--from", day["since"], "--to", day["until"], *options)
    why = ("--reason", "practice", "--basis", "Audit Law, article 3")
    made = govbus(settings, "replay", "create", "--as", "sun.audit", "--purpose", purpose, *why, *scope)
    number = str(made["number"])
    govbus(settings, "replay", "approve", number, "--as", "fang.audit")
    return govbus(settings, "replay", "run", number, "--as", "sun.audit", codes=(0, 1))["result"]


@pytest.mark.requirement("A11-02")
def test_one_day_is_decided_again_and_is_identical(week: Run, settings: StackSettings) -> None:
    result = replayed(settings, "audit", week.answer["week"][1])
    assert result["verdict"] == "identical", result


@pytest.mark.requirement("A11-02")
def test_under_todays_policy_that_day_would_not_have_shown_the_item_that_was_dropped_since(
    week: Run, settings: StackSettings
) -> None:
    result = replayed(settings, "what-if", week.answer["week"][1], "--grant", NARROWED_GRANT)
    assert result["verdict"] == "different"
    items = {row["item"] for row in result["rows"] if row["subject"] == NARROWED_GRANT}
    assert items == {"birth_date"}, result["rows"]


@pytest.mark.requirement("A11-01")
def test_who_received_what_about_one_person_of_the_week_is_told(week: Run, settings: StackSettings) -> None:
    reason = ("--as", "sun.audit", "--reason", "practice")
    found = govbus(settings, "trace", "--person", "resident_id", *reason, said=f"{number_of(LIN)}\n")
    assert {"health", "education"} <= {row["consumer"] for row in found["recipients"]}
