"""What the gate made of one raw record, stage by stage, by the very line that decided it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.gate.line import decide, decode, interpret
from services.gate.outcome import Decision, OutcomeKind
from services.gate.plan import GatePlan, compile_gate
from services.gate.releases import is_release
from services.gate.stopped import StoppedEntry
from services.gate.versions import AcceptedVersion, Remembered, content_digest
from services.ledger.blocks import Block
from topics.engine.reference import ReferenceCodec
from topics.event import Change, ControlReason, KafkaRecord, SchemaId, Step, Stopped
from topics.policy import Policy

STAGES: Final = (
    Step.RELEASE,
    Step.DECODE,
    Step.INTERPRET,
    Step.VERSION,
    Step.IDENTIFY,
    Step.ONE_SOURCE,
    Step.ASSESS,
    Step.ENCODE,
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage's outcome: passed, stopped, control, superseded, duplicate, or not reached."""

    stage: str
    outcome: str
    reason: str | None = None
    detail: str = ""


def gate_decision(
    raw: KafkaRecord, policy: Policy, block: Block, codecs: Mapping[SchemaId, ReferenceCodec]
) -> Decision:
    """Decide the record again, as then: under the block's policy version and the entry that it met."""
    plan = compile_gate(policy)
    return decide(raw, plan, codecs, entry_met(raw, block, plan, codecs))


def entry_met(
    raw: KafkaRecord, block: Block, plan: GatePlan, codecs: Mapping[SchemaId, ReferenceCodec]
) -> Remembered | None:
    """The entry that the decision met, without the identity, which the ledger does not keep."""
    for entry in block.entries:
        if entry["offset"] == raw.offset:
            return StoppedEntry(False, None, entry["first_stopped"], entry["last_stopped"])
    for version in block.versions:
        if version["offset"] == raw.offset:
            return _version_met(raw, version, plan, codecs)
    return None


def _version_met(
    raw: KafkaRecord,
    met: Mapping[str, int],
    plan: GatePlan,
    codecs: Mapping[SchemaId, ReferenceCodec],
) -> AcceptedVersion | None:
    source = plan.sources.get(raw.topic)
    envelope = decode(raw, codecs)
    if source is None or isinstance(envelope, Stopped):
        return None
    change = interpret(envelope, raw, source)
    content = content_digest(change) if met["same_content"] and isinstance(change, Change) else b""
    return AcceptedVersion(source.resource.version, met["version"], content, None, last_accepted_known=False)


def stages(raw: KafkaRecord, decision: Decision, *, published: bool) -> list[Stage]:
    """Every stage in order with what it said; versions are compared only where they are published."""
    at = _ended_at(decision)
    found = []
    for stage in STAGES:
        if (stage is Step.RELEASE and not is_release(raw)) or (stage is Step.VERSION and not published):
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
    if decision.kind is OutcomeKind.ACCEPTED:
        return None
    return Step.VERSION if isinstance(decision.entry_met, AcceptedVersion) else Step.RELEASE


def _passed_detail(stage: Step, decision: Decision) -> str:
    if stage is Step.ASSESS and decision.marks:
        return "marked: " + ", ".join(decision.marks)
    claims = sum(output.topic.startswith("claims.") for output in decision.outputs)
    if stage is Step.ONE_SOURCE and claims:
        return f"{claims} items of another owner cut and kept as claims"
    return ""
