"""What the gate remembers of stopped keys, and what becomes of releases."""

from dataclasses import replace

from services.gate.outcome import OutcomeKind
from services.gate.stopped import StoppedEntry
from tests.support.debezium import (
    raw,
)
from tests.unit.gate.line_cases import (
    KEY_A,
    KEY_B,
    canonical_of,
    decided,
    entry_with,
    other_identity,
    person,
    topics_of,
)


class TestStoppedKeys:
    def test_a_stopped_create_remembers_that_nothing_was_accepted(self) -> None:
        decision = decided(raw("c", 5, after=person(name=None)))
        assert decision.entry_after == StoppedEntry(True, None, 5, 5)
        assert topics_of(decision)[-1] == "stopped.police.public.person"

    def test_a_stopped_update_remembers_the_key_that_was_accepted_last(self) -> None:
        decision = decided(raw("u", 5, person(), person(id_number="110105194912310021")))
        assert decision.entry_after == StoppedEntry(True, KEY_A, 5, 5)

    def test_a_second_stop_keeps_the_first_offset_and_the_last_accepted_key(self) -> None:
        decision = decided(raw("u", 8, other_identity(), person(name=None)), entry_with(KEY_A, 5))
        assert decision.entry_after == StoppedEntry(True, KEY_A, 5, 8)

    def test_undecodable_bytes_leave_the_last_accepted_key_unknown(self) -> None:
        decision = decided(replace(raw("u", 5, person(), person()), value=b"?"))
        assert decision.entry_after == StoppedEntry(False, None, 5, 5)

    def test_the_next_accepted_change_withdraws_the_last_accepted_key(self) -> None:
        """Corrected twice, A to an invalid number (stopped) to B: A must go although before never was A."""
        wrong = person(id_number="110105194912310021")
        decision = decided(raw("u", 9, wrong, other_identity()), entry_with(KEY_A))
        (old, last), (_old, tombstone), (new, value) = canonical_of(decision)
        assert (old, new, tombstone) == (KEY_A, KEY_B, None)
        assert last is not None
        assert last["previous_known"] is False
        assert value is not None
        assert value["previous_known"] is False
        assert (decision.entry_changed, decision.entry_after) == (True, None)

    def test_the_next_accepted_change_of_the_same_key_says_unknown(self) -> None:
        decision = decided(raw("u", 9, person(name=None), person(name="王新")), entry_with(KEY_A))
        [(key, value)] = canonical_of(decision)
        assert key == KEY_A
        assert value is not None
        assert value["previous_known"] is False

    def test_deleting_a_row_whose_create_was_stopped_deletes_nothing(self) -> None:
        decision = decided(raw("d", 9, before=person(name=None)), entry_with(None))
        assert decision.kind is OutcomeKind.ACCEPTED
        assert canonical_of(decision) == []
        assert decision.entry_after is None

    def test_deleting_a_row_whose_update_was_stopped_withdraws_the_last_accepted_key(self) -> None:
        wrong = person(id_number="110105194912310021")
        decision = decided(raw("d", 9, before=wrong), entry_with(KEY_A))
        (key, last), (_key, tombstone) = canonical_of(decision)
        assert (key, tombstone) == (KEY_A, None)
        assert last is not None
        assert last["previous_known"] is False

    def test_an_unknown_last_key_marks_the_resource_incomplete(self) -> None:
        decision = decided(raw("u", 9, person(), person()), entry_with(None, known=False))
        assert "epochs.population.person.v1" in topics_of(decision)


class TestReleases:
    def test_a_release_without_a_pending_entry_is_superseded(self) -> None:
        decision = decided(raw("u", 20, person(), person(), released=5))
        assert (decision.kind, decision.reason) == (OutcomeKind.SUPERSEDED, "NOTHING_PENDING")
        assert decision.outputs == ()

    def test_a_release_older_than_the_pending_change_is_superseded(self) -> None:
        decision = decided(raw("u", 20, person(), person(), released=4), entry_with(KEY_A, 5, 5))
        assert (decision.kind, decision.reason) == (OutcomeKind.SUPERSEDED, "OLDER_THAN_PENDING")

    def test_an_accepted_release_keeps_the_position_of_the_change_that_it_releases(self) -> None:
        decision = decided(raw("u", 20, person(), person(), released=5), entry_with(KEY_A, 5, 5))
        assert decision.kind is OutcomeKind.ACCEPTED
        [(_key, value)] = canonical_of(decision)
        assert value is not None
        assert value["ordinal"] == 5
        assert decision.entry_after is None

    def test_releasing_the_older_of_two_leaves_the_newer_pending(self) -> None:
        decision = decided(raw("u", 20, person(), person(), released=5), entry_with(KEY_A, 5, 9))
        assert decision.entry_after == StoppedEntry(True, KEY_A, 6, 9)

    def test_a_release_that_is_stopped_again_changes_no_entry(self) -> None:
        decision = decided(raw("u", 20, person(), person(name=None), released=5), entry_with(KEY_A, 5, 5))
        assert decision.kind is OutcomeKind.STOPPED
        assert decision.entry_changed is False


class TestUnknownLastState:
    """Where undecodable bytes or a direct publication hid a change, what was accepted last is not known."""

    def test_a_delete_withdraws_the_deleted_rows_own_key(self) -> None:
        decision = decided(raw("d", 9, before=person()), entry_with(None, known=False))
        (key, last), (_key, tombstone) = canonical_of(decision)
        assert (key, tombstone) == (KEY_A, None)
        assert last is not None
        assert last["previous_known"] is False
        assert decision.entry_after is None

    def test_a_stopped_snapshot_read_leaves_the_last_state_unknown(self) -> None:
        decision = decided(raw("r", 5, after=person(name=None)))
        assert decision.entry_after == StoppedEntry(False, None, 5, 5)
