"""The words of needs in Chinese and English."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.control.catalogue.vocabulary import Language
from services.control.demand.words import Action, DeclineReason, State

Said = tuple[str, str]
"""Chinese, English."""

_WORDS: Final[Mapping[StrEnum, Said]] = {
    State.STATED: ("待主管部门研究", "with the authority"),
    State.ASSIGNED: ("已交办", "assigned"),
    State.DRAFTED: ("已编目", "an entry was begun"),
    State.KNOWN: ("目录中已有", "in the catalogue"),
    State.DECLINED: ("未采纳", "declined"),
    State.WITHDRAWN: ("已撤回", "withdrawn"),
    DeclineReason.NOBODY_HOLDS_IT: ("没有部门掌握该数据", "no department holds it"),
    DeclineReason.DUTY_NOT_SHOWN: ("履职依据不足", "the basis does not give the duty"),
    DeclineReason.LAW_FORBIDS: ("法律禁止", "a law forbids it"),
    DeclineReason.NOT_GOVERNMENT_DATA: ("不属于政务数据", "it is no government data"),
    DeclineReason.MORE_THAN_NEEDED: ("超出履职需要", "it is more than the duty needs"),
}
_ACTIONS: Final[Mapping[Action, Said]] = {
    Action.ASSIGN: ("交办", "assign"),
    Action.DECLINE: ("不予采纳", "decline"),
    Action.POINT: ("指明已有目录", "point to an entry"),
    Action.HAND_BACK: ("退回", "hand back"),
    Action.DRAFT: ("编制目录", "begin an entry"),
    Action.WITHDRAW: ("撤回", "withdraw"),
}
LISTS: Final = (State, DeclineReason, Action)
"""The lists whose words stand here."""


def said(value: StrEnum, language: Language) -> str:
    """The word for a state, an action or a reason."""
    both = _ACTIONS[value] if isinstance(value, Action) else _WORDS[value]
    return both[0] if language is Language.ZH else both[1]
