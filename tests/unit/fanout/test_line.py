"""The fan-out's line: who gets what of a canonical record, who a tombstone, and why somebody gets nothing."""

from dataclasses import replace
from datetime import date

import pytest

from services.fanout.line import DeliveryKind, GrantOutcome, fan_out
from services.fanout.plan import FanoutPlan, MasterSecretMissing, compile_fanout
from services.gate.line import decide
from services.gate.plan import compile_gate
from services.gate.versions import Remembered
from tests.support.debezium import SCHEMAS, raw
from tests.support.policy import sample_policy
from topics.delivery import read_delivery
from topics.engine.reference import ReferenceCodec
from topics.event import GrantId, KafkaRecord, Operation, Record, WithheldReason
from topics.grants.declaration import GrantState
from topics.policy import Policy
from topics.wire import split

POLICY = sample_policy()
MASTER = {1: b"m" * 32}
GATE = compile_gate(POLICY)
RAW_CODECS = {schema_id: ReferenceCodec(schema) for schema_id, schema in SCHEMAS.items()}
CODECS = {source.canonical_value_schema_id: source.envelope for source in GATE.sources.values()}
HEALTH = GrantId("health-persons-gusu")
EDUCATION = GrantId("education-persons")
INSIDE, OUTSIDE = "320508", "320506"


def person(district: str = INSIDE, **changed: object) -> dict[str, object]:
    return {
        "id": 1,
        "id_number": "11010519491231002X",
        "name": "王小明",
        "birth_date": (date(1949, 12, 31) - date(1970, 1, 1)).days,
        "sex": "2",
        "address": "平江路1号",
        "household_district": district,
        "updated_at": 1_790_000_000_000,
        **changed,
    }


def plan_of(policy: Policy = POLICY) -> FanoutPlan:
    return compile_fanout(policy, "default", MASTER)


def canonical(record: KafkaRecord, entry: Remembered | None = None) -> list[KafkaRecord]:
    """What the gate makes of a raw record, as the fan-out reads it."""
    outputs = [
        out for out in decide(record, GATE, RAW_CODECS, entry).outputs if out.topic.startswith("resource.")
    ]
    return [
        KafkaRecord(out.topic, out.partition, number, 1_790_000_001_000, out.key, out.value)
        for number, out in enumerate(outputs)
    ]


def outcomes_of(record: KafkaRecord, plan: FanoutPlan | None = None) -> dict[GrantId, GrantOutcome]:
    outcomes = fan_out(record, plan or plan_of(), CODECS)
    assert outcomes is not None
    return {outcome.grant: outcome for outcome in outcomes}


def one(record: KafkaRecord, grant: GrantId, plan: FanoutPlan | None = None) -> GrantOutcome:
    return outcomes_of(record, plan)[grant]


def value_of(outcome: GrantOutcome, plan: FanoutPlan | None = None) -> Record:
    assert outcome.output is not None
    assert outcome.output.value is not None
    for resource in (plan or plan_of()).resources.values():
        for grant in resource.grants:
            if grant.grant == outcome.grant:
                return grant.value_codec.decode(split(outcome.output.value)[1])
    raise AssertionError(outcome.grant)


def with_grant(grant_id: GrantId, **changed: object) -> FanoutPlan:
    entry = POLICY.grants[grant_id]
    changed_grant = entry.grant.model_copy(update=changed)
    grants = {**POLICY.grants, grant_id: entry.model_copy(update={"grant": changed_grant})}
    return plan_of(POLICY.model_copy(update={"grants": grants}))


@pytest.mark.requirement("A3-08", "A3-09", "A7-05")
def test_a_grant_gets_its_items_and_no_others() -> None:
    [record] = canonical(raw("c", 1, after=person()))
    assert set(value_of(one(record, EDUCATION))) == {"name", "birth_date", "household_district"}


def test_masks_apply_before_delivery() -> None:
    [record] = canonical(raw("c", 1, after=person()))
    value = value_of(one(record, EDUCATION))
    assert value["name"] == "王**"
    assert value["birth_date"] == (date(1949, 1, 1) - date(1970, 1, 1)).days
    output = one(record, EDUCATION).output
    assert output is not None
    assert "小明".encode() not in (output.value or b"")


def test_a_grant_topic_about_another_resource_is_not_touched() -> None:
    [record] = canonical(raw("c", 1, after=person()))
    assert set(outcomes_of(record)) == {HEALTH, EDUCATION}


