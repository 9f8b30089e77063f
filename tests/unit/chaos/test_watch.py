"""When a run counts as recovered: every chain moved past its mark, and a newcomer has its part."""

from collections.abc import Mapping
from typing import Any

from services.chaos.faults import Fault, FaultKind
from services.chaos.inject import Injector
from services.chaos.watch import Marks, Recovery, Stalled, Watch
from services.ledger.blocks import Chain
from topics.event import TopicName

FAST, SLOW = (Chain("gate", TopicName("raw"), number) for number in (0, 1))


class Told(Watch):
    """A watch that is told, look by look, what is committed and who owns how much."""

    def __init__(self, *looks: Mapping[Chain, int], members: list[dict[str, int]] | None = None) -> None:
        super().__init__({}, (FAST, SLOW))
        self.looks, self.members = list(looks), members or []

    def committed(self) -> dict[Chain, int]:
        return dict(self.looks.pop(0) if len(self.looks) > 1 else self.looks[0])

    def _members(self, _group: str) -> dict[str, int]:
        return self.members.pop(0)

    def marks(self, _seconds: float = 60.0) -> Marks:
        return {FAST: len(self.members), SLOW: len(self.members)}


def test_recovered_is_when_the_last_chain_passed_its_mark_and_that_one_is_named() -> None:
    watch = Told({FAST: 11, SLOW: 9}, {}, {FAST: 11, SLOW: 10}, {FAST: 11, SLOW: 11})
    between: list[None] = []
    found = watch.recovered({FAST: 10, SLOW: 10}, 5.0, lambda: between.append(None))
    assert isinstance(found, Recovery)
    assert found.last == SLOW
    assert len(between) == 3


def test_a_commit_up_to_the_mark_is_no_recovery_and_who_waits_is_told() -> None:
    found = Told({FAST: 10, SLOW: 10}).recovered({FAST: 10, SLOW: 9}, 0.1)
    assert isinstance(found, Stalled)
    assert str(found) == "raw:0 at 10, not past 10"


class Started:
    """Instances that start at once."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def names(self) -> list[str]:
        return self.started

    def add(self, name: str) -> str:
        self.started.append(name)
        return name


def test_a_newcomer_is_measured_from_its_joining_and_only_by_what_comes_after_its_first_partition() -> None:
    """Before that nothing happened yet: its process takes seconds to start."""
    before, joined, owning = {"gate.0": 2}, {"gate.0": 2, "gate.2": 0}, {"gate.0": 1, "gate.2": 1}
    watch = Told({}, members=[before, before, joined, joined, owning, owning])
    parts: dict[str, Any] = {"stack": _Stack, "instances": Started(), "proxy": None, "watch": watch}
    make: Any = lambda _port, group, number: f"{group}.{number}"  # noqa: E731
    injector = Injector(**parts, make=make, session_s=6.0)
    done = injector.inject(Fault(0, FaultKind.REBALANCE, "gate", 0, 1.0, 1.0))
    assert done.target == "gate.2 comes"
    assert done.marks == {FAST: 1, SLOW: 1}


class _Stack:
    """Where ports come from."""

    class settings:  # noqa: N801 - an attribute of the stack
        processes_port = 1
