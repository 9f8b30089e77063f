"""The sample city's grants stand in nobody's way once cases decide about grants."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.cli import policy
from tests.support.policy import sample_definitions, sample_policy

STACK: Any = None


@pytest.mark.parametrize(("by_cases", "kept"), [(False, True), (True, False)])
def test_they_count_until_cases_decide(
    monkeypatch: pytest.MonkeyPatch, *, by_cases: bool, kept: bool
) -> None:
    newest = sample_policy().model_copy(update={"by_cases": by_cases})
    monkeypatch.setattr(policy, "current_policy", lambda _stack: newest)
    found = policy.without_sample_grants(sample_definitions(), STACK)
    assert bool(found.grants) is kept
    assert found.resources == sample_definitions().resources


@pytest.mark.parametrize("problem", [None, KafkaException(KafkaError(KafkaError._TRANSPORT))])
def test_they_count_where_there_is_no_policy_or_none_that_can_be_read(
    monkeypatch: pytest.MonkeyPatch, problem: Exception | None
) -> None:
    def newest(_stack: object) -> None:
        if problem is not None:
            raise problem

    monkeypatch.setattr(policy, "current_policy", newest)
    assert policy.without_sample_grants(sample_definitions(), STACK) == sample_definitions()
