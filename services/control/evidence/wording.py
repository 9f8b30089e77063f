"""The words of orders for receipts in Chinese and English: how far one is, and why there is no receipt."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from services.control.bilingual import Said, speaker_of
from services.control.evidence.ordering import Obstacle, State

LISTS: Final = (State, Obstacle)
"""The lists whose words stand here."""
_OURS: Final[Sequence[tuple[StrEnum, Said]]] = (
    (State.ASKED, ("制作中", "being made")),
    (State.MADE, ("已出具", "made")),
    (State.REFUSED, ("无法出具", "cannot be made")),
    (Obstacle.NOT_SEALED, ("所依据的存证尚未封存", "what it rests on is not sealed yet")),
    (Obstacle.INDEX_BEHIND, ("追溯索引尚未更新到该记录", "the index of the trace has not come to it yet")),
    (Obstacle.NOT_THERE, ("该位置没有记录，或已不再保留", "no record stands there, or not any more")),
    (Obstacle.NOTHING_TO_PROVE, ("已封存的存证中没有该记录", "no sealed decision speaks of that record")),
    (Obstacle.BUS_SILENT, ("总线暂无应答", "the bus does not answer")),
    (Obstacle.OTHER_LOG, ("所附信任文件属于其他平台", "the trust file is of another installation")),
    (
        Obstacle.LEDGER_DIFFERS,
        ("存证与封存内容不符，请告知审计人员", "the ledger is not what was sealed: tell the auditor"),
    ),
    (Obstacle.FAILED, ("平台故障，请联系运维人员", "a defect of the platform: tell the operator")),
)
said: Final = speaker_of(_OURS)
"""The word for a value of one of the lists, in a language."""
