"""Redelivers: what a grant covers today, of the records in scope, to the grant's topic or a separate one.

Of each key in scope the newest canonical state goes out, never an older one: the topic is compacted, and an
older state at its end would become the kept one. A separate topic gets the same. Everything is decided by
today's policy. Before a transaction is committed it is asked again whether the policy is still that one,
whether today is still among the grant's days, and whether a newer state of one of the keys has come
meanwhile; in each case nothing of it is ever readable. A newer state that comes after that is delivered by
the fan-out behind ours, on the grant's topic.

It writes as the grant's copier. So whoever withdraws or suspends the grant ends what is open here too, and a
new epoch of the grant fences it.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

from services.control.replays.asking import fitting
from services.control.replays.life import Refused, Replay
from services.fanout.line import DeliveryKind, GrantOutcome, fan_out
from services.fanout.plan import canonical_schemas, compile_grants, opened, validity_ms
from services.ledger.counts import Place
from services.ledger.reader import Bounds
from services.ledger.replay.pace import Pace
from services.ledger.replay.scope import Scope
from services.ledger.replay.subject import concerning
from services.ledger.replay.what_is_known import Known
from services.processor.blocks import BlockDraft, BlockWriter
from services.processor.codecs import CodecCache
from topics import names
from topics.disputes import DisputeMarks, Disputes, keys_from
from topics.engine.records import PartitionRecords
from topics.event import GrantId, KafkaRecord, OutputRecord, PolicyNumber, TopicName
from topics.grants.declaration import GrantState
from topics.policy import GrantPolicy, Policy

HEADER: Final = "govbus_replay"
"""Marks a redelivered record; its value is the number of the replay."""
MOST_KEYS: Final = 200_000
"""Of one partition; their newest states are held at once."""
AT_ONCE: Final = 1_000
"""Keys in one transaction at most; under a throttle as many as may be delivered in a second."""
ATTEMPTS: Final = 5


class NotAuthorised(Refused):
    """Today's policy lets nothing be delivered under the grant."""


class Deliverer(Protocol):
    """Writes as the copier of a grant."""

    def write(self, grant: GrantId, records: Sequence[OutputRecord], still: Callable[[], bool]) -> bool:
        """Write all of them in one transaction and commit it if ``still`` then says so; says whether."""
        ...

    def make(self, topic: TopicName, partitions: int) -> None:
        """Make a separate topic, unless it is there."""
        ...

    def policy(self) -> Policy:
        """The newest policy version, read now."""
        ...

    def disputes(self) -> Disputes:
        """The disputes that are open now."""
        ...


@dataclass(slots=True)
class _Counts:
    delivered: int = 0
    tombstoned: int = 0
    withheld: dict[str, int] | None = None

    def note(self, outcomes: Iterable[GrantOutcome]) -> None:
        for each in outcomes:
            if each.kind is DeliveryKind.DELIVERED:
                self.delivered += 1
            elif each.kind is DeliveryKind.TOMBSTONED:
                self.tombstoned += 1
            else:
                self.withheld = self.withheld or {}
                reason = each.withheld.value if each.withheld else ""
                self.withheld[reason] = self.withheld.get(reason, 0) + 1


def redeliver(
    known: Known,
    replay: Replay,
    deliverer: Deliverer,
    pace: Pace,
    now: Callable[[], datetime],
    begun: Callable[[int], int] = lambda generation: generation,
) -> dict[str, Any]:
    """Deliver a scope again; what it came to.

    Args:
        known: the bus, as it is read.
        replay: which redelivery.
        deliverer: writes to the bus.
        pace: hears of progress, and says when to go slower or to stop.
        now: the time.
        begun: keeps the generation of the grant under which the first run began, and returns the kept one.

    Raises:
        NotAuthorised: the grant is gone, revoked, suspended, held, being filled, or outside its days by now.
        Refused: the scope does not fit the grant, it has too many keys at once, the bus changes faster than
            it can be written, or an earlier run wrote to the separate topic under another generation.
        Cancelled: the pace said so; what was committed by then stays delivered.
    """
    scope = replay.order.scope
    policy = deliverer.policy()
    entry = authorised(policy, scope.grant, now())
    fitting(scope, policy)
    resource, target = policy.resources[entry.grant.resource].resource, target_of(replay, entry)
    topic = resource.canonical_topic
    places = [each for each in known.reader.places(topic) if scope.partition in (None, each.partition)]
    if not places:
        raise Refused(f"{topic} has no partition {scope.partition}: name one that there is")
    if replay.order.separate:
        _of_one_generation(entry, begun(entry.generation))
        deliverer.make(target, resource.partitions)
    ranges = {place: _range(known, place, scope) for place in places}
    pace.begin(sum(each.end - each.low for each in ranges.values()))
    counts = _Counts()
    for place, bounds in ranges.items():
        _Partition(known, replay, deliverer, pace, now, counts, place, bounds).deliver()
    return {
        "verdict": "delivered",
        "grant": entry.grant.id,
        "topic": target,
        "delivered": counts.delivered,
        "tombstoned": counts.tombstoned,
        "withheld": counts.withheld or {},
    }


