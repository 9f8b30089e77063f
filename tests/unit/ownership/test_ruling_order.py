"""A ruling goes into the policy and the ledger once, and is carried out, wherever it was interrupted."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from services.control.cases.words import Actor, Role
from services.control.ownership.ruling import Ruling
from services.control.ruled_definitions import with_rulings
from services.control.ruling_order import Decided, RulingOrder
from services.control.suspension.acts import Act
from tests.support.policy import policy_of, sample_definitions
from topics.event import ResourceId
from topics.ownership import Decision
from topics.policy import Policy

PERSON, ENROLMENT = ResourceId("population.person.v1"), ResourceId("social.enrolment.v1")
CITY = sample_definitions()
RULING = Ruling(
    claimant=ENROLMENT,
    column="address",
    decision=Decision.TRANSFER,
    who=Actor("Li", Role.AUTHORITY, "data_bureau"),
    basis="《政务数据共享条例》第二十条",
    text="参保登记时核验住址，由人社部门采集",
)
NOW = 1_790_000_000_000


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Bus:
    """Policy and ledger; the process may end after any call."""

    now: Policy = field(default_factory=lambda: policy_of(CITY, 3))
    acts: dict[str, Act] = field(default_factory=dict)
    kill_at: int | None = None
    applied: list[int] = field(default_factory=list)
    calls: int = 0

    def policy(self) -> Policy:
        return self.now

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        self.now = change(self.now)
        self._called()
        return self.now

    def record(self, act: Act) -> None:
        self.acts.setdefault(act.id, act)
        self._called()

    def apply(self) -> int:
        """What apply makes of rulings and definitions."""
        ruled = with_rulings(CITY, self.now.rulings.values())
        assert ruled.refusals == ()
        made = policy_of(ruled.definitions, self.now.version + 1)
        self.now = made.model_copy(update={"rulings": self.now.rulings})
        self.applied.append(self.now.version)
        self._called()
        return self.now.version

    def _called(self) -> None:
        self.calls += 1
        if self.calls == self.kill_at:
            raise Killed


def order(bus: Bus) -> RulingOrder:
    return RulingOrder(bus, CITY, bus.apply, lambda: NOW, "console:li")


def decided(bus: Bus, id_: str = "o-1", **changes: Any) -> Decided:
    found = order(bus).decide(replace(RULING, **changes), id_)
    assert isinstance(found, Decided), found
    return found


def owner(bus: Bus) -> str | None:
    return bus.now.resources[PERSON].resource.item("address").owner


@pytest.mark.requirement("A5-01")
def test_a_transfer_stands_in_policy_and_ledger_and_is_carried_out() -> None:
    bus = Bus()
    found = decided(bus)
    assert (found.policy_version, found.again, found.ruling.since_version) == (5, False, 4)
    assert owner(bus) == "social_security"
    [act] = bus.acts.values()
    assert (act.who, act.what, act.kind, act.object) == (
        "console:li", "ownership.rule", "item", "population.person.v1.address",
    )  # fmt: skip
    assert act.reason == RULING.text
    assert act.document["ruling"]["basis"] == RULING.basis
    answer = found.as_json()
    assert answer["resources"] == [PERSON, ENROLMENT]
    assert answer["providers"] == ["police", "social_security"]
    assert answer["losing"] == ["health-persons-gusu"]


def test_the_next_apply_of_the_same_definitions_undoes_nothing() -> None:
    bus = Bus()
    decided(bus)
    before = bus.now
    bus.apply()
    assert bus.now.resources == before.resources
    assert owner(bus) == "social_security"


@pytest.mark.parametrize("kill_at", [1, 2, 3])
def test_killed_after_any_step_and_ordered_again_nothing_is_done_twice_or_left_out(kill_at: int) -> None:
    bus = Bus(kill_at=kill_at)
    with pytest.raises(Killed):
        decided(bus)
    found = decided(bus, "o-2")
    assert (found.again, found.ruling.id) == (True, "o-1")
    assert list(bus.acts) == list(bus.now.rulings) == ["o-1"]
    assert owner(bus) == "social_security"


def test_confirming_the_declared_owner_takes_back_what_was_given_away() -> None:
    bus = Bus()
    decided(bus)
    found = decided(bus, "o-2", decision=Decision.CONFIRM)
    assert owner(bus) is None
    assert found.as_json()["resources"] == [PERSON, ENROLMENT]
    assert list(bus.acts) == ["o-1", "o-2"]
    assert found.again is False
    third = decided(bus, "o-3")
    assert (third.again, owner(bus)) == (False, "social_security")


def test_what_is_against_a_ruling_is_told_and_changes_nothing() -> None:
    bus = Bus()
    before = bus.now
    for changes, code in (
        ({"column": "status"}, "NOT_CLAIMED"),
        ({"who": Actor("Li", Role.AUTHORITY, "police")}, "OWN_CONFLICT"),
        ({"basis": "x" * 501}, "BASIS_TOO_LONG"),
        ({"column": "name"}, "ITEM_NEVER_EMPTY"),
    ):
        found = order(bus).decide(replace(RULING, **changes), "o-1")
        assert isinstance(found, tuple)
        assert [problem.code for problem in found] == [code]
    assert (bus.now, bus.acts, bus.applied) == (before, {}, [])
