"""What is told of a need: each state to whom it concerns, and to both departments of a new assignment."""

import pytest

from services.control.demand.need import Event as NeedEvent
from services.control.demand.need import Given, Need, evolved
from services.control.demand.words import Action, State
from services.control.notices.event import Offices, told
from services.control.notices.of_needs import of_need
from services.control.notices.text import text_of
from services.control.notices.words import Audience, Channel, Kind, Language
from tests.support.needs import ANOTHER, ASSIGNEE, BUREAU, BUREAU_OF, HOLDING, IN_STATE, LATER, NEEDING, after
from tests.support.notices import PORTAL

OFFICES = Offices(authority=(BUREAU_OF,))


def moved(need: Need, action: Action, given: Given) -> Need:
    who = ASSIGNEE if action is Action.HAND_BACK else BUREAU
    return evolved(need, NeedEvent(len(need.events) + 1, action, who, LATER, given))


@pytest.mark.requirement("A2-09", "A6-07")
@pytest.mark.parametrize("state", State)
def test_each_state_is_told_to_who_stated_the_need_and_to_the_authority(state: State) -> None:
    happened = of_need(12, after(), IN_STATE[state](), OFFICES)
    assert happened.kind is Kind(f"need.{state.value}")
    recipients = {each.department: each.audience for each in told(happened)}
    assert recipients[NEEDING] is Audience.CONSUMER
    assert recipients[BUREAU_OF] is Audience.AUTHORITY
    assert (HOLDING in recipients) is (state in {State.ASSIGNED, State.DRAFTED})


def test_a_need_that_is_handed_back_is_told_as_such_and_to_who_handed_it_back() -> None:
    assigned = IN_STATE[State.ASSIGNED]()
    back = moved(assigned, Action.HAND_BACK, Given(text="由民政部门掌握"))
    happened = of_need(12, assigned, back, OFFICES)
    assert happened.kind is Kind.NEED_HANDED_BACK
    assert happened.parties[Audience.PROVIDER] == (HOLDING,)
    (authority,) = [each for each in told(happened) if each.department == BUREAU_OF]
    assert Channel.EMAIL in authority.channels


def test_another_assignment_is_told_to_both_departments_and_is_news_of_its_own() -> None:
    assigned = IN_STATE[State.ASSIGNED]()
    again = moved(assigned, Action.ASSIGN, Given(department=ANOTHER))
    first, second = of_need(12, after(), assigned, OFFICES), of_need(12, assigned, again, OFFICES)
    assert second.parties[Audience.PROVIDER] == (ANOTHER, HOLDING)
    assert first.key != second.key


def test_a_notice_names_numbers_and_departments_and_leads_to_the_needs_page() -> None:
    need = IN_STATE[State.ASSIGNED]()
    happened = of_need(12, after(), need, OFFICES)
    for language in Language:
        text = text_of(happened, language, PORTAL)
        assert text.link == f"{PORTAL}/demand/12"
        assert "12" in text.subject
        assert HOLDING in text.subject
        assert need.subject not in text.subject + text.what_to_do
