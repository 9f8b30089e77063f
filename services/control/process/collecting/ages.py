"""How old the oldest unread record of a partition is, by the broker's index of times: no record is read.

The index says which is the first record that is not older than a time. The age is bracketed by asking again
and again, about all partitions at once, each time halving the bracket on a scale of proportions. The topics
are written in transactions: after the records of each stands its mark, as old as they are.
"""

import math
from collections.abc import Mapping
from typing import Final

from services.control.process.collecting.view import BusView
from services.ledger.counts import Place

_SHORTEST_S: Final = 1.0
_LONGEST_S: Final = 400 * 86_400.0
_QUESTIONS: Final = 11
"""After so many the bracket is within one per cent."""


def ages(view: BusView, next_unread: Mapping[Place, int], now_ms: int) -> dict[Place, float]:
    """Seconds since the record was written that each partition's reader reads next.

    Args:
        view: Kafka.
        next_unread: the offset from which each partition is unread; something stands at or after it.
        now_ms: the time.
    """
    brackets = dict.fromkeys(next_unread, (_SHORTEST_S, _LONGEST_S))
    for _ in range(_QUESTIONS):
        middles = {at: math.sqrt(low * high) for at, (low, high) in brackets.items()}
        times = {at: now_ms - int(age * 1000) for at, age in middles.items()}
        firsts = view.first_at(times) if times else {}
        for at, age in middles.items():
            low, high = brackets[at]
            # Then the unread record is as young; the one offset more may be the mark of a transaction.
            younger = 0 <= firsts[at] <= next_unread[at] + 1
            brackets[at] = (low, age) if younger else (age, high)
    return {at: high for at, (_, high) in brackets.items()}
