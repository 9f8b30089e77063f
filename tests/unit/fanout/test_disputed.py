"""A disputed record is delivered as ever, with a header that says which of the grant's items are disputed."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.load import control_schema
from services.fanout.line import DeliveryKind, fan_out
from services.fanout.processor import FanoutProcessor
from services.processor.contract import BatchResult
from tests.support.debezium import raw
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
from topics.engine.records import PartitionRecords
from topics.engine.reference import ReferenceCodec
from topics.event import GrantId, KafkaRecord, ResourceId
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
