"""Tells before a release is written whether the gate would refuse it: by the gate's own line and memory."""

from dataclasses import dataclass, field, replace

from services.gate.effects import remembered_keys
from services.gate.line import decide
from services.gate.outcome import OutcomeKind
from services.gate.plan import GatePlan, SourcePlan, compile_gate
from services.gate.stopped import entry_from_record
from services.gate.versions import Remembered, version_from_record
from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.quarantine import Quarantined, release
from topics.event import KafkaRecord


@dataclass(slots=True)
class ReleaseCheck:
    """The newest policy's gate beside what it remembers of keys."""

    lookup: Lookup
    _plan: GatePlan | None = field(init=False)
    _versions: dict[Place, dict[bytes | None, KafkaRecord]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        policies = self.lookup.policies
        self._plan = compile_gate(policies[max(policies)]) if policies else None

    def refusal(self, entry: Quarantined) -> str | None:
        """Why the gate would refuse the release now, or None: no older record overwrites a newer one."""
        if self._plan is None:
            return None
        record = replace(entry.raw, headers=release(entry).headers)
        decision = decide(record, self._plan, self.lookup.codecs(record), self.remembered(record))
        return decision.reason if decision.kind is OutcomeKind.SUPERSEDED else None

    def remembered(self, raw: KafkaRecord) -> Remembered | None:
        """What the gate remembers of the raw key; None for nothing, or where nobody declares the topic."""
        source = self._plan.sources.get(raw.topic) if self._plan else None
        if source is None:
            return None
        last = self._last(raw, source)
        value = self.lookup.decoder.value(last) if last else None
        if value is None:
            return None
        return version_from_record(value) if source.published else entry_from_record(value)

    def _last(self, raw: KafkaRecord, source: SourcePlan) -> KafkaRecord | None:
        place = Place(remembered_keys(raw.topic, published=source.published), raw.partition)
        if not source.published:
            return self._read(place).get(raw.key)
        # One entry for each published key: read once, since what changes meanwhile the gate itself refuses.
        if place not in self._versions:
            self._versions[place] = self._read(place)
        return self._versions[place].get(raw.key)

    def _read(self, place: Place) -> dict[bytes | None, KafkaRecord]:
        if place not in self.lookup.reader.places(place.topic):
            return {}
        records = self.lookup.reader.read(place, *self.lookup.reader.bounds(place))
        return {record.key: record for record in records}
