"""Acts in ``ledger.acts``: one transaction for each call, under an id that fences who was before.

Whoever opens the id ends what another had open under it. After that, and only then, what the topic holds is
looked at: so an act of somebody who died between sending and noting it is found, and not appended again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from services.control.desired import ACT_BYTES
from services.control.policy_topic import newest_policy
from services.control.process.loops import NotYet
from services.control.suspension.acts import Act
from services.ledger.counts import Place
from services.ledger.reader import KafkaTopicReader
from topics import names
from topics.event import SchemaId

_TIMEOUT_S: Final = 15.0
_SKEW: Final = timedelta(minutes=10)
"""How far the clocks of database, broker and this machine may lie apart."""
_PLACE: Final = Place(names.LEDGER_ACTS, 0)


@dataclass(slots=True)
class KafkaActs:
    """See ``services.control.process.sending_acts.ActLedger``; used by one thread."""

    config: Mapping[str, Any] = field(repr=False)
    """The login of the control process."""
    transactional_id: str = names.CONTROL_ACTS_TRANSACTIONAL_ID
    open_reader: Callable[[Mapping[str, Any]], KafkaTopicReader] = field(
        default=lambda config: KafkaTopicReader(config, names.CONTROL_GROUP, _TIMEOUT_S), repr=False
    )
    _producer: Producer | None = field(default=None, init=False, repr=False)
    _schema_id: SchemaId | None = field(default=None, init=False)
    _known: frozenset[str] = field(default=frozenset(), init=False)
    """Ids of the last call that are in the topic: if its caller failed afterwards, they come again."""

    def append(self, acts: Sequence[Act], since: datetime) -> None:
        """Append those that are not there, as one transaction."""
        schema_id = self._schema()
        try:
            producer = self._opened(acts, since)
            self._written(producer, [act for act in acts if act.id not in self._known], schema_id)
        except BaseException:
            # Whether they are there is found out by whoever opens the id next.
            self._producer = None
            raise
        self._known = frozenset(act.id for act in acts)

    def _opened(self, acts: Sequence[Act], since: datetime) -> Producer:
        if self._producer is None:
            producer = Producer(
                {
                    **self.config,
                    "transactional.id": self.transactional_id,
                    "transaction.timeout.ms": int(_TIMEOUT_S * 1000),
                    "acks": "all",
                    "compression.type": "lz4",
                    "message.max.bytes": ACT_BYTES,
                }
            )
            producer.init_transactions(_TIMEOUT_S)
            self._known = self._there(frozenset(act.id for act in acts), since)
            self._producer = producer
        return self._producer

    def _there(self, wanted: frozenset[str], since: datetime) -> frozenset[str]:
        """Those of the ids that the topic holds."""
        with self.open_reader(self.config) as reader:
            start = reader.offset_at(_PLACE, int((since - _SKEW).timestamp() * 1000))
            records = reader.read(_PLACE, start, reader.bounds(_PLACE).end)
            return frozenset(id_ for record in records if (id_ := (record.key or b"").decode()) in wanted)

    @staticmethod
    def _written(producer: Producer, acts: Sequence[Act], schema_id: SchemaId) -> None:
        if not acts:
            return
        failures: list[KafkaError] = []
        producer.begin_transaction()
        for act in acts:
            producer.produce(
                names.LEDGER_ACTS,
                value=act.value(schema_id),
                key=act.id.encode(),
                partition=0,
                on_delivery=lambda error, _: failures.append(error) if error else None,
            )
        producer.commit_transaction(_TIMEOUT_S)
        if failures:
            raise KafkaException(failures[0])

    def _schema(self) -> SchemaId:
        """The id under which acts are written; it never changes, so it is asked for once.

        Raises:
            NotYet: nothing was applied yet, or by a program that knew no acts.
        """
        if self._schema_id is None:
            with self.open_reader(self.config) as reader:
                topics = set(reader.topics())
            if not {names.POLICY, names.LEDGER_ACTS} <= topics:
                raise NotYet(f"there is no topic {names.LEDGER_ACTS} yet: `govbus apply` makes it")
            policy = newest_policy(self.config)
            if policy is None or policy.control_schemas.control_act == 0:
                raise NotYet("no policy names a schema for acts yet: `govbus apply` writes it")
            self._schema_id = policy.control_schemas.control_act
        return self._schema_id


@dataclass(slots=True)
class NewKafkaActs:
    """See ``services.control.process.news.NewActs``; used by one thread."""

    config: Mapping[str, Any] = field(repr=False)
    _next: int | None = field(default=None, init=False)
    _given: int = field(default=0, init=False)

    def since(self, moment: datetime) -> list[Act]:
        """The acts that were not given before and were written after the moment.

        Raises:
            NotYet: the ledger has no place for acts yet.
        """
        with KafkaTopicReader(self.config, names.CONTROL_GROUP, _TIMEOUT_S) as reader:
            if _PLACE not in reader.places(names.LEDGER_ACTS):
                raise NotYet(f"there is no topic {names.LEDGER_ACTS} yet: `govbus apply` makes it")
            end = reader.bounds(_PLACE).end
            start = self._next
            if start is None or start > end:
                start = reader.offset_at(_PLACE, int(moment.timestamp() * 1000))
            found = [Act.from_value(record.value or b"") for record in reader.read(_PLACE, start, end)]
        self._given = end
        return found

    def seen(self) -> None:
        """Those that were given last need not be given again."""
        self._next = self._given
