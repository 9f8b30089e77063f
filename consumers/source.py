"""Records of one grant topic out of Kafka, in order, with offsets that are committed only when told."""

import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from consumers.errors import AccessRevoked, FellBehind
from consumers.settings import SubscriberSettings
from consumers.wholeness import REBUILD, Wholeness, as_metadata, from_metadata
from topics.event import KafkaRecord, TopicName

Say = Callable[[str], None]
Clock = Callable[[], float]

_CALL_TIMEOUT_S: Final = 10.0
_IDLE_COMMIT_S: Final = 3600.0
_DENIED: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError._AUTHENTICATION,
    }
)
_OUT_OF_RANGE: Final = frozenset({KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET})
_log = logging.getLogger(__name__)


class RecordSource(Protocol):
    """Where a subscriber's records come from."""

    def poll(self, timeout_s: float) -> KafkaRecord | None:
        """The next record, or None where there was none in time.

        Raises:
            AccessRevoked: the bus refuses the topic, the group or the login.
            FellBehind: records may be gone that were not read.
        """
        ...

    def done(self, record: KafkaRecord) -> None:
        """The record, and so every one before it in its partition, needs not be read again."""
        ...

    def commit(self) -> None:
        """Make what is done durable."""
        ...

    def keep_alive(self) -> None:
        """Stay a member of the group while a record takes long."""
        ...

    def close(self) -> None:
        """Commit what is done and leave the group."""
        ...


