"""The books close when every record has one outcome, and each way to cook them is named with its place."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.balance import balance
from services.ledger.blocks import Block, Chain, GrantCount, OutputCount
from services.ledger.counts import PartitionOffsets, Place, partition_offsets
from services.ledger.proof import Evidence, What
from topics.event import GrantId, TopicName

RAW = TopicName("raw.police.public.person")
CANONICAL = TopicName("resource.population.person.v1")
QUARANTINE = TopicName("quarantine.police")
GRANT = TopicName("sub.health.population.person.v1.health-all")
NOW = 100_000
LAG = 50_000
RECENT = NOW - LAG


def intake(start: int, stop: int, records: int, **changes: Any) -> Block:
    block = Block(
        at=f"ledger.intake:0:{start}",
        written_ms=RECENT,
        chain=Chain("gate", RAW, 0),
        from_offset=start,
        to_offset=stop,
        records=records,
        policy_version=1,
        first_timestamp_ms=RECENT,
        outcomes={"accepted": records},
        reasons={},
        outputs=[OutputCount(CANONICAL, 0, records)],
        grants=[],
    )
    return replace(block, **changes)


def delivery(start: int, stop: int, grant: GrantCount, control: int = 0, **changes: Any) -> Block:
    written = grant.delivered + grant.tombstoned
    block = Block(
        at=f"ledger.delivery:0:{start}",
        written_ms=RECENT,
        chain=Chain("fanout.default", CANONICAL, 0),
        from_offset=start,
        to_offset=stop,
        records=grant.total + control,
        policy_version=1,
        first_timestamp_ms=RECENT,
        outcomes={"canonical": grant.total, "control": control},
        reasons={},
        outputs=[OutputCount(GRANT, 0, written)],
        grants=[grant],
        intake=False,
    )
    return replace(block, **changes)


def count(delivered: int = 0, tombstoned: int = 0, **withheld: int) -> GrantCount:
    return GrantCount(GrantId("health-all"), 1, delivered, tombstoned, withheld)


def topic(name: str, values: Any, tombstones: Any = (), end: int | None = None) -> PartitionOffsets:
    values, tombstones = list(values), list(tombstones)
    stop = end if end is not None else max([*values, *tombstones], default=-1) + 1
    return partition_offsets(Place(TopicName(name), 0), (0, stop, stop), values, tombstones)


STOPPED = {"outcomes": {"accepted": 3, "stopped": 2}, "reasons": {"QUALITY": 2}}
OUTPUTS = [OutputCount(CANONICAL, 0, 4), OutputCount(QUARANTINE, 0, 2)]


def city(**changes: Any) -> Evidence:
    """Five raw records: three accepted (one delete, so four canonical records), two stopped."""
    partitions = [
        topic(RAW, [0, 1, 3, 4, 6]),
        topic(CANONICAL, [0, 1, 2], [3]),
        topic(QUARANTINE, [0, 1]),
        topic(GRANT, [0], [2]),
    ]
    evidence = Evidence(
        blocks=[
            intake(0, 7, 5, **STOPPED, outputs=OUTPUTS),
            delivery(0, 4, count(1, 1, OUTSIDE_ROWS=1), control=1),
        ],
        partitions={part.place: part for part in partitions},
        policies={},
        now_ms=NOW,
        compaction_lag_ms=LAG,
    )
    return replace(evidence, **changes)


def with_block(position: int, **changes: Any) -> Evidence:
    evidence = city()
    blocks = list(evidence.blocks)
    blocks[position] = replace(blocks[position], **changes)
    return replace(evidence, blocks=blocks)


def with_topic(part: PartitionOffsets) -> Evidence:
    return city(partitions={**city().partitions, part.place: part})


def found(evidence: Evidence) -> set[What]:
    return {difference.what for difference in balance(evidence).differences}


@pytest.mark.requirement("A11-02")
def test_books_of_a_city_where_each_record_has_one_outcome_close() -> None:
    result = balance(city())
    assert result.differences == []
    assert result.closed
    assert result.sums == {
        "raw": 5,
        "accepted": 3,
        "stopped": 2,
        "control": 0,
        "duplicate": 0,
        "superseded": 0,
        "canonical": 4,
        "quarantined": 2,
        "claims": 0,
        "on_grant_topics": 2,
        "delivered": 1,
        "tombstoned": 1,
        "withheld": 1,
        "caught_up": 0,
        "copied": 0,
        "pending_intake": 0,
        "pending_delivery": 0,
    }


@pytest.mark.parametrize(
    ("evidence", "what"),
    [
        (with_topic(topic(RAW, [0, 1, 3, 4, 5, 6])), What.INPUT_COUNT),
        (with_topic(topic(RAW, [0, 1, 3, 4], end=7)), What.INPUT_COUNT),
        (with_block(0, from_offset=1), What.HEAD_NOT_COUNTED),
        (with_block(0, outcomes={"accepted": 2, "stopped": 2}), What.OUTCOME_SUM),
        (with_block(0, outcomes={"accepted": 3, "stopped": 1, "lost": 1}), What.UNKNOWN_OUTCOME),
        (with_block(0, reasons={"QUALITY": 1}), What.REASON_SUM),
        (with_block(0, reasons={"QUALITY": 2, "BAD_LUCK": 1}), What.UNKNOWN_OUTCOME),
        (with_topic(topic(CANONICAL, [0, 1, 2, 4], [3])), What.OUTPUT_COUNT),
        (with_topic(topic(CANONICAL, [0, 1], [3])), What.OUTPUT_COUNT),
        (with_topic(topic(QUARANTINE, [0], end=2)), What.QUARANTINE_COUNT),
        (with_topic(topic(QUARANTINE, [0, 1, 2])), What.QUARANTINE_COUNT),
        (with_topic(topic(GRANT, [0, 1], [2])), What.OUTPUT_COUNT),
        (with_topic(topic("sub.spy.population.person.v1.spy", [0])), What.OUTPUT_COUNT),
        (with_block(1, grants=[count(1, 1)]), What.GRANT_SUM),
        (with_block(1, grants=[count(1, 1, FORGOTTEN=1)]), What.UNKNOWN_OUTCOME),
        (with_block(1, grants=[count(0, 1, OUTSIDE_ROWS=2)]), What.GRANT_OUTPUT),
        (with_block(1, outputs=[OutputCount(GRANT, 0, 3)]), What.GRANT_OUTPUT),
    ],
)
def test_each_way_to_cook_the_books_is_named(evidence: Evidence, what: What) -> None:
    assert what in found(evidence)
    assert not balance(evidence).closed


@pytest.mark.parametrize(("start", "what"), [(3, "not counted"), (1, "counted twice")])
def test_chain_that_skips_or_repeats_records_is_broken(start: int, what: str) -> None:
    blocks = [intake(0, 2, 2), intake(start, 4, 4 - start)]
    evidence = city(blocks=blocks, partitions={part.place: part for part in [topic(RAW, range(4))]})
    broken = [d for d in balance(evidence).differences if d.what is What.CHAIN_BROKEN]
    assert [(d.expected, d.found, d.detail) for d in broken] == [(2, start, what)]


def test_difference_names_the_block_where_the_counts_part() -> None:
    blocks = [intake(0, 2, 2), intake(2, 4, 1)]
    evidence = city(blocks=blocks, partitions={part.place: part for part in [topic(RAW, range(4))]})
    wrong = [d for d in balance(evidence).differences if d.what is What.INPUT_COUNT]
    assert len(wrong) == 1
    assert "ledger.intake:0:2" in wrong[0].where
    assert (wrong[0].expected, wrong[0].found) == (2, 1)


def test_records_beyond_the_last_block_are_pending_and_no_error() -> None:
    result = balance(with_topic(topic(RAW, [0, 1, 3, 4, 6, 7, 8])))
    assert result.closed
    assert result.sums["pending_intake"] == 2
    assert any("2 records are pending" in note for note in result.notes)


def test_dispositions_in_a_quarantine_are_not_stopped_events() -> None:
    assert balance(with_topic(topic(QUARANTINE, [0, 1], [2, 3]))).closed


@pytest.mark.parametrize(("age", "compared"), [(LAG, True), (LAG + 1, False)])
def test_compacted_topic_is_compared_until_the_lag_and_not_past_it(age: int, compared: bool) -> None:
    evidence = with_topic(topic(CANONICAL, [2], [3]))
    blocks = [replace(b, written_ms=NOW - age, first_timestamp_ms=NOW - age) for b in evidence.blocks]
    result = balance(replace(evidence, blocks=blocks))
    assert result.closed is not compared
    outputs = {output.place.topic: output for output in result.outputs}
    assert outputs[CANONICAL].compared is compared
    assert outputs[QUARANTINE].compared
    assert compared or any("only the ledger's own counts" in note for note in result.notes)


def test_past_the_lag_the_two_ledgers_must_still_agree() -> None:
    old = [replace(b, written_ms=0, first_timestamp_ms=0) for b in city().blocks]
    old[1] = replace(old[1], records=3, outcomes={"canonical": 3, "control": 0})
    assert What.LEDGERS_DISAGREE in found(city(blocks=old))


def test_raw_records_that_retention_removed_are_not_missed() -> None:
    part = partition_offsets(Place(RAW, 0), (4, 7, 7), [4, 6])
    result = balance(with_topic(part))
    assert result.closed
    assert not result.intake[0].compared


@pytest.mark.parametrize(
    ("settled", "end", "closed"), [(3, 5, True), (4, 4, True), (5, 6, False), (2, 3, False)]
)
def test_outputs_written_while_reading_bound_the_sum_from_both_sides(
    settled: int, end: int, closed: bool
) -> None:
    part = partition_offsets(Place(CANONICAL, 0), (0, settled, end), range(end))
    evidence = replace(with_topic(part), quiet=False, blocks=[city().blocks[0]])
    wrong = [d for d in balance(evidence).differences if d.where == f"{CANONICAL}:0"]
    assert (wrong == []) is closed


def test_copier_and_catch_up_fill_the_grant_topic_beside_the_live_chain() -> None:
    copier = delivery(0, 2, count(2), chain=Chain("copier.health-all", CANONICAL, 0), at="c")
    # A copier counts what the grant lets through, not what it reads.
    copier = replace(copier, records=3, outcomes={"canonical": 3})
    catch_up = delivery(
        2, 4, count(1), control=1, chain=Chain("fanout.default.catch-up", CANONICAL, 0), at="u"
    )
    live = delivery(0, 4, count(FILLED_BY_EPOCH=3), control=1, outputs=[])
    evidence = with_topic(topic(GRANT, [0, 1, 2]))
    result = balance(replace(evidence, blocks=[evidence.blocks[0], copier, catch_up, live]))
    assert result.differences == []
    [grant] = result.grants
    assert (grant.copied, grant.caught_up, grant.withheld) == (2, 1, {"FILLED_BY_EPOCH": 3})


@pytest.mark.parametrize("group", ["copier.health-all.1", "fanout.default.catch-up", "fanout.default"])
def test_what_a_defect_withheld_is_told_whoever_withheld_it(group: str) -> None:
    block = delivery(0, 5, count(INTERNAL=5), outputs=[], chain=Chain(group, CANONICAL, 0))
    parts = {part.place: part for part in [topic(CANONICAL, range(5))]}
    result = balance(city(blocks=[intake(0, 5, 5), block], partitions=parts))
    kind = block.kind.value
    assert [text for text in result.notes if "INTERNAL," in text] == [
        "grant health-all generation 1: 5 records were withheld by a defect of the bus itself "
        f"(INTERNAL, {kind}): the consumer lacks them"
    ]
    [grant] = result.grants
    assert sum(grant.withheld.values()) == (5 if kind == "live" else 0)


def test_copier_and_catch_up_say_what_they_withheld_each_by_itself() -> None:
    copier = delivery(0, 2, count(1, OUTSIDE_ROWS=1), chain=Chain("copier.health-all.1", CANONICAL, 0))
    more = replace(delivery(2, 3, count(OUTSIDE_ROWS=1), outputs=[]), chain=copier.chain)
    caught = delivery(
        3, 4, count(EXPIRED=1), outputs=[], chain=Chain("fanout.default.catch-up", CANONICAL, 0)
    )
    notes = balance(city(blocks=[copier, more, caught])).notes
    assert "grant health-all generation 1: its copier withheld OUTSIDE_ROWS 2" in notes
    assert "grant health-all generation 1: its catch-up withheld EXPIRED 1" in notes


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)), max_size=8
    )
)
def test_any_honest_history_closes_and_one_record_more_or_less_does_not(
    batches: list[tuple[int, int, int, int]],
) -> None:
    blocks: list[Block] = []
    raw: list[int] = []
    canonical = quarantined = start = 0
    for accepted, stopped, control, gap in batches:
        size = accepted + stopped + control
        if size == 0:
            continue
        raw += range(start + gap, start + gap + size)
        stop = start + gap + size
        outcomes = {"accepted": accepted, "stopped": stopped, "control": control}
        reasons = {"IDENTITY_INVALID": stopped, "TOMBSTONE": control}
        outputs = [OutputCount(CANONICAL, 0, accepted), OutputCount(QUARANTINE, 0, stopped)]
        blocks.append(intake(start, stop, size, outcomes=outcomes, reasons=reasons, outputs=outputs))
        start, canonical, quarantined = stop, canonical + accepted, quarantined + stopped

    def proof(raw: list[int], canonical: int, quarantined: int) -> bool:
        parts = [topic(RAW, raw, end=start), topic(CANONICAL, range(canonical))]
        parts.append(topic(QUARANTINE, range(quarantined)))
        return balance(city(blocks=blocks, partitions={part.place: part for part in parts})).closed

    assert proof(raw, canonical, quarantined)
    if raw:
        assert not proof(raw[:-1], canonical, quarantined)
        assert not proof(raw, canonical + 1, quarantined)
        assert not proof(raw, canonical, quarantined + 1)
