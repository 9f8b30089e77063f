"""A full volume withdraws in two steps, and a live change between them has the last word."""

from dataclasses import replace

from services.gate.outcome import Decision, OutcomeKind
from services.gate.stopped import StoppedEntry
from tests.support.debezium import PERSON_TOPIC, raw
from tests.unit.gate.line_cases import KEY_A, PLAN, canonical_of, decided, entry_with, person, topics_of
from topics.canonical import key_record
from topics.event import KafkaRecord, TopicName
from topics.wire import frame
from topics.withdrawal import Withdrawal, announcement, withdrawal

SOURCE = PLAN.sources[PERSON_TOPIC]
KEY = frame(SOURCE.canonical_key_schema_id, SOURCE.canonical_key.encode(key_record(KEY_A)))
RAW_KEY = raw("c", 1, after=person()).key or b""
ANNOUNCED = announcement(TopicName(PERSON_TOPIC), 0, RAW_KEY, KEY)


def at(offset: int, output: object = ANNOUNCED) -> KafkaRecord:
    assert isinstance(output, type(ANNOUNCED))
    return KafkaRecord(
        output.topic, output.partition, offset, 1_790_000_000_000, output.key, output.value, output.headers
    )


def withdrawn(offset: int, announced: int, entry: StoppedEntry | None) -> Decision:
    return decided(at(offset, withdrawal(ANNOUNCED, Withdrawal(announced, 3, 900))), entry)


def test_an_announcement_writes_nothing_canonical_and_is_the_last_word_of_its_key() -> None:
    decision = decided(at(20))
    assert (decision.kind, decision.reason) == (OutcomeKind.CONTROL, "WITHDRAWAL_ANNOUNCED")
    assert topics_of(decision) == ["stopped.police.public.person"]
    assert decision.entry_after == StoppedEntry(False, None, 20, 20)


def test_an_announcement_keeps_what_was_stopped_before_it() -> None:
    assert decided(at(20), entry_with(KEY_A, 5)).entry_after == StoppedEntry(True, KEY_A, 5, 20)


def test_an_announced_withdrawal_is_a_last_record_of_unknown_scope_and_the_tombstone() -> None:
    decision = withdrawn(25, 20, StoppedEntry(False, None, 20, 20))
    (key, last), (_, tombstone) = canonical_of(decision)
    assert (decision.kind, key, tombstone) == (OutcomeKind.ACCEPTED, KEY_A, None)
    assert last is not None
    assert (last["operation"], last["previous_known"], last["state"]) == ("delete", False, None)
    assert (last["incarnation"], last["commit"], last["ordinal"]) == (3, 900, 25)
    assert (decision.entry_changed, decision.entry_after) == (True, None)


def test_an_accepted_change_after_the_announcement_has_the_last_word() -> None:
    announced = decided(at(20)).entry_after
    assert isinstance(announced, StoppedEntry)
    live = decided(raw("c", 22, after=person()), announced)
    assert (live.kind, live.entry_after) == (OutcomeKind.ACCEPTED, None)
    decision = withdrawn(25, 20, None)
    assert (decision.kind, decision.reason) == (OutcomeKind.SUPERSEDED, "NOTHING_PENDING")
    assert decision.outputs == ()


def test_a_stopped_change_after_the_announcement_has_the_last_word() -> None:
    announced = decided(at(20)).entry_after
    assert isinstance(announced, StoppedEntry)
    stopped = decided(raw("u", 22, person(), person(name=None)), announced).entry_after
    assert stopped == StoppedEntry(False, None, 20, 22)
    decision = withdrawn(25, 20, stopped)
    assert (decision.kind, decision.reason) == (OutcomeKind.SUPERSEDED, "OLDER_THAN_PENDING")


def test_what_is_no_canonical_key_of_the_source_is_quarantined_and_remembered_by_nothing() -> None:
    decision = decided(replace(at(20), value=b"\0\0\0\0\1x"))
    assert (decision.kind, decision.reason) == (OutcomeKind.STOPPED, "UNDECODABLE")
    assert (topics_of(decision), decision.entry_changed) == (["quarantine.police"], False)
