"""A sample city whose processors have a defect, and everything that is to notice it."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from schemas.load import control_schema
from services.control.evidence.ledger_log import LedgerLog
from services.evidence.checkpoints import Sealing
from services.evidence.faults import Fault
from services.evidence.making import LedgerDiffers, Span, bundle_of
from services.evidence.sealed import Sealed, grown
from services.evidence.signing import ED25519, suite
from services.evidence.trust import Key, Trust
from services.evidence.verifying import verify
from services.ledger.balance import balance
from services.ledger.counts import Place
from services.ledger.digest_run import DigestRun
from services.ledger.evidence import Gatherer
from services.ledger.replay.audit import audit
from services.ledger.replay.scope import Scope
from services.ledger.replay.what_is_known import Known
from services.ledger.replay.words import Verdict
from tests.support.memory_bus import MemoryCity
from tests.support.memory_reconciling import Source, reconciled
from topics.engine.reference import ReferenceCodec
from topics.event import GrantId, KafkaRecord, OutputRecord
from topics.names import LEDGER_ACTS
from topics.wire import frame, split

WEEK_MS = 7 * 86_400_000
SEALING = Sealing.by(ED25519, suite(ED25519).signer(b"s" * 32))
Defect = Callable[[OutputRecord], Iterable[OutputRecord]]


class BuggyCity(MemoryCity):
    """What its processors write goes through a defect, after they have said in the ledger what they wrote."""

    def __init__(self, defect: Defect | None = None) -> None:
        super().__init__()
        self.defect = defect
        self.source = Source()

    def happen(self, operation: str, before: Any = None, after: Any = None) -> None:
        """A change that the source commits, and that is captured."""
        self.source.commit(before, after)
        self.change(operation, before, after)

    def _append(self, record: OutputRecord) -> KafkaRecord:
        if self.defect is None:
            return super()._append(record)
        written = [super(BuggyCity, self)._append(each) for each in self.defect(record)]
        return written[-1] if written else KafkaRecord(record.topic, 0, -1, 0, None, None, ())

    def rewrite(self, place: Place, change: Callable[[Sequence[KafkaRecord]], Sequence[KafkaRecord]]) -> None:
        """Somebody with rights to the broker's disks changes a partition."""
        self.memory.records[place] = list(change(self.memory.records[place]))


@dataclass(frozen=True, slots=True)
class Caught:
    """What each checker says; empty where it finds nothing."""

    balance: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()
    verifier: frozenset[str] = frozenset()
    replay: frozenset[str] = frozenset()
    reconciliation: frozenset[str] = frozenset()

    def by(self) -> set[str]:
        """The checkers that found something."""
        return {each.name for each in fields(self) if getattr(self, each.name)}


def sealed_log(city: MemoryCity, before: Sealed | None = None) -> Sealed:
    """A checkpoint over everything since the one before."""
    ends = before.signed.checkpoint.ends if before else {}
    read = LedgerLog(city.lookup.reader, city.lookup.decoder).since(ends, 1_000_000)
    last = before.signed if before else None
    return grown(last, read.entries, read.ends, city.clock + WEEK_MS, SEALING, "sha256")


def checked(city: BuggyCity, log: Sequence[Sealed] = ()) -> Caught:
    """Ask every checker; ``log`` are checkpoints from before somebody meddled with the ledger."""
    found = balance(_gatherer(city).gather(now_ms=city.clock))
    return Caught(
        balance=frozenset(one.what.value for one in found.differences),
        digests=frozenset(one.what.value for one in DigestRun(_gatherer(city), city.clock).run().differences),
        verifier=_verified(city, list(log) or [sealed_log(city)]),
        replay=_replayed(city),
        reconciliation=reconciled(city, city.source),
    )


def _replayed(city: MemoryCity) -> frozenset[str]:
    known = Known(city.memory, city.registry, lambda _: bytes(32))
    found = audit(known, Scope(from_ms=0, to_ms=city.clock + WEEK_MS))
    return frozenset() if found.verdict is Verdict.IDENTICAL else frozenset({found.verdict.value})


def _gatherer(city: MemoryCity) -> Gatherer:
    return Gatherer(city.lookup.reader, city.lookup.decoder, compaction_lag_ms=WEEK_MS)


def _verified(city: MemoryCity, log: list[Sealed]) -> frozenset[str]:
    topics = LedgerLog(city.lookup.reader, city.lookup.decoder)
    key = Key(ED25519, SEALING.signer.public, 0)
    trust = Trust(log[-1].signed.checkpoint.log, (key,), log[-1].signed)
    span = Span(0, city.clock + 2 * WEEK_MS)
    try:
        content = bundle_of(log, topics, [trust.witness], span, city.clock + 2 * WEEK_MS, SEALING)
    except LedgerDiffers:
        return frozenset({LedgerDiffers.__name__})
    fault = verify(content, trust).fault
    return frozenset() if fault is None else frozenset({Fault(fault).value})


def once(change: Callable[[OutputRecord], Iterable[OutputRecord]], prefix: str, which: int = 0) -> Defect:
    """A defect that strikes one record only: the one with that number on topics of that prefix."""
    seen = -1

    def defect(record: OutputRecord) -> Iterable[OutputRecord]:
        nonlocal seen
        if not record.topic.startswith(prefix):
            return [record]
        seen += 1
        return change(record) if seen == which else [record]

    return defect


def block_with(
    city: MemoryCity, record: OutputRecord, change: Callable[[dict[str, Any]], Mapping[str, Any]]
) -> OutputRecord:
    """A decision block that says something else."""
    schema_id, _ = split(record.value or b"")
    block = city.lookup.decoder.decode(record.value or b"")
    codec = ReferenceCodec(control_schema("DecisionBlock"))
    return replace(record, value=frame(schema_id, codec.encode(change(dict(block)))))


def cut_in_ledger(city: MemoryCity, grant: GrantId, policy_version: int) -> None:
    """The act of a suspension from that policy version on, as the kill switch leaves it."""
    entry = city.policy.grants[grant]
    document = json.dumps(
        {"policy_version": policy_version, "grants": [{"topic": entry.grant.topic, "cut": {}}]}
    )
    act = {
        "id": "s-1",
        "who": "console:night",
        "what": "grants.suspend",
        "kind": "grant",
        "object": grant,
        "timestamp_ms": city.clock,
        "reason": "stolen workstation",
        "digest": hashlib.sha256(document.encode()).hexdigest(),
        "document": document,
    }
    schema_id = city.policy.control_schemas.control_act
    city.registry.schemas[schema_id] = control_schema("ControlAct")
    value = frame(schema_id, ReferenceCodec(control_schema("ControlAct")).encode(act))
    city.memory.add(LEDGER_ACTS, 0, b"s-1", value, (), city._tick())
