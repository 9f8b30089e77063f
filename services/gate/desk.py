"""Decides what an engine leaves to the reference, and notes it: the tally, the entries, the block's draft."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from services.gate.effects import stopped_effects
from services.gate.outcome import Decision, OutcomeKind
from services.gate.plan import GatePlan
from services.gate.stopped import LastAccepted, StoppedEntry
from services.gate.versions import AcceptedVersion, Remembered
from services.processor.blocks import BlockDraft
from topics.engine.gate_engine import Known, Tally
from topics.event import ControlReason, KafkaRecord, OutputRecord, Stopped

Staged = dict[bytes, Remembered | None]


class PartitionDesk:
    """The desk of one input partition for one batch; see ``topics.engine.gate_engine.Desk``."""

    def __init__(
        self,
        plan: GatePlan,
        decide: Callable[[KafkaRecord], Decision],
        draft: BlockDraft,
        kept: Collection[bytes],
        staged: Staged,
    ) -> None:
        self._plan, self._decide, self._draft = plan, decide, draft
        self._kept, self._staged = kept, staged
        self.outcomes: Counter[str] = Counter()

    def entries(self) -> Sequence[Collection[bytes]]:
        """Keys with an entry from before this batch, and with one that this batch made or removed."""
        return (self._kept, self._staged)

    def refer(self, record: KafkaRecord) -> Sequence[OutputRecord]:
        """Decide by the line."""
        return self._note(record, self._decide(record))

    def stop(self, record: KafkaRecord, stop: Stopped, last: Known) -> Sequence[OutputRecord]:
        """Carry out a stop; the engine decides none where an entry is pending."""
        effects = stopped_effects(record, self._plan, stop, None, LastAccepted(last.known, last.key))
        decision = Decision(
            OutcomeKind.STOPPED,
            stop.reason.value,
            stopped=stop,
            outputs=effects.outputs,
            entry_changed=effects.entry_changed,
            entry_after=effects.entry_after,
        )
        return self._note(record, decision)

    def count(self, tally: Tally) -> None:
        """Count what the engine decided without the desk."""
        self._add(OutcomeKind.ACCEPTED, None, tally.accepted)
        self._add(OutcomeKind.CONTROL, ControlReason.TOMBSTONE.value, tally.tombstones)

    def _note(self, record: KafkaRecord, decision: Decision) -> Sequence[OutputRecord]:
        if decision.entry_changed and record.key is not None:
            self._staged[record.key] = decision.entry_after
        self._add(decision.kind, decision.reason, 1)
        self._note_entry(record, decision)
        return decision.outputs

    def _note_entry(self, record: KafkaRecord, decision: Decision) -> None:
        met = decision.entry_met
        if isinstance(met, StoppedEntry):
            self._draft.entries.append(
                {
                    "offset": record.offset,
                    "first_stopped": met.first_stopped,
                    "last_stopped": met.last_stopped,
                }
            )
        if isinstance(met, AcceptedVersion):
            same = decision.kind is OutcomeKind.DUPLICATE
            self._draft.versions.append(
                {"offset": record.offset, "version": met.version, "same_content": same}
            )

    def _add(self, kind: OutcomeKind, reason: str | None, count: int) -> None:
        if count:
            self._draft.outcomes[kind.value] += count
            self.outcomes[reason or kind.value] += count
            if reason is not None:
                self._draft.reasons[reason] += count
