"""Published keys: the highest accepted version is the state, whatever comes late, twice or wrong."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.publication import change_from_publication, publication
from services.gate.line import decide
from services.gate.outcome import Decision, OutcomeKind
from services.gate.plan import GatePlan, compile_gate
from services.gate.processor import GateProcessor
from services.gate.versions import AcceptedVersion, content_digest
from services.processor.contract import InputPartition
from tests.support.policy import sample_policy
from tests.support.publication import (
    HOLDER_A,
    HOLDER_B,
    PARTITIONS,
    PERMIT_SCHEMA,
    PERMIT_SCHEMA_ID,
    PERMIT_TOPIC,
    permit,
    published,
)
from topics.canonical import envelope_schema, partition_of, schema_text
from topics.engine.records import PartitionRecords
from topics.engine.reference import ReferenceCodec
from topics.event import Change, EntityKey, KafkaRecord, OutputRecord, Record, RecordId, ResourceId
from topics.policy import Policy
from topics.wire import split

POLICY = sample_policy()
PERMITS = ResourceId("licence.permit.v1")
CODECS = {PERMIT_SCHEMA_ID: ReferenceCodec(PERMIT_SCHEMA)}
KEY_A = EntityKey(f"credit_code:{HOLDER_A}", RecordId("SP-0001"))
KEY_B = EntityKey(f"credit_code:{HOLDER_B}", RecordId("SP-0001"))


def with_permits(**changed: Any) -> Policy:
    """The sample policy with another declaration of the permits."""
    entry = POLICY.resources[PERMITS]
    resource = entry.resource.model_copy(update=changed)
    envelope = schema_text(envelope_schema(json.loads(entry.item_schema), resource.scope_items))
    coming = entry.model_copy(update={"resource": resource, "envelope_schema": envelope})
    others = {key: value for key, value in POLICY.resources.items() if key != PERMITS}
    return POLICY.model_copy(update={"resources": {**others, resource.id: coming}})


PLAN: GatePlan = compile_gate(with_permits(scope_items=("kind",)))
SOURCE = PLAN.sources[PERMIT_TOPIC]


def change_of(version: int, record: Record, operation: str = "upsert") -> Change:
    value = publication(record, operation, version, 0, None)
    change = change_from_publication(value, ("permit_number",), 1, 0, 0)
    assert isinstance(change, Change)
    return change


def accepted(version: int, record: Record | None = None, *, deleted: bool = False) -> AcceptedVersion:
    """What is remembered once this version of the permit was accepted."""
    row = permit() if record is None else record
    content = content_digest(change_of(version, row, "delete" if deleted else "upsert"))
    key = EntityKey(f"credit_code:{row['credit_code']}", RecordId("SP-0001"))
    return AcceptedVersion(1, version, content, None if deleted else key)


def decided(record: KafkaRecord, entry: AcceptedVersion | None = None, plan: GatePlan = PLAN) -> Decision:
    return decide(record, plan, CODECS, entry)


def canonical_of(outputs: Sequence[OutputRecord]) -> list[tuple[EntityKey, Record | None]]:
    found = []
    for output in outputs:
        if output.topic.startswith("resource."):
            key = SOURCE.canonical_key.decode(split(output.key or b"")[1])
            value = None if output.value is None else SOURCE.envelope.decode(split(output.value)[1])
            found.append((EntityKey(str(key["identity"]), RecordId(str(key["record_id"]))), value))
    return found


def test_the_sample_holders_are_valid() -> None:
    for holder in (HOLDER_A, HOLDER_B):
        assert decided(published(1, permit(holder))).kind is OutcomeKind.ACCEPTED


FIVE = accepted(5)
GONE = accepted(5, deleted=True)
STANDINGS: list[tuple[str, KafkaRecord, AcceptedVersion | None, str, str | None]] = [
    ("the first of its key", published(0), None, "accepted", None),
    ("one older", published(4), FIVE, "superseded", "OLDER_VERSION"),
    ("the same again", published(5), FIVE, "duplicate", None),
    ("one newer", published(6), FIVE, "accepted", None),
    ("the lowest after the highest", published(0), accepted(2**63 - 1), "superseded", "OLDER_VERSION"),
    ("the highest again", published(2**63 - 1), accepted(2**63 - 1), "duplicate", None),
    ("the same, dated anew", published(5, occurred_ms=1_790_000_099_000), FIVE, "duplicate", None),
    ("the same number, another state", published(5, permit(kind="02")), FIVE, "stopped", "VERSION_REUSED"),
    ("the same number, a delete", published(5, operation="delete"), FIVE, "stopped", "VERSION_REUSED"),
    ("newer and faulty", published(6, permit(kind="99")), FIVE, "stopped", "QUALITY"),
    ("older and faulty", published(4, permit(kind="99")), FIVE, "superseded", "OLDER_VERSION"),
    ("an older delete", published(4, operation="delete"), FIVE, "superseded", "OLDER_VERSION"),
    ("a newer delete", published(6, operation="delete"), FIVE, "accepted", None),
    ("an older update after the delete", published(4), GONE, "superseded", "OLDER_VERSION"),
    ("an update with the delete's version", published(5), GONE, "stopped", "VERSION_REUSED"),
    ("a newer update after the delete", published(6), GONE, "accepted", None),
    ("the delete again", published(5, operation="delete"), GONE, "duplicate", None),
    (
        "the delete again, with another last state",
        published(5, permit(kind="02"), operation="delete"),
        GONE,
        "duplicate",
        None,
    ),
    (
        "older, accepted into another resource version",
        published(4),
        replace(FIVE, resource_version=2),
        "accepted",
        None,
    ),
]


@pytest.mark.parametrize(
    ("record", "entry", "outcome", "reason"),
    [row[1:] for row in STANDINGS],
    ids=[row[0] for row in STANDINGS],
)
def test_a_version_stands_where_its_number_and_content_say(
    record: KafkaRecord, entry: AcceptedVersion | None, outcome: str, reason: str | None
) -> None:
    decision = decided(record, entry)
    assert (decision.kind.value, decision.reason) == (outcome, reason)
    if outcome in ("superseded", "duplicate"):
        assert decision.outputs == ()
    if outcome == "accepted":
        after = decision.entry_after
        assert isinstance(after, AcceptedVersion)
        assert decision.outputs[-1].topic == "versions.market_regulation.publish.licence.permit"
        assert decision.outputs[-1].partition == record.partition
    else:
        assert decision.entry_changed is False


def test_what_is_accepted_is_remembered_with_its_key() -> None:
    assert decided(published(6), FIVE).entry_after == accepted(6)
    assert decided(published(6, operation="delete"), FIVE).entry_after == accepted(6, deleted=True)


def test_a_stopped_version_is_quarantined_and_nothing_else_is_written() -> None:
    decision = decided(published(5, permit(kind="02")), FIVE)
    assert [output.topic for output in decision.outputs] == ["quarantine.market_regulation"]


PLACES = [
    ("no key", published(1, key=None), "WRONG_KEY"),
    ("another key", published(1, key=b"SP-0002"), "WRONG_KEY"),
    ("another partition", published(1, partition=(partition_of("SP-0001", PARTITIONS) + 1) % 4), "WRONG_KEY"),
    ("its own place", published(1), None),
]


@pytest.mark.parametrize(("record", "reason"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_a_record_that_does_not_stand_under_its_record_id_is_stopped(
    record: KafkaRecord, reason: str | None
) -> None:
    decision = decided(record)
    assert decision.reason == reason
    assert (decision.entry_after is None) == (reason is not None)


class TestIdentity:
    def test_a_correction_withdraws_the_old_key_although_the_publisher_named_none(self) -> None:
        decision = decided(published(6, permit(HOLDER_B)), FIVE)
        (old, last), (_old, tombstone), (new, value) = canonical_of(decision.outputs)
        assert (old, new, tombstone) == (KEY_A, KEY_B, None)
        assert last is not None
        assert (last["operation"], last["previous_known"]) == ("delete", False)
        assert value is not None
        assert (value["previous_known"], value["previous"]) == (True, None)

    def test_a_wrong_previous_identity_withdraws_what_stands_and_nothing_else(self) -> None:
        decision = decided(published(6, permit(HOLDER_B), previous_identity=HOLDER_B), FIVE)
        assert {key for key, _ in canonical_of(decision.outputs)} == {KEY_A, KEY_B}

    def test_without_an_entry_the_publisher_says_what_it_was(self) -> None:
        decision = decided(published(6, permit(HOLDER_B), previous_identity=HOLDER_A))
        assert [key for key, _ in canonical_of(decision.outputs)] == [KEY_A, KEY_A, KEY_B]

    def test_a_delete_withdraws_what_stands_whatever_identity_it_names(self) -> None:
        for named in (HOLDER_B, "no code at all"):
            decision = decided(published(6, permit(named), operation="delete"), FIVE)
            (key, last), (_key, tombstone) = canonical_of(decision.outputs)
            assert (key, tombstone) == (KEY_A, None)
            assert last is not None
            assert last["previous_known"] is False

    def test_a_second_delete_writes_no_second_tombstone(self) -> None:
        decision = decided(published(6, operation="delete"), GONE)
        assert decision.kind is OutcomeKind.ACCEPTED
        assert canonical_of(decision.outputs) == []

    @pytest.mark.parametrize(
        ("entry", "known"),
        [(None, False), (FIVE, False), (GONE, True), (accepted(5, permit(HOLDER_B)), True)],
        ids=["nothing remembered", "the same key stands", "deleted before", "another key stood"],
    )
    def test_that_there_was_no_record_before_is_said_only_where_it_is_known(
        self, entry: AcceptedVersion | None, known: bool
    ) -> None:
        key, value = canonical_of(decided(published(6), entry).outputs)[-1]
        assert key == KEY_A
        assert value is not None
        assert (value["previous_known"], value["previous"]) == (known, None)

    def test_a_first_delete_does_not_take_the_publishers_word_for_the_scope(self) -> None:
        (_key, last), _tombstone = canonical_of(decided(published(6, operation="delete")).outputs)
        assert last is not None
        assert last["previous_known"] is False


RELEASES: list[tuple[str, KafkaRecord, AcceptedVersion | None, str, str | None]] = [
    ("newer than what was accepted", published(6, released=90), FIVE, "accepted", None),
    ("nothing was accepted yet", published(6, released=90), None, "accepted", None),
    ("accepted already", published(5, released=90), FIVE, "superseded", "NOTHING_PENDING"),
    (
        "its version was used again",
        published(5, permit(kind="02"), released=90),
        FIVE,
        "superseded",
        "NOTHING_PENDING",
    ),
    ("older", published(4, released=90), FIVE, "superseded", "OLDER_VERSION"),
    ("older than the delete", published(4, released=90), GONE, "superseded", "OLDER_VERSION"),
    ("names no number", published(6, released=b"ninety"), FIVE, "superseded", "NOTHING_PENDING"),
    (
        "names an offset to come",
        published(6, offset=100, released=101),
        FIVE,
        "superseded",
        "NOTHING_PENDING",
    ),
    ("names its own offset", published(6, offset=100, released=100), FIVE, "accepted", None),
    ("names no offset at all", published(6, released=b""), FIVE, "superseded", "NOTHING_PENDING"),
    (
        "names more digits than offsets have",
        published(6, released=b"0" * 5_000),
        FIVE,
        "superseded",
        "NOTHING_PENDING",
    ),
]


@pytest.mark.parametrize(
    ("record", "entry", "outcome", "reason"), [row[1:] for row in RELEASES], ids=[row[0] for row in RELEASES]
)
def test_a_release_is_decided_by_its_version(
    record: KafkaRecord, entry: AcceptedVersion | None, outcome: str, reason: str | None
) -> None:
    decision = decided(record, entry)
    assert (decision.kind.value, decision.reason) == (outcome, reason)


def test_an_item_that_a_newer_schema_added_as_null_is_no_other_content() -> None:
    assert content_digest(change_of(1, permit())) == content_digest(
        change_of(1, {**permit(), "colour": None})
    )
    assert content_digest(change_of(1, permit())) != content_digest(change_of(1, {**permit(), "colour": ""}))


def test_an_entry_is_read_as_it_was_written() -> None:
    """Through the gate's own topic, with and without a key that stands."""
    for entry in (FIVE, GONE):
        gate = Gate()
        gate.remember(published(5, operation="delete" if entry is GONE else "upsert"))
        gate.restart()
        assert gate.outcome(published(4, offset=101)) == ("superseded", "OLDER_VERSION")
        assert gate.last_decision.entry_met == entry


