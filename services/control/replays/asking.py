"""Who may ask for a replay and approve it, what a redelivery may be about, the grant of a what-if; pure.

Commands and pages ask here, so that nobody may do on the one what is refused on the other.
"""

from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from services.control.accounts.actions import Action
from services.control.replays.life import Refused
from services.ledger.replay.scope import Scope
from services.ledger.replay.words import Purpose
from topics.event import GrantId
from topics.grants.declaration import Grant
from topics.policy import Policy


class NotAGrant(ValueError):  # noqa: N818 - the caller corrects the text
    """A text declares no grant; the message says which kind of error it has, and nothing of the text."""


def asks(purpose: Purpose) -> Action:
    """What whoever asks for such a replay, runs or cancels it must be allowed."""
    return Action.REPLAY_RUN if purpose is Purpose.REDELIVER else Action.REPLAY_AUDIT


def approves(purpose: Purpose) -> Action:
    """What whoever approves such a replay must be allowed."""
    return Action.REPLAY_APPROVE if purpose is Purpose.REDELIVER else Action.REPLAY_AUDIT


class Misfit(NamedTuple):
    """What the scope of a redelivery names and its grant is not about."""

    what: str
    named: str
    of_grant: str


def misfit(scope: Scope, policy: Policy) -> Misfit | None:
    """The first part of a redelivery's scope that does not fit its grant; ``grant`` where there is none."""
    entry = policy.grants.get(GrantId(str(scope.grant)))
    if entry is None:
        return Misfit("grant", str(scope.grant), "")
    resource = policy.resources[entry.grant.resource].resource
    parts = (
        ("resource", scope.resource, resource.id),
        ("provider", scope.provider, resource.provider),
        ("consumer", scope.consumer, entry.grant.consumer),
        ("topic", scope.topic, resource.canonical_topic),
    )
    return next(
        (Misfit(what, str(named), is_) for what, named, is_ in parts if named not in (None, is_)), None
    )


def fitting(scope: Scope, policy: Policy) -> None:
    """Make sure that everything in the scope of a redelivery is about its grant.

    Raises:
        Refused: something is not; the message says what to do.
    """
    found = misfit(scope, policy)
    if found is None:
        return
    if found.what == "grant":
        raise Refused(f"policy version {policy.version} has no grant {found.named}: name one that there is")
    told = f"the {found.what} of grant {scope.grant} is {found.of_grant}, not {found.named}"
    raise Refused(f"{told}: leave it out, it follows from the grant")


def grant_in(text: str) -> dict[str, Any]:
    """The declaration of a grant in YAML, as it is kept with the replay.

    Raises:
        NotAGrant: it is no YAML, or declares something else.
    """
    try:
        return Grant.model_validate(yaml.safe_load(text)).model_dump(mode="json")
    except (yaml.YAMLError, ValidationError, RecursionError) as error:
        raise NotAGrant(type(error).__name__) from error
