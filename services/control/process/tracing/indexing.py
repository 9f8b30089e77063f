"""Keeps the index of the person trace: what was committed since the last turn, and how far that goes.

Rows and the offsets that they go up to are written in one transaction, so that a turn which dies leaves
nothing twice and nothing out. Grants' topics come before canonical ones: who is found in the index, is found
with everybody who had received it. Whatever cannot be in the index any more is said: the moment before which
it may lack something is part of every answer.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy import Connection

from services.control.desired import AUDIT_DAYS, COMPACTION_LAG_MS
from services.control.framing import decode
from services.control.process.loops import NotYet
from services.control.retention.adopted import adopted_floor
from services.control.store.database import ControlDatabase, Task
from services.control.store.trace import writing
from services.control.store.trace.writing import DeliveryRow, SubjectRow, Terms, TraceState
from services.ledger.counts import Place
from services.ledger.reader import Bounds, TopicReader
from topics.event import KafkaRecord
from topics.names import POLICY
from topics.policy import Policy
from topics.trace import NotTraceable, SubjectReader, read_handed

_CANONICAL: Final = "resource."
_GRANTS: Final = "sub."
LIMIT: Final = 200_000
"""Offsets that one turn goes on by at most."""
BATCH: Final = 20_000
"""Rows in memory at a time, and in one transaction."""
_LAG: Final = timedelta(milliseconds=COMPACTION_LAG_MS)
_KEPT: Final = timedelta(days=AUDIT_DAYS)
"""Unless an adopted pack demands more."""
_FORGOTTEN: Final = 5_000


class Source(Protocol):
    """What the index is made of."""

    @property
    def reader(self) -> TopicReader:
        """Reads canonical topics, grants' topics and the policy."""
        ...

    def key(self, version: int) -> bytes:
        """The key of the trace of a version of the master secret."""
        ...

    def first_version(self) -> int:
        """The version that an index which begins now uses."""
        ...


@dataclass(slots=True)
class _Batch:
    """Rows that are not written yet, and up to where they go."""

    subjects: list[SubjectRow] = field(default_factory=list)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    reached: dict[tuple[int, int], int] = field(default_factory=dict)
    untraceable: int = 0

    def __len__(self) -> int:
        return len(self.subjects) + len(self.deliveries)


@dataclass(frozen=True, slots=True)
class TraceTurn:
    """Takes turns; of several processes one indexes at a time."""

    database: ControlDatabase
    source: Source
    now: Callable[[], datetime]
    limit: int = LIMIT
    batch: int = BATCH

    def turn(self) -> bool:
        """Index what is new; whether there is more of it.

        Raises:
            NotYet: nothing was applied yet.
            KafkaUnavailable: Kafka does not answer; what was written counts.
        """
        with self.database.alone(Task.TRACE) as ours:
            return ours and self._index()

    def _index(self) -> bool:
        reader, moment = self.source.reader, self.now()
        layout = reader.layout()
        if POLICY not in layout:
            raise NotYet("there is no policy yet: `govbus apply` writes it")
        with self.database.begin() as connection:
            begun = writing.begin(connection, self.source.first_version())
        issued = self._learn(begun)
        places = [at for topic in layout if topic.startswith((_CANONICAL, _GRANTS)) for at in layout[topic]]
        bounds = reader.bounds_of(places)
        with self.database.begin() as connection:
            numbers = writing.topic_ids(connection, {place.topic for place in places})
            positions = writing.positions(connection)
            _note_gaps(connection, begun, issued, moment)
            known = {at: positions.get((numbers[at.topic], at.partition)) for at in places}
            starts = {at: _start(connection, known[at], bounds[at], moment) for at in places}
        ranges, whole = self._portion(starts, bounds)
        subjects = SubjectReader(self.source.key(begun.key_version))
        for canonical in (False, True):
            some = {at: one for at, one in ranges.items() if _is_canonical(at) is canonical}
            self._read(some, numbers, subjects)
        with self.database.begin() as connection:
            if whole:
                writing.complete(connection, moment)
                _forget(connection, moment)
        return not whole

    def _portion(
        self, starts: Mapping[Place, int], bounds: Mapping[Place, Bounds]
    ) -> tuple[dict[Place, Bounds], bool]:
        """What this turn reads, and whether that is all."""
        found, left, whole = {}, self.limit, True
        for at in sorted(starts, key=lambda at: (_is_canonical(at), at)):
            end = min(bounds[at].end, starts[at] + left)
            left -= end - starts[at]
            whole = whole and end == bounds[at].end
            if starts[at] < end:
                found[at] = Bounds(starts[at], end)
        return found, whole

    def _read(
        self, ranges: Mapping[Place, Bounds], numbers: Mapping[str, int], subjects: SubjectReader
    ) -> None:
        batch = _Batch()
        for record in self.source.reader.read_all(ranges):
            topic = numbers[record.topic]
            _take(batch, record, topic, subjects)
            batch.reached[(topic, record.partition)] = record.offset + 1
            if len(batch) >= self.batch:
                self._write(batch)
                batch = _Batch()
        # Behind the last record of each partition stand marks of transactions, which count as read.
        batch.reached |= {(numbers[at.topic], at.partition): one.end for at, one in ranges.items()}
        self._write(batch)

    def _write(self, batch: _Batch) -> None:
        if not batch.reached:
            return
        with self.database.begin() as connection:
            writing.put_subjects(connection, batch.subjects)
            writing.put_deliveries(connection, batch.deliveries)
            writing.move(connection, batch.reached)
            if batch.untraceable:
                writing.count_untraceable(connection, batch.untraceable)

    def _learn(self, begun: TraceState) -> datetime | None:
        """Take the policy versions that are new; when the first was issued, where the index begins."""
        place = Place(POLICY, 0)
        bounds = self.source.reader.bounds(place)
        start = max(begun.policy_next, bounds.low)
        terms: list[Terms] = []
        issued: datetime | None = None
        for record in self.source.reader.read(place, start, bounds.end):
            policy = Policy.model_validate_json(decode("PolicyVersion", record.value or b"")["document"])
            terms += terms_of(policy)
            issued = issued or _moment(int(policy.issued_ms), self.now())
        if start < bounds.end:
            with self.database.begin() as connection:
                writing.put_terms(connection, terms, bounds.end)
        return issued if begun.policy_next == 0 else None