def _of_one_generation(entry: GrantPolicy, first: int) -> None:
    """A separate topic holds one generation: the balance counts it with that one's ledger."""
    if first != entry.generation:
        what = f"an earlier run began under generation {first} of grant {entry.grant.id}"
        raise Refused(f"{what}, which was filled anew since: ask for a new redelivery")


def target_of(replay: Replay, entry: GrantPolicy) -> TopicName:
    """Where a redelivery writes."""
    topic = entry.grant.topic
    return names.redelivered(topic, replay.number) if replay.order.separate else topic


def authorised(policy: Policy, grant: GrantId | None, now: datetime) -> GrantPolicy:
    """The grant, if today's policy delivers under it.

    Raises:
        NotAuthorised: it does not.
    """
    entry = policy.grants.get(grant) if grant is not None else None
    if entry is None:
        raise NotAuthorised(f"policy version {policy.version} has no grant {grant}")
    if entry.grant.state is not GrantState.ACTIVE:
        raise NotAuthorised(f"grant {grant} is {entry.grant.state.value}")
    if policy.holds_on(entry.grant):
        raise NotAuthorised(f"grant {grant} is held by {policy.holds_on(entry.grant)[0].id}")
    if not _has_its_day(entry, now):
        raise NotAuthorised(f"today is not among the days of grant {grant}")
    return entry


def _has_its_day(entry: GrantPolicy, now: datetime) -> bool:
    begin, end = validity_ms(entry.grant)
    return begin <= now.timestamp() * 1000 < end


def _range(known: Known, place: Place, scope: Scope) -> Bounds:
    bounds = known.reader.bounds(place)
    low = bounds.low if scope.from_offset is None else max(bounds.low, scope.from_offset)
    end = bounds.end if scope.to_offset is None else min(bounds.end, scope.to_offset)
    if scope.from_ms is not None:
        low = max(low, known.reader.offset_at(place, scope.from_ms))
    if scope.to_ms is not None:
        end = min(end, known.reader.offset_at(place, scope.to_ms))
    return Bounds(low, max(low, end))


