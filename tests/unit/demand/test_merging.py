"""The demand list: needs for the same data are one line, with who needs which item and why."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.catalogue.entry import Department
from services.control.catalogue.vocabulary import Language
from services.control.demand.drafting import draft_of
from services.control.demand.merging import OVER, NeedLine, demand_list
from services.control.demand.wording import LISTS, said
from services.control.demand.words import Action, DeclineReason, State
from tests.support.needs import NOW, after, opening


def line(number: int, department: str, subject: str = "救助信息", **changes: object) -> NeedLine:
    """A need as a list shows it."""
    whole: dict[str, object] = {
        "id": UUID(int=number),
        "number": number,
        "version": 0,
        "department": department,
        "stated_at": NOW + timedelta(hours=number),
        "moved_at": NOW + timedelta(hours=number),
        "subject": subject,
        "items": ("姓名",),
        "scenario": f"用途{number}",
        "basis_document": "《社会救助暂行办法》",
        "basis_article": "",
        "state": State.STATED,
        "assigned_to": None,
        "code": None,
        "entry": None,
        "published": False,
        "reason": None,
        "answer": "",
    }
    return NeedLine(**{**whole, **changes})  # type: ignore[arg-type]


@pytest.mark.requirement("A2-09")
def test_needs_for_the_same_data_are_merged_with_who_needs_which_item_and_why() -> None:
    (first, second) = demand_list(
        [
            line(1, "health", items=("姓名", "救助日期")),
            line(2, "tax", "婚姻登记信息"),
            line(3, "civil_affairs", "（救助）信息", items=("救助 日期", "地点")),
            line(4, "health", "救助信息", items=("姓名",)),
        ]
    )
    assert (first.subject, first.departments) == ("救助信息", ("health", "civil_affairs"))
    assert {each.item: each.departments for each in first.items} == {
        "姓名": ("health",),
        "救助日期": ("health", "civil_affairs"),
        "地点": ("civil_affairs",),
    }
    assert [(each.number, each.scenario) for each in first.needs] == [
        (1, "用途1"),
        (3, "用途3"),
        (4, "用途4"),
    ]
    assert (second.subject, second.departments) == ("婚姻登记信息", ("tax",))


def test_needs_that_lead_to_one_entry_are_merged_whatever_they_are_called() -> None:
    needs = [
        line(1, "health", "甲", code="3013205/000007", state=State.KNOWN, published=True),
        line(2, "tax", "乙", code="3013205/000007", state=State.KNOWN, published=True),
        line(3, "education", "乙"),
    ]
    (merged,) = demand_list(needs)
    assert (merged.code, merged.published) == ("3013205/000007", True)
    assert [each.number for each in merged.needs] == [1, 2, 3]
    begun = [line(1, "health", entry="e", state=State.DRAFTED, assigned_to="police"), line(2, "tax")]
    (waiting,) = demand_list(begun)
    assert (waiting.assigned_to, waiting.published, len(waiting.needs)) == (("police",), False, 2)


@pytest.mark.parametrize("state", sorted(OVER))
def test_what_was_declined_or_withdrawn_drives_the_catalogue_no_longer(state: State) -> None:
    assert demand_list([line(1, "health", state=state)]) == ()


_NEEDS = st.lists(
    st.tuples(
        st.sampled_from(["health", "tax", "police"]),
        st.sampled_from(["甲", "甲 ", "乙", "丙"]),
        st.sampled_from([None, "3013205/000001", "3013205/000002"]),
        st.sampled_from(State),
    ),
    max_size=12,
)


@given(_NEEDS)
def test_every_need_that_counts_stands_in_exactly_one_line(
    drawn: list[tuple[str, str, str | None, State]],
) -> None:
    needs = [
        line(number, department, subject, code=code, state=state)
        for number, (department, subject, code, state) in enumerate(drawn, 1)
    ]
    found = [each.number for merged in demand_list(needs) for each in merged.needs]
    assert sorted(found) == [each.number for each in needs if each.state not in OVER]


@pytest.mark.requirement("A6-07")
def test_a_draft_has_the_name_and_every_item_of_the_needs_that_it_is_for() -> None:
    first = after()
    second = after(id=UUID(int=2), items=("救助 日期", "地点"))
    entry = draft_of([first, second], Department("公安局", "113205000140832149"))
    assert (entry.name, entry.provider.name) == (opening().subject, "公安局")
    assert [each.name for each in entry.items] == ["姓名", "救助日期", "地点"]
    assert entry.code is None


@pytest.mark.parametrize("language", Language)
def test_every_word_of_needs_is_said(language: Language) -> None:
    assert (State, DeclineReason, Action) == LISTS
    for kind in LISTS:
        words = [said(each, language) for each in kind]
        assert all(words)
        assert len(set(words)) == len(words)