def terms_of(policy: Policy) -> Iterator[Terms]:
    """What the grants of a policy version say."""
    for entry in policy.grants.values():
        grant = entry.grant
        resource = policy.resources.get(grant.resource)
        yield Terms(
            topic=str(grant.topic),
            from_version=int(policy.version),
            grant_id=str(grant.id),
            consumer=str(grant.consumer),
            provider="" if resource is None else str(resource.resource.provider),
            resource=str(grant.resource),
            purpose=grant.purpose,
            legal_basis=grant.legal_basis,
        )


def _take(batch: _Batch, record: KafkaRecord, topic: int, subjects: SubjectReader) -> None:
    try:
        if record.topic.startswith(_CANONICAL):
            found = subjects.read(record)
            if found is not None:
                batch.subjects.append(
                    SubjectRow(
                        found.subject,
                        found.entity,
                        found.change,
                        record.timestamp_ms,
                        record.offset,
                        topic,
                        record.partition,
                        int(found.withdrawn),
                    )
                )
            return
        handed = read_handed(record)
    except NotTraceable:
        batch.untraceable += 1
        return
    batch.deliveries.append(
        DeliveryRow(
            handed.change,
            record.timestamp_ms,
            record.offset,
            handed.policy_version,
            topic,
            handed.generation,
            record.partition,
            int(handed.written),
        )
    )


def _is_canonical(place: Place) -> bool:
    return place.topic.startswith(_CANONICAL)


def _start(connection: Connection, position: int | None, bounds: Bounds, moment: datetime) -> int:
    """Where a partition is read on; what was removed before it was read is said to be missing."""
    start = position or 0
    if start > bounds.end or start < bounds.low:
        writing.lacks_before(connection, moment)
        return bounds.low
    return start


def _note_gaps(connection: Connection, begun: TraceState, issued: datetime | None, moment: datetime) -> None:
    """What is read later than the compaction lag may have been compacted."""
    since = begun.complete_until or issued
    if since is not None and moment - since > _LAG:
        writing.lacks_before(connection, moment - _LAG)


def _forget(connection: Connection, moment: datetime) -> None:
    """Keep the index as long as the ledger is kept; from then on it says that older rows are missing."""
    if not writing.holds_before(connection, _ms(moment - _KEPT)):
        return
    before = moment - max(_KEPT, timedelta(days=adopted_floor(connection).days))
    if writing.forget(connection, _ms(before), _FORGOTTEN):
        writing.lacks_before(connection, before)


def _moment(milliseconds: int, like: datetime) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, like.tzinfo)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
