"""Items that two departments publish: who claims what since when, and which values differ."""

from dataclasses import replace

import pytest

from services.ledger.claims import ClaimView, Then
from services.ledger.item_conflicts import item_conflicts
from tests.support.policy import sample_policy
from topics.event import ResourceId
from topics.ownership import Decision, ItemRuling

PERSON, ENROLMENT = ResourceId("population.person.v1"), ResourceId("social.enrolment.v1")
POLICY = sample_policy()
CLAIM = ClaimView(
    at="claims.social_security:0:1",
    raw="raw.social_security.public.enrolment:0:7",
    claimant="social_security",
    owner="police",
    resource=PERSON,
    item="address",
    subject="resident_id:11010519491231002X",
    claimed="别处",
    then="平江路1号",
    then_state=Then.KNOWN,
    agrees=False,
    current="平江路1号",
    owner_has_record=True,
    timestamp_ms=2_000,
    policy_version=1,
)
RULING = ItemRuling(
    id="o-1",
    claimant=ENROLMENT,
    column="address",
    owner=PERSON,
    item="address",
    decision=Decision.CONFIRM,
    basis="第二十条",
    decided_ms=5,
    since_version=2,
)


def at(offset: int, agrees: bool | None, **more: object) -> ClaimView:
    moved = replace(CLAIM, at=f"claims.social_security:0:{offset}", timestamp_ms=offset * 1_000)
    return replace(moved, agrees=agrees, **more)  # type: ignore[arg-type]


@pytest.mark.requirement("A5-04")
def test_claims_to_one_item_are_one_conflict_with_what_decide_is_to_be_given() -> None:
    views = [at(3, True), at(1, False), at(2, False, subject="resident_id:2"), at(4, None)]
    [found] = item_conflicts(views, POLICY, 5)
    assert (found.claimant_resource, found.column, found.owner) == (ENROLMENT, "address", "police")
    assert (found.claims, found.subjects) == (4, 2)
    assert (found.agreeing, found.differing, found.untold) == (1, 2, 1)
    assert (found.since_ms, found.last_ms) == (1_000, 4_000)
    assert [pair.at.rpartition(":")[2] for pair in found.pairs] == ["1", "2"]
    assert found.ruling is None


def test_of_differing_values_the_newest_are_shown() -> None:
    views = [at(number, False) for number in range(1, 8)]
    [two] = item_conflicts(views, POLICY, 2)
    assert [pair.timestamp_ms for pair in two.pairs] == [6_000, 7_000]
    assert two.differing == 7
    [none] = item_conflicts(views, POLICY, 0)
    assert none.pairs == ()


def test_each_item_is_a_conflict_of_its_own() -> None:
    found = item_conflicts([at(1, True), at(2, True, item="name")], POLICY, 5)
    assert [(each.item, each.column) for each in found] == [("address", "address"), ("name", "name")]


def test_what_was_decided_stands_beside_the_conflict_and_what_is_claimed_no_more_names_no_column() -> None:
    ruled = POLICY.model_copy(update={"rulings": {"o-1": RULING}})
    assert item_conflicts([CLAIM], ruled, 5)[0].ruling == RULING
    gone = replace(CLAIM, raw="raw.social_security.public.gone:0:7")
    [found] = item_conflicts([gone], POLICY, 5)
    assert (found.claimant_resource, found.column) == (None, None)
    assert item_conflicts([CLAIM], None, 5)[0].column is None
