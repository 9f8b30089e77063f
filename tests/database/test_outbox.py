"""What a change owes to the world: written with it, sent in order, never left out."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.control.store.database import ControlDatabase, take_back
from services.control.store.outbox import (
    Act,
    Channel,
    acts_on,
    append,
    append_all,
    append_document,
    mark_sent,
    pending,
)

WHEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ACT = Act("account-7", "case.approve", "case", "42", WHEN, "by article 3", {"level": 1, "in_part": False})


def test_an_act_comes_back_as_it_was_given(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        append(connection, ACT)
        (entry,) = pending(connection, Channel.LEDGER)
    assert (entry.act, entry.document, entry.channel) == (ACT, None, Channel.LEDGER)


def test_acts_are_sent_in_their_order_and_once(control_database: ControlDatabase) -> None:
    acts = [replace(ACT, object=str(number)) for number in range(250)]
    with control_database.begin() as connection:
        append_all(connection, acts)
    sent: list[str] = []
    for _ in range(4):
        with control_database.begin() as connection:
            entries = pending(connection, Channel.LEDGER, limit=100)
            mark_sent(connection, [entry.id for entry in entries], WHEN)
        sent += [entry.act.object for entry in entries]
    assert sent == [act.object for act in acts]


def test_what_is_taken_back_is_not_sent(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        append(connection, ACT)
        take_back(connection)
    with control_database.begin() as connection:
        assert pending(connection, Channel.LEDGER) == []


def test_what_is_committed_late_is_sent_late_and_not_left_out(control_database: ControlDatabase) -> None:
    with control_database.begin() as slow:
        append(slow, replace(ACT, object="slow"))
        with control_database.begin() as quick:
            append(quick, replace(ACT, object="quick"))
        with control_database.begin() as sender:
            (first,) = pending(sender, Channel.LEDGER)
            mark_sent(sender, [first.id], WHEN)
    with control_database.begin() as sender:
        (second,) = pending(sender, Channel.LEDGER)
    assert [first.act.object, second.act.object] == ["quick", "slow"]


def test_one_sender_is_at_work_at_a_time_for_each_channel(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        append(connection, ACT)
        append_document(connection, ACT, {"grants": []})
    with control_database.begin() as one, control_database.begin() as other:
        assert pending(one, Channel.LEDGER)
        assert pending(other, Channel.LEDGER) == []
        assert pending(other, Channel.POLICY)
    with control_database.begin() as next_one:
        assert pending(next_one, Channel.LEDGER), "not marked, so it comes again"


def test_a_document_goes_its_own_way(control_database: ControlDatabase) -> None:
    document = {"version": 7, "grants": ["一"]}
    with control_database.begin() as connection:
        append_document(connection, ACT, document)
        assert pending(connection, Channel.LEDGER) == []
        (entry,) = pending(connection, Channel.POLICY)
    assert entry.document == document


def test_the_acts_on_an_object_are_found_sent_or_not(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        append_all(connection, [ACT, replace(ACT, object="43"), replace(ACT, what="case.suspend")])
        mark_sent(connection, [entry.id for entry in pending(connection, Channel.LEDGER)[:1]], WHEN)
        assert [act.what for act in acts_on(connection, "case", "42")] == ["case.approve", "case.suspend"]


@pytest.mark.parametrize("field", ["who", "what", "kind", "object"])
@pytest.mark.parametrize("said", ["", "王小明", "two words", "a\nline", "x" * 201])
def test_an_id_that_could_be_a_name_is_no_id(field: str, said: str) -> None:
    with pytest.raises(ValueError, match=field):
        replace(ACT, **{field: said})  # type: ignore[arg-type]


def test_an_act_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        replace(ACT, when=datetime(2026, 11, 26))  # noqa: DTZ001 - that is the point
