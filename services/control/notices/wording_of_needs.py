"""What notices of needs for data say, in both languages."""

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
                "The department that it is assigned to: begin an entry, or hand it back if the data is not yours.",
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
            Said(
                "部门 {assignee} 已开始为数据需求 {need} 编制目录条目", "无需操作；条目发布后即可申请。"
            ),
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
                "The data of need {need} is in the catalogue", "See which entry has it, and apply for the data."
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
