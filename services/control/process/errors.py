"""How an error of a loop is told: in words where we know what it can hold, by its kind where we do not."""

from typing import Final

from confluent_kafka import KafkaException

from producers.connect_errors import ConnectError
from schemas.registry import RegistryRefused, RegistryUnavailable, SchemaNotFound
from services.control.dispute_sender import DisputesDiverge, SendAgain
from services.control.epochs.errors import ScanStalled, StartAgain
from services.control.evidence.keys import NoKey
from services.control.evidence.witnesses import WitnessDisagrees, WitnessSilent
from services.control.kafka_topics import TransactionStaysOpen
from services.control.policy_topic import PolicyUnreadable
from services.control.process.drift import DriftStands
from services.control.process.recovery import RecoveryWaits
from services.control.reading import TopicUnreadable
from services.control.sending.wiring import RestoreSecret
from services.control.store.errors import StoreError
from services.control.suspension.acts import ActDamaged, LedgerNotReady
from services.evidence.hashing import AlgorithmMissing
from services.evidence.making import LedgerDiffers
from services.ledger.reader import KafkaUnavailable, ReadRefused, TopicMissing
from services.stack.errors import StackError
from topics.disputes import RefuseChange


class WatchSilent(Exception):  # noqa: N818 - says what is the matter
    """The watch does not answer; `govbus up` starts it."""


_SPOKEN: Final = (
    WatchSilent,
    DriftStands,
    RecoveryWaits,
    ScanStalled,
    StartAgain,
    TransactionStaysOpen,
    ConnectError,
    RegistryRefused,
    RegistryUnavailable,
    SchemaNotFound,
    StoreError,
    PolicyUnreadable,
    TopicUnreadable,
    RestoreSecret,
    ActDamaged,
    LedgerNotReady,
    DisputesDiverge,
    SendAgain,
    RefuseChange,
    LedgerDiffers,
    WitnessDisagrees,
    WitnessSilent,
    NoKey,
    AlgorithmMissing,
    KafkaUnavailable,
    ReadRefused,
    TopicMissing,
    StackError,
)
"""Errors of ours, whose texts name parts and topics, never what is in a record or a row."""


def in_words(error: Exception) -> str:
    """What went wrong, in one line, without anything that a record or a row could hold."""
    if isinstance(error, KafkaException):
        return f"kafka: {error.args[0].str()}" if error.args else "kafka"
    if isinstance(error, _SPOKEN):
        return next(iter(str(error).splitlines()), type(error).__name__)[:300]
    return type(error).__name__


def is_expected(error: Exception) -> bool:
    """Whether an error says of something outside that it is not well; any other is a defect of ours."""
    return isinstance(error, (KafkaException, OSError, *_SPOKEN))
