"""What was decided is decided again to the byte, and whatever is not so is named at its place."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.control.replays.life import Order, Refused, Replay, State, Step, after, requested
from services.ledger.replay.audit import Audited, Judged, Repeater, audit, count
from services.ledger.replay.pace import Cancelled, Pace
from services.ledger.replay.recorded import Stretch
from services.ledger.replay.scope import Scope, WrongScope, checked
from services.ledger.replay.subject import concerning, subject_hash
from services.ledger.replay.what_if import what_if, with_grant
from services.ledger.replay.words import Fate, Purpose, Verdict
from tests.support.memory_bus import MemoryCity
from tests.support.replaying import ALL, HEALTH, NOW, PERSONS, known, next_version, receiving
from tests.unit.ledger.test_city import ID_A, person
from topics.canonical import schema_text
from topics.engine.choose import Implementation
from topics.event import (
    GrantId,
)
from topics.grants.declaration import GrantState, PartialMask
from topics.grants.projection import projected_schema
from topics.policy import Policy


@dataclass(frozen=True)
class Dealt:
    """So many who decide, with nothing in common; chains are dealt to them, the last ones first."""

    city: MemoryCity
    workers: int
    implementation: Implementation | None = None

    def judge_all(self, stretches: Sequence[Stretch], pace: Pace) -> Iterator[Judged]:
        judges = cycle([Repeater(known(self.city), self.implementation) for _ in range(self.workers)])
        for stretch, judge in zip(reversed(stretches), judges, strict=False):
            yield judge.judge(stretch, pace)


@pytest.mark.parametrize("implementation", [None, Implementation.REFERENCE, Implementation.GENERATED])
@pytest.mark.parametrize("workers", [1, 3])
def test_everything_is_identical_under_the_policy_of_each_batch(
    city: MemoryCity, implementation: Implementation | None, workers: int
) -> None:
    city.clock += 86_400_000_000
    found = audit(known(city), ALL, judges=Dealt(city, workers, implementation))
    assert found.verdict is Verdict.IDENTICAL, found.first
    assert found.counts()[Fate.IDENTICAL.value] == count(known(city), ALL).blocks > 8


def test_a_stretch_begins_where_the_entry_began_that_it_met(city: MemoryCity) -> None:
    place = Scope(topic=city.policy.resources[PERSONS].resource.raw_topic, partition=0, from_offset=2)
    [stretch] = count(known(city), place).stretches
    assert stretch.warm_records == 1
    assert audit(known(city), place).verdict is Verdict.IDENTICAL


@pytest.mark.parametrize("topic", ["ledger.intake", "ledger.delivery"])
def test_one_byte_of_a_recorded_digest_is_named_as_the_first_difference(city: MemoryCity, topic: str) -> None:
    places = [place for place in city.memory.records if place.topic == topic]
    record = city.memory.records[places[0]][0]
    said = known(city).decoder.value(record) or {}
    first = said["outputs"][0]
    old = first["digest"].encode()
    new = (b"1" if old[:1] == b"0" else b"0") + old[1:]
    city.memory.records[places[0]][0] = replace(record, value=(record.value or b"").replace(old, new))
    found = audit(known(city), ALL)
    assert found.verdict is Verdict.DIFFERENT
    assert found.counts()[Fate.DIFFERENT.value] == 1
    assert found.first is not None
    assert (found.first.block, found.first.part) == (record.coordinates, "digest")
    assert (found.first.topic, found.first.partition) == (first["topic"], first["partition"])


def test_a_changed_mask_is_named_at_the_very_record_that_it_changed(city: MemoryCity) -> None:
    entry = city.policy.grants[receiving(city)]
    assert "name" in entry.grant.items
    mask = {**entry.grant.masks, "name": PartialMask(keep_last=1)}
    asked = known(city)
    changed = entry.model_copy(update={"grant": entry.grant.model_copy(update={"masks": mask})})
    policies = {number: with_grant(policy, changed) for number, policy in asked.policies.items()}
    asked._policies = policies
    found = audit(asked, ALL)
    assert found.verdict is Verdict.DIFFERENT
    assert found.first is not None
    assert (found.first.topic, found.first.part) == (entry.grant.topic, "value")
    assert found.first.offset is not None
    assert "王" not in found.first.recorded + found.first.repeated


def test_what_is_kept_no_more_is_said_to_be_so_and_not_to_differ(city: MemoryCity) -> None:
    raw = next(place for place in city.memory.records if place.topic.startswith("raw.police"))
    del city.memory.records[raw][0]
    found = audit(known(city), ALL)
    assert found.verdict is Verdict.INCOMPLETE
    assert found.counts()[Fate.NOT_RETAINED.value] == 1
    assert any("are kept" in each.why for each in found.chains)


def test_a_narrower_grant_shows_its_differences_by_item_and_reason(city: MemoryCity) -> None:
    entry = next(
        each
        for each in city.policy.grants.values()
        if each.grant.resource == PERSONS and each.grant.id != HEALTH
    )
    mask = {**entry.grant.masks, "name": PartialMask(keep_last=1)}
    other = with_grant(
        city.policy, entry.model_copy(update={"grant": entry.grant.model_copy(update={"masks": mask})})
    )
    rows = what_if(known(city), Scope(grant=entry.grant.id), other).listed()
    assert {(row.subject, row.item) for row in rows} == {(entry.grant.id, "name")}
    rows = what_if(known(city), Scope(grant=HEALTH), city.policy).listed()
    assert {row.otherwise for row in rows} == {"withheld: SUSPENDED"}


def filled_again(city: MemoryCity, grant: GrantId, state: GrantState) -> Policy:
    """The next version: another generation of the grant, whose copy goes up to now."""
    policy = next_version(city, grant, state=state)
    entry = policy.grants[grant]
    canonical = policy.resources[PERSONS].resource.canonical_topic
    ends = {place.partition: end for place, end in city.memory.ends.items() if place.topic == canonical}
    refilled = {"generation": entry.generation + 1, "starts_at": ends, "active_since": policy.version}
    return with_grant(policy, entry.model_copy(update=refilled))


def without(policy: Policy, grant: GrantId, item: str) -> Policy:
    """The policy with a grant that does not show one item any more."""
    entry = policy.grants[grant]
    declared = entry.grant.model_copy(
        update={"items": tuple(each for each in entry.grant.items if each != item), "masks": {}}
    )
    schema = json.loads(policy.resources[PERSONS].item_schema)
    return with_grant(
        policy,
        entry.model_copy(
            update={"grant": declared, "value_schema": schema_text(projected_schema(schema, declared))}
        ),
    )


def test_a_grant_that_was_filled_again_differs_in_what_it_shows_and_not_in_who_gave_it(
    city: MemoryCity,
) -> None:
    grant = receiving(city)
    before = what_if(known(city), Scope(grant=grant), city.policy)
    assert (before.listed(), before.by_copies) == ([], 0)
    other = without(filled_again(city, grant, GrantState.ACTIVE), grant, "birth_date")
    rows = what_if(known(city), Scope(grant=grant), other).listed()
    assert {(row.item, row.recorded, row.otherwise) for row in rows} >= {("birth_date", "shown", "not shown")}
    assert not any("FILLED_BY_EPOCH" in row.recorded + row.otherwise for row in rows)


@pytest.mark.parametrize("state", [GrantState.ACTIVE, GrantState.FILLING])
def test_what_live_delivery_left_to_a_copy_then_is_compared_as_the_copy_gave_it(
    city: MemoryCity, state: GrantState
) -> None:
    grant = receiving(city)
    city.change("u", person(name="王小红"), person(name="王小明"))
    city._run(city.gate)
    city.adopt(filled_again(city, grant, state))
    city.pump()
    found = what_if(known(city), Scope(grant=grant), city.policy)
    assert (found.listed(), found.by_copies) == ([], 1)
    rows = what_if(known(city), Scope(grant=grant), without(city.policy, grant, "birth_date")).listed()
    assert {row.recorded for row in rows if row.item == "birth_date"} == {"shown"}
    assert not any("FILLED_BY_EPOCH" in row.recorded for row in rows)


def test_a_scope_without_blocks_is_empty() -> None:
    assert Audited(()).verdict is Verdict.EMPTY


def test_a_subject_is_found_by_its_keyed_hash_alone(city: MemoryCity) -> None:
    scope = Scope(subject=subject_hash(bytes(32), f"resident_id:{ID_A}"))
    other = Scope(subject=subject_hash(bytes(32), "resident_id:440524188001010014"))
    records = [
        r
        for place, found in city.memory.records.items()
        if place.topic == f"resource.{PERSONS}"
        for r in found
    ]
    assert ID_A not in str(scope.record())
    assert any(map(concerning(known(city), scope), records))
    assert not any(map(concerning(known(city), other), records))


@settings(max_examples=20, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["王一", "王二", "bad"]), st.booleans()), min_size=1, max_size=12
    ),
    workers=st.integers(1, 5),
    first=st.integers(0, 11),
)
def test_whatever_the_batches_and_workers_deciding_again_is_the_same(
    steps: Sequence[tuple[str, bool]], workers: int, first: int
) -> None:
    city = MemoryCity()
    before = None
    for name, ends_batch in steps:
        row = person(id_number="bad") if name == "bad" else person(name=name)
        city.change("u" if before else "c", before, row)
        before = row
        if ends_batch:
            city.pump()
    city.pump()
    assert audit(known(city), ALL, judges=Dealt(city, workers)).verdict is Verdict.IDENTICAL
    raw = city.policy.resources[PERSONS].resource.raw_topic
    part = Scope(topic=raw, partition=0, from_offset=min(first, len(steps) - 1))
    assert audit(known(city), part).verdict is Verdict.IDENTICAL


def test_a_run_that_was_interrupted_keeps_what_it_judged_and_may_be_cancelled(city: MemoryCity) -> None:
    whole = audit(known(city), ALL)
    kept = {each.chain: each for each in whole.chains}
    worked: list[str] = []
    again = audit(known(city), ALL, Pace(keep=lambda judged: worked.append(judged.chain)), done=kept)
    assert (again, worked) == (whole, [])
    with pytest.raises(Cancelled):
        audit(known(city), ALL, Pace(cancelled=lambda: True, clock=iter(range(10_000)).__next__))


def test_a_throttle_waits_until_the_rate_is_kept() -> None:
    now = [0.0]
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    pace = Pace(100, clock=lambda: now[0], wait=wait)
    pace.begin(300)
    for _ in range(3):
        pace.decided(100)
    assert (sum(waited), pace.rate()) == (3.0, 100.0)


@pytest.mark.parametrize(
    "scope",
    [
        Scope(),
        Scope(from_offset=1),
        Scope(partition=1),
        Scope(from_ms=2, to_ms=2),
        Scope(resource=PERSONS, from_ms=3, to_ms=2),
    ],
)
def test_a_scope_that_means_nothing_is_refused(scope: Scope) -> None:
    with pytest.raises(WrongScope):
        checked(scope)


def test_nobody_approves_his_own_replay_and_every_step_has_its_place() -> None:
    order = requested(Order(Purpose.AUDIT, ALL, "yearly audit", "Audit Law, art. 3", {}))
    replay = Replay(1, order, State.REQUESTED, 1, "anna", NOW)
    with pytest.raises(Refused, match="another person"):
        after(replay, Step.APPROVE, "anna")
    assert after(replay, Step.APPROVE, "bo") is State.APPROVED
    with pytest.raises(Refused):
        after(replay, Step.START, "anna")
    with pytest.raises(Refused):
        requested(replace(order, basis=""))
    with pytest.raises(Refused):
        requested(replace(order, purpose=Purpose.REDELIVER))
