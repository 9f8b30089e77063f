"""Items that two departments publish: who claims what of whom, since when, and where values differ."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.ledger.claims import ClaimView
from services.ledger.coordinates import parse_coordinate
from topics.event import ResourceId
from topics.ownership import ItemRuling, in_force
from topics.policy import Policy


@dataclass(frozen=True, slots=True)
class ItemConflict:
    """All claims of one department to one item of another's.

    ``claimant_resource`` and ``column`` are for `govbus conflicts decide`; they are None where
    the policy in force has no such claim any more.
    """

    claimant: str
    claimant_resource: ResourceId | None
    column: str | None
    owner: str
    owner_resource: str
    item: str
    claims: int
    subjects: int
    agreeing: int
    differing: int
    untold: int
    """Where the owner had nothing to compare with, or it cannot be told any more."""
    since_ms: int
    last_ms: int
    pairs: tuple[ClaimView, ...]
    """The newest claims whose value differs from the owner's of that time, the newest last."""
    ruling: ItemRuling | None
    """The latest decision on it, if there is one."""


def item_conflicts(views: Iterable[ClaimView], policy: Policy | None, pairs: int) -> list[ItemConflict]:
    """The conflicts that the claims come to, by claimant, owner's resource and item.

    Args:
        views: claims of any providers, in any order.
        policy: the one in force; it says which column a claim comes from and what was decided.
        pairs: how many differing pairs each may have.
    """
    found: dict[tuple[str, str, str, str], list[ClaimView]] = {}
    for view in views:
        raw = parse_coordinate(view.raw).topic
        found.setdefault((view.claimant, view.resource, view.item, raw), []).append(view)
    return [
        _conflict(sorted(claims, key=_age), raw, policy, pairs)
        for (_, _, _, raw), claims in sorted(found.items())
    ]


def _age(view: ClaimView) -> tuple[int, str]:
    return view.timestamp_ms, view.at


def _conflict(claims: list[ClaimView], raw: str, policy: Policy | None, pairs: int) -> ItemConflict:
    newest = claims[-1]
    resource, column = _source(newest, raw, policy)
    differing = [view for view in claims if view.agrees is False]
    return ItemConflict(
        claimant=newest.claimant,
        claimant_resource=resource,
        column=column,
        owner=newest.owner,
        owner_resource=newest.resource,
        item=newest.item,
        claims=len(claims),
        subjects=len({view.subject for view in claims}),
        agreeing=sum(view.agrees is True for view in claims),
        differing=len(differing),
        untold=sum(view.agrees is None for view in claims),
        since_ms=claims[0].timestamp_ms,
        last_ms=newest.timestamp_ms,
        pairs=tuple(differing[max(len(differing) - pairs, 0) :]),
        ruling=_ruling(newest, policy),
    )


def _source(view: ClaimView, raw: str, policy: Policy | None) -> tuple[ResourceId | None, str | None]:
    """The claimant's resource and column, if it publishes the item still."""
    for entry in policy.resources.values() if policy else ():
        if entry.resource.raw_topic == raw:
            for foreign in entry.resource.foreign_items:
                if (foreign.resource, foreign.item) == (view.resource, view.item):
                    return entry.resource.id, foreign.column
    return None, None


def _ruling(view: ClaimView, policy: Policy | None) -> ItemRuling | None:
    rulings = in_force(policy.rulings.values()) if policy else []
    about = [each for each in rulings if (each.owner, each.item) == (view.resource, view.item)]
    return about[-1] if about else None
