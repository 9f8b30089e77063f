"""Grants that a suspension holds, whatever their definitions say: `plan` notes them."""

from collections.abc import Iterator

from topics.grants.declaration import GrantState
from topics.policy import Policy


def held_grants(policy: Policy | None) -> Iterator[str]:
    """One note per held grant that its definition does not suspend itself."""
    entries = sorted(policy.grants.items()) if policy else []
    for grant_id, entry in entries:
        holds = policy.holds_on(entry.grant) if policy else []
        if holds and entry.grant.state is not GrantState.REVOKED:
            ids = ", ".join(hold.id for hold in holds)
            yield f"grant {grant_id} stays suspended by {ids} until `govbus grant resume`"
