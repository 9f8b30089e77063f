"""The state of a list stands in its address, and each link changes one thing of it."""

from services.portal.lists import Address, page_number

HERE = Address("/catalogue", (("q", "居住证"), ("share_type", "conditional"), ("after", "abc")))


def test_another_filter_begins_at_the_first_page() -> None:
    assert HERE.to(q="人口") == "/catalogue?share_type=conditional&q=%E4%BA%BA%E5%8F%A3"
    assert HERE.to(after="def").endswith("share_type=conditional&after=def")


def test_a_value_is_added_and_taken_back_by_the_same_link() -> None:
    more = HERE.toggled("share_type", "unconditional")
    assert more.endswith("share_type=conditional&share_type=unconditional")
    assert HERE.toggled("share_type", "conditional") == "/catalogue?q=%E5%B1%85%E4%BD%8F%E8%AF%81"


def test_a_column_sorts_one_way_and_then_the_other() -> None:
    plain = Address("/tasks")
    assert plain.direction("due") == "none"
    up = Address("/tasks", (("sort", "due"),))
    assert (plain.sorted_by("due"), up.direction("due")) == ("/tasks?sort=due", "ascending")
    assert up.sorted_by("due") == "/tasks?sort=-due"


def test_what_is_no_number_is_no_page() -> None:
    assert page_number("17") == 17
    assert [page_number(each) for each in ("", "-1", "１７", "9" * 16, "x")] == [None] * 5
