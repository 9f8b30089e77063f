"""Asks the notification topics how each capture's newest snapshot ended."""

from typing import Any, Final

from producers.snapshot import newest_snapshot
from schemas.registry import SchemaRegistry
from services.doctor.capture import judge_snapshot
from services.doctor.finding import Finding
from services.doctor.patient import Patient
from services.ledger.decode import Decoder
from services.ledger.reader import KafkaTopicReader
from topics.names import notifications

_TIMEOUT_S: Final = 8.0


def ask_snapshots(patient: Patient) -> list[Finding]:
    """Whether the newest snapshot of each capture copied every table; COMPLETED alone proves nothing."""
    decoder = Decoder(SchemaRegistry(patient.access.registry_credentials("reader")))
    config = patient.stack.kafka_config("ledger")
    findings = []
    with KafkaTopicReader(config, "ledger.doctor", _TIMEOUT_S) as reader:
        for capture in patient.captures:
            told: list[dict[str, Any]] = []
            for place in reader.places(notifications(capture.provider)):
                bounds = reader.bounds(place)
                values = (decoder.value(record) for record in reader.read(place, bounds.low, bounds.end))
                told.extend(value for value in values if value is not None)
            if capture.connector in patient.connector_configs:
                findings.append(judge_snapshot(capture.connector, newest_snapshot(told)))
    return findings
