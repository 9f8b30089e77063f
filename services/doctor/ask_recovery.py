"""Asks the control process what keeps it from recovering captures whose slot was lost."""

from typing import Any, Final, cast

import requests

from services.doctor.finding import Finding, failure, note, ok
from services.doctor.patient import Patient, unreachable
from services.stack.api import State
from services.stack.probes import HOST
from services.watch.safe_text import safe_line

CHECK: Final = "recovery"
_LOOP: Final = "recovery"


def ask_recovery(patient: Patient) -> list[Finding]:
    """What its loop says; a note where the process does not run."""
    if patient.states.get("control") not in {State.RUNNING, State.UNHEALTHY}:
        seen = "the process control does not run: a capture whose slot is lost is only stopped"
        return [note(CHECK, seen, "govbus up")]
    url = f"http://{HOST}:{patient.stack.settings.control_port}/status"
    try:
        return judge_recovery(cast("dict[str, Any]", patient.json(url)))
    except requests.RequestException as error:
        return [failure(CHECK, f"{url}: {unreachable(error)}", "govbus logs control")]


def judge_recovery(status: dict[str, Any]) -> list[Finding]:
    """One line: nothing to recover, what a recovery waits for, or what an operator is to do; pure."""
    loop = status.get("loops", {}).get(_LOOP)
    if loop is None:
        return []
    if loop["error"]:
        return [failure(CHECK, safe_line(loop["error"]), "do what the line says; govbus logs control")]
    if loop["waits_for"]:
        return [note(CHECK, safe_line(loop["waits_for"]))]
    return [ok(CHECK, "no capture is to be recovered")]
