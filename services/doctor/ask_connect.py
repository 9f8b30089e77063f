"""Asks Connect: its version and plugins, every connector and every task."""

from typing import cast

from producers.connect_errors import ConnectorNotFound
from services.doctor.capture import judge_connectors, judge_no_capture
from services.doctor.finding import Finding
from services.doctor.patient import Patient
from services.doctor.versions import judge_equal, judge_plugins, locked_versions
from services.stack.jars import read_lock


def ask_worker(patient: Patient) -> list[Finding]:
    """The worker's version and its plugins'."""
    url, auth = patient.stack.endpoints().connect_url, patient.stack.connect_auth()
    wanted = locked_versions(file.coordinates for file in read_lock())
    worker = cast("dict[str, str]", patient.json(f"{url}/", auth))
    plugins = cast("list[dict[str, str]]", patient.json(f"{url}/connector-plugins", auth))
    found = {plugin["class"]: plugin.get("version", "unknown") for plugin in plugins}
    return [
        judge_equal("Kafka Connect", worker["version"], wanted.kafka),
        *judge_plugins(found, wanted.plugins),
    ]


def ask_connectors(patient: Patient) -> list[Finding]:
    """States and traces of connectors and tasks, and declared captures that are not there."""
    names = patient.connect.names()
    statuses = []
    for name in names:
        try:
            statuses.append(patient.connect.status(name))
        except ConnectorNotFound:
            continue
    findings = judge_connectors(statuses, names, patient.captures)
    return findings or [judge_no_capture()]
