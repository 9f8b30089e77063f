"""The ledger of acts in memory, which tests of the sender use, keeps to what Kafka's keeps to."""

from collections.abc import Callable

import pytest

from tests.contract.act_ledger import CONTRACT, Books, MemoryBooks


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda each: each.__name__)
def test_the_ledger_in_memory_keeps_to_the_contract(promise: Callable[[Books, str], None]) -> None:
    promise(MemoryBooks(), "outbox")
