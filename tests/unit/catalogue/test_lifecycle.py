"""The life of an entry: who may take which step, and nothing is published without both reviews."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.control.catalogue.checks import entry_problems
from services.control.catalogue.entry import Entry, ResourceCode
from services.control.catalogue.lifecycle import (
    TRANSITIONS,
    Action,
    Actor,
    Dossier,
    Refusal,
    Refused,
    Role,
    State,
    act,
    edit,
    open_dossier,
)
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.problems import Problem
from tests.support.catalogue import COMPLETE, entry
from tests.support.examples import examples
from topics.quality.values import CIVIL_TIME

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
RULES = CatalogueRules()
CLERK = Actor("clerk", Role.PROVIDER, "police")
REVIEWER = Actor("reviewer", Role.AUTHORITY, "bigdata")
Way = tuple[tuple[Action, Actor], ...]
TO_REVIEW: Way = ((Action.SUBMIT, CLERK),)
TO_REGISTERED: Way = (*TO_REVIEW, (Action.REGISTER, REVIEWER))
TO_SECOND_REVIEW: Way = (*TO_REGISTERED, (Action.REQUEST_PUBLICATION, CLERK))
TO_PUBLISHED: Way = (*TO_SECOND_REVIEW, (Action.PUBLISH, REVIEWER))
TO_WITHDRAWN: Way = (*TO_PUBLISHED, (Action.WITHDRAW, REVIEWER))
WAYS: dict[State, Way] = {
    State.DRAFT: (),
    State.REGISTRATION_REVIEW: TO_REVIEW,
    State.REGISTERED: TO_REGISTERED,
    State.PUBLICATION_REVIEW: TO_SECOND_REVIEW,
    State.PUBLISHED: TO_PUBLISHED,
    State.WITHDRAWN: TO_WITHDRAWN,
}


def check(given: Entry) -> tuple[Problem, ...]:
    return entry_problems(given, RULES)


def opened(given: Entry = COMPLETE) -> Dossier:
    made = open_dossier(given, CLERK, NOW)
    assert isinstance(made, Dossier)
    return made


def done(dossier: Dossier, *way: tuple[Action, Actor]) -> Dossier:
    for action, who in way:
        after = act(dossier, action, who, NOW, check, "因为")
        assert isinstance(after, Dossier), after
        dossier = after
    return dossier


def refusal(dossier: Dossier, action: Action, who: Actor, why: str = "因为") -> Refusal | None:
    after = act(dossier, action, who, NOW, check, why)
    return after.refusal if isinstance(after, Refused) else None


@pytest.mark.requirement("A2-03")
def test_an_entry_passes_registration_and_publication() -> None:
    dossier = done(opened(), *TO_PUBLISHED)
    assert [(step.action, step.before, step.after, step.who.person) for step in dossier.steps] == [
        (Action.OPEN, None, State.DRAFT, "clerk"),
        (Action.SUBMIT, State.DRAFT, State.REGISTRATION_REVIEW, "clerk"),
        (Action.REGISTER, State.REGISTRATION_REVIEW, State.REGISTERED, "reviewer"),
        (Action.REQUEST_PUBLICATION, State.REGISTERED, State.PUBLICATION_REVIEW, "clerk"),
        (Action.PUBLISH, State.PUBLICATION_REVIEW, State.PUBLISHED, "reviewer"),
    ]
    assert {step.why for step in dossier.steps[1:]} == {"因为"}
    assert dossier.open is None


def test_the_day_of_publication_is_that_of_the_civil_calendar() -> None:
    late = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
    published = act(done(opened(), *TO_SECOND_REVIEW), Action.PUBLISH, REVIEWER, late, check)
    assert isinstance(published, Dossier)
    assert published.published is not None
    assert published.published.entry.published_on == date(2026, 11, 27)


@pytest.mark.parametrize("state", list(WAYS))
@pytest.mark.parametrize("action", [each for each in TRANSITIONS if each is not Action.EDIT])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.requirement("A1-02", "A1-03")
def test_each_action_is_for_its_role_in_its_state_only(state: State, action: Action, role: Role) -> None:
    dossier = done(opened(), *WAYS[state])
    who = Actor("somebody", role, "police")
    allowed, in_place = role in TRANSITIONS[action].roles, TRANSITIONS[action].before is state
    found = refusal(dossier, action, who)
    expected = None if allowed and in_place else Refusal.WRONG_STATE if allowed else Refusal.WRONG_ROLE
    assert found is expected


@pytest.mark.parametrize(
    "action", [Action.SUBMIT, Action.REQUEST_PUBLICATION, Action.WITHDRAW, Action.REVISE]
)
def test_another_department_takes_no_step_of_a_provider(action: Action) -> None:
    states = {
        Action.SUBMIT: (),
        Action.REQUEST_PUBLICATION: TO_REGISTERED,
        Action.WITHDRAW: TO_PUBLISHED,
        Action.REVISE: TO_PUBLISHED,
    }
    other = Actor("other", Role.PROVIDER, "health")
    assert refusal(done(opened(), *states[action]), action, other) is Refusal.OTHER_DEPARTMENT


@pytest.mark.parametrize(
    ("action", "way", "who"),
    [
        (Action.REFUSE_REGISTRATION, TO_REVIEW, REVIEWER),
        (Action.REFUSE_PUBLICATION, TO_SECOND_REVIEW, REVIEWER),
        (Action.WITHDRAW, TO_PUBLISHED, REVIEWER),
        (Action.WITHDRAW, TO_PUBLISHED, CLERK),
        (Action.REVISE, TO_PUBLISHED, CLERK),
    ],
)
def test_refusals_withdrawals_and_revisions_say_why(action: Action, way: Way, who: Actor) -> None:
    dossier = done(opened(), *way)
    assert refusal(dossier, action, who, "  ") is Refusal.REASON_MISSING
    assert refusal(dossier, action, who, "职能调整") is None


@pytest.mark.parametrize(
    ("action", "way"),
    [(Action.REFUSE_REGISTRATION, TO_REVIEW), (Action.REFUSE_PUBLICATION, TO_SECOND_REVIEW)],
)
def test_what_is_refused_is_a_draft_again_and_passes_both_reviews_anew(action: Action, way: Way) -> None:
    back = done(opened(), *way, (action, REVIEWER))
    assert back.versions[-1].state is State.DRAFT
    assert back.steps[-1].why == "因为"
    for skipped in (Action.REGISTER, Action.REQUEST_PUBLICATION, Action.PUBLISH):
        assert refusal(back, skipped, replace(CLERK, role=Role.AUTHORITY, person="x")) is not None
    assert done(back, *TO_PUBLISHED).published is not None


@pytest.mark.parametrize(
    ("action", "way"), [(Action.REGISTER, TO_REVIEW), (Action.PUBLISH, TO_SECOND_REVIEW)]
)
def test_nobody_reviews_what_they_submitted_themselves_in_whatever_role(action: Action, way: Way) -> None:
    both = Actor(CLERK.person, Role.AUTHORITY, "bigdata")
    assert refusal(done(opened(), *way), action, both) is Refusal.OWN_WORK


def test_an_entry_that_breaks_rules_passes_no_step_forward_and_its_problems_are_given() -> None:
    after = act(opened(entry(summary="")), Action.SUBMIT, CLERK, NOW, check)
    assert isinstance(after, Refused)
    assert after.refusal is Refusal.ENTRY_INVALID
    assert after.problems == check(entry(summary=""))


def test_rules_that_became_stricter_stop_an_entry_before_publication_but_not_its_refusal() -> None:
    waiting = done(opened(), *TO_SECOND_REVIEW)

    def stricter(_entry: Entry) -> tuple[Problem, ...]:
        return check(Entry())

    after = act(waiting, Action.PUBLISH, REVIEWER, NOW, stricter)
    assert isinstance(after, Refused)
    assert after.refusal is Refusal.ENTRY_INVALID
    assert isinstance(act(waiting, Action.REFUSE_PUBLICATION, REVIEWER, NOW, stricter, "规则"), Dossier)


def test_only_a_draft_is_edited_and_only_by_its_department() -> None:
    changed = entry(summary="更准确的摘要")
    after = edit(opened(), changed, CLERK, NOW)
    assert isinstance(after, Dossier)
    assert after.versions[-1].entry == changed
    refused = edit(done(opened(), *TO_REVIEW), changed, CLERK, NOW)
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.WRONG_STATE
    other = edit(opened(), changed, replace(CLERK, department="health"), NOW)
    assert isinstance(other, Refused)
    assert other.refusal is Refusal.OTHER_DEPARTMENT


def test_an_entry_is_opened_by_a_provider_only() -> None:
    assert isinstance(open_dossier(COMPLETE, REVIEWER, NOW), Refused)


@pytest.mark.requirement("A2-03", "A2-04")
def test_a_published_version_counts_until_its_successor_is_published() -> None:
    revised = done(opened(), *TO_PUBLISHED, (Action.REVISE, CLERK))
    assert revised.published is not None
    assert (revised.published.number, revised.versions[-1].state) == (1, State.DRAFT)
    assert done(revised, *TO_SECOND_REVIEW).published == revised.published
    after = done(revised, *TO_PUBLISHED)
    assert [version.state for version in after.versions] == [State.CHANGED, State.PUBLISHED]
    assert after.steps[-1].action is Action.SUPERSEDE
    assert after.steps[-1].version == 1


@pytest.mark.requirement("A2-05")
def test_a_revision_keeps_the_day_of_the_change_and_none_that_lies_ahead() -> None:
    published, today = done(opened(), *TO_PUBLISHED), NOW.astimezone(CIVIL_TIME).date()
    revised = act(published, Action.REVISE, CLERK, NOW, check, "法律修订", today)
    assert isinstance(revised, Dossier)
    assert revised.steps[-1].changed_on == today
    ahead = act(published, Action.REVISE, CLERK, NOW, check, "法律修订", today + timedelta(days=1))
    assert isinstance(ahead, Refused)
    assert ahead.refusal is Refusal.CHANGE_AHEAD


@pytest.mark.requirement("A2-07", "C4")
@pytest.mark.parametrize(
    ("filing", "expected"),
    [
        (None, ""),
        ("备案〔2026〕17号", "备案〔2026〕17号"),
        (" 17 ", "17"),
        ("x" * 200, "x" * 200),
        ("", None),
        (" ", None),
        ("x" * 201, None),
        ("一\n二", None),
    ],
)
def test_a_revision_that_is_to_be_filed_is_registered_with_its_number_only(
    filing: str | None, expected: str | None
) -> None:
    revised = done(opened(), *TO_PUBLISHED, (Action.REVISE, CLERK), *TO_REVIEW)
    after = act(revised, Action.REGISTER, REVIEWER, NOW, check, filing=filing)
    if expected is None:
        assert isinstance(after, Refused)
        assert after.refusal is Refusal.FILING_MISSING
    else:
        assert isinstance(after, Dossier)
        assert [each.filing for each in after.versions] == ["", expected]
        published = done(after, (Action.REQUEST_PUBLICATION, CLERK), (Action.PUBLISH, REVIEWER))
        assert published.versions[-1].filing == expected


@pytest.mark.requirement("A2-07")
def test_only_the_registration_of_a_revision_is_filed() -> None:
    first = done(opened(), *TO_REVIEW)
    registered = act(first, Action.REGISTER, REVIEWER, NOW, check, filing="")
    assert isinstance(registered, Dossier)
    assert registered.versions[-1].filing == ""
    revised = done(opened(), *TO_PUBLISHED, (Action.REVISE, CLERK), *TO_REGISTERED)
    assert isinstance(act(revised, Action.REQUEST_PUBLICATION, CLERK, NOW, check, filing=""), Dossier)
    back = done(revised, (Action.REQUEST_PUBLICATION, CLERK), (Action.REFUSE_PUBLICATION, REVIEWER))
    again = done(back, *TO_REVIEW)
    refused = act(again, Action.REGISTER, REVIEWER, NOW, check, filing="")
    assert isinstance(refused, Refused)


def test_there_is_one_open_version_at_a_time() -> None:
    revised = done(opened(), *TO_PUBLISHED, (Action.REVISE, CLERK))
    assert refusal(revised, Action.REVISE, CLERK) is Refusal.WRONG_STATE


def test_the_code_of_an_entry_that_was_registered_once_stays() -> None:
    revised = done(opened(), *TO_PUBLISHED, (Action.REVISE, CLERK))
    after = edit(revised, entry(code=ResourceCode("3", "02", "000", "", "9")), CLERK, NOW)
    assert isinstance(after, Refused)
    assert after.refusal is Refusal.CODE_FIXED


@pytest.mark.parametrize("action", [each for each in Action if each not in (Action.REVISE, Action.OPEN)])
def test_what_was_withdrawn_comes_back_as_a_new_draft_only(action: Action) -> None:
    withdrawn = done(opened(), *TO_WITHDRAWN)
    for who in (CLERK, REVIEWER):
        assert refusal(withdrawn, action, who) is not None
    revised = done(withdrawn, (Action.REVISE, CLERK))
    assert [version.state for version in revised.versions] == [State.WITHDRAWN, State.DRAFT]
    assert revised.published is None


PEOPLE = [
    CLERK,
    REVIEWER,
    Actor("second", Role.PROVIDER, "police"),
    Actor("clerk", Role.AUTHORITY, "bigdata"),
    Actor("stranger", Role.PROVIDER, "health"),
    *(Actor(f"a {role}", role, "police") for role in Role),
]


class Life(RuleBasedStateMachine):
    """Whatever anybody asks for in whatever order."""

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.dossier = opened()

    @rule(action=st.sampled_from(Action), who=st.sampled_from(PEOPLE), why=st.sampled_from(["", "有理由"]))
    def ask(self, action: Action, who: Actor, why: str) -> None:
        self._follow(act(self.dossier, action, who, self._later(), check, why))

    @rule(
        who=st.sampled_from(PEOPLE),
        given=st.sampled_from([COMPLETE, entry(summary="其他"), entry(summary="")]),
    )
    def change(self, who: Actor, given: Entry) -> None:
        self._follow(edit(self.dossier, given, who, self._later()))

    @rule(reviewer=st.sampled_from([REVIEWER, REVIEWER, Actor("clerk", Role.AUTHORITY, "bigdata")]))
    def go_on(self, reviewer: Actor) -> None:
        """The step that comes next by rights, so that far states are reached, or by the wrong reviewer."""
        state = self.dossier.versions[-1].state
        forward = {
            State.DRAFT: (Action.SUBMIT, CLERK),
            State.REGISTRATION_REVIEW: (Action.REGISTER, reviewer),
            State.REGISTERED: (Action.REQUEST_PUBLICATION, CLERK),
            State.PUBLICATION_REVIEW: (Action.PUBLISH, reviewer),
            State.WITHDRAWN: (Action.REVISE, CLERK),
        }
        action, who = forward.get(state, (Action.REVISE, CLERK))
        self._follow(act(self.dossier, action, who, self._later(), check, "继续"))

    def _later(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def _follow(self, after: Dossier | Refused) -> None:
        if isinstance(after, Dossier):
            assert after.steps[: len(self.dossier.steps)] == self.dossier.steps
            assert len(after.steps) > len(self.dossier.steps)
            self.dossier = after

    @invariant()
    def nothing_is_published_without_both_reviews_of_just_that_text(self) -> None:
        for version in self.dossier.versions:
            steps = [step for step in self.dossier.steps if step.version == version.number]
            actions = [step.action for step in steps]
            if Action.PUBLISH not in actions:
                continue
            end = actions.index(Action.PUBLISH)
            assert actions[end - 3 : end + 1] == [
                Action.SUBMIT,
                Action.REGISTER,
                Action.REQUEST_PUBLICATION,
                Action.PUBLISH,
            ]
            assert check(version.entry) == ()
            worked = {step.who.person for step in steps if step.who.role is Role.PROVIDER}
            assert worked.isdisjoint({steps[end].who.person, steps[end - 2].who.person})

    @invariant()
    def states_follow_from_the_steps_and_what_has_ended_stays_ended(self) -> None:
        for version in self.dossier.versions:
            steps = [step for step in self.dossier.steps if step.version == version.number]
            assert steps[0].before is None
            for before, after in pairwise(steps):
                assert after.before is before.after
                assert before.after not in (State.WITHDRAWN, State.CHANGED)
            assert steps[-1].after is version.state

    @invariant()
    def one_version_counts_and_one_is_open_at_most(self) -> None:
        states = [version.state for version in self.dossier.versions]
        ended = {State.PUBLISHED, State.CHANGED, State.WITHDRAWN}
        assert states.count(State.PUBLISHED) <= 1
        assert all(state in ended for state in states[:-1])

    @invariant()
    def each_step_has_who_and_when_and_what_demands_a_reason_has_one(self) -> None:
        times = [step.when for step in self.dossier.steps]
        assert times == sorted(times)
        for step in self.dossier.steps:
            demands = step.action is Action.REVISE or (
                step.action in TRANSITIONS and TRANSITIONS[step.action].needs_reason
            )
            assert step.who.person
            assert step.why or not demands


TestLife = Life.TestCase
TestLife.settings = examples(60, stateful_step_count=40)
