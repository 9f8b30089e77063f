"""The desk against the pure life cycle: whatever is tried in whatever order, the database says the same."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from services.control.cases.case import Case, Given
from services.control.cases.decision import as_applied
from services.control.cases.granting import grant_of
from services.control.cases.life import Refused, apply
from services.control.cases.provisioning import Progress, Step, done_steps
from services.control.cases.words import Action, Actor, RefusalReason, Role, State, StopReason
from services.control.desk.orders import Declined, Done
from services.control.desk.sweep import sweep
from services.control.docket.mounted import Mounted
from services.control.store.cases.checking import differences
from services.control.store.cases.reading import load
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from tests.support.desk import Office, id_of
from tests.support.examples import examples
from tests.support.sharing_cases import (
    BUREAU,
    CONSUMER,
    COUNCIL,
    DECIDER,
    NOW,
    OPERATOR,
    PART,
    SYSTEM,
    application,
)
from topics.resource import ShareType

ACTORS = (CONSUMER, DECIDER, BUREAU, OPERATOR, SYSTEM, Actor("Gao", Role.AUTHORITY, COUNCIL))
GRANTING = {
    Action.APPROVE,
    Action.APPROVE_IN_PART,
    Action.UPHOLD,
    Action.ACCEPT_UNCONDITIONAL,
    Action.IMPORT,
}
REFUSING = {Action.REFUSE, Action.DISMISS}
SERVED = {State.PROVISIONING, State.ACTIVE}
LIKELY = {
    State.DRAFT: ((Action.SUBMIT, CONSUMER),),
    State.DECIDING: (
        (Action.APPROVE, DECIDER),
        (Action.APPROVE_IN_PART, DECIDER),
        (Action.REFUSE, DECIDER),
        (Action.RETURN, DECIDER),
        (Action.ESCALATE, CONSUMER),
    ),
    State.RETURNED: ((Action.SUPPLEMENT, CONSUMER),),
    State.REFUSED: ((Action.APPEAL, CONSUMER),),
    State.NEGOTIATING: ((Action.AGREE, DECIDER), (Action.ESCALATE, CONSUMER)),
    State.ESCALATED: ((Action.UPHOLD, BUREAU), (Action.DISMISS, BUREAU)),
    State.PROVISIONING: ((Action.STEP_DONE, SYSTEM), (Action.STEP_FAILED, SYSTEM), (Action.SUSPEND, BUREAU)),
    State.ACTIVE: ((Action.SUSPEND, BUREAU),),
    State.SUSPENDED: ((Action.RESUME, BUREAU),),
}


def given(case: Case, step: Step) -> Given:
    """Everything that any action demands, but the entry, which only the desk adds."""
    return Given(
        text="said in words",
        refusal_reason=RefusalReason.BASIS_INSUFFICIENT,
        acceptable_if="name the article",
        stop_reason=StopReason.RISK,
        application=application(),
        approval=PART,
        step=step,
        undone=tuple(done_steps(case.steps)),
    )


def expected(
    case: Case, action: Action, actor: Actor, now: datetime, said: Given, mounted: Mounted
) -> Case | Refused:
    """What the pure life cycle makes of an action, followed by what the control plane does by itself."""
    brought = replace(said, resource=mounted.governed, forms=mounted.forms)
    after = apply(case, action, actor, now, brought)
    silent = Given(resource=brought.resource, forms=brought.forms)
    while isinstance(after, Case):
        free = mounted.governed.share_type is ShareType.UNCONDITIONAL
        own = {
            State.SUBMITTED: Action.ACCEPT_UNCONDITIONAL if free else Action.REQUEST_DECISION,
            State.APPROVED: Action.PROVISION,
            State.PROVISIONING: Action.ACTIVATE,
        }.get(after.state)
        if own is None or (
            own is Action.ACTIVATE and any(each.progress is not Progress.DONE for each in after.steps)
        ):
            break
        moved = apply(after, own, SYSTEM, now, silent)
        if isinstance(moved, Refused):
            break
        after = moved
    return after


class Life(RuleBasedStateMachine):
    """One case in the database, beside the same case in memory."""

    office: Office

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.office.city.changes = {}
        self.filed = self.office.opened()
        self.case = self.filed.case

    @initialize(far=st.booleans())
    def begin(self, far: bool) -> None:
        if far:
            self.attempt(Action.SUBMIT, CONSUMER, Step.TOPIC)
            self.attempt(Action.APPROVE, DECIDER, Step.TOPIC)

    @rule(data=st.data())
    def somebody_does_what_is_likely(self, data: st.DataObject) -> None:
        if self.case.state in LIKELY:
            action, actor = data.draw(st.sampled_from(LIKELY[self.case.state]))
            self.attempt(action, actor, self.next_step())

    @rule(action=st.sampled_from(Action), actor=st.sampled_from(ACTORS), step=st.sampled_from(Step))
    def anybody_tries_anything(self, action: Action, actor: Actor, step: Step) -> None:
        self.attempt(action, actor, step)

    @rule()
    def every_step_is_carried_through(self) -> None:
        for _ in Step:
            if self.case.state is State.PROVISIONING:
                self.attempt(Action.STEP_DONE, SYSTEM, self.next_step())

    @rule(share=st.sampled_from(ShareType))
    def the_entry_changes(self, share: ShareType) -> None:
        self.office.city.changes = {"share_type": share}

    @rule(days=st.sampled_from((0, 1, 7, 400)))
    def time_passes_and_is_swept(self, days: int) -> None:
        self.now += timedelta(days=days)
        sweep(self.office.desk, self.office.database, self.now)
        with self.office.database.begin() as connection:
            found = load(connection, id_of(self.filed))
        assert found is not None
        fresh = {event.action for event in found.case.events[len(self.case.events) :]}
        assert fresh <= {Action.EXPIRE, Action.ESCALATE}
        self.case = found.case

    def next_step(self) -> Step:
        left = [each.step for each in self.case.steps if each.progress is not Progress.DONE]
        return left[0] if left else Step.TOPIC

    def attempt(self, action: Action, actor: Actor, step: Step) -> None:
        said = given(self.case, step)
        with self.office.database.begin() as connection:
            mounted = self.office.city.mounted(connection, self.case.application.resource)
        assert mounted is not None
        wanted = expected(self.case, action, actor, self.now, said, mounted)
        more = {name: getattr(said, name) for name in said.__dataclass_fields__}
        answer = self.office.act(self.filed, action, actor, self.now, **more)
        if isinstance(wanted, Refused):
            assert isinstance(answer, Declined)
            assert answer.problems == wanted.problems
        else:
            assert isinstance(answer, Done), answer
            assert answer.filed.case == wanted
            self.case = wanted

    @invariant()
    def the_database_holds_the_same_case_and_the_fold_of_its_events(self) -> None:
        with self.office.database.begin() as connection:
            found = load(connection, id_of(self.filed))
            assert found is not None
            assert found.case == self.case
            calendar = self.office.city.calendar
            assert list(differences(connection, calendar, self.filed.number - 1)) == []

    @invariant()
    def no_path_leads_from_a_refusal_to_delivery(self) -> None:
        decisions = [event.action for event in self.case.events if event.action in GRANTING | REFUSING]
        assert self.case.state not in SERVED or (decisions and decisions[-1] in GRANTING)
        wanted = select(OUTBOX.c.document).where(
            OUTBOX.c.object == self.case.opening.grant, OUTBOX.c.document.is_not(None)
        )
        with self.office.database.begin() as connection:
            requests = list(connection.execute(wanted.order_by(OUTBOX.c.id)).scalars())
        if self.case.state in SERVED:
            assert requests[-1]["wanted"] in {"provide", "open"}
        elif requests:
            assert requests[-1]["wanted"] in {"suspend", "end"}
        for request in requests:
            before = [event.action for event in self.case.events[: request["event"]]]
            if request["grant"] is not None:
                assert [each for each in before if each in GRANTING | REFUSING][-1] in GRANTING

    @invariant()
    def a_grant_is_never_wider_than_the_application(self) -> None:
        if self.case.approval is not None and self.case.state in SERVED:
            with self.office.database.begin() as connection:
                mounted = self.office.city.mounted(connection, self.case.application.resource)
            assert mounted is not None
            grant = grant_of(self.case, mounted.governed)
            full = as_applied(self.case.application)
            assert grant is None or set(grant.items) <= set(full.items)


def test_the_desk_does_what_the_life_cycle_says(control_database: ControlDatabase) -> None:
    class OfThisDatabase(Life):
        office = Office(control_database)

    run_state_machine_as_test(OfThisDatabase, settings=examples(40, stateful_step_count=20, deadline=None))
