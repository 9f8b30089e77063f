"""Asks the machine: disk, memory, ports, file modes, installed versions."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from services.doctor.finding import Finding
from services.doctor.machine import (
    MB,
    FileMode,
    PortFact,
    judge_disk,
    judge_manifest,
    judge_memory,
    judge_modes,
    judge_ports,
)
from services.doctor.patient import Patient
from services.doctor.versions import judge_java, judge_python
from services.stack.api import MASTER_SECRET, State
from services.stack.java import runtime
from services.stack.probes import port_holder, port_open
from services.stack.secret_files import MANIFEST


def ask_disk(patient: Patient) -> list[Finding]:
    """Where the data lies; twice, if PostgreSQL's had to lie elsewhere."""
    folders = [patient.stack.settings.home, patient.stack.postgres.external_folder()]
    held = patient.stack.settings.slot_wal_keep_mb * MB
    findings = {}
    for folder in folders:
        if folder is None:
            continue
        place = _existing(folder)
        usage = shutil.disk_usage(place)
        findings[place.stat().st_dev] = judge_disk(str(place), usage.free, usage.total, held)
    return list(findings.values())


def ask_memory(patient: Patient) -> list[Finding]:
    """What is left for new work."""
    memory = psutil.virtual_memory()
    running = any(state is State.RUNNING for state in patient.states.values())
    return [judge_memory(memory.available, memory.total, running=running)]


def ask_ports(patient: Patient) -> list[Finding]:
    """Every port of the infrastructure, and the first ones of our own processes."""
    return judge_ports([*_ports(patient), *_own_ports(patient)])


def _ports(patient: Patient) -> Iterator[PortFact]:
    for component in patient.stack.infrastructure:
        running = patient.states.get(component.name) in {State.RUNNING, State.UNHEALTHY}
        for setting, port in component.ports.items():
            yield _port(patient, setting, port, component.name, running)


def _own_ports(patient: Patient) -> Iterator[PortFact]:
    settings = patient.stack.settings
    for setting, port, name in (
        ("watch_port", settings.watch_port, "watch"),
        ("processes_port", settings.processes_port, "gate.0"),
    ):
        running = patient.states.get(name) in {State.RUNNING, State.UNHEALTHY}
        yield _port(patient, setting, port, name, running)


def _port(patient: Patient, setting: str, port: int, component: str, running: bool) -> PortFact:
    taken = port_open(port)
    holder = port_holder(port) if taken and not running else ""
    return PortFact(patient.stack.settings.variable(setting), port, component, running, taken, holder)


def ask_secrets(patient: Patient) -> list[Finding]:
    """Everything that holds a secret: generated ones, filled-in configuration, departments' credentials."""
    layout = patient.stack.context.layout
    folders = [layout.secrets, layout.conf, layout.home / "credentials"]
    paths = [path for folder in folders if folder.exists() for path in (folder, *sorted(folder.rglob("*")))]
    modes = [FileMode(str(path), path.stat().st_mode & 0o777) for path in paths]
    return [*judge_modes(modes), *judge_manifest(_missing(layout.secrets, patient.stack.has_data()))]


def ask_versions(_patient: Patient) -> list[Finding]:
    """What runs without the stack."""
    return [judge_python(tuple(sys.version_info[:3])), judge_java(_java_version())]


def _java_version() -> str | None:
    """As the runtime's own release file says it; starting it would take longer than all other checks."""
    program = Path(runtime())
    release = program.parent.parent / "release"
    if not program.exists() or not release.exists():
        return None
    lines = release.read_text(encoding="utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values.get("JAVA_VERSION", "").strip('"') or None


def _missing(folder: Path, has_data: bool) -> list[str]:
    """Generated secrets that are gone; without their list it counts as gone itself where there is data."""
    manifest = folder / MANIFEST
    try:
        names = json.loads(manifest.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _without_manifest(folder) if has_data else []
    except ValueError:
        return [MANIFEST]
    return sorted(name for name in names if not (folder / name).exists())


def _without_manifest(folder: Path) -> list[str]:
    return [name for name in (MANIFEST, MASTER_SECRET) if not (folder / name).exists()]


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
