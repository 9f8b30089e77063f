"""A disputed record is delivered as ever, with a header that says which of the grant's items are disputed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.load import control_schema
from services.control.copier import CopyLine
from services.fanout.engine import (
    LineReference,
    MarkingFanout,
    ReferenceFanout,
    make_engine,
    marking,
)
from services.fanout.line import DeliveryKind, fan_out
from services.fanout.processor import FanoutProcessor
from services.processor.contract import BatchResult
from tests.support.debezium import raw
from tests.support.examples import examples
from tests.unit.fanout.test_engines import FAST, RECORDS, SCHEMAS, SOURCE, processor
from tests.unit.fanout.test_line import (
    CODECS,
    EDUCATION,
    HEALTH,
    MASTER,
    OUTSIDE,
    POLICY,
    canonical,
    one,
    person,
    plan_of,
)
from topics.delivery import DISPUTED_HEADER, read_delivery
from topics.disputes import (
    Act,
    Contested,
    DisputeChange,
    DisputeKeyMissing,
    DisputeMarks,
    Disputes,
    contested_values,
    dispute_key,
    folded,
    keys_from,
    record_hash,
)
from topics.engine.choose import Implementation
from topics.engine.fanout import Decided
from topics.engine.records import PartitionRecords, Records
from topics.engine.reference import ReferenceCodec
from topics.event import GrantId, KafkaRecord, OutputRecord, ResourceId, SchemaId
from topics.grants.declaration import GrantState
from topics.wire import split

PERSON = ResourceId("population.person.v1")
KEY = dispute_key(MASTER[1], 1)
SAID = person()
[CREATED] = canonical(raw("c", 1, after=SAID))
HASH = record_hash(KEY, PERSON, split(CREATED.key or b"")[1])


def disputes(*items: str, partition: int = CREATED.partition, record: str = HASH) -> Disputes:
    values = contested_values(KEY, HASH, items, SAID)
    contested = Contested(PERSON, partition, record, values)
    return folded([DisputeChange(1, Act.OPEN, "t.1", contested)])


def header_of(record: KafkaRecord, grant: GrantId, found: Disputes) -> tuple[DeliveryKind, tuple[str, ...]]:
    outcomes = fan_out(record, plan_of(), CODECS, disputes=DisputeMarks(found, keys_from(MASTER)))
    outcome = next(each for each in outcomes or () if each.grant == grant)
    if outcome.output is None:
        return outcome.kind, ()
    return outcome.kind, read_delivery(outcome.output.headers).disputed


@pytest.mark.requirement("A9-06")
@pytest.mark.parametrize(
    ("items", "health", "education"),
    [
        (("address",), ("address",), ()),
        (("name", "address"), ("address", "name"), ("name",)),
        ((), ("*",), ("*",)),
    ],
)
def test_the_record_is_delivered_with_the_disputed_items_that_the_grant_shows(
    items: tuple[str, ...], health: tuple[str, ...], education: tuple[str, ...]
) -> None:
    found = disputes(*items)
    assert header_of(CREATED, HEALTH, found) == (DeliveryKind.DELIVERED, health)
    assert header_of(CREATED, EDUCATION, found) == (DeliveryKind.DELIVERED, education)


@pytest.mark.requirement("A9-06")
def test_the_corrected_version_carries_no_mark_though_the_dispute_is_open_still() -> None:
    [moved] = canonical(raw("u", 2, SAID, person(address="平江路2号")))
    assert header_of(moved, HEALTH, disputes("address")) == (DeliveryKind.DELIVERED, ())
    [other] = canonical(raw("u", 2, SAID, person(sex="1")))
    assert header_of(other, HEALTH, disputes("address")) == (DeliveryKind.DELIVERED, ("address",))


def test_a_tombstone_carries_no_mark() -> None:
    [left] = canonical(raw("u", 2, SAID, person(OUTSIDE)))
    assert header_of(left, HEALTH, disputes("address")) == (DeliveryKind.TOMBSTONED, ())


def test_nothing_but_one_header_changes() -> None:
    plain = one(CREATED, HEALTH).output
    outcomes = fan_out(
        CREATED, plan_of(), CODECS, disputes=DisputeMarks(disputes("address"), keys_from(MASTER))
    )
    marked = next(each.output for each in outcomes or () if each.grant == HEALTH)
    assert plain is not None
    assert marked is not None
    kept = tuple(each for each in marked.headers if each[0] != DISPUTED_HEADER)
    assert replace(marked, headers=kept) == plain
    assert (DISPUTED_HEADER, b"address") in marked.headers


ALL = [Implementation.REFERENCE, *FAST]


def adopted(engine: Implementation, found: Disputes) -> FanoutProcessor:
    made = processor(engine)
    made.adopt_disputes(found)
    return made


def deliveries(result: BatchResult) -> list[Any]:
    return sorted(
        (output for lane in result.lanes for output in lane if output.topic.startswith("sub.")),
        key=lambda output: output.topic,
    )


def blocks(result: BatchResult) -> list[Any]:
    codec = ReferenceCodec(control_schema("DecisionBlock"))
    return [
        codec.decode(split(output.value or b"")[1])
        for lane in result.lanes
        for output in lane
        if output.topic.startswith("ledger.")
    ]


@pytest.mark.parametrize("engine", ALL)
def test_every_engine_marks_alike_and_counts_alike(engine: Implementation) -> None:
    found = disputes("address")
    expected = adopted(Implementation.REFERENCE, found).process([RECORDS], SCHEMAS)
    result = adopted(engine, found).process([RECORDS], SCHEMAS)
    assert deliveries(result) == deliveries(expected)
    assert blocks(result) == blocks(expected)
    marked = [output for output in deliveries(result) if dict(output.headers).get(DISPUTED_HEADER)]
    assert marked
    assert {dict(output.headers)[DISPUTED_HEADER] for output in marked} == {b"address"}


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    "elsewhere",
    [disputes("address", partition=CREATED.partition + 1), disputes("address", record="0" * 32), Disputes()],
)
def test_disputes_about_other_records_change_no_delivery(engine: Implementation, elsewhere: Disputes) -> None:
    plain = processor(engine).process([RECORDS], SCHEMAS)
    assert deliveries(adopted(engine, elsewhere).process([RECORDS], SCHEMAS)) == deliveries(plain)


def test_a_catch_up_marks_too() -> None:
    entry = POLICY.grants[HEALTH].model_copy(
        update={"starts_at": {SOURCE.partition: 10}, "active_since": POLICY.version}
    )
    policy = POLICY.model_copy(update={"grants": {**POLICY.grants, HEALTH: entry}})
    made = processor(Implementation.REFERENCE, policy)
    made.adopt_disputes(disputes("address"))
    [catch_up] = made.catch_ups(SOURCE, 11, 0)
    first = PartitionRecords(RECORDS.topic, RECORDS.partition, [RECORDS[0]])
    found = deliveries(made.process_catch_up(catch_up, first, SCHEMAS))
    assert [dict(output.headers)[DISPUTED_HEADER] for output in found] == [b"address"]


def test_a_dispute_whose_key_is_missing_leaves_the_marks_as_they_were() -> None:
    made = adopted(Implementation.REFERENCE, disputes("address"))
    newer = folded(
        [DisputeChange(2, Act.OPEN, "t.2", Contested(PERSON, 0, "0" * 32, key_version=9))],
        disputes("address"),
    )
    with pytest.raises(DisputeKeyMissing):
        made.adopt_disputes(newer)
    expected = adopted(Implementation.REFERENCE, disputes("address")).process([RECORDS], SCHEMAS)
    assert deliveries(made.process([RECORDS], SCHEMAS)) == deliveries(expected)


def test_a_disputed_item_is_a_word_and_no_list() -> None:
    output = one(CREATED, HEALTH).output
    assert output is not None
    delivery = read_delivery(output.headers)
    assert delivery.disputed == ()
    with pytest.raises(ValueError, match="comma"):
        replace(delivery, disputed=("name,address",))


@pytest.mark.parametrize("engine", ALL)
def test_each_block_says_which_disputes_it_was_decided_with(engine: Implementation) -> None:
    made = processor(engine)
    assert [block["disputes"] for block in blocks(made.process([RECORDS], SCHEMAS))] == [0]
    made.adopt_disputes(disputes("address"))
    assert [block["disputes"] for block in blocks(made.process([RECORDS], SCHEMAS))] == [1]
    made.adopt_disputes(folded([DisputeChange(2, Act.CLOSE, "t.1")], disputes("address")))
    closed = made.process([RECORDS], SCHEMAS)
    assert [block["disputes"] for block in blocks(closed)] == [2]
    assert deliveries(closed) == deliveries(processor(engine).process([RECORDS], SCHEMAS))


@pytest.mark.parametrize("engine", ALL)
def test_a_copier_marks_as_the_fan_out_does(engine: Implementation) -> None:
    entry = POLICY.grants[HEALTH]
    filling = entry.model_copy(update={"grant": entry.grant.model_copy(update={"state": GrantState.FILLING})})
    policy = POLICY.model_copy(update={"grants": {**POLICY.grants, HEALTH: filling}})

    def copied(each: Implementation, found: Disputes) -> list[OutputRecord]:
        line = CopyLine(policy, filling, MASTER, 1_790_000_000_000, implementation=each, disputes=found)
        line.codecs.learn(SCHEMAS)
        return line.decide(RECORDS)

    found = copied(engine, disputes("address"))
    assert found == copied(Implementation.REFERENCE, disputes("address"))
    marked = [output for output in found if dict(output.headers).get(DISPUTED_HEADER)]
    assert len(marked) == 2
    codec = ReferenceCodec(control_schema("DecisionBlock"))
    assert codec.decode(split(found[-1].value or b"")[1])["disputes"] == 1
    plain = copied(engine, Disputes())
    assert [without_mark(output) for output in found[:-1]] == plain[:-1]


def without_mark(output: OutputRecord) -> OutputRecord:
    kept = tuple(each for each in output.headers if each[0] != DISPUTED_HEADER)
    return replace(output, headers=kept)


CHANGES = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["address", "name", "sex", "*"]), st.booleans()), max_size=8
)


def history_of(wishes: list[tuple[bool, str, bool]]) -> list[DisputeChange]:
    """A history of disputes about the record, or about another one of its partition."""
    found: list[DisputeChange] = []
    still: list[str] = []
    for opening, item, ours in wishes:
        number = len(found) + 1
        if opening or not still:
            record = HASH if ours else "0" * 32
            values = contested_values(KEY, HASH, () if item == "*" else (item,), SAID)
            contested = Contested(PERSON, CREATED.partition, record, values)
            found.append(DisputeChange(number, Act.OPEN, f"t.{number}", contested))
            still.append(f"t.{number}")
        else:
            found.append(DisputeChange(number, Act.CLOSE, still.pop()))
    return found


@given(wishes=CHANGES, cut=st.integers(0, 8))
@examples(40, deadline=None)
def test_a_block_s_number_is_all_that_a_decision_with_marks_needs_to_be_made_again(
    wishes: list[tuple[bool, str, bool]], cut: int
) -> None:
    """Whichever engine decided, and however the instance came to know the disputes of that number."""
    changes = history_of(wishes)
    results = []
    for engine in ALL:
        made = processor(engine)
        made.adopt_disputes(folded(changes[:cut]))
        made.adopt_disputes(folded(changes[cut:], folded(changes[:cut])))
        results.append(made.process([RECORDS], SCHEMAS))
    for result in results:
        assert deliveries(result) == deliveries(results[0])
        assert blocks(result) == blocks(results[0])
    [block] = blocks(results[0])
    again = adopted(Implementation.REFERENCE, folded(changes[: block["disputes"]]))
    assert deliveries(again.process([RECORDS], SCHEMAS)) == deliveries(results[0])
    plain = deliveries(processor(Implementation.REFERENCE).process([RECORDS], SCHEMAS))
    assert [without_mark(output) for output in deliveries(results[0])] == plain


def test_a_resource_without_disputed_records_is_decided_by_the_engine_itself() -> None:
    plan = plan_of()
    resource = plan.resources[RECORDS.topic]
    plain = make_engine(Implementation.REFERENCE, plan, resource, CODECS)
    elsewhere = folded(
        [DisputeChange(1, Act.OPEN, "t.1", Contested(ResourceId("legal.enterprise.v1"), 0, "0" * 32))]
    )
    for found, marks in ((Disputes(9), False), (elsewhere, False), (disputes("address"), True)):
        engine = marking(plain, plan, resource, CODECS, DisputeMarks(found, keys_from(MASTER)))
        assert isinstance(engine, MarkingFanout) == marks
        assert marks or engine is plain


def test_an_engine_is_not_made_anew_because_of_disputes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = processor(Implementation.REFERENCE)
    monkeypatch.setattr("services.fanout.engine.make_engine", lambda *_: pytest.fail("it is there"))
    for found in (disputes("address"), Disputes(9)):
        made.adopt_disputes(found)
        assert made.process([RECORDS], SCHEMAS).outcomes["delivered"] == 6


OTHER = [canonical(raw("c", 1, after=person(id=9, id_number="110105194912310046")))[0]]
MIXED = PartitionRecords(
    RECORDS.topic,
    RECORDS.partition,
    [
        replace(record, partition=RECORDS.partition, offset=10 + offset)
        for offset, record in enumerate([*OTHER, RECORDS[0], RECORDS[1], *OTHER, *OTHER, RECORDS[2], *OTHER])
    ],
)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("before", [None, frozenset[bytes]()])
def test_only_the_disputed_records_of_a_batch_are_left_to_the_line(
    engine: Implementation, before: frozenset[bytes] | None
) -> None:
    """What lies between is the engine's, and together it is as if one had decided all, lane by lane."""
    marks = DisputeMarks(disputes("address"), keys_from(MASTER))
    plan = plan_of()
    resource, types = plan.resources[MIXED.topic], {key: codec.type for key, codec in CODECS.items()}
    asked: list[int] = []

    class Watched:
        implementation = engine

        def learn(self, schema_id: SchemaId, writer: Any) -> bool:
            return made.learn(schema_id, writer)

        def decide(self, records: Records, *more: Any) -> Decided:
            asked.append(len(records))
            return made.decide(records, *more)

        def fallbacks(self, writer: Any) -> Mapping[GrantId, str]:
            return made.fallbacks(writer)

    made = make_engine(engine, plan, resource, CODECS)
    found = marking(Watched(), plan, resource, CODECS, marks).decide(
        MIXED, types, None if before is None else set(before)
    )
    line = ReferenceFanout(resource, LineReference(plan, resource, CODECS, marks))
    expected = line.decide(MIXED, types, None if before is None else set(before))
    assert asked == [1, 2, 1]
    assert (found.canonical, found.control, found.grants) == (
        expected.canonical,
        expected.control,
        expected.grants,
    )
    assert [list(lane) for lane in found.lanes] == [list(lane) for lane in expected.lanes]
    assert [lane.digest() for lane in found.lanes] == [lane.digest() for lane in expected.lanes]
    assert sum(DISPUTED_HEADER in dict(output.headers) for lane in found.lanes for output in lane) == 1
