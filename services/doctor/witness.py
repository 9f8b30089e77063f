"""What the doctor says of witnesses: whether anybody outside the bus holds checkpoints of the evidence."""

from pathlib import Path
from typing import Final

from services.control.evidence.settings import EvidenceSettings
from services.control.evidence.witnesses import FileWitness, WitnessDisagrees, WitnessSilent
from services.doctor.finding import Finding, failure, ok, warning
from services.doctor.patient import Patient

CHECK: Final = "witness"
_NAME_ONE: Final = (
    "export GOVBUS_EVIDENCE_WITNESS_FILE=<a file on a share of the auditor's> && govbus down && govbus up"
)


def ask_witness(patient: Patient) -> list[Finding]:
    """What is set here; the processes have it from where they were started."""
    return judge_witness(EvidenceSettings.from_environment(), patient.stack.settings.home)


def judge_witness(settings: EvidenceSettings, home: Path) -> list[Finding]:
    """Without a witness outside, whoever has all keys can rewrite the ledger and nobody sees it."""
    file, found = settings.witness_file, []
    if file is None and not settings.witness_urls:
        seen = "no witness outside the bus is set: whoever has all keys can rewrite the ledger unseen"
        return [warning(CHECK, seen, _NAME_ONE)]
    if file is not None:
        found.append(_judge_file(file, home))
    if settings.witness_urls:
        found.append(ok(CHECK, f"checkpoints are posted to {len(settings.witness_urls)} addresses"))
    return found


def _judge_file(file: Path, home: Path) -> Finding:
    if file.resolve().is_relative_to(home.resolve()):
        return failure(CHECK, f"{file} lies inside {home}: a witness stands outside the bus", _NAME_ONE)
    try:
        held = FileWitness(file).held()
    except (WitnessDisagrees, WitnessSilent) as error:
        return failure(CHECK, str(error), "govbus logs control")
    if held is None:
        return warning(
            CHECK, f"the witness' file {file} holds no checkpoint yet", "govbus evidence checkpoint"
        )
    return ok(CHECK, f"the witness' file {file} holds checkpoint {held.checkpoint.number}")