@dataclass(slots=True)
class _Partition:
    """One partition of the canonical topic, delivered again in transactions of some keys each."""

    known: Known
    replay: Replay
    deliverer: Deliverer
    pace: Pace
    now: Callable[[], datetime]
    counts: _Counts
    place: Place
    bounds: Bounds
    _newest: dict[bytes, KafkaRecord] = field(default_factory=dict)
    _read_to: int = 0
    """Up to where the states in ``_newest`` are known to be the newest."""

    def deliver(self) -> None:
        """Deliver all of it; whoever cancels or throttles is heard between two transactions."""
        self._read()
        self.pace.passed(self.bounds.end - self.bounds.low - len(self._newest))
        self.pace.decided(0)
        keys = sorted(self._newest, key=lambda key: self._newest[key].offset)
        at_once = min(AT_ONCE, self.pace.most_a_second or AT_ONCE)
        for first in range(0, len(keys), at_once):
            some = keys[first : first + at_once]
            self._transaction(some)
            self.pace.decided(len(some))

    def _read(self) -> None:
        concerns = concerning(self.known, self.replay.order.scope)
        for number, record in enumerate(self.known.reader.read(self.place, *self.bounds), 1):
            if record.key is not None and record.value is not None and concerns(record):
                self._newest[record.key] = record
                if len(self._newest) > MOST_KEYS:
                    raise Refused(f"{self.place}: more than {MOST_KEYS} keys are in scope; narrow it")
            if number % AT_ONCE == 0:
                self.pace.decided(0)
        self._read_to = self.bounds.end

    def _transaction(self, keys: Sequence[bytes]) -> None:
        for _ in range(ATTEMPTS):
            self._renew()
            policy, disputes = self.deliverer.policy(), self.deliverer.disputes()
            entry = authorised(policy, self.replay.order.scope.grant, self.now())
            states = [self._newest[key] for key in keys]
            outcomes = _decided(self.known, policy, entry, self.place, states, disputes)
            target = target_of(self.replay, entry)
            written = [_marked(one.output, self.replay, target) for one in outcomes if one.output is not None]
            block = _block(
                policy, entry, self.replay, self.place, self.bounds, written, outcomes, disputes.number
            )
            still = partial(self._still, policy.version, entry, frozenset(keys))
            if not written or self.deliverer.write(entry.grant.id, [*written, block], still):
                self.counts.note(outcomes)
                return
        raise Refused(
            f"{self.place}: the records in scope change faster than they can be delivered; try again"
        )

    def _renew(self) -> None:
        """Replace the states that have newer ones by now."""
        end = self.known.reader.bounds(self.place).end
        for record in self.known.reader.read(self.place, self._read_to, end):
            if record.key in self._newest and record.key is not None and record.value is not None:
                self._newest[record.key] = record
        self._read_to = end

    def _still(self, version: PolicyNumber, entry: GrantPolicy, keys: Container[bytes | None]) -> bool:
        """Whether what was decided may be committed: the same policy, its days, and no newer state."""
        if self.deliverer.policy().version != version or not _has_its_day(entry, self.now()):
            return False
        end = self.known.reader.bounds(self.place).end
        newer = self.known.reader.read(self.place, self._read_to, end)
        return not any(record.key in keys for record in newer)


def _decided(
    known: Known,
    policy: Policy,
    entry: GrantPolicy,
    place: Place,
    records: Iterable[KafkaRecord],
    disputes: Disputes,
) -> list[GrantOutcome]:
    """What today's policy makes of the records, by the fan-out's own line."""
    secrets = known.secrets([policy])
    # What the copier once gave may be given again.
    plan = opened(compile_grants(policy, [entry], secrets))
    codecs = CodecCache()
    codecs.learn(canonical_schemas(policy, {place.topic}))
    ordered = sorted(records, key=lambda record: record.offset)
    if not ordered:
        return []
    codecs.learn(known.schemas(codecs.missing(PartitionRecords(*place, ordered))))
    marks = DisputeMarks(disputes, keys_from(secrets))
    return [one for record in ordered for one in fan_out(record, plan, codecs.codecs, None, marks) or ()]


def _marked(output: OutputRecord, replay: Replay, target: TopicName) -> OutputRecord:
    headers = (*output.headers, (HEADER, str(replay.number).encode()))
    return replace(output, topic=target, headers=headers)


def _block(
    policy: Policy,
    entry: GrantPolicy,
    replay: Replay,
    place: Place,
    bounds: Bounds,
    written: Sequence[OutputRecord],
    outcomes: Sequence[GrantOutcome],
    disputes: int,
) -> OutputRecord:
    """What the ledger keeps of it: a chain of its own, beside those of epochs."""
    group = f"{names.copier_transactional_id(GrantId('replay'))}.{replay.number}"
    instance = names.copier_transactional_id(entry.grant.id)
    draft = BlockDraft(group, instance, place.topic, place.partition, bounds.low, policy.version)
    draft.to_offset, draft.records, draft.disputes = bounds.low, 0, disputes
    tally = draft.grant(entry.grant.id, entry.generation)
    tally.delivered = sum(each.kind is DeliveryKind.DELIVERED for each in outcomes)
    tally.tombstoned = sum(each.kind is DeliveryKind.TOMBSTONED for each in outcomes)
    draft.wrote(written)
    return BlockWriter(policy.control_schemas).output(names.LEDGER_DELIVERY, draft)
