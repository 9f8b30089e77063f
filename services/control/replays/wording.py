"""The words of replays in Chinese and English."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from services.control.bilingual import Said, speaker_of
from services.control.replays.life import State, Step
from services.ledger.replay.words import Fate, Purpose, Verdict

LISTS: Final = (State, Step, Purpose, Verdict, Fate)
"""The lists whose words stand here."""
_OURS: Final[Sequence[tuple[StrEnum, Said]]] = (
    (State.REQUESTED, ("待批准", "to be approved")),
    (State.APPROVED, ("已批准，待执行", "approved, not run yet")),
    (State.RUNNING, ("执行中", "running")),
    (State.DONE, ("已完成", "done")),
    (State.FAILED, ("执行失败", "failed")),
    (State.CANCELLED, ("已取消", "cancelled")),
    (Step.REQUEST, ("申请", "asked for")),
    (Step.APPROVE, ("批准", "approved")),
    (Step.START, ("开始执行", "started")),
    (Step.FINISH, ("完成", "finished")),
    (Step.FAIL, ("失败", "failed")),
    (Step.CANCEL, ("取消", "cancelled")),
    (Purpose.AUDIT, ("审计重放", "audit")),
    (Purpose.WHAT_IF, ("假设比较", "what-if")),
    (Purpose.REDELIVER, ("重新投递", "redelivery")),
    (Verdict.IDENTICAL, ("完全一致", "identical")),
    (Verdict.DIFFERENT, ("存在差异", "different")),
    (Verdict.INCOMPLETE, ("未发现差异，但有数据已不再保留", "incomplete")),
    (Verdict.EMPTY, ("范围内没有记录", "empty")),
    (Fate.IDENTICAL, ("一致", "identical")),
    (Fate.DIFFERENT, ("不一致", "different")),
    (Fate.NOT_RETAINED, ("数据已不再保留", "kept no more")),
    (Fate.NOT_TOLD, ("无法判断", "cannot be told")),
)
said: Final = speaker_of(_OURS)
"""The word for a value of one of the lists, in a language."""
