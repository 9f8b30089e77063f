"""Acts of the control plane in the ledger: appended once for each id, and read back as proof."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from services.control.desired import ACT_BYTES
from services.control.framing import decode, encode
from services.control.kafka_topics import end_offsets
from services.control.reading import read_whole, whole_reader
from services.control.suspension.receipt import digest, document
from topics import names
from topics.event import SchemaId

_TIMEOUT_S: Final = 30.0
_BATCH: Final = 500


class LedgerNotReady(Exception):  # noqa: N818 - says what is the matter
    """The ledger has no place for acts yet: `govbus apply` makes it, then run again."""


class ActDamaged(Exception):  # noqa: N818 - says what is the matter
    """An act's document is not the one that its digest was made of: somebody changed the ledger."""


class ActWord(StrEnum):
    """What a suspension, a resumption or a withdrawal is called in the ledger."""

    SUSPEND = "grants.suspend"
    RESUME = "grants.resume"
    WITHDRAW = "grants.withdraw"
    """Of a grant whose case ended, for good."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act (schemas/avro/control/ControlAct.avsc)."""

    id: str
    who: str
    what: str
    """An ``ActWord``, or what another part of the control plane calls its act."""
    kind: str
    object: str
    timestamp_ms: int
    reason: str
    document: Mapping[str, Any]
    """The receipt."""

    def value(self, schema_id: SchemaId) -> bytes:
        """The record's value: the same act is always the same bytes."""
        text = document(self.document)
        record = {
            "id": self.id,
            "who": self.who,
            "what": str(self.what),
            "kind": self.kind,
            "object": self.object,
            "timestamp_ms": self.timestamp_ms,
            "reason": self.reason,
            "digest": digest(text),
            "document": text,
        }
        return encode("ControlAct", schema_id, record)

    @classmethod
    def from_value(cls, value: bytes) -> Self:
        """What ``value`` gave.

        Raises:
            ActDamaged: the digest does not fit the document.
        """
        found = decode("ControlAct", value)
        if digest(found["document"]) != found["digest"]:
            raise ActDamaged(f"act {found['id']}: its digest does not fit its document")
        return cls(
            found["id"],
            found["who"],
            found["what"],
            found["kind"],
            found["object"],
            found["timestamp_ms"],
            found["reason"],
            json.loads(found["document"]),
        )


def append_act(
    admin: AdminClient, reader: Mapping[str, Any], writer: Mapping[str, Any], schema_id: SchemaId, act: Act
) -> None:
    """Append the act unless one with its id is there, and wait until the broker has it.

    Raises:
        LedgerNotReady: there is no schema id, no topic or no right for it.
    """
    if schema_id == 0:
        raise LedgerNotReady("the policy names no schema for acts")
    if act.id in {found.id for found in read_acts(admin, reader)}:
        return
    failures: list[KafkaError] = []
    producer = Producer(
        {
            **writer,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 0,
            "compression.type": "lz4",
            "message.max.bytes": ACT_BYTES,
        }
    )
    producer.produce(
        names.LEDGER_ACTS,
        value=act.value(schema_id),
        key=act.id.encode(),
        partition=0,
        on_delivery=lambda error, _: failures.append(error) if error else None,
    )
    if producer.flush(_TIMEOUT_S):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    for failure in failures:
        if failure.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise LedgerNotReady("apply may not write acts into the ledger yet")
        raise KafkaException(failure)


def read_acts(admin: AdminClient, reader: Mapping[str, Any]) -> Iterator[Act]:
    """Every act, oldest first; one that stands twice comes twice, with the same content.

    Raises:
        LedgerNotReady: the topic does not exist.
        ActDamaged: one is not what was written.
    """
    if names.LEDGER_ACTS not in admin.list_topics(timeout=_TIMEOUT_S).topics:
        raise LedgerNotReady(f"there is no topic {names.LEDGER_ACTS}")
    ends = end_offsets(admin, names.LEDGER_ACTS, names.ACTS_PARTITIONS, stable=True)
    consumer = whole_reader(reader, "apply.acts")
    try:
        for records in read_whole(consumer, names.LEDGER_ACTS, ends, _BATCH):
            yield from (Act.from_value(record.value or b"") for record in records)
    finally:
        consumer.close()
