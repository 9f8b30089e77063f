"""Waits until the bus has decided and delivered what it has; nothing of the ledger is read twice."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.ledger.blocks import Chain
from services.ledger.counts import Place
from services.ledger.evidence import COUNTED
from services.ledger.lookup import Lookup
from services.ledger.reader import Bounds, TopicReader
from tests.support.waiting import eventually
from topics.event import KafkaRecord, TopicName
from topics.names import GATE_GROUP, LEDGER_DELIVERY, LEDGER_INTAKE, POLICY, canonical, fanout_group
from topics.policy import Policy

Ends = Mapping[Place, int]


@dataclass(slots=True)
class Decisions:
    """How far gate and fan-out have come, as far as it was read; one object reads each record once."""

    seconds: float
    """The patience with each step."""
    _policy: Policy | None = None
    _positions: dict[Chain, int] = field(default_factory=dict)
    _read: dict[Place, int] = field(default_factory=dict)

    def settle(self, lookup: Lookup) -> None:
        """Until everything that is captured now is decided, delivered, and can be read."""
        reader = lookup.reader
        self._read_on(lookup)
        self._await(lookup, self._raw, "the gate to decide everything")
        # The gate's answers are in the canonical topics by now, at least as part of a decided transaction.
        self._await(lookup, self._canonical, "the fan-out to decide everything")
        layout = reader.layout()
        self._stable(
            reader, [place for topic in layout if topic.startswith(COUNTED) for place in layout[topic]]
        )

    def _await(self, lookup: Lookup, chains: Callable[[], dict[str, set[TopicName]]], what: str) -> None:
        layout = lookup.reader.layout()
        wanted = [
            Chain(group, place.topic, place.partition)
            for group, topics in chains().items()
            for topic in topics
            for place in layout.get(topic, ())
        ]
        ends = self._stable(lookup.reader, {Place(chain.topic, chain.partition) for chain in wanted})
        eventually(lambda: self._decided(lookup, wanted, ends), self.seconds, lambda: what)

    def _raw(self) -> dict[str, set[TopicName]]:
        assert self._policy is not None, "nothing was applied yet"
        return {GATE_GROUP: {entry.resource.raw_topic for entry in self._policy.resources.values()}}

    def _canonical(self) -> dict[str, set[TopicName]]:
        assert self._policy is not None, "nothing was applied yet"
        found: dict[str, set[TopicName]] = {}
        for entry in self._policy.grants.values():
            found.setdefault(fanout_group(entry.grant.group), set()).add(canonical(entry.grant.resource))
        return found

    def _decided(self, lookup: Lookup, chains: Sequence[Chain], ends: Ends) -> bool:
        """Whether no record of the chains' partitions lies between what is decided and the end."""
        self._read_on(lookup)
        rest: dict[Place, Bounds] = {}
        for chain in chains:
            place = Place(chain.topic, chain.partition)
            position = self._positions.get(chain, 0)
            rest[place] = Bounds(min(position, rest.get(place, Bounds(position, 0)).low), ends[place])
        # The markers of transactions lie there at least.
        return next(iter(lookup.reader.read_all(rest)), None) is None

    def _stable(self, reader: TopicReader, places: Iterable[Place]) -> dict[Place, int]:
        """The ends that the partitions have now, once all before them can be read."""
        ends = reader.highs_of(places := list(places))

        def readable() -> bool:
            return all(
                reader_bounds.end >= ends[place] for place, reader_bounds in reader.bounds_of(places).items()
            )

        eventually(readable, self.seconds, lambda: "open transactions to end")
        return ends

    def _read_on(self, lookup: Lookup) -> None:
        """What policy and ledger have got since they were read last."""
        layout = lookup.reader.layout()
        places = [
            place for topic in (POLICY, LEDGER_INTAKE, LEDGER_DELIVERY) for place in layout.get(topic, ())
        ]
        bounds = lookup.reader.bounds_of(places)
        new = {
            place: Bounds(max(self._read.get(place, 0), found.low), found.end)
            for place, found in bounds.items()
        }
        for record in lookup.reader.read_all(new):
            self._take(lookup, record)
        self._read = {place: found.end for place, found in bounds.items()}

    def _take(self, lookup: Lookup, record: KafkaRecord) -> None:
        value = lookup.decoder.value(record)
        if value is None:
            return
        if record.topic == POLICY:
            self._policy = Policy.model_validate_json(value["document"])
            return
        chain = Chain(value["group"], TopicName(value["topic"]), value["partition"])
        self._positions[chain] = max(self._positions.get(chain, 0), value["to_offset"])


def ends_of(reader: TopicReader, topic: TopicName) -> dict[Place, int]:
    """Where each partition of a topic ends for who reads it now."""
    return {place: bounds.end for place, bounds in reader.bounds_of(reader.places(topic)).items()}


def holds_since(reader: TopicReader, since: Ends, token: bytes) -> bool:
    """Whether a record that came after those ends holds the token."""
    ranges = {place: Bounds(since[place], bounds.end) for place, bounds in reader.bounds_of(since).items()}
    return any(token in (record.value or b"") for record in reader.read_all(ranges))
