"""Whatever is tried in whatever order: a ticket is the fold of its events, and closes when all were told."""

import json
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.control.cases.words import Actor, Role
from services.control.tickets.clocks import breaches, clocks_of, open_clock
from services.control.tickets.correction import SETTLED, Verdict
from services.control.tickets.life import allowed, apply
from services.control.tickets.marking import dispute_id, marks_owed
from services.control.tickets.recipients import addressees, last_told, owed
from services.control.tickets.ticket import MARKED, TERMINAL, Ticket, fold, kind_of
from services.control.tickets.words import Action, Duty, NoticeKind, State
from services.control.tickets.written import event_document, event_of, opening_document, opening_of
from tests.support.examples import examples
from tests.support.tickets import (
    BUREAU,
    CALENDAR,
    HIGHER,
    IN_STATE,
    NOW,
    PROVIDER,
    RECEIPTS,
    REPORTER,
    SYSTEM,
    corrected,
    given,
    new,
    receipt,
    reported,
    told,
)
from topics.disputes import DisputeChange, Disputes, folded

ACTORS = (REPORTER, PROVIDER, BUREAU, HIGHER, SYSTEM, Actor("Sun", Role.CONSUMER, "education"))
IDLE = {Action.WITHDRAW, Action.RETURN, Action.LIST}
"""What keeps a ticket from getting anywhere if it is chosen too often."""
RECEIVED = st.sampled_from([(), RECEIPTS[:1], RECEIPTS, (*RECEIPTS, receipt("tax", "tax", 18))])
DUTIES = {
    State.REPORTED: Duty.DISPATCH,
    State.RETURNED: Duty.DISPATCH,
    State.VERIFYING: Duty.VERIFY,
    State.CORRECTING: Duty.CORRECT,
}


class Life(RuleBasedStateMachine):
    """One ticket, everybody who may want something of it, and the disputes on the bus beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.ticket: Ticket = new()
        self.now = NOW
        self.newest = 40
        self.bus = Disputes()

    @initialize(state=st.sampled_from(State))
    def begin(self, state: State) -> None:
        ticket = new()
        for event in IN_STATE[state]().events:
            after = fold(ticket.opening, [*ticket.events, event])
            self.follow(ticket, after)
            ticket = after
        self.ticket = ticket

    @rule(
        action=st.sampled_from(Action),
        actor=st.sampled_from(ACTORS),
        verdict=st.sampled_from(Verdict),
        received=RECEIVED,
    )
    def anybody_tries_anything(
        self, action: Action, actor: Actor, verdict: Verdict, received: tuple[object, ...]
    ) -> None:
        self.attempt(action, actor, verdict, received)

    @rule(data=st.data(), verdict=st.sampled_from(Verdict), received=RECEIVED)
    def somebody_does_what_the_table_allows(
        self, data: st.DataObject, verdict: Verdict, received: tuple[object, ...]
    ) -> None:
        choices = [
            (action, actor)
            for actor in ACTORS
            for action in allowed(self.ticket, actor)
            if action not in IDLE
        ]
        if choices:
            action, actor = data.draw(st.sampled_from(choices))
            self.attempt(action, actor, verdict, received)

    @rule()
    def the_control_plane_tells_everybody(self) -> None:
        self.attempt(Action.LIST, SYSTEM, Verdict.CORRECTED, tuple({*self.ticket.receipts, *RECEIPTS}))
        kind = kind_of(self.ticket)
        for consumer, grant, each in (
            () if kind is None else owed(self.ticket.receipts, self.ticket.told, kind)
        ):
            notice = told(consumer, grant, each.value)
            after = apply(self.ticket, Action.TELL, SYSTEM, self.now, given(told=notice), CALENDAR)
            assert isinstance(after, Ticket)
            self.ticket = after

    @rule(days=st.sampled_from((0, 1, 10, 60)))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    def attempt(self, action: Action, actor: Actor, verdict: Verdict, received: tuple[object, ...]) -> None:
        self.newest += 1
        brought = given(
            correction=corrected(self.newest, verdict),
            reported=reported(self.newest),
            receipts=received,
            told=told(kind=(kind_of(self.ticket) or NoticeKind.CORRECTED).value),
        )
        after = apply(self.ticket, action, actor, self.now, brought, CALENDAR)
        if isinstance(after, Ticket):
            assert after.events[:-1] == self.ticket.events
            self.follow(self.ticket, after)
            self.ticket = after

    def follow(self, before: Ticket, after: Ticket) -> None:
        for act, dispute, contested in marks_owed(before, after):
            self.bus = folded([DisputeChange(self.bus.number + 1, act, dispute, contested)], self.bus)

    @invariant()
    def the_ticket_is_the_fold_of_what_is_written_of_its_events(self) -> None:
        written = json.loads(json.dumps([event_document(event) for event in self.ticket.events]))
        opening = opening_of(json.loads(json.dumps(opening_document(self.ticket.opening))))
        assert fold(opening, map(event_of, written)) == self.ticket

    @invariant()
    def the_bus_marks_the_record_exactly_while_it_is_disputed(self) -> None:
        wanted = {dispute_id(self.ticket): self.ticket.reported.contested}
        assert dict(self.bus.open) == (wanted if self.ticket.state in MARKED else {})

    @invariant()
    def a_ticket_that_claims_a_correction_has_one_that_stands(self) -> None:
        if self.ticket.state in {State.CORRECTED, State.CONFIRMED}:
            assert self.ticket.correction is not None
            assert self.ticket.correction.verdict in SETTLED
            assert self.ticket.correction.position > self.ticket.reported.position
        if self.ticket.state in MARKED:
            assert self.ticket.correction is None

    @invariant()
    def what_is_closed_as_corrected_was_told_to_all_who_received_it(self) -> None:
        if self.ticket.state is State.CLOSED and self.ticket.correction is not None:
            known = last_told(self.ticket.told)
            assert all(known.get(each) is NoticeKind.CORRECTED for each in addressees(self.ticket.receipts))

    @invariant()
    def one_clock_runs_where_somebody_has_a_duty_and_none_elsewhere(self) -> None:
        clock = open_clock(self.ticket)
        assert (None if clock is None else clock.duty) is DUTIES.get(self.ticket.state)
        assert sum(each.is_open for each in clocks_of(self.ticket)) <= 1
        breaches(self.ticket, CALENDAR, self.now)

    @invariant()
    def nobody_acts_after_the_end_but_to_tell(self) -> None:
        ended = [event.action for event in self.ticket.events]
        if self.ticket.state in TERMINAL:
            ending = max(n for n, action in enumerate(ended) if action is not Action.TELL)
            assert ended[ending] in {Action.CLOSE, Action.CONFIRM, Action.DISMISS, Action.WITHDRAW}


TestLife = Life.TestCase
TestLife.settings = examples(200, stateful_step_count=30, deadline=None)
