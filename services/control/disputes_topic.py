"""The topic of disputes as the control plane has it: read whole, written in order by one sender."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from confluent_kafka.admin import AdminClient

from services.control.copy_transactions import CopyTransactions
from services.control.framing import decode, encode
from services.control.kafka_topics import end_offsets
from services.control.reading import read_whole, whole_reader
from topics import names
from topics.disputes import DisputeChange, Folding, RefuseChange, change_from, change_record
from topics.event import KafkaRecord, OutputRecord, SchemaId
from topics.policy import Policy

_log = logging.getLogger(__name__)

_BATCH: Final = 1_000


def read_disputes(kafka: Mapping[str, Any], admin: AdminClient, group: str, policy: Policy) -> Folding:
    """The disputes that stand in the topic now; none where the policy is older than disputes.

    What a processor does not take of the topic is not taken here either.

    Args:
        kafka: how its reader logs in.
        admin: asks for the topic's end.
        group: only a name, which lies under the reader's own prefix.
        policy: the version in force.

    Raises:
        TopicUnreadable: the end was not reached in time.
    """
    found = Folding()
    if not policy.control_schemas.dispute_change:
        return found
    ends = end_offsets(admin, names.DISPUTES, names.DISPUTES_PARTITIONS, stable=True)
    reader = whole_reader(kafka, group)
    try:
        for records in read_whole(reader, names.DISPUTES, ends, _BATCH):
            take_all(records, found)
    finally:
        reader.close()
    return found


def take_all(records: Iterable[KafkaRecord], found: Folding) -> None:
    """Take what follows; what does not is told and passed over, as processors do."""
    for record in records:
        try:
            found.take(_change(record))
        except RefuseChange as error:
            _log.error("%s: %s", record.coordinates, error)


def _change(record: KafkaRecord) -> DisputeChange:
    try:
        return change_from(decode("DisputeChange", record.value or b""))
    except RefuseChange:
        raise
    except Exception as error:
        raise RefuseChange(f"a record of the disputes cannot be read: {type(error).__name__}") from error


class DisputesWriter:
    """Holds the transactional id of whoever sends disputes: opening it ends an earlier sender."""

    def __init__(self, kafka: Mapping[str, Any], schema_id: SchemaId) -> None:
        self._schema_id = schema_id
        self._transactions = CopyTransactions(kafka, names.DISPUTES_TRANSACTIONAL_ID)

    def write(self, changes: Iterable[DisputeChange]) -> None:
        """Append all of them or none.

        Raises:
            EpochInterrupted: it is not known which of it is there, or another sender took over.
        """
        self._transactions.write(self._records(changes))

    def _records(self, changes: Iterable[DisputeChange]) -> Iterator[OutputRecord]:
        for change in changes:
            value = encode("DisputeChange", self._schema_id, change_record(change))
            yield OutputRecord(names.DISPUTES, 0, str(change.number).encode(), value)
