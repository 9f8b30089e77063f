"""Drafts decision blocks: counts and digests of one batch of one input partition, for the ledger."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.load import control_schema
from topics.engine.lane_book import Written
from topics.engine.lanes import Lane, digest_form
from topics.engine.records import Records
from topics.engine.reference import ReferenceCodec
from topics.event import GrantId, OutputRecord, PolicyNumber, TopicName
from topics.names import LEDGER_PARTITIONS
from topics.policy import ControlSchemas
from topics.wire import frame


@dataclass(slots=True)
class GrantTally:
    """What one grant got out of the block."""

    generation: int
    delivered: int = 0
    tombstoned: int = 0
    withheld: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class BlockDraft:
    """A decision block while its batch is being decided; ``record`` gives the Avro form."""

    group: str
    instance: str
    topic: TopicName
    partition: int
    from_offset: int
    policy_version: PolicyNumber
    to_offset: int = 0
    records: int = 0
    first_timestamp_ms: int = 0
    last_timestamp_ms: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    grants: dict[GrantId, GrantTally] = field(default_factory=dict)
    entries: list[dict[str, int]] = field(default_factory=list)
    versions: list[dict[str, int]] = field(default_factory=list)
    disputes: int = 0
    """Number of the last change of the disputes that was known."""
    _outputs: dict[tuple[TopicName, int], "_OutputDigest | _LaneDigest"] = field(default_factory=dict)

    def covers(self, records: Records) -> None:
        """Count a run of input records; they come in offset order."""
        first, last = records[0], records[-1]
        self.first_timestamp_ms = first.timestamp_ms if self.records == 0 else self.first_timestamp_ms
        self.records += len(records)
        self.last_timestamp_ms, self.to_offset = last.timestamp_ms, last.offset + 1

    def laid(self, lanes: Iterable[Lane]) -> None:
        """Count and digest whole lanes; each output partition once."""
        for lane in lanes:
            self._outputs[(lane.topic, lane.partition)] = _LaneDigest(len(lane), lane.digest())

    def digested(self, written: Iterable[Written]) -> None:
        """Take over what was counted and digested elsewhere; each output partition once."""
        for part in written:
            self._outputs[(part.topic, part.partition)] = _LaneDigest(part.records, part.digest)

    def wrote(self, outputs: Iterable[OutputRecord]) -> None:
        """Count and digest what the input led to, in order."""
        for output in outputs:
            place = (output.topic, output.partition)
            found = self._outputs.setdefault(place, _OutputDigest())
            if isinstance(found, _LaneDigest):
                raise TypeError(f"{place} was already digested as a whole lane")
            found.add(output)

    def grant(self, grant: GrantId, generation: int) -> GrantTally:
        """The tally of one grant."""
        return self.grants.setdefault(grant, GrantTally(generation))

    def record(self) -> dict[str, object]:
        """The block as the record that DecisionBlock.avsc describes."""
        return {
            "group": self.group,
            "instance": self.instance,
            "topic": self.topic,
            "partition": self.partition,
            "from_offset": self.from_offset,
            "to_offset": self.to_offset,
            "records": self.records,
            "policy_version": self.policy_version,
            "first_timestamp_ms": self.first_timestamp_ms,
            "last_timestamp_ms": self.last_timestamp_ms,
            "outcomes": dict(sorted(self.outcomes.items())),
            "reasons": dict(sorted(self.reasons.items())),
            "outputs": [
                {
                    "topic": topic,
                    "partition": partition,
                    "records": found.records,
                    "digest": found.hexdigest(),
                }
                for (topic, partition), found in sorted(self._outputs.items())
            ],
            "grants": [_grant_record(grant, tally) for grant, tally in sorted(self.grants.items())],
            "entries": self.entries,
            "versions": self.versions,
            "disputes": self.disputes,
        }


def _grant_record(grant: GrantId, tally: GrantTally) -> dict[str, object]:
    return {
        "grant": grant,
        "generation": tally.generation,
        "delivered": tally.delivered,
        "tombstoned": tally.tombstoned,
        "withheld": dict(sorted(tally.withheld.items())),
    }


class _OutputDigest:
    """SHA-256 over the records of one output partition, each in its digest form."""

    def __init__(self) -> None:
        self.records = 0
        self._hash = hashlib.sha256()

    def add(self, output: OutputRecord) -> None:
        self.records += 1
        self._hash.update(digest_form(output))

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class _LaneDigest:
    """What a lane says of itself."""

    records: int
    digest: str

    def hexdigest(self) -> str:
        return self.digest


class BlockWriter:
    """Decision blocks as records of the ledger, in the form that the policy's schema id stands for.

    A policy that knows no disputes names a schema of blocks that says nothing of them.
    """

    def __init__(self, ids: ControlSchemas) -> None:
        self._schema_id = ids.decision_block
        self._without: frozenset[str] = frozenset() if ids.dispute_change else frozenset({"disputes"})
        schema = control_schema("DecisionBlock")
        kept = [each for each in schema["fields"] if each["name"] not in self._without]
        self._codec = ReferenceCodec({**schema, "fields": kept})

    def output(self, ledger: TopicName, draft: BlockDraft) -> OutputRecord:
        """The block as a record of that ledger."""
        record = {name: value for name, value in draft.record().items() if name not in self._without}
        return OutputRecord(
            ledger,
            ledger_partition(draft.group, draft.topic, draft.partition),
            chain_key(draft.group, draft.topic, draft.partition),
            frame(self._schema_id, self._codec.encode(record)),
        )


def chain_key(group: str, topic: TopicName, partition: int) -> bytes:
    """The key of every block of one chain: who decided, and which input partition."""
    return f"{group}|{topic}|{partition}".encode()


def ledger_partition(group: str, topic: TopicName, partition: int) -> int:
    """The ledger partition of a chain: always the same one, so that its blocks stay in order."""
    digest = hashlib.sha256(chain_key(group, topic, partition)).digest()
    return int.from_bytes(digest[:4], "big") % LEDGER_PARTITIONS
