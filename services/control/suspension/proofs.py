"""Finds in the ledger what proves that something was stopped, or goes on; pure.

A suspension and a withdrawal for good are told in one shape (docs/cli/grant-receipt.schema.json): who ordered
it, why, when, and where each topic ends. A resumption tells what its epochs delivered and took away.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.control.suspension.acts import Act, ActWord

_STOPS: Final = (ActWord.SUSPEND, ActWord.WITHDRAW)


def stop_proof(acts: Iterable[Act], wanted: str) -> dict[str, Any] | None:
    """The receipt of a suspension by its id; that of a withdrawal by its act's id or ``GRANT.GENERATION``."""
    for act in acts:
        if act.what in _STOPS and wanted in _names(act):
            return dict(act.document) if act.what == ActWord.SUSPEND else _withdrawal(act)
    return None


def resumption_of(acts: Iterable[Act], wanted: str) -> dict[str, Any] | None:
    """What a resumption left in the ledger, by its id."""
    found = (act for act in acts if act.what == ActWord.RESUME and act.id == wanted)
    return next((dict(act.document) for act in found), None)


def _names(act: Act) -> set[str]:
    generation = act.document.get("generation")
    return {act.id} if generation is None else {act.id, f"{act.object}.{generation}"}


def _withdrawal(act: Act) -> dict[str, Any]:
    """A withdrawal in the shape of a suspension: of one grant, by the steps of which it keeps the time."""
    held = act.document
    answers = [_answer(each) for each in held["acknowledgements"]]
    grant = {name: held[name] for name in ("grant", "consumer", "resource", "topic", "generation", "cut")}
    groups = [each["group"] for each in answers]
    return {
        "id": act.id,
        "scope": act.kind,
        "name": act.object,
        "by": act.who,
        "reason": act.reason,
        "requested_ms": act.timestamp_ms,
        "policy_version": held["policy_version"],
        "grants": [{**grant, "group": groups[0] if groups else "", "partitions": len(held["cut"])}],
        "members": sorted({each["instance"] for each in answers} | set(held["fenced"])),
        "acknowledgements": answers,
        "fenced": list(held["fenced"]),
        "steps": {"read_removed": held["read_removed_ms"], "cut": held["cut_ms"]},
        "outside": held["outside"],
    }


def _answer(found: Mapping[str, Any]) -> dict[str, Any]:
    """Whoever answered, with the group that his name begins with."""
    return {"group": str(found["instance"]).rpartition(".")[0], **found}
