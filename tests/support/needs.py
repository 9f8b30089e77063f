"""Needs for tests: who states, assigns and drafts, and a need in every state."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.control.cases.words import Actor, Role
from services.control.catalogue.entry import ResourceCode
from services.control.demand.life import Refused, apply
from services.control.demand.need import Given, Need, Opening, opened
from services.control.demand.words import Action, DeclineReason, State

NOW: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)
NEEDING, HOLDING, BUREAU_OF, ANOTHER = "health", "police", "data_bureau", "tax"
CONSUMER: Final = Actor("zhao", Role.CONSUMER, NEEDING)
ASSIGNEE: Final = Actor("wang", Role.PROVIDER, HOLDING)
BUREAU: Final = Actor("chen", Role.AUTHORITY, BUREAU_OF)
CODE: Final = ResourceCode("3", "01", "320", "5", "000007")
ENTRY: Final = UUID(int=7)


def opening(**changes: Any) -> Opening:
    """A complete statement of a need."""
    whole = Opening(
        id=UUID(int=1),
        who=CONSUMER,
        when=NOW,
        subject="流浪人员救助信息",
        items=("姓名", "救助日期"),
        scenario="流浪人员医疗救治",
        basis_document="《社会救助暂行办法》",
        basis_article="第五十条",
    )
    return replace(whole, **changes)


def given(action: Action) -> Given:
    """What an action demands, and nothing else."""
    return {
        Action.ASSIGN: Given(department=HOLDING),
        Action.DECLINE: Given(text="经核查无部门掌握", reason=DeclineReason.NOBODY_HOLDS_IT),
        Action.POINT: Given(code=CODE),
        Action.HAND_BACK: Given(text="由民政部门掌握"),
        Action.DRAFT: Given(entry=ENTRY),
        Action.WITHDRAW: Given(),
    }[action]


def after(*steps: tuple[Action, Actor], **changes: Any) -> Need:
    """A need after these steps, none of which is refused."""
    need = opened(opening(**changes))
    for action, actor in steps:
        moved = apply(need, action, actor, LATER, given(action))
        assert not isinstance(moved, Refused), moved
        need = moved
    return need


IN_STATE: Final[Mapping[State, Callable[[], Need]]] = {
    State.STATED: after,
    State.ASSIGNED: lambda: after((Action.ASSIGN, BUREAU)),
    State.DRAFTED: lambda: after((Action.ASSIGN, BUREAU), (Action.DRAFT, ASSIGNEE)),
    State.KNOWN: lambda: after((Action.POINT, BUREAU)),
    State.DECLINED: lambda: after((Action.DECLINE, BUREAU)),
    State.WITHDRAWN: lambda: after((Action.WITHDRAW, CONSUMER)),
}
"""A need in each state."""
