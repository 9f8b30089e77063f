"""What stands against a retirement, and what to do about it, in both languages."""

from collections.abc import Mapping
from typing import Final

from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language
from services.control.retirements.plan import Hindrance
from services.control.retirements.words import Refusal, State

_SAID: Final[Mapping[Refusal, tuple[str, str, str, str]]] = {
    Refusal.SUCCESSOR_UNKNOWN: (
        "没有已发布的 {new} 目录",
        "请先声明新版本并发布其目录",
        "there is no published entry of {new}",
        "declare the new version and publish its entry first",
    ),
    Refusal.SUCCESSOR_OTHER: (
        "{new} 不是 {old} 的另一个版本",
        "请选择同名资源的新版本",
        "{new} is no version of what {old} is one of",
        "name a newer version of the same resource",
    ),
    Refusal.SUCCESSOR_NOT_NEWER: (
        "{new} 不比 {old} 新",
        "请选择版本号更高的资源",
        "{new} is not newer than {old}",
        "name a version with a higher number",
    ),
    Refusal.SUCCESSOR_ENDS: (
        "{new} 自身将于 {day} 停用",
        "请选择不停用的版本",
        "{new} itself is retired on {day}",
        "name a version that stays",
    ),
    Refusal.ALREADY_ENDING: (
        "{old} 已定于 {day} 停用",
        "如需改期，请推迟该计划或撤销后重新公告",
        "{old} is retired on {day} already",
        "postpone that, or cancel it and announce anew",
    ),
    Refusal.BEGINS_TOO_EARLY: (
        "并行开始日 {begin} 早于公告日 {today}",
        "请选择公告当日或以后的日期",
        "the parallel run begins on {begin}, before it is announced",
        "begin on {today} or later",
    ),
    Refusal.PARALLEL_TOO_SHORT: (
        "{day} 停用，并行期不足 {days} 个工作日",
        "请定于 {first} 或以后",
        "by {day} both versions were there for fewer than {days} working days",
        "let the old one end on {first} or later",
    ),
    Refusal.NOT_PLANNED: (
        "{old} 的停用计划已办结或已撤销",
        "请查看现行计划",
        "the retirement of {old} is {state}",
        "look at the one that stands",
    ),
    Refusal.DAY_REACHED: (
        "停用日 {day} 已到",
        "授权正在终止，计划不能再更改",
        "its day, {day}, has come",
        "cases are being ended: nothing can be changed any more",
    ),
    Refusal.DAY_NOT_LATER: (
        "{day} 不晚于已公告的 {planned}",
        "只能推迟；要提前的，请撤销后按完整并行期重新公告",
        "{day} is not after {planned}, which was announced",
        "postpone only; for an earlier day cancel it and announce anew with the whole parallel run",
    ),
    Refusal.WHY_MISSING: (
        "未说明理由",
        "请用文字说明理由",
        "no reason is given",
        "say why, in words",
    ),
}
STATES: Final[Mapping[State, tuple[str, str]]] = {
    State.PLANNED: ("计划停用", "planned"),
    State.CANCELLED: ("已撤销", "cancelled"),
    State.RETIRED: ("已停用", "retired"),
}
"""Chinese, English."""


def in_words(found: Hindrance, language: Language) -> Problem:
    """What is against it, and what to do, in a language."""
    what_zh, do_zh, what_en, do_en = _SAID[found.code]
    what, remedy = (what_zh, do_zh) if language is Language.ZH else (what_en, do_en)
    return Problem(
        found.code.value, found.where, what.format_map(found.facts), remedy.format_map(found.facts)
    )
