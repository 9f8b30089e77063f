"""`govbus reconcile` on the command line: what is missing is said, and an answer is told as it is."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from services.cli import reconcile
from services.cli.main import app
from services.cli.output import CommandFailed, ExitCode

SHAPE = json.loads((Path(__file__).parents[3] / "docs/cli/reconcile.schema.json").read_text("utf-8"))
ZERO = "0" * 32
ROW: dict[str, Any] = {
    "kind": "different",
    "key": "0123456789abcdef",
    "items": ["name", "address"],
    "explained": "stopped",
    "reason": "QUALITY",
    "raw": "raw.police.public.person:0:7",
    "canonical": ["resource.population.person.v1:1:9"],
    "record_id": None,
    "source": None,
    "topic": None,
}
COUNTS = {"lost": 0, "extra": 1, "different": 0, "duplicated": 0}
ANSWER: dict[str, Any] = {
    "resource": "population.person.v1",
    "provider": "police",
    "at": "2026-11-27T01:00:00.000+00:00",
    "same": False,
    "cut": {
        "position": "0/1",
        "at": "2026-11-27T01:00:00.000+00:00",
        "behind": 3,
        "waited_s": 1.5,
        "snapshot_rows": 2,
    },
    "source": {"rows": 2, "digest": ZERO},
    "canonical": {"rows": 3, "digest": ZERO},
    "ranges": {"compared": 16, "differing": 1},
    "differences": COUNTS,
    "explained": {"stopped": 1},
    "shown": [ROW],
    "not_compared": ["license"],
    "stopped_rows": 0,
    "timeliness": {
        "update_cycle": "real_time",
        "allowed_s": 60,
        "newest_change_at": "2026-11-27T00:59:00.000+00:00",
        "silent_s": 60.0,
        "changes": 4,
        "late": 1,
        "half_within_s": 0.5,
        "nearly_all_within_s": 2.0,
        "longest_s": 2.0,
    },
    "sinks": [
        {
            "grant": "g",
            "table": "public.person",
            "trouble": "cannot be read: OperationalError",
            "rows": None,
            "digest": None,
            "topic_rows": None,
            "topic_digest": None,
            "differences": None,
            "shown": [],
        }
    ],
    "seconds": 3.2,
    "peak_mb": 120.5,
    "repair": "govbus snapshot start population.person.v1",
}


def test_the_resource_must_be_named() -> None:
    result = CliRunner().invoke(app, ["reconcile"])
    assert isinstance(result.exception, CommandFailed)
    assert result.exception.code is ExitCode.USAGE
    assert "--last" in result.exception.remedy


def test_the_shape_describes_the_answer_and_the_last_ones() -> None:
    jsonschema.validate(ANSWER, SHAPE)
    jsonschema.validate({"proofs": []}, SHAPE)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**ANSWER, "proofs": []}, SHAPE)


def test_a_person_is_told_what_differs_why_and_what_mends_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    reconcile._print(ANSWER)
    told = capsys.readouterr()
    for part in (
        "they differ",
        "1 extra",
        "explained: stopped",
        "QUALITY",
        "name, address",
        "raw.police.public.person:0:7",
        "cannot be read: OperationalError",
        "of 4 changes 1 were late",
        "to bring them again: govbus snapshot start population.person.v1",
    ):
        assert part in told.out, part
    assert "license" in told.err
    assert "a snapshot is under way" in told.err
