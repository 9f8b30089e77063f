"""The doctor says whether anybody outside the bus holds its checkpoints."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from services.control.evidence.settings import EvidenceSettings
from services.control.evidence.witnesses import FileWitness
from services.doctor.finding import Level
from services.doctor.witness import judge_witness
from tests.support.evidence import log_of


@pytest.mark.parametrize(
    ("environ", "level", "said"),
    [
        ({}, Level.WARNING, "can rewrite the ledger unseen"),
        ({"GOVBUS_EVIDENCE_WITNESS_URLS": "https://a.example/w"}, Level.OK, "1 addresses"),
        ({"GOVBUS_EVIDENCE_WITNESS_FILE": "held"}, Level.OK, "holds checkpoint 2"),
        ({"GOVBUS_EVIDENCE_WITNESS_FILE": "none"}, Level.WARNING, "no checkpoint yet"),
        ({"GOVBUS_EVIDENCE_WITNESS_FILE": "other"}, Level.FAILURE, "something else"),
        ({"GOVBUS_EVIDENCE_WITNESS_FILE": "home/held"}, Level.FAILURE, "outside the bus"),
    ],
)
def test_who_holds_the_checkpoints_outside_is_said_and_that_nobody_does(
    tmp_path: Path, environ: Mapping[str, str], level: Level, said: str
) -> None:
    (tmp_path / "home").mkdir()
    FileWitness(tmp_path / "held").tell(log_of()[1].signed)
    (tmp_path / "other").write_bytes(b"something\n")
    settings = EvidenceSettings.from_environment(environ)
    if settings.witness_file is not None:
        settings = settings.model_copy(update={"witness_file": tmp_path / settings.witness_file})
    [finding] = judge_witness(settings, tmp_path / "home")
    assert (finding.level, said in finding.seen) == (level, True)
    assert finding.remedy or level is Level.OK
