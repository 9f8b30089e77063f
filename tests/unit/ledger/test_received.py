"""Who received a wrong version: from generated decision blocks, against an oracle that knows each outcome."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from services.fanout.line import DeliveryKind, GrantOutcome
from services.ledger.blocks import Block, Chain, GrantCount
from services.ledger.coordinates import Coordinate
from services.ledger.received import Certainty, Effect, GrantUnknown, Received, received
from tests.support.examples import examples
from topics.event import ConsumerId, GrantId, TopicName, WithheldReason
from topics.policy import Policy

TOPIC = TopicName("resource.population.person.v1")
GRANTS = tuple(GrantId(name) for name in ("a", "b", "c"))
KINDS = (DeliveryKind.DELIVERED, DeliveryKind.TOMBSTONED, DeliveryKind.WITHHELD)


def policy(*grants: str) -> Policy:
    """As much of a policy as is asked for: whose a grant is."""
    entries = {
        GrantId(name): SimpleNamespace(grant=SimpleNamespace(consumer=ConsumerId(f"of-{name}")))
        for name in grants
    }
    return cast(Policy, SimpleNamespace(grants=entries))


POLICIES = {1: policy("a", "b", "c")}


@dataclass
class Live:
    """One partition as the fan-out decided it: an outcome for each offset and grant, cut into blocks."""

    outcomes: list[dict[GrantId, DeliveryKind]]
    cuts: list[int]
    compacted: set[int]

    @property
    def blocks(self) -> list[Block]:
        edges = sorted({0, *(cut for cut in self.cuts if cut < len(self.outcomes)), len(self.outcomes)})
        return [block(start, self.outcomes[start:end]) for start, end in pairwise(edges)]

    def again(self, found: Block, at: Coordinate) -> Mapping[GrantId, GrantOutcome] | None:
        assert found.covers(at.offset)
        if at.offset in self.compacted:
            return None
        return {grant: outcome(grant, kind) for grant, kind in self.outcomes[at.offset].items()}


def outcome(grant: GrantId, kind: DeliveryKind) -> GrantOutcome:
    withheld = WithheldReason.OUTSIDE_ROWS if kind is DeliveryKind.WITHHELD else None
    return GrantOutcome(grant, 1, kind, withheld)


def block(
    start: int, outcomes: list[dict[GrantId, DeliveryKind]], group: str = "fanout.default", **more: Any
) -> Block:
    counts = []
    for grant in GRANTS:
        found = Counter(each[grant] for each in outcomes if grant in each)
        withheld = found[DeliveryKind.WITHHELD]
        reasons = {WithheldReason.OUTSIDE_ROWS.value: withheld} if withheld else {}
        counts.append(
            GrantCount(grant, 1, found[DeliveryKind.DELIVERED], found[DeliveryKind.TOMBSTONED], reasons)
        )
    wanted: dict[str, Any] = {
        "at": f"ledger.delivery:0:{start}",
        "written_ms": 5_000 + start,
        "chain": Chain(group, TOPIC, 0),
        "from_offset": start,
        "to_offset": start + len(outcomes),
        "records": len(outcomes),
        "policy_version": 1,
        "first_timestamp_ms": 0,
        "outcomes": {},
        "reasons": {},
        "outputs": (),
        "grants": counts,
        "intake": False,
    }
    return Block(**{**wanted, **more})


OUTCOMES = st.lists(
    st.fixed_dictionaries({grant: st.sampled_from(KINDS) for grant in GRANTS}), min_size=1, max_size=12
)
LIVES = st.builds(
    Live, OUTCOMES, st.lists(st.integers(1, 11), max_size=4), st.sets(st.integers(0, 11), max_size=6)
)


@drawn(LIVES, st.sets(st.integers(0, 11), min_size=1, max_size=4))
@examples(300)
def test_nobody_who_received_it_is_left_out_and_nobody_is_proven_who_did_not(
    live: Live, offsets: set[int]
) -> None:
    wrong = [Coordinate(TOPIC, 0, offset) for offset in offsets if offset < len(live.outcomes)]
    truth = {
        (grant, at.offset): live.outcomes[at.offset][grant]
        for at in wrong
        for grant in GRANTS
        if live.outcomes[at.offset][grant] is not DeliveryKind.WITHHELD
    }
    found = {
        (each.grant, each.at.offset): each for each in received(wrong, live.blocks, POLICIES, live.again)
    }
    assert set(truth) <= set(found)
    for key, each in found.items():
        if each.certainty is Certainty.PROVEN:
            assert each.effect.value == truth[key].value
        else:
            assert each.at.offset in live.compacted
        assert each.consumer == f"of-{each.grant}"


@drawn(LIVES)
def test_while_the_record_stands_everything_is_proven(live: Live) -> None:
    live.compacted = set()
    wrong = [Coordinate(TOPIC, 0, offset) for offset in range(len(live.outcomes))]
    found = received(wrong, live.blocks, POLICIES, live.again)
    assert {each.certainty for each in found} <= {Certainty.PROVEN}
    expected = {
        (grant, offset)
        for offset, outcomes in enumerate(live.outcomes)
        for grant, kind in outcomes.items()
        if kind is not DeliveryKind.WITHHELD
    }
    assert {(each.grant, each.at.offset) for each in found} == expected


AT = Coordinate(TOPIC, 0, 3)
DELIVERED, TOMBSTONED, WITHHELD = ({GRANTS[0]: kind} for kind in KINDS)


def asked(found: Block, answer: DeliveryKind | None) -> tuple[Received, ...]:
    def again(_block: Block, _at: Coordinate) -> Mapping[GrantId, GrantOutcome] | None:
        return None if answer is None else {GRANTS[0]: outcome(GRANTS[0], answer)}

    return received([AT], [found], POLICIES, again)


@pytest.mark.parametrize(
    "elsewhere",
    [
        block(4, [DELIVERED]),
        block(0, [DELIVERED] * 3),
        block(3, [DELIVERED], chain=Chain("fanout.default", TOPIC, 1)),
        block(3, [DELIVERED], chain=Chain("fanout.default", TopicName("resource.other.v1"), 0)),
        block(3, [DELIVERED], intake=True),
    ],
)
def test_blocks_about_other_records_name_nobody(elsewhere: Block) -> None:
    assert asked(elsewhere, DeliveryKind.DELIVERED) == ()


def test_a_receipt_says_where_when_and_by_which_block() -> None:
    [found] = asked(block(2, [DELIVERED] * 3), None)
    assert found == Received(
        consumer=ConsumerId("of-a"),
        grant=GRANTS[0],
        generation=1,
        at=AT,
        effect=Effect.DELIVERED,
        certainty=Certainty.PROVEN,
        block="ledger.delivery:0:2",
        policy_version=1,
        written_ms=5_002,
    )


def test_a_wrong_version_that_took_the_record_away_counts_too() -> None:
    [found] = asked(block(3, [TOMBSTONED]), None)
    assert (found.effect, found.certainty) == (Effect.TOMBSTONED, Certainty.PROVEN)


@pytest.mark.parametrize(
    ("answer", "certainty"), [(DeliveryKind.DELIVERED, Certainty.PROVEN), (None, Certainty.POSSIBLE)]
)
def test_a_copier_is_believed_only_where_the_record_can_be_decided_again(
    answer: DeliveryKind | None, certainty: Certainty
) -> None:
    """It may have come after the compaction, so that it never read the record."""
    [found] = asked(block(3, [DELIVERED], "copier.a.1"), answer)
    assert found.certainty is certainty


def test_a_copier_that_took_records_away_may_have_delivered_this_one_before() -> None:
    mixed = block(3, [DELIVERED, TOMBSTONED], "copier.a.1")
    [found] = asked(mixed, DeliveryKind.WITHHELD)
    assert found.certainty is Certainty.POSSIBLE


def test_a_record_that_broke_the_processor_then_is_not_proven_by_being_delivered_now() -> None:
    count = GrantCount(GRANTS[0], 1, 1, 0, {WithheldReason.INTERNAL.value: 1})
    [found] = asked(block(3, [DELIVERED, WITHHELD], grants=[count]), DeliveryKind.DELIVERED)
    assert found.certainty is Certainty.POSSIBLE


def test_whose_a_grant_was_is_known_from_the_nearest_policy_and_never_guessed() -> None:
    found = block(3, [DELIVERED], policy_version=9)
    assert [each.consumer for each in received([AT], [found], POLICIES, lambda _block, _at: None)] == ["of-a"]
    with pytest.raises(GrantUnknown, match="grant a"):
        received([AT], [found], {1: policy("b")}, lambda _block, _at: None)
