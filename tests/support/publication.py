"""Raw records of the permits that the market regulation publishes itself, as its publisher frames them."""

from collections.abc import Mapping
from typing import Any

from producers.publication import publication, publication_schema
from schemas.load import resource_schema
from topics.canonical import partition_of
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, SchemaId, TopicName
from topics.wire import frame

PERMIT_TOPIC = TopicName("raw.market_regulation.publish.licence.permit")
PERMIT_SCHEMA_ID = SchemaId(53)
PERMIT_SCHEMA = publication_schema(resource_schema("licence.permit.v1.avsc"))
PARTITIONS = 4
HOLDER_A = "91350100M000100Y43"
HOLDER_B = "91110000600037341L"
_CODEC = ReferenceCodec(PERMIT_SCHEMA)
_UNSET: Any = object()


def permit(holder: str = HOLDER_A, **changed: object) -> dict[str, object]:
    """A permit without a fault, valid from 2024-01-01 on."""
    row = {"permit_number": "SP-0001", "credit_code": holder, "kind": "01"}
    return {**row, "valid_from": 19_723, "valid_until": None, **changed}


def published(
    version: int,
    record: Mapping[str, Any] | None = None,
    *,
    operation: str = "upsert",
    previous_identity: str | None = None,
    offset: int = 100,
    released: bytes | int | None = None,
    occurred_ms: int = 1_790_000_000_000,
    key: bytes | None = _UNSET,
    partition: int | None = None,
) -> KafkaRecord:
    """One published version; key and partition are those of its record id unless they are given."""
    row = permit() if record is None else record
    number = str(row["permit_number"])
    value = publication(row, operation, version, occurred_ms, previous_identity)
    text = str(released).encode() if isinstance(released, int) else released
    return KafkaRecord(
        topic=PERMIT_TOPIC,
        partition=partition_of(number, PARTITIONS) if partition is None else partition,
        offset=offset,
        timestamp_ms=1_790_000_000_500 + offset,
        key=number.encode() if key is _UNSET else key,
        value=frame(PERMIT_SCHEMA_ID, _CODEC.encode(value)),
        headers=() if text is None else (("govbus_release", text),),
    )
