"""When an open transaction is one that nobody ends."""

import pytest

from services.doctor.finding import Level
from services.doctor.transactions import OpenTransaction, judge_transactions


@pytest.mark.parametrize(("overdue", "level"), [(False, Level.OK), (True, Level.FAILURE)])
def test_one_that_is_older_than_any_that_is_worked_on_is_a_failure(overdue: bool, level: Level) -> None:
    found = judge_transactions(
        [OpenTransaction("raw.a", 0, 5, False), OpenTransaction("_connect-offsets", 3, 12, overdue)]
    )
    assert found.level is level
    assert "raw.a" not in found.seen
    assert ("_connect-offsets:3:12" in found.seen) is (level is Level.FAILURE)


def test_without_an_open_transaction_all_is_well() -> None:
    assert judge_transactions([]).level is Level.OK
