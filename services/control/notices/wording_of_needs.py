"""What notices of needs for data, and of objections to the open directory, say in both languages."""

from typing import Final

from services.control.notices.said import Both, Said
from services.control.notices.words import Kind

NEEDS: Final[tuple[tuple[Kind, Both], ...]] = (
    (
        Kind.NEED_STATED,
        (
            Said("部门 {consumer} 提出数据需求 {need}", "主管部门：请指派给掌握数据的部门，或说明理由答复。"),
            Said(
                "{consumer} has stated the need {need} for data",
                "Authority: assign it to the department that holds the data, or answer why not.",
            ),
        ),
    ),
    (
        Kind.NEED_ASSIGNED,
        (
            Said(
                "数据需求 {need}（部门 {consumer}）已指派给部门 {assignee}",
                "被指派部门：请编制目录条目；不掌握该数据的，请退回。",
            ),
            Said(
                "Need {need} of {consumer} was assigned to {assignee}",
                "Whoever it is assigned to: begin an entry, or hand it back if the data is not yours.",
            ),
        ),
    ),
    (
        Kind.NEED_HANDED_BACK,
        (
            Said("数据需求 {need}（部门 {consumer}）已被退回", "主管部门：请查看理由，改派或答复。"),
            Said(
                "Need {need} of {consumer} was handed back",
                "Authority: see why, and assign it to another department or answer it.",
            ),
        ),
    ),
    (
        Kind.NEED_DRAFTED,
        (
            Said("部门 {assignee} 已开始为数据需求 {need} 编制目录条目", "无需操作；条目发布后即可申请。"),
            Said(
                "{assignee} has begun an entry for the need {need}",
                "Nothing is to be done; once the entry is published, the data can be applied for.",
            ),
        ),
    ),
    (
        Kind.NEED_KNOWN,
        (
            Said("数据需求 {need} 的数据已在目录中", "请查看对应的目录条目并申请共享。"),
            Said(
                "The data of need {need} is in the catalogue",
                "See which entry has it, and apply for the data.",
            ),
        ),
    ),
    (
        Kind.NEED_DECLINED,
        (
            Said("数据需求 {need} 未被采纳", "请查看理由；情况有变的，可重新提出。"),
            Said("Need {need} is not followed", "See the reason; state it anew if things are different."),
        ),
    ),
    (
        Kind.NEED_WITHDRAWN,
        (
            Said("数据需求 {need} 已由部门 {consumer} 撤回", "无需操作。"),
            Said("Need {need} was withdrawn by {consumer}", "Nothing is to be done."),
        ),
    ),
)
OBJECTIONS: Final[tuple[tuple[Kind, Both], ...]] = (
    (
        Kind.OBJECTION_RECEIVED,
        (
            Said(
                "收到对开放目录的异议 {objection}（提出部门 {consumer}）",
                "提供部门：请在期限内答复；不予采纳的，须说明理由和依据。",
            ),
            Said(
                "{consumer} objects to the open directory: objection {objection}",
                "Provider: answer it in time; a denial needs its reason and basis.",
            ),
        ),
    ),
    (
        Kind.OBJECTION_EXTENDED,
        (
            Said("异议 {objection} 的答复期限延长至 {day}", "无需操作；请等待答复。"),
            Said("The time for objection {objection} was extended to {day}", "Wait for the answer."),
        ),
    ),
    (
        Kind.OBJECTION_ACCEPTED,
        (
            Said("异议 {objection} 已被采纳", "请查看答复；目录将作相应修订。"),
            Said("Objection {objection} was accepted", "See the answer; the entry is to be revised."),
        ),
    ),
    (
        Kind.OBJECTION_DENIED,
        (
            Said("异议 {objection} 未被采纳", "请查看理由和依据。"),
            Said("Objection {objection} was denied", "See the reason and the basis."),
        ),
    ),
    (
        Kind.OBJECTION_WITHDRAWN,
        (
            Said("异议 {objection} 已撤回", "无需操作。"),
            Said("Objection {objection} was withdrawn", "Nothing is to be done."),
        ),
    ),
)
