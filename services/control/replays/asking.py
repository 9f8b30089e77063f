"""Who may ask for a replay and who may approve it, and the grant that a what-if declares; pure.

Commands and pages ask here, so that nobody may do on the one what is refused on the other.
"""

from typing import Any

import yaml
from pydantic import ValidationError

from services.control.accounts.actions import Action
from services.ledger.replay.words import Purpose
from topics.grants.declaration import Grant


class NotAGrant(ValueError):  # noqa: N818 - the caller corrects the text
    """A text declares no grant; the message says which kind of error it has, and nothing of the text."""


def asks(purpose: Purpose) -> Action:
    """What whoever asks for such a replay, runs or cancels it must be allowed."""
    return Action.REPLAY_RUN if purpose is Purpose.REDELIVER else Action.REPLAY_AUDIT


def approves(purpose: Purpose) -> Action:
    """What whoever approves such a replay must be allowed."""
    return Action.REPLAY_APPROVE if purpose is Purpose.REDELIVER else Action.REPLAY_AUDIT


def grant_in(text: str) -> dict[str, Any]:
    """The declaration of a grant in YAML, as it is kept with the replay.

    Raises:
        NotAGrant: it is no YAML, or declares something else.
    """
    try:
        return Grant.model_validate(yaml.safe_load(text)).model_dump(mode="json")
    except (yaml.YAMLError, ValidationError, RecursionError) as error:
        raise NotAGrant(type(error).__name__) from error
