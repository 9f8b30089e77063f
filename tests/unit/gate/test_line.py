"""The gate's line: each operation and each stop has its defined outcome."""

from dataclasses import replace
from datetime import date

import pytest

from services.gate.outcome import Decision, OutcomeKind
from tests.support.debezium import (
    ENROLMENT_SCHEMA_ID,
    ENROLMENT_TOPIC,
    PERSON_TOPIC,
    raw,
)
from tests.unit.gate.line_cases import (
    ENROLMENT,
    ID_A,
    ID_B,
    KEY_A,
    KEY_B,
    PLAN,
    canonical_of,
    decided,
    other_identity,
    person,
    topics_of,
)
from topics.canonical import partition_of
from topics.event import KafkaRecord, OutputRecord, Record, Step, StopReason
from topics.identity.resident import check_resident_id
from topics.wire import split


def test_the_sample_numbers_are_valid() -> None:
    for number in (ID_A, ID_B):
        assert check_resident_id(number, date(2026, 1, 1)).valid


@pytest.mark.requirement("A5-02")
def test_a_created_person_becomes_one_canonical_record_without_a_previous_one() -> None:
    decision = decided(raw("c", 10, after=person()))
    assert decision.kind is OutcomeKind.ACCEPTED
    [(key, value)] = canonical_of(decision)
    assert key == KEY_A
    assert value is not None
    assert (value["operation"], value["previous_known"], value["previous"]) == ("create", True, None)
    assert isinstance(value["state"], dict)
    assert value["state"]["name"] == "王小明"
    assert (value["commit"], value["ordinal"], value["incarnation"]) == (100, 10, 1)


def test_the_canonical_partition_comes_from_the_identity_alone() -> None:
    outputs = [decided(raw("c", 10, after=person(id=number))).outputs[0] for number in (1, 2, 3)]
    assert {output.partition for output in outputs} == {partition_of(KEY_A.identity, 4)}
    assert len({output.key for output in outputs}) == 3


def test_an_update_carries_the_scope_of_the_previous_record() -> None:
    decision = decided(raw("u", 11, person(), person(household_district="320506")))
    [(_key, value)] = canonical_of(decision)
    assert value is not None
    assert (value["previous_known"], value["previous"]) == (True, {"household_district": "320508"})


def test_a_snapshot_read_cannot_tell_the_previous_record() -> None:
    [(_key, value)] = canonical_of(decided(raw("r", 1, after=person())))
    assert value is not None
    assert value["previous_known"] is False


def test_an_update_without_before_cannot_tell_the_previous_record() -> None:
    [(_key, value)] = canonical_of(decided(raw("u", 11, None, person())))
    assert value is not None
    assert value["previous_known"] is False


def test_a_delete_is_a_last_record_with_its_scope_and_then_the_tombstone() -> None:
    decision = decided(raw("d", 12, before=person()))
    (first_key, last), (second_key, tombstone) = canonical_of(decision)
    assert first_key == second_key == KEY_A
    assert last is not None
    assert (last["operation"], last["previous"]) == ("delete", {"household_district": "320508"})
    assert tombstone is None


def test_an_identity_correction_withdraws_the_old_key_and_creates_the_new_one() -> None:
    decision = decided(raw("u", 13, person(), other_identity()))
    (old, last), (_old, tombstone), (new, value) = canonical_of(decision)
    assert (old, new) == (KEY_A, KEY_B)
    assert last is not None
    assert last["operation"] == "delete"
    assert tombstone is None
    assert value is not None
    assert (value["previous_known"], value["previous"]) == (True, None)


def test_the_tombstone_of_a_raw_delete_is_control() -> None:
    decision = decided(replace(raw("d", 14, before=person()), value=None))
    assert (decision.kind, decision.reason, decision.outputs) == (OutcomeKind.CONTROL, "TOMBSTONE", ())


def test_a_truncate_marks_the_resource_incomplete() -> None:
    decision = decided(raw("t", 15))
    assert (decision.kind, decision.reason) == (OutcomeKind.CONTROL, "TRUNCATE")
    assert topics_of(decision) == ["epochs.population.person.v1"]


STOPS: list[tuple[str, KafkaRecord, Step, StopReason]] = [
    (
        "no wire prefix",
        replace(raw("c", 1, after=person()), value=b"xx"),
        Step.DECODE,
        StopReason.UNDECODABLE,
    ),
    (
        "unknown schema",
        replace(raw("c", 1, after=person()), value=b"\0\0\0\0\x63abc"),
        Step.DECODE,
        StopReason.UNKNOWN_SCHEMA,
    ),
    (
        "truncated",
        replace(raw("c", 1, after=person()), value=(raw("c", 1, after=person()).value or b"")[:-3]),
        Step.DECODE,
        StopReason.UNDECODABLE,
    ),
    (
        "bytes left over",
        replace(raw("c", 1, after=person()), value=(raw("c", 1, after=person()).value or b"") + b"\0"),
        Step.DECODE,
        StopReason.UNDECODABLE,
    ),
    ("unknown operation", raw("x", 1, after=person()), Step.INTERPRET, StopReason.UNKNOWN_OPERATION),
    (
        "an unchanged value that the source did not send",
        raw("u", 1, person(), person(address="__debezium_unavailable_value")),
        Step.INTERPRET,
        StopReason.ITEM_UNAVAILABLE,
    ),
    ("no identity", raw("c", 1, after=person(id_number=None)), Step.IDENTIFY, StopReason.IDENTITY_MISSING),
    (
        "a wrong check digit",
        raw("c", 1, after=person(id_number="110105194912310021")),
        Step.IDENTIFY,
        StopReason.IDENTITY_INVALID,
    ),
    ("a name missing", raw("c", 1, after=person(name=None)), Step.ASSESS, StopReason.QUALITY),
    ("a birth date of another", raw("c", 1, after=person(birth_date=0)), Step.ASSESS, StopReason.QUALITY),
]


