"""Whatever is tried in whatever order: a case is the fold of its events, and delivers only what it may."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.control.cases.case import Case, fold
from services.control.cases.decision import Approval, as_applied, width_problems
from services.control.cases.granting import excess_problems, grant_of
from services.control.cases.life import allowed, apply
from services.control.cases.provisioning import Progress, Step, done_steps
from services.control.cases.words import Action, Actor, Role, State
from tests.support.examples import examples
from tests.support.sharing_cases import (
    AUTHORITY,
    BUREAU,
    CONSUMER,
    COUNCIL,
    DECIDER,
    IN_STATE,
    NOW,
    OPERATOR,
    PART,
    SYSTEM,
    application,
    draft,
    entry,
    given,
)
from topics.grants.declaration import RowFilter
from topics.resource import ShareType

ACTORS = (CONSUMER, DECIDER, BUREAU, OPERATOR, SYSTEM, Actor("Gao", Role.AUTHORITY, COUNCIL))
SERVED = {State.PROVISIONING, State.ACTIVE}
DISPUTED = [State.DECIDING, State.REFUSED, State.NEGOTIATING, State.ESCALATED] * 4
GRANTING = {
    Action.APPROVE,
    Action.APPROVE_IN_PART,
    Action.UPHOLD,
    Action.ACCEPT_UNCONDITIONAL,
    Action.IMPORT,
}
IDLE = {Action.COMPLAIN, Action.EXTEND, Action.REPLY, Action.EDIT, Action.WITHDRAW, Action.TERMINATE}
"""What keeps a case from getting anywhere if it is chosen too often."""
REFUSING = {Action.REFUSE, Action.DISMISS}
ROWS = st.sampled_from(((), (RowFilter(item="household_district", values=("320508",)),), application().rows))
APPROVALS = (
    st.builds(
        Approval,
        items=st.sampled_from((("name",), ("name", "address"), application().items)),
        start=st.sampled_from((PART.start, application().start, NOW.date())),
        end=st.sampled_from((PART.end, application().end)),
        rows=ROWS,
    )
    | st.just(PART)
    | st.just(as_applied(application()))
)
ENTRIES = st.sampled_from([entry()] * 4 + [entry(share_type=each) for each in ShareType])


class Life(RuleBasedStateMachine):
    """One case and everybody who may want something of it."""

    def __init__(self) -> None:
        super().__init__()
        self.case: Case = draft()
        self.now = NOW

    @initialize(state=st.sampled_from(DISPUTED + [state for state in State if state is not State.EXPIRED]))
    def begin(self, state: State) -> None:
        self.case = IN_STATE[state]()

    @rule(action=st.sampled_from(Action), actor=st.sampled_from(ACTORS), approval=APPROVALS, shared=ENTRIES)
    def anybody_tries_anything(
        self, action: Action, actor: Actor, approval: Approval, shared: object
    ) -> None:
        self.attempt(action, actor, approval, shared)

    @rule(data=st.data(), approval=APPROVALS, shared=ENTRIES)
    def somebody_does_what_the_table_allows(
        self, data: st.DataObject, approval: Approval, shared: object
    ) -> None:
        choices = [
            (action, actor) for actor in ACTORS for action in allowed(self.case, actor) if action not in IDLE
        ]
        if choices:
            action, actor = data.draw(st.sampled_from(choices))
            self.attempt(action, actor, approval, shared)

    @precondition(lambda self: self.case.state is State.PROVISIONING)
    @rule()
    def the_control_plane_goes_on(self) -> None:
        left = [each for each in self.case.steps if each.progress is not Progress.DONE]
        action = Action.ACTIVATE if not left else Action.STEP_DONE
        self.attempt(action, SYSTEM, PART, entry(), left[0].step if left else Step.TOPIC)

    @rule(days=st.sampled_from((0, 1, 30, 400)))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    def attempt(
        self, action: Action, actor: Actor, approval: Approval, shared: object, step: Step = Step.TOPIC
    ) -> None:
        undone = tuple(done_steps(self.case.steps))
        brought = given(approval=approval, resource=shared, step=step, undone=undone)
        after = apply(self.case, action, actor, self.now, brought)
        if isinstance(after, Case):
            assert after.events[:-1] == self.case.events
            self.case = after

    @invariant()
    def the_case_is_the_fold_of_its_events(self) -> None:
        assert fold(self.case.opening, self.case.events) == self.case

    @invariant()
    def only_a_case_whose_last_decision_gives_something_delivers(self) -> None:
        decisions = [event.action for event in self.case.events if event.action in GRANTING | REFUSING]
        if self.case.state in SERVED:
            assert decisions
            assert decisions[-1] in GRANTING

    @invariant()
    def what_was_approved_is_inside_the_application(self) -> None:
        if self.case.approval is not None and self.case.state in {State.APPROVED, *SERVED}:
            assert list(width_problems(self.case.approval, self.case.application)) == []

    @invariant()
    def a_grant_stands_only_while_delivering_and_never_beyond_its_case(self) -> None:
        grant = grant_of(self.case, entry())
        if grant is not None:
            assert self.case.state in SERVED
            assert list(excess_problems(grant, self.case, entry())) == []

    @invariant()
    def nobody_decided_on_his_own_application(self) -> None:
        for event in self.case.events:
            if event.action in {Action.APPROVE, Action.APPROVE_IN_PART, Action.REFUSE}:
                assert event.who.department != self.case.opening.applicant
            if event.action in {Action.UPHOLD, Action.DISMISS}:
                assert event.who.department in {AUTHORITY, COUNCIL}


TestLife = Life.TestCase
TestLife.settings = examples(250, stateful_step_count=30, deadline=None)