SCOPES = [
    ("created inside", raw("c", 1, after=person()), DeliveryKind.DELIVERED),
    ("created outside", raw("c", 1, after=person(OUTSIDE)), DeliveryKind.WITHHELD),
    ("moved in", raw("u", 1, person(OUTSIDE), person()), DeliveryKind.DELIVERED),
    ("moved out", raw("u", 1, person(), person(OUTSIDE)), DeliveryKind.TOMBSTONED),
    ("stayed outside", raw("u", 1, person(OUTSIDE), person(OUTSIDE, name="王")), DeliveryKind.WITHHELD),
    ("outside, previous unknown", raw("u", 1, None, person(OUTSIDE)), DeliveryKind.TOMBSTONED),
    ("snapshot read outside", raw("r", 1, after=person(OUTSIDE)), DeliveryKind.TOMBSTONED),
    ("deleted inside", raw("d", 1, before=person()), DeliveryKind.TOMBSTONED),
    ("deleted outside", raw("d", 1, before=person(OUTSIDE)), DeliveryKind.WITHHELD),
]


@pytest.mark.parametrize(("record", "kind"), [row[1:] for row in SCOPES], ids=[row[0] for row in SCOPES])
def test_a_row_filter_delivers_inside_and_owes_a_tombstone_to_who_held_the_record(
    record: KafkaRecord, kind: DeliveryKind
) -> None:
    outcome = one(canonical(record)[0], HEALTH)
    assert outcome.kind is kind
    assert (outcome.output is not None and outcome.output.value is None) == (kind is DeliveryKind.TOMBSTONED)


def test_who_left_the_scope_in_a_stopped_change_is_tombstoned_by_the_next_accepted_one() -> None:
    """Inside, then outside with a fault (stopped), then outside and right: the consumer must let go."""
    faulty = person(OUTSIDE, name=None)
    stopped = decide(raw("u", 2, person(), faulty), GATE, RAW_CODECS, None)
    [record] = canonical(raw("u", 3, faulty, person(OUTSIDE)), stopped.entry_after)
    assert one(record, HEALTH).kind is DeliveryKind.TOMBSTONED


def test_the_tombstone_after_a_delete_is_decided_by_the_delete_itself() -> None:
    _last, tombstone = canonical(raw("d", 1, before=person()))
    assert fan_out(tombstone, plan_of(), CODECS) is None


STATES = [
    (GrantState.FILLING, WithheldReason.FILLED_BY_EPOCH),
    (GrantState.SUSPENDED, WithheldReason.SUSPENDED),
    (GrantState.REVOKED, WithheldReason.REVOKED),
]


@pytest.mark.requirement("A8-05")
@pytest.mark.parametrize(("state", "reason"), STATES)
def test_a_grant_that_is_not_active_gets_nothing_and_the_reason_is_recorded(
    state: GrantState, reason: WithheldReason
) -> None:
    plan = with_grant(HEALTH, state=state)
    [record] = canonical(raw("c", 1, after=person()))
    outcome = one(record, HEALTH, plan)
    assert (outcome.kind, outcome.withheld, outcome.output) == (DeliveryKind.WITHHELD, reason, None)
    assert one(record, EDUCATION, plan).kind is DeliveryKind.DELIVERED


MIDNIGHT_OF_2026_09_22_IN_CHINA = 1_790_006_400_000
VALIDITY = [
    (MIDNIGHT_OF_2026_09_22_IN_CHINA - 1, WithheldReason.NOT_YET_VALID),
    (MIDNIGHT_OF_2026_09_22_IN_CHINA, None),
    (MIDNIGHT_OF_2026_09_22_IN_CHINA + 86_400_000 - 1, None),
    (MIDNIGHT_OF_2026_09_22_IN_CHINA + 86_400_000, WithheldReason.EXPIRED),
]


@pytest.mark.parametrize(("timestamp", "reason"), VALIDITY)
def test_a_grant_covers_its_first_and_its_last_day_in_official_time(
    timestamp: int, reason: WithheldReason | None
) -> None:
    plan = with_grant(EDUCATION, valid_from=date(2026, 9, 22), valid_until=date(2026, 9, 22))
    [record] = canonical(raw("c", 1, after=person()))
    assert one(replace(record, timestamp_ms=timestamp), EDUCATION, plan).withheld is reason


