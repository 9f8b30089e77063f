"""A sharing case of the sample city for tests: its parties, what each step needs, a case in each state."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from services.control.cases.application import Application, DutyBasis
from services.control.cases.case import Case, Given, Opening, opened
from services.control.cases.decision import Approval
from services.control.cases.life import apply
from services.control.cases.more_time import MoreTime
from services.control.cases.provisioning import Step
from services.control.cases.words import (
    Action,
    Actor,
    CaseRules,
    DeliveryMode,
    RefusalReason,
    Role,
    State,
    StopReason,
)
from tests.support.policy import sample_definitions
from topics.event import ConsumerId, GrantId, ResourceId
from topics.grants.declaration import PartialMask, RowFilter
from topics.resource import Resource, ShareType
from topics.schema_rules import item_forms

PERSON: Final = ResourceId("population.person.v1")
ENTERPRISE: Final = ResourceId("legal.enterprise.v1")
ENROLMENT: Final = ResourceId("social.enrolment.v1")
NOW: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
AFTER: Final = datetime(2028, 1, 1, 1, 0, tzinfo=UTC)
"""After the last day of the sample application."""
APPLICANT, PROVIDER, AUTHORITY, COUNCIL = "health", "police", "data_bureau", "council"
RULES: Final = CaseRules(dispute_levels=(AUTHORITY, COUNCIL))

CONSUMER: Final = Actor("Chen", Role.CONSUMER, APPLICANT)
DECIDER: Final = Actor("Wang", Role.PROVIDER, PROVIDER)
BUREAU: Final = Actor("Li", Role.AUTHORITY, AUTHORITY)
OPERATOR: Final = Actor("Zhao", Role.OPERATOR, AUTHORITY)
SYSTEM: Final = Actor("control", Role.SYSTEM, "")


def entry(resource: ResourceId = PERSON, **changes: Any) -> Resource:
    """An entry of the sample city, conditional unless said otherwise."""
    wanted = {"share_type": ShareType.CONDITIONAL, "share_basis": "《户口登记条例》第三条"} | changes
    return sample_definitions().resources[resource].model_copy(update=wanted)


def application(**changes: Any) -> Application:
    """A complete application for persons of one district."""
    wanted = Application(
        applicant=ConsumerId(APPLICANT),
        resource=PERSON,
        scenario="家庭医生签约服务",
        basis=DutyBasis("《基本医疗卫生与健康促进法》", "第三十一条"),
        items=("id_number", "name", "birth_date", "household_district"),
        mode=DeliveryMode.SUBSCRIBE,
        start=date(2026, 3, 10),
        end=date(2027, 3, 9),
        rows=(RowFilter(item="household_district", values=("320508", "320505")),),
        committed=True,
    )
    return replace(wanted, **changes)


PART: Final = Approval(
    items=("name", "household_district"),
    start=date(2026, 4, 1),
    end=date(2026, 12, 31),
    rows=(RowFilter(item="household_district", values=("320508",)),),
    masks=(("name", PartialMask(keep_first=1)),),
)


def draft(
    rules: CaseRules = RULES, wanted: Application | None = None, id_: str = "case-1", **changes: Any
) -> Case:
    """A case that was just opened."""
    used = wanted or application(**changes)
    provider = sample_definitions().resources[used.resource].provider
    return opened(Opening(id_, GrantId(f"{id_}-grant"), provider, used, rules))


def given(**changes: Any) -> Given:
    """Everything that any action demands."""
    wanted = Given(
        text="said in words",
        refusal_reason=RefusalReason.BASIS_INSUFFICIENT,
        acceptable_if="name the article",
        stop_reason=StopReason.RISK,
        application=application(),
        approval=PART,
        step=Step.TOPIC,
        undone=tuple(Step),
        resource=entry(),
        forms=item_forms(sample_definitions().item_schemas[PERSON]),
        more_time=MoreTime(2, "head_of_department", 1),
    )
    return replace(wanted, **changes)


def taken(case: Case, action: Action, actor: Actor, now: datetime = NOW, **changes: Any) -> Case:
    """The case after an action that must succeed."""
    after = apply(case, action, actor, now, given(**changes))
    assert isinstance(after, Case), after
    return after


def codes(case: Case, action: Action, actor: Actor, now: datetime = NOW, **changes: Any) -> list[str]:
    """Why an action does not take place; none where it does."""
    after = apply(case, action, actor, now, given(**changes))
    return [] if isinstance(after, Case) else [problem.code for problem in after.problems]


def submitted(case: Case) -> Case:
    """The case, submitted."""
    return taken(case, Action.SUBMIT, CONSUMER)


def deciding(case: Case) -> Case:
    """The case, before its decider."""
    return taken(submitted(case), Action.REQUEST_DECISION, SYSTEM)


def provisioning(case: Case) -> Case:
    """The case, approved as applied, none of its steps done."""
    return taken(taken(deciding(case), Action.APPROVE, DECIDER), Action.PROVISION, SYSTEM)


def provisioned(case: Case) -> Case:
    """The case with each of its pending steps carried through."""
    for each in case.steps:
        case = taken(case, Action.STEP_DONE, SYSTEM, step=each.step) if each.attempts == 0 else case
    return case


def active(case: Case) -> Case:
    """The case, delivering."""
    return taken(provisioned(provisioning(case)), Action.ACTIVATE, SYSTEM)


def _escalated(case: Case) -> Case:
    return taken(deciding(case), Action.ESCALATE, CONSUMER)


PRECHECKED: Final = replace(RULES, precheck=True)
IN_STATE: Final[dict[State, Callable[[], Case]]] = {
    State.DRAFT: draft,
    State.SUBMITTED: lambda: submitted(draft()),
    State.PRECHECK: lambda: taken(submitted(draft(PRECHECKED)), Action.REQUEST_PRECHECK, SYSTEM),
    State.DECIDING: lambda: deciding(draft()),
    State.RETURNED: lambda: taken(deciding(draft()), Action.RETURN, DECIDER),
    State.APPROVED: lambda: taken(deciding(draft()), Action.APPROVE, DECIDER),
    State.REFUSED: lambda: taken(deciding(draft()), Action.REFUSE, DECIDER),
    State.NEGOTIATING: lambda: taken(deciding(draft()), Action.NEGOTIATE, CONSUMER),
    State.ESCALATED: lambda: _escalated(draft()),
    State.REFUSED_FINALLY: lambda: taken(_escalated(draft()), Action.DISMISS, BUREAU),
    State.PROVISIONING: lambda: provisioning(draft()),
    State.ACTIVE: lambda: active(draft()),
    State.SUSPENDED: lambda: taken(active(draft()), Action.SUSPEND, BUREAU),
    State.TERMINATED: lambda: taken(active(draft()), Action.TERMINATE, BUREAU),
    State.EXPIRED: lambda: taken(active(draft()), Action.EXPIRE, SYSTEM, AFTER),
    State.WITHDRAWN: lambda: taken(draft(), Action.WITHDRAW, CONSUMER),
}
"""A case in each state, and how it came there."""
