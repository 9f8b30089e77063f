"""A verdict in words, and as the object that docs/cli/verify.schema.json describes."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from services.evidence.judging_receipt import Proven
from services.evidence.trust import Holder
from services.evidence.verifying import Verdict
from services.evidence.verifying_receipt import ReceiptVerdict

_HOLDERS: Final[Mapping[Holder | None, str]] = {
    Holder.OUTSIDE: "held outside the bus, says the trust file",
    Holder.LOG: "the log's own newest one: nobody outside the bus holds it",
    None: "the trust file does not say who holds it",
}
_NOT_SHOWN: Final = (
    "what it does not show of these entries is the bus's signed word: an auditor's receipt shows it"
)


def as_answer(verdict: Verdict | ReceiptVerdict) -> dict[str, Any]:
    """The verdict for programs."""
    if isinstance(verdict, ReceiptVerdict):
        return _receipt_answer(verdict)
    manifest = verdict.manifest
    fault = None
    if verdict.fault is not None:
        fault = {"what": verdict.fault.value, "where": verdict.where, "detail": verdict.detail}
    return {
        "proven": verdict.proven,
        "fault": fault,
        "log": manifest.log if manifest else None,
        "from_ms": manifest.from_ms if manifest else None,
        "to_ms": manifest.to_ms if manifest else None,
        "base": manifest.base if manifest else None,
        "last": manifest.last if manifest else None,
        "witness": verdict.witness or None,
        "holder": verdict.holder,
        "root": verdict.root or None,
        "first_index": verdict.first_index,
        "entries": verdict.entries,
        "topics": dict(verdict.counts),
        "covered": [each._asdict() for each in verdict.covered],
        "delivered": [each._asdict() for each in verdict.delivered],
        "receipt": None,
    }


def _receipt_answer(verdict: ReceiptVerdict) -> dict[str, Any]:
    """The same names, and what a receipt says besides."""
    receipt = verdict.receipt
    return {
        "proven": True,
        "fault": None,
        "log": receipt.log,
        "from_ms": None,
        "to_ms": None,
        "base": None,
        "last": verdict.checkpoint,
        "witness": verdict.witness,
        "holder": verdict.holder,
        "root": verdict.root,
        "first_index": 0,
        "entries": verdict.entries,
        "topics": {},
        "covered": [],
        "delivered": [],
        "receipt": {
            "record": f"{receipt.about.topic}:{receipt.about.partition}:{receipt.about.offset}",
            "resource": receipt.about.resource,
            "whole": receipt.whole,
            "complete": verdict.complete,
            "made_ms": receipt.made_ms,
            "sealed_ms": verdict.sealed_ms,
            "deliveries": [asdict(each) for each in verdict.deliveries],
        },
    }


def told(verdict: Verdict | ReceiptVerdict) -> str:
    """The verdict for people."""
    if isinstance(verdict, ReceiptVerdict):
        return _receipt_told(verdict)
    if verdict.fault is not None:
        return f"NOT PROVEN: {verdict.fault} at {verdict.where}: {verdict.detail}"
    manifest = verdict.manifest
    lines = []
    if manifest is not None:
        lines.append(f"log {manifest.log}, from {_time(manifest.from_ms)} to {_time(manifest.to_ms)}")
        lines.append(
            f"checkpoints {manifest.base or 'the beginning'} to {manifest.last}; {_witness(verdict)}"
        )
    last = verdict.first_index + verdict.entries
    lines.append(f"{verdict.entries} entries, {verdict.first_index} to before {last}, none missing")
    lines += [f"  {topic}: {count}" for topic, count in verdict.counts.items()]
    lines += [
        f"  {each.group} decided {each.topic}:{each.partition} from {each.from_offset} to before "
        f"{each.to_offset}, without a gap"
        for each in verdict.covered
    ]
    lines += [
        f"  grant {each.grant} generation {each.generation} by policy {each.policy_version}: "
        f"{each.delivered} delivered, {each.tombstoned} tombstoned, {each.withheld} withheld "
        f"({each.consumer}, {each.resource}; {each.purpose}; {each.legal_basis})"
        for each in verdict.delivered
    ]
    return "\n".join([*lines, "PROVEN: nothing is missing, added or changed, and each delivery was allowed"])


def _receipt_told(verdict: ReceiptVerdict) -> str:
    receipt = verdict.receipt
    about = receipt.about
    lines = [
        f"log {receipt.log}, checkpoint {verdict.checkpoint} of {_time(verdict.sealed_ms)}; "
        f"{_witness(verdict)}",
        f"record {about.topic}:{about.partition}:{about.offset}",
    ]
    lines += [_delivery_told(each) for each in verdict.deliveries]
    return "\n".join([*lines, f"PROVEN: {_proven_told(verdict)}"])


def _proven_told(verdict: ReceiptVerdict) -> str:
    if not verdict.open:
        return f"the entries that it names stand in the log; {_NOT_SHOWN}"
    end = "and no grant of the resource is left out" if verdict.receipt.whole else "of this grant only"
    return f"this stands in the log and was allowed, {end}"


def _witness(verdict: Verdict | ReceiptVerdict) -> str:
    """Whose checkpoint it is that the log leads to."""
    return f"witness: {verdict.witness} ({_HOLDERS[verdict.holder]})"


def _delivery_told(each: Proven) -> str:
    where = f" at {each.at}" if each.at else f" ({each.reason or 'the reason cannot be told any more'})"
    acquired = "" if each.acquired_ms is None else f", acquired by {_time(each.acquired_ms)}"
    return (
        f"  grant {each.grant} generation {each.generation} by policy {each.policy_version}: {each.outcome}"
        f"{where}, written {_time(each.written_ms)}{acquired}; {each.block} {_sure(each)} "
        f"({each.consumer}; {each.purpose}; {each.legal_basis})"
    )


def _sure(each: Proven) -> str:
    """How far the block itself says so."""
    if not each.block_shown:
        return "is not shown"
    if each.each:
        return "says so of each record of its batch"
    return "says so of some of its batch, of this one by the bus' word"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
