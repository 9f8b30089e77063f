"""The catalogue says who must collect what, and what two departments collect."""

import pytest

from services.control.catalogue.duties import double_collections, responsibility_list
from services.control.catalogue.entry import Department, EntryItem, ResourceCode
from services.control.catalogue.vocabulary import Cycle
from tests.support.catalogue import CODES, COMPLETE, entry, item

CIVIL = entry(
    code=ResourceCode("3", "02", "000", "", "1"),
    name="婚姻登记信息",
    provider=Department("民政局", CODES[1]),
    items=(item(name="登记日期"), item(name="户籍地址", owner="公安局")),
)


@pytest.mark.requirement("A2-08")
def test_each_department_has_the_items_that_it_must_collect_in_whosever_entry_they_stand() -> None:
    found = responsibility_list([COMPLETE, CIVIL])
    assert {name: [(duty.entry, duty.item) for duty in duties] for name, duties in found.items()} == {
        "公安局": [
            ("居住证办理信息", "证件号码"),
            ("居住证办理信息", "签注日期"),
            ("婚姻登记信息", "户籍地址"),
        ],
        "民政局": [("婚姻登记信息", "登记日期")],
    }
    assert found["公安局"][0].key
    assert found["公安局"][0].update_cycle is Cycle.DAILY


def twice(first: EntryItem, second: EntryItem) -> list[str]:
    found = double_collections(
        [
            entry(items=(first,)),
            entry(
                code=CIVIL.code, name="婚姻登记信息", provider=Department("民政局", CODES[1]), items=(second,)
            ),
        ]
    )
    return [f"{each.item}: {'、'.join(place.department for place in each.places)}" for each in found]


@pytest.mark.requirement("A5-04")
@pytest.mark.parametrize("name", ["现住址", "现住址 ", "（现）住址", "现-住址"])
def test_an_item_that_two_departments_collect_is_found(name: str) -> None:
    assert twice(item(name="现住址"), item(name=name)) == ["现住址: 公安局、民政局"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (item(name="现住址"), item(name="户籍地址")),
        (item(name="现住址"), item(name="现住址", owner="公安局")),
        (item(name="证件号码", key=True), item(name="证件号码", key=True)),
        (item(name="更新时间"), item(name="更新时间")),
        (item(name="备注"), item(name="备 注")),
    ],
    ids=["other names", "one owner", "keys", "technical", "technical, written otherwise"],
)
def test_what_is_no_second_collection_is_not_found(first: EntryItem, second: EntryItem) -> None:
    assert twice(first, second) == []


def test_one_department_may_have_an_item_in_two_entries() -> None:
    assert double_collections([COMPLETE, entry(code=CIVIL.code, name="另一信息")]) == ()
