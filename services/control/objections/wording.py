"""The words of objections in Chinese and English."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.control.catalogue.vocabulary import Language
from services.control.objections.words import Action, State

Said = tuple[str, str]
"""Chinese, English."""

_STATES: Final[Mapping[State, Said]] = {
    State.RECEIVED: ("待答复", "to be answered"),
    State.ACCEPTED: ("已采纳", "accepted"),
    State.DENIED: ("不予采纳", "denied"),
    State.WITHDRAWN: ("已撤回", "withdrawn"),
}
_ACTIONS: Final[Mapping[Action, Said]] = {
    Action.EXTEND: ("延长期限", "extend"),
    Action.ACCEPT: ("采纳", "accept"),
    Action.DENY: ("不予采纳", "deny"),
    Action.WITHDRAW: ("撤回", "withdraw"),
}
LISTS: Final = (State, Action)
"""The lists whose words stand here."""


def said(value: StrEnum, language: Language) -> str:
    """The word for a state or an action."""
    both = _ACTIONS[value] if isinstance(value, Action) else _STATES[State(value)]
    return both[0] if language is Language.ZH else both[1]