class Gate:
    """The gate's processor beside the topics that it writes."""

    processor = GateProcessor()
    processor.adopt(with_permits(scope_items=("kind",)))
    place = InputPartition(PERMIT_TOPIC, partition_of("SP-0001", PARTITIONS))

    def __init__(self) -> None:
        self.outputs: list[OutputRecord] = []
        self.last_decision: Any = None
        self.processor.revoke(self.place)
        self.processor.assign(self.place, 0)

    def decide(self, batch: Sequence[KafkaRecord]) -> dict[str, int]:
        schemas = {PERMIT_SCHEMA_ID: PERMIT_SCHEMA}
        result = self.processor.process([PartitionRecords(*self.place, batch)], schemas)
        self.outputs.extend(chain.from_iterable(result.lanes))
        return dict(result.outcomes)

    def abort(self, batch: Sequence[KafkaRecord]) -> None:
        self.processor.process([PartitionRecords(*self.place, batch)], {PERMIT_SCHEMA_ID: PERMIT_SCHEMA})
        self.restart()

    def restart(self) -> None:
        """Another instance gets the partition, with nothing but what was written."""
        state = self.processor.state_partition(self.place)
        assert state is not None
        kept = [output for output in self.outputs if output.topic == state.topic]
        remembered = {output.key: output.value for output in kept if output.key and output.value}
        self.processor.revoke(self.place)
        self.processor.assign(self.place, 0)
        self.processor.load(self.place, remembered)

    def remember(self, record: KafkaRecord) -> None:
        assert self.decide([record]) == {"accepted": 1}

    def outcome(self, record: KafkaRecord) -> tuple[str, str | None]:
        self.last_decision = decide(record, self.processor.plan, CODECS, self.processor._entry(record))
        return self.last_decision.kind.value, self.last_decision.reason


