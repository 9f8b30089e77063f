"""What each word of a ticket is called, in both languages."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.control.tickets.words import Action, Duty, NoticeKind, RefusalReason, Route, State
from topics.resource import Titles


def _said(*rows: tuple[StrEnum, str, str]) -> dict[StrEnum, Titles]:
    return {word: Titles(zh=zh, en=en) for word, zh, en in rows}


_STATES: Final = _said(
    (State.REPORTED, "待分派", "reported"),
    (State.RETURNED, "退回补充", "returned for supplement"),
    (State.VERIFYING, "核实中", "being verified"),
    (State.REFUSED, "不予更正", "refused"),
    (State.ESCALATED, "已提请协调", "escalated"),
    (State.DISMISSED, "裁定不予更正", "dismissed by a ruling"),
    (State.CORRECTING, "更正中", "being corrected"),
    (State.CORRECTED, "已更正待确认", "corrected, to be confirmed"),
    (State.CONFIRMED, "已确认", "confirmed"),
    (State.CLOSED, "已办结", "closed"),
    (State.WITHDRAWN, "已撤回", "withdrawn"),
)
_ACTIONS: Final = _said(
    (Action.FORWARD, "转提供部门", "forward to the provider"),
    (Action.DISPATCH, "分派", "dispatch"),
    (Action.RETURN, "退回补充", "return for supplement"),
    (Action.SUPPLEMENT, "补充", "supplement"),
    (Action.ACCEPT, "认定有误", "accept"),
    (Action.REFUSE, "不予更正", "refuse"),
    (Action.ARRIVE, "更正数据到达", "the correction has arrived"),
    (Action.REVERT, "错误再现", "the error has come back"),
    (Action.LIST, "列出接收部门", "list who received it"),
    (Action.TELL, "告知", "tell"),
    (Action.CONFIRM, "确认", "confirm"),
    (Action.REOPEN, "重新提出", "reopen"),
    (Action.CLOSE, "办结", "close"),
    (Action.ESCALATE, "提请协调", "escalate"),
    (Action.UPHOLD, "裁定更正", "rule for correction"),
    (Action.DISMISS, "裁定不予更正", "dismiss"),
    (Action.WITHDRAW, "撤回", "withdraw"),
)
_REASONS: Final = _said(
    (RefusalReason.RECORD_IS_RIGHT, "经核实记录无误", "the record was verified and is right"),
    (RefusalReason.EVIDENCE_INSUFFICIENT, "佐证材料不足", "the evidence does not show it"),
    (RefusalReason.EVIDENCE_OUTDATED, "佐证材料已过时", "the evidence is older than the record"),
    (RefusalReason.NOT_OUR_FACT, "非本部门职责数据", "the fact is another department's"),
    (RefusalReason.OTHER_PERSON, "反映的是另一主体", "the evidence is about somebody else"),
    (RefusalReason.SETTLED_ELSEWHERE, "须经其他法定程序", "another legal procedure decides it"),
)
_DUTIES: Final = _said(
    (Duty.DISPATCH, "分派", "dispatch"),
    (Duty.VERIFY, "核实", "verify and decide"),
    (Duty.CORRECT, "更正", "correct at the source"),
)
_ROUTES: Final = _said(
    (Route.PROVIDER, "提供部门受理", "the provider receives reports"),
    (Route.AUTHORITY, "主管部门受理", "the authority receives reports"),
    (Route.BOTH, "提供部门受理并告知主管部门", "the provider receives reports, the authority is told"),
)
_NOTICES: Final = _said(
    (NoticeKind.DISPUTED, "数据存疑", "the record is disputed"),
    (NoticeKind.CORRECTED, "数据已更正", "the record was corrected"),
    (NoticeKind.UNFOUNDED, "疑义解除", "the dispute is over, nothing was corrected"),
)
TITLES: Final[Mapping[type[StrEnum], Mapping[StrEnum, Titles]]] = {
    State: _STATES,
    Action: _ACTIONS,
    RefusalReason: _REASONS,
    Duty: _DUTIES,
    Route: _ROUTES,
    NoticeKind: _NOTICES,
}
"""By kind of word: words of two kinds may read alike."""


def title(word: StrEnum) -> Titles:
    """What a word is called."""
    return TITLES[type(word)][word]
