"""The record by which an instance says which policy it applies from which offsets on."""

import io
from collections.abc import Mapping
from typing import Any

import fastavro

from schemas.load import control_schema
from services.processor.contract import InputPartition
from services.processor.settings import ProcessorSettings
from topics.event import OutputRecord
from topics.names import POLICY_ACKNOWLEDGEMENTS
from topics.policy import Policy
from topics.wire import frame


def acknowledgement(
    policy: Policy, settings: ProcessorSettings, applied_ms: int, positions: Mapping[InputPartition, int]
) -> OutputRecord:
    """A ``PolicyAcknowledgement`` keyed by instance; an offset is the first decided under this version."""
    content = {
        "group": settings.group,
        "instance": settings.instance_id,
        "version": policy.version,
        "applied_ms": applied_ms,
        "positions": [
            {"topic": source.topic, "partition": source.partition, "offset": offset}
            for source, offset in sorted(positions.items())
        ],
    }
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(control_schema("PolicyAcknowledgement")), content)
    value = frame(policy.control_schemas.policy_acknowledgement, body.getvalue())
    return OutputRecord(POLICY_ACKNOWLEDGEMENTS, 0, settings.instance_id.encode(), value)


def read_acknowledgement(value: bytes) -> tuple[str, int]:
    """Instance and version of an acknowledgement written by this release.

    Raises:
        ValueError: the bytes are not one.
    """
    try:
        record: Any = fastavro.schemaless_reader(
            io.BytesIO(value[5:]), fastavro.parse_schema(control_schema("PolicyAcknowledgement")), None
        )
    except Exception as error:
        raise ValueError(f"not an acknowledgement: {type(error).__name__}") from error
    return str(record["instance"]), int(record["version"])
