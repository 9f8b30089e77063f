"""A ruling goes into the policy and the ledger once, with what it changes, wherever it was interrupted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.control.comparison import compare_offline
from services.control.definitions import Definitions
from services.control.ownership.decided import Given
from services.control.policy_document import with_grant_state
from services.control.ruled_definitions import with_rulings
from services.control.ruling_order import (
    Affected,
    DefinitionsDiffer,
    PolicyMoved,
    RulingOvertaken,
    Written,
    affected_by,
)
from tests.support.policy import policy_of
from tests.support.ruling import AT, CITY, ENROLMENT, PERSON, RulingMemory, given
from tests.support.suspending import Killed
from topics.event import GrantId
from topics.grants.declaration import GrantState
from topics.ownership import Decision
from topics.policy import Policy

HEALTH = GrantId("health-persons-gusu")
LATER = AT + timedelta(hours=1)


def written(bus: RulingMemory, id_: str = "o-1", **changes: Any) -> Written:
    found = bus.order().write(given(id_, **changes))
    assert isinstance(found, Written), found
    return found


def affected(ruling: Given, policy: Policy | None, definitions: Definitions = CITY) -> Affected:
    found = affected_by(ruling, definitions, policy)
    assert isinstance(found, Affected), found
    return found


@pytest.mark.requirement("A5-01")
def test_one_version_says_the_ruling_and_what_the_resources_say_since() -> None:
    bus = RulingMemory()
    found = written(bus)
    assert (bus.now.version, found.ruling.since_version) == (4, 4)
    assert bus.now.rulings == {"o-1": found.ruling}
    assert bus.owner == "social_security"
    assert "address" in {item.name for item in bus.now.resources[ENROLMENT].resource.items}
    assert sorted(found.affected.resources) == [PERSON, ENROLMENT]
    assert found.affected.losing == (HEALTH,)


def test_the_ledger_has_the_ruling_with_its_reasons_and_what_it_changes() -> None:
    bus = RulingMemory()
    found = written(bus)
    [act] = bus.acts.values()
    assert (act.who, act.what, act.kind, act.object) == (
        "account-7", "ownership.rule", "item", "population.person.v1.address",
    )  # fmt: skip
    assert act.reason == given().text
    assert act.document["ruling"] == found.ruling.model_dump(mode="json")
    assert act.document["losing"] == [HEALTH]


def test_what_is_written_is_what_an_apply_of_the_same_definitions_would_make_of_it() -> None:
    bus = RulingMemory()
    written(bus)
    ruled = with_rulings(CITY, bus.now.rulings.values())
    assert ruled.refusals == ()
    applied = policy_of(ruled.definitions, 4)
    assert {
        key: (entry.resource, entry.item_schema, entry.envelope_schema)
        for key, entry in bus.now.resources.items()
    } == {
        key: (entry.resource, entry.item_schema, entry.envelope_schema)
        for key, entry in applied.resources.items()
    }
    assert compare_offline(ruled.definitions).plan.refusals == ()


@pytest.mark.parametrize("kill_at", range(1, 6))
def test_killed_after_any_step_and_ordered_again_nothing_is_done_twice_or_left_out(kill_at: int) -> None:
    bus = RulingMemory(kill_at=kill_at)
    with pytest.raises(Killed):
        written(bus)
    assert (bus.owner == "social_security") == ("o-1" in bus.now.rulings), "never one without the other"
    found = written(bus)
    assert (bus.now.version, found.ruling.since_version, bus.owner) == (4, 4, "social_security")
    assert list(bus.acts) == list(bus.now.rulings) == ["o-1"]
    assert sorted(bus.acts["o-1"].document["resources"]) == [PERSON, ENROLMENT]


def test_confirming_the_declared_owner_takes_back_what_was_given_away() -> None:
    bus = RulingMemory()
    before = bus.now.resources
    written(bus)
    found = written(bus, "o-2", decision=Decision.CONFIRM, at=LATER)
    assert sorted(found.affected.resources) == [PERSON, ENROLMENT]
    assert (bus.owner, bus.now.resources) == (None, before)
    written(bus, "o-3", at=LATER + timedelta(hours=1))
    assert (bus.owner, list(bus.acts)) == ("social_security", ["o-1", "o-2", "o-3"])


def test_confirming_who_owns_it_stands_in_the_policy_and_changes_no_resource() -> None:
    bus = RulingMemory()
    before = bus.now.resources
    found = written(bus, decision=Decision.CONFIRM)
    assert (found.affected.resources, bus.now.resources) == ({}, before)
    assert (bus.now.version, list(bus.now.rulings)) == (4, ["o-1"])
    assert "schema_ids" not in bus.calls


def test_an_older_ruling_never_takes_back_a_later_one() -> None:
    bus = RulingMemory()
    written(bus, "o-2", at=LATER)
    before = bus.now
    with pytest.raises(RulingOvertaken, match="o-2"):
        bus.order().write(given("o-1", decision=Decision.CONFIRM))
    assert bus.now == before


def test_where_the_definitions_are_not_those_in_force_nothing_is_written() -> None:
    bus = RulingMemory()
    titles = CITY.resources[PERSON].titles.model_copy(update={"zh": "另一个名称"})
    other = CITY.resources[PERSON].model_copy(update={"titles": titles})
    declared = replace(CITY, resources={**CITY.resources, PERSON: other})
    before = bus.now
    with pytest.raises(DefinitionsDiffer, match="is declared otherwise"):
        bus.order(declared).write(given())
    assert (bus.now, bus.acts) == (before, {})


def test_what_somebody_changes_at_the_same_moment_is_looked_at_anew() -> None:
    bus = RulingMemory()

    def interrupted() -> None:
        bus.before_write = lambda: None
        entry = bus.now.resources[PERSON]
        moved = entry.model_copy(update={"generation": entry.generation + 1})
        bus.now = bus.now.model_copy(update={"version": 4, "resources": {**bus.now.resources, PERSON: moved}})

    bus.before_write = interrupted
    with pytest.raises(PolicyMoved):
        bus.order().write(given())
    assert (bus.now.version, bus.now.rulings) == (4, {})
    assert written(bus).ruling.since_version == 5
    assert bus.now.resources[PERSON].generation == 1


def test_what_changes_beside_it_at_the_same_moment_stays() -> None:
    bus = RulingMemory()

    def interrupted() -> None:
        bus.before_write = lambda: None
        bus.now = with_grant_state(bus.now, {HEALTH: GrantState.SUSPENDED}, 1)

    bus.before_write = interrupted
    assert written(bus).ruling.since_version == 5
    assert bus.now.grants[HEALTH].grant.state is GrantState.SUSPENDED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"column": "status"}, "NOT_CLAIMED"),
        ({"department": "police"}, "OWN_CONFLICT"),
        ({"basis": "x" * 501}, "BASIS_TOO_LONG"),
        ({"basis": " "}, "BASIS_MISSING"),
        ({"column": "name"}, "ITEM_NEVER_EMPTY"),
    ],
)
def test_what_is_against_a_ruling_is_told_and_changes_nothing(changes: dict[str, Any], code: str) -> None:
    bus = RulingMemory()
    before = bus.now
    found = bus.order().write(given(**changes))
    assert isinstance(found, tuple)
    assert [problem.code for problem in found] == [code]
    assert (bus.now, bus.acts) == (before, {})


def test_a_trial_looks_at_the_rulings_that_are_in_force() -> None:
    bus = RulingMemory()
    assert sorted(affected(given(), bus.now).resources) == [PERSON, ENROLMENT]
    assert affected(given(decision=Decision.CONFIRM), bus.now).resources == {}
    written(bus)
    again = given("o-2", at=LATER)
    assert affected(again, bus.now).resources == {}
    assert sorted(affected(replace(again, decision=Decision.CONFIRM), bus.now).resources) == [
        PERSON,
        ENROLMENT,
    ]


def test_a_revoked_grant_loses_nothing() -> None:
    by_cases = policy_of(CITY, 3).model_copy(update={"by_cases": True})
    assert affected(given(), by_cases).losing == (HEALTH,)
    policy = with_grant_state(by_cases, {HEALTH: GrantState.REVOKED}, 1)
    assert affected(given(), policy).losing == ()
    assert affected(given(), None).losing == (HEALTH,)
