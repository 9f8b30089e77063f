"""What a grant must go through to become what is declared: nothing, a fill by epoch, or withdrawal; pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.control.rights import WITHDRAWN_STATES
from services.control.validity import may_have_withheld
from topics.event import GrantId, ResourceId
from topics.grants.declaration import Grant, GrantState
from topics.grants.keys import has_canonical_key
from topics.policy import GrantPolicy, Policy
from topics.resource import Resource


class Move(StrEnum):
    """What a grant goes through."""

    KEEP = "keep"
    FILL = "fill"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Transition:
    """One grant's move and, for people, why."""

    grant: GrantId
    move: Move
    reason: str
    guarded: bool = True
    """Whether its sweep stops where too many records would go: no where the filter was meant to change."""


class UseNewGrantId(Exception):  # noqa: N818 - named after what to do
    """A grant's consumer or resource changed; its topic would be another one: declare a new grant."""


def with_withdrawn(declared: Mapping[GrantId, Grant], live: Policy | None) -> dict[GrantId, Grant]:
    """The declared grants as they may be: taken out of the definitions means revoked, held means suspended.

    A revoked grant stays, because its proof stays readable. A hold is stronger than any definition.
    """
    found = dict(declared)
    for grant_id, entry in live.grants.items() if live else ():
        if grant_id not in found:
            found[grant_id] = entry.grant.model_copy(update={"state": GrantState.REVOKED})
    return {grant_id: _held(grant, live) for grant_id, grant in found.items()}


def _held(grant: Grant, live: Policy | None) -> Grant:
    if live is None or grant.state is GrantState.REVOKED or not live.holds_on(grant):
        return grant
    return grant.model_copy(update={"state": GrantState.SUSPENDED})


def transitions(
    grants: Mapping[GrantId, Grant],
    resources: Mapping[ResourceId, Resource],
    live: Policy | None,
    receipts: Collection[str] = (),
    day: date | None = None,
) -> list[Transition]:
    """Every grant's move, in the order of their ids.

    ``receipts`` names the withdrawals that were carried through, as ``<grant>.<generation>``. ``day`` is
    today in official time; without it every change of a grant's days counts as if it were past them.

    Raises:
        UseNewGrantId: a grant's consumer or resource changed.
    """
    entries = live.grants if live else {}
    live_resources = {key: entry.resource for key, entry in live.resources.items()} if live else {}
    found = []
    for grant_id in sorted(grants):
        wanted, entry = grants[grant_id], entries.get(grant_id)
        resource = resources.get(wanted.resource)
        before = live_resources.get(wanted.resource)
        if live is not None and live.by_cases and wanted.state is GrantState.FILLING:
            found.append(Transition(grant_id, Move.KEEP, "the control plane fills it"))
            continue
        found.append(_transition(wanted, entry, resource, before, receipts, day))
    return found


def _transition(
    wanted: Grant,
    entry: GrantPolicy | None,
    resource: Resource | None,
    before: Resource | None,
    receipts: Collection[str],
    day: date | None,
) -> Transition:
    if wanted.state in WITHDRAWN_STATES or resource is None:
        return _withdrawal(wanted, entry, receipts)
    if entry is None:
        return Transition(wanted.id, Move.FILL, "new grant", guarded=False)
    had = entry.grant
    if (had.consumer, had.resource) != (wanted.consumer, wanted.resource):
        raise UseNewGrantId(f"grant {wanted.id}: consumer or resource changed; declare a grant with a new id")
    if not _same_keys(wanted, had, resource, before):
        return Transition(wanted.id, Move.FILL, "rows or keys changed", guarded=False)
    if set(had.items) != set(wanted.items) or had.masks != wanted.masks:
        return Transition(wanted.id, Move.FILL, "items or masks changed")
    if had.once != wanted.once:
        return Transition(wanted.id, Move.FILL, "it is handed out once, or is not any more")
    if had.group != wanted.group:
        return Transition(wanted.id, Move.FILL, "moved to another group")
    if had.state in WITHDRAWN_STATES:
        return Transition(wanted.id, Move.FILL, f"resumed, was {had.state.value}")
    if had.state is GrantState.FILLING:
        return Transition(wanted.id, Move.FILL, "its last epoch did not end")
    if may_have_withheld(had, wanted, day):
        return Transition(wanted.id, Move.FILL, "its days changed: what they withheld is missing")
    return Transition(wanted.id, Move.KEEP, "unchanged")


def receipt_name(entry: GrantPolicy) -> str:
    """What the receipt of withdrawing this generation of a grant is called."""
    return f"{entry.grant.id}.{entry.generation}"


def _withdrawal(wanted: Grant, entry: GrantPolicy | None, receipts: Collection[str]) -> Transition:
    if entry is None:
        return Transition(wanted.id, Move.KEEP, "delivers nothing")
    if entry.grant.state not in WITHDRAWN_STATES:
        return Transition(wanted.id, Move.WITHDRAW, f"{wanted.state.value} by its definition")
    # A grant that was never filled has no entry; a first fill that did not end may have written already.
    if receipt_name(entry) not in receipts:
        return Transition(wanted.id, Move.WITHDRAW, "its withdrawal was not carried through")
    return Transition(wanted.id, Move.KEEP, "delivers nothing")


def _same_keys(wanted: Grant, had: Grant, resource: Resource, before: Resource | None) -> bool:
    """Whether the same records of the resource get the same keys as before."""
    keys_now = has_canonical_key(resource, wanted)
    return wanted.rows == had.rows and before is not None and keys_now == has_canonical_key(before, had)
