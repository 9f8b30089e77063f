"""Copier, catch-up and live delivery give a grant each canonical record once, or the books do not close."""

from dataclasses import replace

import pytest

from services.ledger.balance import balance
from services.ledger.blocks import Block, Chain, GrantCount, OutputCount
from services.ledger.counts import Place, partition_offsets
from services.ledger.proof import Difference, Evidence, What
from tests.support.policy import sample_policy
from topics.event import GrantId, PolicyNumber, TopicName
from topics.grants.declaration import GrantState
from topics.policy import Policy

POLICY = sample_policy()
GRANT = sorted(POLICY.grants)[0]
ENTRY = POLICY.grants[GRANT]
CANONICAL = TopicName(f"resource.{ENTRY.grant.resource}")
LIVE = f"fanout.{ENTRY.grant.group}"
STARTS_AT = 4
OPENED = 3
NOW = 100_000


def policy(version: int, state: GrantState, generation: int = 1) -> Policy:
    """One version; the grant stands alone in it and is opened at version 3, from offset 4 on."""
    entry = ENTRY.model_copy(
        update={
            "grant": ENTRY.grant.model_copy(update={"state": state}),
            "generation": generation,
            "active_since": PolicyNumber(OPENED if version >= OPENED else 0),
            "starts_at": {0: STARTS_AT} if version >= OPENED else {},
        }
    )
    return POLICY.model_copy(update={"version": PolicyNumber(version), "grants": {GRANT: entry}})


POLICIES = {2: policy(2, GrantState.FILLING), 3: policy(3, GrantState.ACTIVE)}


def block(group: str, start: int, stop: int, version: int, **withheld: int) -> Block:
    """A block of as many canonical records as offsets, delivered but for those withheld."""
    records = stop - start
    delivered = records - sum(withheld.values())
    return Block(
        at=f"ledger.delivery:{group}:{start}",
        written_ms=NOW,
        chain=Chain(group, CANONICAL, 0),
        from_offset=start,
        to_offset=stop,
        records=records,
        policy_version=version,
        first_timestamp_ms=NOW,
        outcomes={"canonical": records},
        reasons={},
        outputs=[OutputCount(ENTRY.grant.topic, 0, delivered)],
        grants=[GrantCount(GrantId(GRANT), 1, delivered, 0, withheld)],
        intake=False,
    )


def copier(start: int, stop: int) -> Block:
    return block(f"copier.{GRANT}.1", start, stop, 2)


def catch_up(start: int, stop: int) -> Block:
    return block(f"{LIVE}.catch-up", start, stop, OPENED)


COPIED = [copier(0, 3), copier(3, 4)]
CLOSED = block(LIVE, 0, 6, 2, FILLED_BY_EPOCH=6)
OPEN = block(LIVE, 6, 8, OPENED)


def evidence(*blocks: Block, policies: dict[int, Policy] | None = None, values: range = range(8)) -> Evidence:
    part = partition_offsets(Place(CANONICAL, 0), (0, 8, 8), values)
    return Evidence(list(blocks), {part.place: part}, policies or POLICIES, NOW, 50_000)


def epochs(given: Evidence) -> list[Difference]:
    return [found for found in balance(given).differences if found.what is What.EPOCH_RANGE]


@pytest.mark.parametrize(
    "blocks",
    [
        [*COPIED, CLOSED, catch_up(4, 6), OPEN],
        [*COPIED, CLOSED, catch_up(4, 5), catch_up(5, 6), OPEN],
        # Live delivery had not come so far as the copier: it goes on by itself, nobody catches up.
        [*COPIED, block(LIVE, 0, 2, 2, FILLED_BY_EPOCH=2), block(LIVE, 2, 8, OPENED, FILLED_BY_EPOCH=2)],
        # The fan-out has not met the version that opens the grant.
        [*COPIED, CLOSED],
        # A sweep covers nothing.
        [*COPIED, replace(copier(4, 4), at="sweep"), CLOSED, catch_up(4, 6), OPEN],
    ],
)
def test_copier_catch_up_and_live_that_tile_a_partition_are_no_difference(blocks: list[Block]) -> None:
    assert epochs(evidence(*blocks)) == []


@pytest.mark.parametrize(
    ("blocks", "expected", "found", "problem"),
    [
        pytest.param([*COPIED, CLOSED, OPEN], 4, 6, "skipped", id="no catch-up"),
        pytest.param([*COPIED, CLOSED, catch_up(5, 6), OPEN], 4, 5, "skipped", id="late catch-up"),
        pytest.param([*COPIED, CLOSED, catch_up(4, 5), OPEN], 5, 6, "skipped", id="short catch-up"),
        pytest.param([*COPIED, CLOSED, catch_up(4, 6), catch_up(4, 6), OPEN], 6, 4, "repeated", id="twice"),
        pytest.param([*COPIED, CLOSED, catch_up(4, 7), OPEN], 7, 6, "repeated", id="into live"),
        pytest.param([*COPIED, CLOSED, catch_up(3, 6), OPEN], 4, 3, "repeated", id="into the copy"),
        pytest.param([copier(0, 3), CLOSED, catch_up(4, 6), OPEN], 3, 4, "skipped", id="short copy"),
        pytest.param(
            [*COPIED, copier(0, 3), CLOSED, catch_up(4, 6), OPEN], 3, 0, "repeated", id="copied twice"
        ),
        pytest.param([CLOSED, catch_up(4, 6), OPEN], 0, 4, "skipped", id="no copy"),
    ],
)
def test_what_was_skipped_or_given_twice_is_a_difference(
    blocks: list[Block], expected: int, found: int, problem: str
) -> None:
    result = balance(evidence(*blocks))
    assert not result.closed
    first = epochs(evidence(*blocks))[0]
    assert (first.expected, first.found) == (expected, found)
    assert first.detail.startswith(problem)
    assert f"grant {GRANT} generation 1" in first.where


def test_catch_up_without_a_record_in_its_range_writes_no_block_and_is_not_missed() -> None:
    closed = block(LIVE, 0, 4, 2, FILLED_BY_EPOCH=4)
    nothing = replace(CLOSED, from_offset=4, records=0, outcomes={"canonical": 0}, grants=[], outputs=[])
    given = evidence(*COPIED, closed, nothing, OPEN)
    kept = partition_offsets(Place(CANONICAL, 0), (0, 8, 8), [0, 1, 2, 3, 6, 7])
    assert epochs(replace(given, partitions={kept.place: kept})) == []


def test_skipped_catch_up_is_seen_where_compaction_has_removed_its_records() -> None:
    closed = [block(LIVE, 0, 4, 2, FILLED_BY_EPOCH=4), block(LIVE, 4, 6, 2, FILLED_BY_EPOCH=2)]
    [found] = epochs(evidence(*COPIED, *closed, OPEN, values=range(6, 8)))
    assert (found.expected, found.found) == (4, 6)


def test_version_that_the_fan_out_passed_over_asks_for_no_catch_up() -> None:
    policies = {**POLICIES, 4: policy(4, GrantState.SUSPENDED)}
    passed = block(LIVE, 6, 8, 4, SUSPENDED=2)
    assert epochs(evidence(*COPIED, CLOSED, passed, policies=policies)) == []


def test_generation_that_is_being_filled_is_not_judged_by_the_offsets_of_the_one_before() -> None:
    policies = {**POLICIES, 4: policy(4, GrantState.FILLING, generation=2)}
    given = evidence(*COPIED, CLOSED, catch_up(4, 6), OPEN, policies=policies)
    assert epochs(given) == []
