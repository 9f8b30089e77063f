"""The whole check-up: every check side by side, none of which can bring down another."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Final

from services.doctor import (
    ask_connect,
    ask_control,
    ask_databases,
    ask_incomplete,
    ask_kafka,
    ask_machine,
    ask_processes,
    ask_recovery,
    ask_snapshots,
    ask_transactions,
    credentials,
    drift,
    retention,
    witness,
)
from services.doctor.finding import Finding, Report, failure
from services.doctor.patient import Patient
from services.stack.api import State
from services.watch.safe_text import safe_line

_LONGEST_S: Final = 25.0


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name in the report, the parts that must run for it, and the question."""

    name: str
    ask: Callable[[Patient], list[Finding]]
    needs: tuple[str, ...] = ()


#: In the order of the report.
CHECKS: Final = (
    Check("process", ask_processes.ask_components),
    Check("process", ask_processes.ask_bus, ("kafka",)),
    Check("watch", ask_processes.ask_watch),
    Check(ask_recovery.CHECK, ask_recovery.ask_recovery),
    Check("disk", ask_machine.ask_disk),
    Check("memory", ask_machine.ask_memory),
    Check("port", ask_machine.ask_ports),
    Check("secrets", ask_machine.ask_secrets),
    Check("version", ask_machine.ask_versions),
    Check("version", ask_kafka.ask_broker, ("kafka",)),
    Check("version", ask_kafka.ask_registry, ("registry",)),
    Check("version", ask_connect.ask_worker, ("connect",)),
    Check("declared", ask_kafka.ask_declared, ("kafka", "registry")),
    Check("connector", ask_connect.ask_connectors, ("connect",)),
    Check("heartbeat", ask_kafka.ask_heartbeats, ("kafka", "connect")),
    Check("snapshot", ask_snapshots.ask_snapshots, ("kafka", "registry", "connect")),
    Check("incomplete", ask_incomplete.ask_incomplete, ("kafka", "registry")),
    Check("database", ask_databases.ask_servers, ("postgres",)),
    Check("provider database", ask_databases.ask_providers, ("postgres",)),
    Check(ask_control.CHECK, ask_control.ask_tables, ("postgres",)),
    Check(drift.CHECK, ask_control.ask_drift, ("postgres",)),
    Check(retention.CHECK, ask_control.ask_retention, ("kafka", "postgres")),
    Check(witness.CHECK, witness.ask_witness),
    Check(ask_control.ROLES, ask_control.ask_application, ("postgres",)),
    Check(credentials.CHECK, ask_control.ask_credentials, ("postgres",)),
    Check("group", ask_kafka.ask_groups, ("kafka",)),
    Check("transaction", ask_transactions.ask_transactions, ("kafka",)),
)


def checkup(patient: Patient, checks: tuple[Check, ...] = CHECKS, longest_s: float = _LONGEST_S) -> Report:
    """Make every check at the same time and return their lines in the order of the checks.

    A check that cannot be made, or that is not done after ``longest_s`` seconds, is a failure with a reason.
    """
    begin = time.monotonic()
    answers: dict[int, list[Finding]] = {}

    def make(number: int, check: Check) -> None:
        answers[number] = examine(check, patient)

    # Daemons: one that hangs must not keep the program from ending.
    threads = [
        Thread(target=make, args=numbered, name=numbered[1].name, daemon=True)
        for numbered in enumerate(checks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, begin + longest_s - time.monotonic()))
    late = f"cannot be checked: no answer within {longest_s:.0f} s"
    findings = [
        finding
        for number, check in enumerate(checks)
        for finding in answers.get(number, [failure(check.name, late, "govbus status")])
    ]
    return Report(tuple(findings), time.monotonic() - begin)


def examine(check: Check, patient: Patient) -> list[Finding]:
    """Make one check; whatever goes wrong with asking is a finding too."""
    down = [name for name in check.needs if patient.states.get(name, State.STOPPED) in _DOWN]
    if down:
        states = ", ".join(f"{name} is {patient.states.get(name, State.STOPPED)}" for name in down)
        return [failure(check.name, f"cannot be checked: {states}", "govbus up")]
    try:
        return check.ask(patient)
    except Exception as error:  # noqa: BLE001 - the report is the place where it is told
        reason = safe_line(f"{type(error).__name__}: {error}")
        return [failure(check.name, f"cannot be checked: {reason}", "govbus status")]


_DOWN: Final = frozenset({State.STOPPED, State.CRASHED})
