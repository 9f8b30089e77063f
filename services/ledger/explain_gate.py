"""What the gate made of one raw record, stage by stage, by the very line that decided it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.gate.line import RELEASE_HEADER, decide
from services.gate.outcome import Decision, OutcomeKind
from services.gate.plan import compile_gate
from services.gate.stopped import StoppedEntry
from services.ledger.blocks import Block
from topics.engine.reference import ReferenceCodec
from topics.event import ControlReason, KafkaRecord, SchemaId, Step
from topics.policy import Policy

STAGES: Final = (
    Step.RELEASE,
    Step.DECODE,
    Step.INTERPRET,
    Step.IDENTIFY,
    Step.ONE_SOURCE,
    Step.ASSESS,
    Step.ENCODE,
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage's outcome: passed, stopped, control, superseded, or not reached."""

    stage: str
    outcome: str
    reason: str | None = None
    detail: str = ""


def gate_decision(
    raw: KafkaRecord, policy: Policy, block: Block, codecs: Mapping[SchemaId, ReferenceCodec]
) -> Decision:
    """Decide the record again, as then: under the block's policy version and the entry that it met."""
    return decide(raw, compile_gate(policy), codecs, entry_met(raw, block))


def entry_met(raw: KafkaRecord, block: Block) -> StoppedEntry | None:
    """The stopped-key entry that the decision met, without the identity, which the ledger does not keep."""
    for entry in block.entries:
        if entry["offset"] == raw.offset:
            return StoppedEntry(False, None, entry["first_stopped"], entry["last_stopped"])
    return None


def stages(raw: KafkaRecord, decision: Decision) -> list[Stage]:
    """Every stage in order with what it said."""
    at = _ended_at(decision)
    found = []
    for stage in STAGES:
        if stage is Step.RELEASE and raw.header(RELEASE_HEADER) is None:
            continue
        if at is None or STAGES.index(stage) < STAGES.index(at):
            found.append(Stage(stage.value, "passed", detail=_passed_detail(stage, decision)))
        elif stage is at:
            detail = decision.stopped.detail if decision.stopped else ""
            found.append(Stage(stage.value, decision.kind.value, decision.reason, detail))
        else:
            found.append(Stage(stage.value, "not-reached"))
    return found


def _ended_at(decision: Decision) -> Step | None:
    if decision.stopped is not None:
        return decision.stopped.step
    if decision.kind is OutcomeKind.CONTROL:
        return Step.DECODE if decision.reason == ControlReason.TOMBSTONE else Step.INTERPRET
    return None if decision.kind is OutcomeKind.ACCEPTED else Step.RELEASE


def _passed_detail(stage: Step, decision: Decision) -> str:
    if stage is Step.ASSESS and decision.marks:
        return "marked: " + ", ".join(decision.marks)
    claims = sum(output.topic.startswith("claims.") for output in decision.outputs)
    if stage is Step.ONE_SOURCE and claims:
        return f"{claims} items of another owner cut and kept as claims"
    return ""
