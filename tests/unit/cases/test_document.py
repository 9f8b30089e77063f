"""docs/cases.md shows the life cycle that the code has, and explains every reason."""

import re
from pathlib import Path

from services.control.cases.picture import life_cycle
from services.control.cases.provisioning import Fault
from services.control.cases.words import RefusalReason, StopReason

TEXT = (Path(__file__).parents[3] / "docs" / "cases.md").read_text(encoding="utf-8")


def test_the_document_holds_the_table_that_decides() -> None:
    assert life_cycle() in TEXT


def test_every_reason_is_explained_and_no_other() -> None:
    listed = re.findall(r"^\| `([A-Z_]+)` \|", TEXT, re.MULTILINE)
    assert listed == [*RefusalReason, *StopReason, *Fault]
