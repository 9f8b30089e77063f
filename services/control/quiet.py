"""Who must have stopped working under older policy before an epoch copies; pure."""

from collections.abc import Iterable

from topics.event import GrantId, ResourceId
from topics.grants.declaration import GrantState
from topics.names import GATE_GROUP, fanout_group
from topics.policy import Policy


def groups_to_settle(grants: Iterable[GrantId], before: Policy | None, coming: Policy) -> list[str]:
    """The consumer groups whose instances apply ``coming`` before these grants are filled, sorted.

    The group that delivered a grant until now counts as well as the one that will: its open transaction may
    hold records of the old generation. An epoch that did not end does not say which group that was, so then
    every group counts. The gate counts where the grant's resource has new scope items: only envelopes that
    it writes under the coming version carry them.
    """
    return sorted({group for grant_id in grants for group in _of(grant_id, before, coming)})


def _of(grant_id: GrantId, before: Policy | None, coming: Policy) -> set[str]:
    wanted = {fanout_group(coming.grants[grant_id].grant.group)}
    had = before.grants.get(grant_id) if before else None
    if before is None:
        return wanted
    if _adds_scope_items(coming.grants[grant_id].grant.resource, before, coming):
        wanted.add(GATE_GROUP)
    if had is None:
        return wanted
    wanted.add(fanout_group(had.grant.group))
    if had.grant.state is GrantState.FILLING:
        wanted |= {fanout_group(group) for group in (*before.groups(), *coming.groups())} | {GATE_GROUP}
    return wanted


def _adds_scope_items(resource: ResourceId, before: Policy, coming: Policy) -> bool:
    had = before.resources.get(resource)
    wanted = coming.resources[resource].resource.scope_items
    return had is None or not set(wanted) <= set(had.resource.scope_items)