@pytest.mark.requirement("A5-07")
@pytest.mark.parametrize(
    ("record", "step", "reason"), [row[1:] for row in STOPS], ids=[row[0] for row in STOPS]
)
def test_a_bad_change_is_quarantined_with_its_original_bytes(
    record: KafkaRecord, step: Step, reason: StopReason
) -> None:
    decision = decided(record)
    assert decision.kind is OutcomeKind.STOPPED
    assert decision.stopped is not None
    assert (decision.stopped.step, decision.stopped.reason) == (step, reason)
    quarantined = quarantine_of(decision)
    assert (quarantined["key"], quarantined["value"]) == (record.key, record.value)
    assert (quarantined["topic"], quarantined["offset"]) == (record.topic, record.offset)


def quarantine_of(decision: Decision) -> Record:
    output = decision.outputs[0]
    assert output.topic == "quarantine.police"
    return PLAN.control.quarantined_event.decode(split(output.value or b"")[1])


def test_no_detail_of_a_stop_holds_a_value_of_the_record() -> None:
    for _name, record, _step, _reason in STOPS:
        stopped = decided(record).stopped
        assert stopped is not None
        for value in ("王小明", ID_A, "110105194912310021", "平江路1号"):
            assert value not in stopped.detail


def test_a_topic_that_no_resource_declares_is_stopped() -> None:
    decision = decided(
        replace(raw("c", 1, after=person()), topic=type(PERSON_TOPIC)("raw.police.public.copy"))
    )
    assert decision.reason == "UNKNOWN_SOURCE"


@pytest.mark.requirement("A5-01", "A5-04")
def test_items_of_another_department_are_cut_and_kept_as_claims() -> None:
    decision = decided(raw("c", 3, after=ENROLMENT, topic=ENROLMENT_TOPIC, schema_id=ENROLMENT_SCHEMA_ID))
    assert decision.kind is OutcomeKind.ACCEPTED
    assert topics_of(decision) == ["resource.social.enrolment.v1", *["claims.social_security"] * 2]
    claims = [PLAN.control.claim.decode(split(output.value or b"")[1]) for output in decision.outputs[1:]]
    assert {(claim["owner"], claim["item"], claim["claimed"]) for claim in claims} == {
        ("police", "name", '"王大明"'),
        ("police", "address", '"别处"'),
    }
    canonical: OutputRecord = decision.outputs[0]
    assert "王大明".encode() not in (canonical.value or b"")


def test_a_marked_record_goes_on_with_its_marks() -> None:
    decision = decided(raw("c", 10, after=person(sex=None)))
    assert decision.kind is OutcomeKind.ACCEPTED
    assert decision.marks == ("sex.required",)


def test_a_value_too_large_for_kafkas_limits_is_stopped_and_named_by_its_digest() -> None:
    record = replace(raw("c", 1, after=person()), value=b"\0" * 2_000_001)
    decision = decided(record)
    assert decision.reason == "TOO_LARGE"
    quarantined = quarantine_of(decision)
    assert quarantined["value"] is None
    assert "SHA-256" in str(quarantined["detail"])
    assert decided(replace(record, value=b"\0" * 2_000_000)).reason == "UNKNOWN_SCHEMA"


@pytest.mark.parametrize(("size", "kept"), [(99_990, True), (100_001, False)])
def test_large_headers_are_left_out_of_quarantine_since_they_would_not_fit_either(
    size: int, kept: bool
) -> None:
    record = replace(raw("c", 1, after=person(name=None)), headers=(("h", b"\0" * size),))
    quarantined = quarantine_of(decided(replace(record, key=b"k")))
    assert (quarantined["headers"] != []) is kept
    assert (quarantined["key"] == b"k") is kept
    assert ("SHA-256" in str(quarantined["detail"])) is not kept
    assert quarantined["value"] == record.value


def test_a_delete_claims_nothing() -> None:
    decision = decided(raw("d", 3, before=ENROLMENT, topic=ENROLMENT_TOPIC, schema_id=ENROLMENT_SCHEMA_ID))
    assert set(topics_of(decision)) == {"resource.social.enrolment.v1"}


def test_a_correction_of_a_row_that_never_fitted_withdraws_its_key_without_a_state() -> None:
    decision = decided(raw("u", 11, before=person(name=None), after=other_identity()))
    (gone, last), (_, tombstone), (key, state) = canonical_of(decision)
    assert (gone, key) == (KEY_A, KEY_B)
    assert last is not None
    assert state is not None
    assert (last["operation"], last["previous_known"], last["state"]) == ("delete", False, None)
    assert tombstone is None


def test_a_correction_withdraws_the_old_key_without_what_others_own() -> None:
    source = replace(
        PLAN.sources[PERSON_TOPIC],
        not_ours=("address",),
        items=tuple(item for item in PLAN.sources[PERSON_TOPIC].items if item.name != "address"),
    )
    plan = replace(PLAN, sources={**PLAN.sources, PERSON_TOPIC: source})
    decision = decided(raw("u", 11, before=person(), after=other_identity()), plan=plan)
    (_, last), _tombstone, _state = canonical_of(decision)
    assert last is not None
    assert isinstance(last["state"], dict)
    assert last["state"]["address"] is None
