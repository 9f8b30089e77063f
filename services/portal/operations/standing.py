"""Whether a department that receives data may read it at pages now: only while its grant lets it.

The broker refuses the department's own reader where a grant is held, withdrawn or outside of its days; no
page is a way round that. Operators and providers read by their own right and are asked nothing here.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Final

from fastapi import Request

from services.api.codes import Code
from services.api.problems import AnswerProblem, asked_language
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.accounts.roles import Role
from services.control.cases.words import Problem
from services.control.catalogue.vocabulary import Language
from services.control.clocks.calendar import civil_day
from services.control.validity import in_force
from services.portal.operations.sight import may_look
from topics.event import ConsumerId
from topics.grants.declaration import Grant, GrantState
from topics.names import parked
from topics.policy import Policy


class Shut(StrEnum):
    """Why a grant lets nobody read."""

    HELD = "GRANT_SUSPENDED"
    ENDED = "GRANT_ENDED"
    OTHER_DAYS = "GRANT_NOT_IN_FORCE"
    NONE = "GRANT_MISSING"


_SAID: Final[Mapping[Shut, tuple[str, str, str, str]]] = {
    Shut.HELD: (
        "授权已被暂停",
        "请在共享申请页面查看暂停原因；恢复后方可查看",
        "the grant is suspended",
        "look at its case for the reason; it can be read again once the suspension is lifted",
    ),
    Shut.ENDED: (
        "授权已终止",
        "如仍需使用，请重新申请",
        "the grant has ended",
        "apply anew if the data is still needed",
    ),
    Shut.OTHER_DAYS: (
        "当前日期不在授权期限内",
        "请核对授权的起止日期；已到期的请重新申请",
        "today is none of the grant's days",
        "look at its first and last day; apply anew where it is over",
    ),
    Shut.NONE: (
        "没有对应的有效授权",
        "请先提出共享申请",
        "there is no grant for it",
        "apply for the data first",
    ),
}
_DETAIL: Final = {
    Language.ZH: "使用部门仅在授权有效且未被暂停时可以查看数据",
    Language.EN: "whoever receives data reads it here only while the grant is in force and not suspended",
}
_ORDER: Final = (Shut.HELD, Shut.OTHER_DAYS, Shut.ENDED)


def require_grant(request: Request, topic: str, whose: Whose) -> None:
    """Refuse whoever reads the topic as its consumer while no grant lets it; the policy is read now.

    Raises:
        AnswerProblem: with the reason, and what to do.
        BusUnavailable: nobody can say what is in force, so nothing is shown.
    """
    if not reads_by_grant(principal_of(request), whose):
        return
    parts = parts_of(request)
    shut = shut_of(topic, whose.consumer, parts.bus.policy(), civil_day(parts.clock()))
    if shut is not None:
        parts.refusals.count(Action.DATA_TAIL.value, shut.value)
        detail = _DETAIL[asked_language(request)]
        raise AnswerProblem(Code.FORBIDDEN, lambda language: [_problem(shut, language)], detail=detail)


def reads_by_grant(principal: Principal, whose: Whose) -> bool:
    """Whether somebody may read a topic in no other role than its consumer's."""
    others = replace(principal, roles=principal.roles - {Role.CONSUMER})
    return not may_look(others, Action.DATA_TAIL, whose)


def shut_of(topic: str, consumer: str | None, policy: Policy | None, day: date) -> Shut | None:
    """Why a consumer may not read one of its topics that day; None where it may.

    What a department parked comes from any of its grants: one that is suspended shuts it, and so does having
    none that is open.
    """
    if policy is None or consumer is None:
        return Shut.NONE
    grants = [each.grant for each in policy.grants.values() if each.grant.consumer == consumer]
    if topic != parked(ConsumerId(consumer)):
        return next((_shut(policy, each, day) for each in grants if each.topic == topic), Shut.NONE)
    found = {_shut(policy, each, day) for each in grants}
    if None in found and Shut.HELD not in found:
        return None
    return next((each for each in _ORDER if each in found), Shut.NONE)


def _shut(policy: Policy, grant: Grant, day: date) -> Shut | None:
    if grant.state is GrantState.REVOKED:
        return Shut.ENDED
    if grant.state is GrantState.SUSPENDED or policy.holds_on(grant):
        return Shut.HELD
    return None if in_force(grant, day) else Shut.OTHER_DAYS


def _problem(shut: Shut, language: Language) -> Problem:
    zh, do_zh, en, do_en = _SAID[shut]
    what, remedy = (zh, do_zh) if language is Language.ZH else (en, do_en)
    return Problem(shut.value, "grant", what, remedy)
