"""Whether a duty to collect is fulfilled, by what was seen of the mounted catalogue."""

from dataclasses import replace
from typing import Any

import pytest

from services.control.catalogue.duties import responsibility_list
from services.control.catalogue.fulfilment import Fulfilment, fulfilled, judged
from services.control.catalogue.mounting import Mount, compare
from services.control.process.collecting.mounting import mounting_documents
from tests.support.catalogue import COMPLETE

(DUTIES,) = responsibility_list([COMPLETE]).values()
CODE = str(COMPLETE.code)


def seen(state: str, *lacking: str) -> dict[str, dict[str, Any]]:
    differences = [{"what": "item_without_topic", "entry": each, "definition": None} for each in lacking]
    return {CODE: {"state": state, "resource": "x", "differences": differences}}


@pytest.mark.requirement("A2-08")
@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (Mount.FRESH, Fulfilment.FULFILLED),
        (Mount.STALE, Fulfilment.STALE),
        (Mount.EMPTY, Fulfilment.NO_DATA),
        (Mount.NO_TOPIC, Fulfilment.NOT_MOUNTED),
        (Mount.NO_ENTRY, Fulfilment.UNSEEN),
    ],
)
def test_a_duty_stands_as_its_entry_is_mounted(state: Mount, wanted: Fulfilment) -> None:
    assert {each.fulfilment for each in judged(DUTIES, seen(state.value))} == {wanted}


@pytest.mark.requirement("A2-08")
@pytest.mark.parametrize("state", [Mount.FRESH, Mount.STALE])
def test_an_item_that_the_data_lacks_is_not_collected_though_its_entry_is_mounted(state: Mount) -> None:
    first, second = judged(DUTIES, seen(state.value, "签注 日期"))
    assert second.duty.item == "签注日期"
    assert second.fulfilment is Fulfilment.ITEM_MISSING
    assert first.fulfilment is not Fulfilment.ITEM_MISSING


def test_where_nobody_has_looked_nothing_is_claimed() -> None:
    without = [replace(each, code=None) for each in DUTIES]
    for duties, looked in ((DUTIES, {}), (without, seen("fresh")), (DUTIES, {CODE: {"state": "odd"}})):
        found = judged(duties, looked)
        assert {each.fulfilment for each in found} == {Fulfilment.UNSEEN}
        assert fulfilled(found) == 0


def test_what_the_collector_writes_is_what_is_judged() -> None:
    """An entry that no resource has the code of, by the collector's own function."""
    documents = mounting_documents(compare([COMPLETE], [], {}), {CODE: COMPLETE}, {})
    assert {each.fulfilment for each in judged(DUTIES, documents)} == {Fulfilment.NOT_MOUNTED}
    assert fulfilled(judged(DUTIES, seen("fresh"))) == len(DUTIES)
