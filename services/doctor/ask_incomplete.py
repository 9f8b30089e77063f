"""Asks the resources' epoch topics which resources the gate has marked as incomplete."""

from typing import Any, Final

from schemas.registry import SchemaRegistry
from services.control.epochs.state import whole_volumes
from services.doctor.finding import Finding, note
from services.doctor.incomplete import Mark, judge_incomplete, mark_from
from services.doctor.patient import Patient
from services.ledger.decode import Decoder
from services.ledger.evidence import read_policies
from services.ledger.reader import KafkaTopicReader, read_whole
from topics.event import ResourceId
from topics.names import epochs

_TIMEOUT_S: Final = 8.0


def ask_incomplete(patient: Patient) -> list[Finding]:
    """One line for each declared resource: how often it was marked since its newest whole volume, and why."""
    resources = patient.definitions.resources if patient.definitions is not None else {}
    if not resources:
        return [note("incomplete", "no definition declares a resource")]
    decoder = Decoder(SchemaRegistry(patient.access.registry_credentials("doctor")))
    topics = {epochs(resource): resource for resource in resources}
    marks: dict[ResourceId, list[Mark]] = {resource: [] for resource in resources}
    markers: dict[ResourceId, list[dict[str, Any]]] = {resource: [] for resource in resources}
    with KafkaTopicReader(patient.kafka_config, "doctor.reader", _TIMEOUT_S) as reader:
        for record in read_whole(reader, *topics):
            value = decoder.value(record)
            if value is None:
                continue
            markers[topics[record.topic]].append(value)
            mark = mark_from(record, value)
            if mark is not None:
                marks[topics[record.topic]].append(mark)
        policies = read_policies(reader, decoder) if any(marks.values()) else {}
    return [
        judge_incomplete(
            resource.id,
            resource.provider,
            marks[resource.id],
            policies,
            whole_volumes(markers[resource.id], resource.raw_topic),
        )
        for resource in resources.values()
    ]