class KafkaSource:
    """One consumer of a group on one grant topic; committed records only, no automatic commit."""

    def __init__(self, settings: SubscriberSettings, clock: Clock, say: Say = _log.warning) -> None:
        self._settings = settings
        self._clock = clock
        self._say = say
        self._failure: AccessRevoked | FellBehind | None = None
        self._waiting_for = ""
        self._waiting_since = 0.0
        self._starting: list[TopicPartition] = []
        self._ahead: list[KafkaRecord] = []
        self._mine: set[int] = set()
        self._done: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._committed_at = clock()
        self._whole = Wholeness(settings.allowed_outage_s)
        self._consumer = Consumer(self._client_settings(), logger=_log)
        self._consumer.subscribe([settings.topic], on_assign=self._assigned, on_revoke=self._revoked)

    def poll(self, timeout_s: float) -> KafkaRecord | None:
        """The next record, or None; says so when the bus is out of reach, and goes on waiting.

        Raises:
            AccessRevoked: the bus refuses the topic, the group or the login.
            FellBehind: records may be gone that were not read.
        """
        if self._ahead:
            return self._ahead.pop(0)
        self._start()
        message = self._consumer.poll(timeout_s)
        self._raise_failure()
        return None if message is None else self._record(message)

    def done(self, record: KafkaRecord) -> None:
        """Note the record as handled; ``commit`` makes it durable."""
        if record.partition not in self._mine:
            # It went to another instance in the meantime, whose offsets must not be moved.
            return
        self._done[record.partition] = record.offset + 1
        self._whole.read(record.partition, record.timestamp_ms / 1000)

    def commit(self) -> None:
        """Commit the offsets of handled records, with the time up to which the reader missed nothing.

        Raises:
            AccessRevoked: the bus refuses it.
            FellBehind: the reader has been behind for longer than every record is kept.
        """
        now = self._clock()
        self._whole.check(self._settings.topic, now)
        changed = {p: offset for p, offset in self._done.items() if self._committed.get(p) != offset}
        idle = self._done if now - self._committed_at >= _IDLE_COMMIT_S else {}
        offsets = [self._with_metadata(p, offset, now) for p, offset in (changed or idle).items()]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._commit_failed(error.args[0])
            return
        self._reached()
        self._committed.update(changed)
        self._committed_at = now

    def keep_alive(self) -> None:
        """Poll with every partition paused; a record that comes all the same is kept for later."""
        partitions = self._consumer.assignment()
        self._consumer.pause(partitions)
        message = self._consumer.poll(0)
        still = {partition.partition for partition in self._consumer.assignment()}
        self._consumer.resume([partition for partition in partitions if partition.partition in still])
        record = None if message is None else self._record(message)
        if record is not None:
            self._ahead.append(record)
        self._raise_failure()

    def close(self) -> None:
        """Commit what is done and leave the group at once, so that another instance takes over.

        A commit that is refused here is said, not raised: leaving must not hide why the reader leaves.
        """
        try:
            self._commit_or_say()
        finally:
            self._consumer.close()

    def _client_settings(self) -> dict[str, Any]:
        return {
            **self._settings.client(),
            "client.id": "govbus-subscriber",
            "group.id": self._settings.group_id,
            "session.timeout.ms": int(self._settings.session_timeout_s * 1000),
            "heartbeat.interval.ms": min(3000, int(self._settings.session_timeout_s * 1000 / 3)),
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # A lost offset must not become a silent jump; where none exists, _begin chooses the beginning.
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "topic.metadata.refresh.interval.ms": 30_000,
            "error_cb": self._client_error,
        }

    def _record(self, message: Message) -> KafkaRecord | None:
        error = message.error()
        if error is None:
            self._reached()
            self._raise_failure()
            return _kafka_record(message)
        if error.code() == KafkaError._PARTITION_EOF:
            self._reached()
            self._whole.at_end(int(message.partition() or 0))
            return None
        self._client_error(error)
        self._raise_failure()
        return None

    def _client_error(self, error: KafkaError) -> None:
        # Also a callback from the client: exceptions must not be raised here but in the next call.
        if error.code() in _DENIED:
            self._failure = AccessRevoked(_revoked(self._settings, error))
        elif error.code() in _OUT_OF_RANGE:
            self._failure = self._gone()
        elif error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            self._waiting(f"{self._settings.topic} does not exist (yet)")
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._waiting(f"the bus at {self._settings.bootstrap} does not answer")
        elif error.code() not in {KafkaError._TRANSPORT, KafkaError._RESOLVE}:
            # One connection of several going away is daily life; all of them are reported above.
            self._waiting(f"the bus reports {error.name()}")

    def _waiting(self, what: str) -> None:
        if not self._waiting_for:
            self._waiting_since = self._clock()
        if self._waiting_for != what:
            self._say(f"{what}; waiting, nothing is lost")
        self._waiting_for = what

    def _reached(self) -> None:
        if not self._waiting_for:
            return
        self._say(f"reading {self._settings.topic} again")
        self._waiting_for = ""
        away_s = self._clock() - self._waiting_since
        if away_s > self._settings.allowed_outage_s:
            self._failure = FellBehind(
                f"{self._settings.topic}: the bus was out of reach for {away_s / 86400:.1f} days{REBUILD}"
            )

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _gone(self) -> FellBehind:
        topic = self._settings.topic
        return FellBehind(f"{topic}: the next record to read is not kept any more{REBUILD}")

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._starting = partitions
        # Without this the client would start by itself where _start has to wait for the bus.
        self._consumer.assign([])
        self._start()

    def _revoked(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        # A callback cannot raise; what is said here is raised by the next poll or commit.
        self._commit_or_say()
        self._starting = []
        self._mine.clear()
        self._ahead.clear()
        self._done.clear()
        self._committed.clear()
        self._whole.forget()

    def _commit_or_say(self) -> None:
        try:
            self.commit()
        except (AccessRevoked, FellBehind) as error:
            self._say(f"offsets were not committed: {error}")

    def _start(self) -> None:
        """Start reading what was assigned; where the bus is out of reach, the next poll tries again."""
        if not self._starting:
            return
        try:
            committed = self._consumer.committed(self._starting, timeout=_CALL_TIMEOUT_S)
            self._consumer.assign([self._begin(partition) for partition in committed])
            self._mine = {partition.partition for partition in committed}
            self._starting = []
        except KafkaException as error:
            self._client_error(error.args[0])

    def _begin(self, committed: TopicPartition) -> TopicPartition:
        if committed.error is not None:
            raise KafkaException(committed.error)
        if committed.offset < 0:
            self._whole.begin(committed.partition, self._clock())
            return TopicPartition(committed.topic, committed.partition, OFFSET_BEGINNING)
        first, _end = self._consumer.get_watermark_offsets(committed, timeout=_CALL_TIMEOUT_S)
        if self._settings.resume_behind:
            self._whole.begin(committed.partition, self._clock())
            return TopicPartition(committed.topic, committed.partition, max(first, committed.offset))
        if first > committed.offset:
            self._failure = self._gone()
        self._done[committed.partition] = self._committed[committed.partition] = committed.offset
        whole_as_of = from_metadata(committed.metadata)
        self._whole.begin(committed.partition, self._clock() if whole_as_of is None else whole_as_of)
        try:
            # Now, not with the next commit: by then the reader may be at the end and look whole.
            self._whole.check(self._settings.topic, self._clock())
        except FellBehind as behind:
            self._failure = behind
        return TopicPartition(committed.topic, committed.partition, committed.offset)

    def _with_metadata(self, partition: int, offset: int, now: float) -> TopicPartition:
        metadata = as_metadata(self._whole.as_of(partition, now))
        return TopicPartition(self._settings.topic, partition, offset, metadata=metadata)

    def _commit_failed(self, error: KafkaError) -> None:
        if error.code() in _DENIED:
            raise AccessRevoked(_revoked(self._settings, error))
        # Retried with the next commit; until then a restart would only hand records over again.
        self._waiting(f"offsets could not be committed ({error.name()})")


def _kafka_record(message: Message) -> KafkaRecord:
    headers: list[Any] = list(message.headers() or [])
    return KafkaRecord(
        topic=TopicName(str(message.topic())),
        partition=int(message.partition() or 0),
        offset=int(message.offset() or 0),
        timestamp_ms=int(message.timestamp()[1]),
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=tuple((str(name), _bytes(value) or b"") for name, value in headers),
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _revoked(settings: SubscriberSettings, error: KafkaError) -> str:
    if error.code() in {KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._AUTHENTICATION}:
        return (
            f"the bus refuses the login {settings.username!r}: {settings.consumer} was withdrawn, or the "
            "credentials file is not the newest; ask the operator of the bus"
        )
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return (
            f"{settings.username!r} may not use the consumer group {settings.group_id!r}; use the group of "
            "the credentials file"
        )
    return (
        f"grant {settings.grant} of {settings.consumer} gives no access to {settings.topic}: it was revoked, "
        "suspended, has expired or is not in force yet. Nothing more is delivered; what was received falls "
        "under the terms of the grant. Ask the operator of the bus for the decision, naming the grant"
    )
