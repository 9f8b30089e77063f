"""Nothing is read of a topic as whole while a transaction on it is open."""

from typing import Any, cast

import pytest

from services.control import fill, kafka_topics
from services.control.copier import CopyLine
from services.control.copy_transactions import EpochInterrupted
from services.control.fill import Epoch
from services.control.kafka_topics import TransactionStaysOpen, settled_ends
from services.control.settings import ApplySettings
from services.control.transitions import Move, Transition
from tests.support.policy import sample_policy
from topics.event import GrantId

HEALTH = GrantId("health-persons-gusu")


def offsets(monkeypatch: pytest.MonkeyPatch, stable: list[dict[int, int]], end: dict[int, int]) -> None:
    """The stable end advances look by look and then stays; the high watermark stays where it is."""
    remaining = list(stable)

    def ends(*_: object, stable: bool) -> dict[int, int]:
        if not stable:
            return dict(end)
        return dict(remaining.pop(0) if len(remaining) > 1 else remaining[0])

    monkeypatch.setattr(kafka_topics, "end_offsets", ends)


def test_the_end_is_asked_for_until_no_partition_has_an_open_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offsets(monkeypatch, [{0: 3, 1: 1}, {0: 5, 1: 1}, {0: 5, 1: 4}], {0: 5, 1: 4})
    assert settled_ends(cast(Any, None), "sub.x", 2, timeout_s=5) == {0: 5, 1: 4}


def test_a_transaction_that_stays_open_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    offsets(monkeypatch, [{0: 3}], {0: 5})
    with pytest.raises(TransactionStaysOpen, match=r"sub\.x"):
        settled_ends(cast(Any, None), "sub.x", 1, timeout_s=0.05)


class NoAccess:
    def kafka_config(self, _user: str) -> dict[str, str]:
        return {}


def test_a_sweep_fences_the_copier_and_reads_nothing_while_a_transaction_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    offsets(monkeypatch, [{0: 3}], {0: 5})
    monkeypatch.setattr(fill, "CopyTransactions", lambda *_: done.append("fence"))
    monkeypatch.setattr(fill, "whole_reader", lambda *_: done.append("read"))
    move = Transition(HEALTH, Move.FILL, "new grant")
    settings = ApplySettings(cut_timeout_s=0.05)
    epoch = Epoch(cast(Any, NoAccess()), cast(Any, None), settings, move, False, 0)
    policy = sample_policy()
    with pytest.raises(EpochInterrupted, match="still open"):
        epoch._sweep(CopyLine(policy, policy.grants[HEALTH], {}, 0), {0: 5})
    assert done == ["fence"]
