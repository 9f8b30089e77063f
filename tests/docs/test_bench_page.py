"""The figures on the bench page are those of the kept answers, and these have their published shape."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.bench.page import answers_in, filled
from services.bench.show import shown

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "bench.md"
KEPT = ROOT / "docs" / "bench"
SCHEMA = json.loads((ROOT / "docs" / "cli" / "bench.schema.json").read_text(encoding="utf-8"))


def test_the_page_shows_what_the_kept_answers_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page, answers_in(KEPT)) == page


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.json")), ids=lambda path: path.name)
def test_a_kept_answer_has_its_published_shape(path: Path) -> None:
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), SCHEMA)


def test_a_place_is_filled_with_the_answer_of_its_name_and_only_that() -> None:
    answer: dict[str, Any] = {
        "bench": "load",
        "quick": True,
        "measured_at": "2026-01-02T03:04:05Z",
        "commit": None,
        "machine": {
            "processors": 2,
            "processor": "some",
            "system": "Linux x86_64",
            "python": "3.11.7",
            "load_average": [1.0, 2.0, 3.0],
        },
        "seconds": 9.5,
        "rows": 1_000,
        "delivered": 4_200,
        "times": {"gate": 2.0, "all_grants": 4.0},
        "rows_per_second": 250.0,
        "delivered_per_second": 1_050.0,
        "peak_resident_mb": {"kafka": 500.0},
    }
    jsonschema.validate(answer, SCHEMA)
    page = "a\n<!-- bench: load -->\nold\n<!-- end -->\nb\n<!-- bench: gate -->\nold\n<!-- end -->\n"
    found = filled(page, {"load": answer})
    assert "old" not in found
    assert shown(answer).strip() in found
    assert "Measured on 2026-01-02" in found
    assert found.endswith("b\n<!-- bench: gate -->\nNot measured yet.\n<!-- end -->\n")