VERSIONS = {
    1: published(1, permit(kind="01")),
    2: published(2, permit(kind="02")),
    3: published(3, permit(kind="99")),
    4: published(4, permit(HOLDER_B, kind="02")),
    5: published(5, permit(HOLDER_B), operation="delete"),
    6: published(6, permit("wrong", kind="01")),
    7: published(7, permit(HOLDER_A, kind="03")),
}
STATES: dict[int, tuple[EntityKey, str] | None] = {
    1: (KEY_A, "01"),
    2: (KEY_A, "02"),
    4: (KEY_B, "02"),
    5: None,
    7: (KEY_A, "03"),
}
"""What stands once that version is the highest accepted one; 3 and 6 are always stopped."""

TURNS = st.lists(
    st.tuples(st.sampled_from(sorted(VERSIONS)), st.sampled_from(["", "restart", "abort"])),
    min_size=1,
    max_size=14,
)


@given(TURNS, st.integers(1, 4))
def test_any_order_and_repetition_ends_in_the_highest_accepted_version(
    turns: list[tuple[int, str]], batch_size: int
) -> None:
    gate = Gate()
    batch: list[KafkaRecord] = []
    for offset, (version, accident) in enumerate(turns):
        batch.append(replace(VERSIONS[version], offset=offset))
        if len(batch) == batch_size or offset == len(turns) - 1:
            if accident == "abort":
                gate.abort(batch)
            gate.decide(batch)
            batch = []
            if accident == "restart":
                gate.restart()
    written = canonical_of(gate.outputs)
    highest = max((version for version, _ in turns if version in STATES), default=None)
    assert standing(written) == (
        {} if highest is None else dict([found] if (found := STATES[highest]) else [])
    )
    orders: dict[EntityKey, list[int]] = {}
    for key, value in written:
        if value is not None:
            orders.setdefault(key, []).append(int(str(value["commit"])))
    assert all(order == sorted(order) for order in orders.values())


def standing(written: Sequence[tuple[EntityKey, Record | None]]) -> dict[EntityKey, str]:
    """What a sink that goes by the order of the topic holds."""
    held: dict[EntityKey, str] = {}
    for key, value in written:
        state = None if value is None else value["state"]
        held.pop(key, None)
        if isinstance(state, dict):
            held[key] = state["kind"]
    return held
