"""Who is awaited before a grant's topic is touched, and who is fenced."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from services.control import acknowledgements
from services.control.access import Access
from services.control.acknowledgements import Acknowledgement, Acknowledgements
from topics.names import fanout_group

GROUP = fanout_group("default")
FIRST, SECOND = f"{GROUP}.0", f"{GROUP}.1"


class SilentConsumer:
    """No acknowledgement ever arrives."""

    def __init__(self, _config: object) -> None:
        pass

    def assign(self, _places: object) -> None:
        pass

    def consume(self, _count: int, _seconds: float) -> list[object]:
        return []


class NoAccess:
    def kafka_config(self, _user: str) -> dict[str, str]:
        return {}


def waiting(
    monkeypatch: pytest.MonkeyPatch, looks: list[set[str]], answered: dict[str, int]
) -> acknowledgements.Answers:
    """Waits while the group looks like that, look by look, and at last as it looked last."""
    remaining: Iterator[set[str]] = iter(looks)
    last = looks[-1]
    monkeypatch.setattr(acknowledgements, "Consumer", SilentConsumer)
    monkeypatch.setattr(acknowledgements, "live_instances", lambda *_: set(next(remaining, last)))
    reader = Acknowledgements(cast(Access, NoAccess()))
    for instance, version in answered.items():
        reader._newest[instance] = Acknowledgement(GROUP, instance, version, 0, ())
    return reader.wait(cast(Any, None), [GROUP], 7, lease_s=0.02)


def test_an_instance_that_leaves_the_group_without_an_answer_is_still_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = waiting(monkeypatch, [{FIRST, SECOND}, {FIRST}], {FIRST: 7})
    assert found.silent == (SECOND,)
    assert set(found.acknowledged) == {FIRST}


@pytest.mark.parametrize(
    ("version", "silent"), [(6, (FIRST,)), (7, ()), (8, ())], ids=["older", "the version", "later"]
)
def test_an_answer_counts_for_its_version_and_all_before(
    monkeypatch: pytest.MonkeyPatch, version: int, silent: tuple[str, ...]
) -> None:
    assert waiting(monkeypatch, [{FIRST}], {FIRST: version}).silent == silent
