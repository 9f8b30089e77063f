"""What survives a kill, and what the ledger keeps."""

from pathlib import Path

import pytest

from services.control.framing import decode, encode
from services.control.suspension.acts import Act, ActDamaged, ActWord
from services.control.suspension.ids import new_id
from services.control.suspension.journal import FileJournal, JournalUnreadable
from services.control.suspension.resumption import Resumption
from topics.event import GrantId, SchemaId
from topics.grants.hold import HoldScope

ACT = Act("s-1", "operator-7", ActWord.SUSPEND, "consumer", "tax", 7, "why", {"cut": {"0": 10}, "by": "甲"})


def test_the_journal_keeps_whole_documents_that_nobody_else_reads(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "suspensions")
    assert journal.keys() == []
    assert journal.load("s-1") is None
    journal.save("s-2", {"a": 1})
    journal.save("s-1", {"a": 1})
    journal.save("s-1", {"a": "二"})
    assert journal.keys() == ["s-1", "s-2"]
    assert journal.load("s-1") == {"a": "二"}
    assert (tmp_path / "suspensions" / "s-1.json").stat().st_mode & 0o077 == 0


def test_a_damaged_journal_is_told_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "s-1.json").write_text("{", encoding="utf-8")
    with pytest.raises(JournalUnreadable, match=r"s-1\.json"):
        FileJournal(tmp_path).load("s-1")


@pytest.mark.parametrize("key", ["../s-1", "", "s/1", ".s", "S-1"])
def test_no_id_leads_out_of_the_journal(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        FileJournal(tmp_path).save(key, {})


def test_an_act_is_read_back_as_it_was_written_and_always_the_same_bytes() -> None:
    value = ACT.value(SchemaId(7))
    assert Act.from_value(value) == ACT
    again = Act(
        **{**{name: getattr(ACT, name) for name in Act.__slots__}, "document": {"by": "甲", "cut": {"0": 10}}}
    )
    assert again.value(SchemaId(7)) == value


def test_an_act_that_somebody_changed_is_not_believed() -> None:
    record = decode("ControlAct", ACT.value(SchemaId(7)))
    changed = encode(
        "ControlAct", SchemaId(7), {**record, "document": record["document"].replace("10", "99")}
    )
    with pytest.raises(ActDamaged, match="s-1"):
        Act.from_value(changed)


def test_ids_are_in_the_order_of_their_time_and_fit_the_journal(tmp_path: Path) -> None:
    ids = [new_id("s", moment, b"\x9f\x3a\x6c") for moment in (999, 1_000, 1_790_000_000_123)]
    assert ids == sorted(ids)
    assert ids[-1] == "s-20260921-141320-123-9f3a6c"
    FileJournal(tmp_path).save(ids[-1], {})


def test_a_resumption_survives_being_written_and_read() -> None:
    done = Resumption(
        "r-1", "s-1", HoldScope.CONSUMER, "health", "op", "settled", 5, (GrantId("a"), GrantId("b"))
    ).with_filled(GrantId("a"), {"records": 3, "swept": 1})
    assert Resumption.from_json(done.saved()) == done
    assert done.act().document == done.as_json()
    assert "recorded" not in done.as_json()