@pytest.mark.requirement("A7-03")
@pytest.mark.parametrize(
    ("closed_ms", "timestamp", "reason"),
    [
        (None, MIDNIGHT_OF_2026_09_22_IN_CHINA, None),
        (MIDNIGHT_OF_2026_09_22_IN_CHINA + 1, MIDNIGHT_OF_2026_09_22_IN_CHINA, None),
        (MIDNIGHT_OF_2026_09_22_IN_CHINA, MIDNIGHT_OF_2026_09_22_IN_CHINA, WithheldReason.EXPIRED),
    ],
)
def test_of_a_grant_that_was_handed_out_nothing_more_is_delivered(
    closed_ms: int | None, timestamp: int, reason: WithheldReason | None
) -> None:
    days = {"valid_from": date(2026, 9, 22), "valid_until": date(2027, 9, 21), "once": True}
    found = POLICY.grants[EDUCATION]
    entry = found.model_copy(update={"grant": found.grant.model_copy(update=days), "closed_ms": closed_ms})
    plan = plan_of(POLICY.model_copy(update={"grants": {**POLICY.grants, EDUCATION: entry}}))
    for change in (raw("c", 1, after=person()), raw("d", 2, before=person())):
        record = canonical(change)[0]
        assert one(replace(record, timestamp_ms=timestamp), EDUCATION, plan).withheld is reason


@pytest.mark.parametrize(("offset", "reason"), [(41, WithheldReason.FILLED_BY_EPOCH), (42, None)])
def test_what_the_copier_has_written_is_not_delivered_again(
    offset: int, reason: WithheldReason | None
) -> None:
    [record] = canonical(raw("c", 1, after=person()))
    entry = POLICY.grants[EDUCATION].model_copy(update={"starts_at": {record.partition: 42}})
    plan = plan_of(POLICY.model_copy(update={"grants": {**POLICY.grants, EDUCATION: entry}}))
    assert one(replace(record, offset=offset), EDUCATION, plan).withheld is reason


@pytest.mark.requirement("A11-13")
def test_keys_name_nobody_where_the_grant_does_not_show_everybody() -> None:
    [record] = canonical(raw("c", 1, after=person()))
    for grant in (HEALTH, EDUCATION):
        output = one(record, grant).output
        assert output is not None
        assert b"11010519491231002X" not in (output.key or b"")
    keys = {one(record, grant).output.key for grant in (HEALTH, EDUCATION)}  # type: ignore[union-attr]
    assert len(keys) == 2, "two departments must not be able to link their keys"


def test_one_record_keeps_its_key_from_delivery_to_tombstone() -> None:
    [created] = canonical(raw("c", 1, after=person()))
    [left] = canonical(raw("u", 2, person(), person(OUTSIDE)))
    first, second = one(created, HEALTH).output, one(left, HEALTH).output
    assert first is not None
    assert second is not None
    assert first.key == second.key


def test_headers_name_the_change_the_grant_and_the_policy_but_no_person() -> None:
    [record] = canonical(raw("u", 7, person(), person(name="王新")))
    output = one(record, HEALTH).output
    assert output is not None
    delivery = read_delivery(output.headers)
    assert delivery.operation is Operation.UPDATE
    assert delivery.ce_id == "raw.police.public.person/0/7"
    assert (delivery.grant, delivery.policy_version) == (HEALTH, 1)
    together = b"".join(value for _name, value in output.headers)
    for personal in ("王新", "11010519491231002X", "平江路1号", INSIDE):
        assert personal.encode() not in together


def test_the_output_partition_is_the_partition_that_was_read() -> None:
    [record] = canonical(raw("c", 1, after=person()))
    outputs = [outcome.output for outcome in outcomes_of(record).values()]
    assert {output.partition for output in outputs if output} == {record.partition}


def test_an_epoch_owes_tombstones_only_for_what_it_delivered() -> None:
    [outside] = canonical(raw("r", 1, after=person(OUTSIDE)))
    plan = plan_of()
    outcomes = fan_out(outside, plan, CODECS, delivered_before=set()) or ()
    assert {found.grant: found.kind for found in outcomes}[HEALTH] is DeliveryKind.WITHHELD
    tombstone = one(outside, HEALTH).output
    assert tombstone is not None
    again = fan_out(outside, plan, CODECS, delivered_before={tombstone.key or b""}) or ()
    assert {found.grant: found.kind for found in again}[HEALTH] is DeliveryKind.TOMBSTONED


def test_nothing_compiles_without_the_master_secret_of_the_grants_key_version() -> None:
    with pytest.raises(MasterSecretMissing, match="version 1"):
        compile_fanout(POLICY, "default", {})
