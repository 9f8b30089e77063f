"""Disputed records: hashes that name nobody, marks that follow what is said, disputes fixed by a number."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

import topics.disputes
from schemas.load import control_schema
from tests.support.tickets import ENTITY, KEY, PERSON, RIGHT, SECRETS, WRONG, contested, key_bytes
from topics.disputes import (
    Act,
    DisputeChange,
    DisputeKeyMissing,
    DisputeMarks,
    Disputes,
    RefuseChange,
    change_from,
    change_record,
    dispute_key,
    folded,
    keys_from,
    record_hash,
    standing,
    value_hash,
)
from topics.engine.reference import ReferenceCodec
from topics.engine.resolution import ResolvedState
from topics.engine.schema import RecordType, parse
from topics.event import EntityKey, RecordId, ResourceId


def opened(number: int, dispute: str = "t.1", *items: str) -> DisputeChange:
    return DisputeChange(number, Act.OPEN, dispute, contested(*items or ("address",)))


def closed(number: int, dispute: str = "t.1") -> DisputeChange:
    return DisputeChange(number, Act.CLOSE, dispute)


@pytest.mark.requirement("A11-13")
def test_a_dispute_holds_neither_the_number_nor_a_value_of_the_record() -> None:
    text = repr(change_record(opened(1, "t.1", *WRONG)))
    assert not [value for value in (*WRONG.values(), ENTITY.identity, "11010519491231002X") if value in text]


def test_hashes_tell_records_resources_items_and_keys_apart() -> None:
    other = key_bytes(EntityKey(ENTITY.identity, RecordId("2")))
    assert (
        len(
            {
                record_hash(KEY, PERSON, key_bytes()),
                record_hash(KEY, PERSON, other),
                record_hash(KEY, ResourceId("other.person.v1"), key_bytes()),
                record_hash(dispute_key(b"n" * 32, 1), PERSON, key_bytes()),
                record_hash(dispute_key(SECRETS[1], 2), PERSON, key_bytes()),
            }
        )
        == 5
    )
    assert (
        len(
            {
                value_hash(KEY, "a" * 32, "name", "王"),
                value_hash(KEY, "b" * 32, "name", "王"),
                value_hash(KEY, "a" * 32, "address", "王"),
                value_hash(KEY, "a" * 32, "name", "黄"),
                value_hash(KEY, "a" * 32, "name", None),
                value_hash(KEY, "a" * 32, "name", "None"),
            }
        )
        == 6
    )


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (1, "1", False),
        (True, 1, False),
        (b"\x01", "01", False),
        (None, "", False),
        (0.5, 0.5, True),
    ],
)
def test_values_are_the_same_where_a_reader_would_call_them_so(left: Any, right: Any, same: bool) -> None:
    hashes = [value_hash(KEY, "a" * 32, "item", value) for value in (left, right)]
    assert (hashes[0] == hashes[1]) is same


@pytest.mark.parametrize(
    ("items", "state", "expected"),
    [
        (("address", "name"), WRONG, ("address", "name")),
        (("address", "name"), RIGHT, ("name",)),
        (("address",), RIGHT, ()),
        ((), RIGHT, ("*",)),
        ((), None, ()),
        (("address",), None, ()),
    ],
)
def test_a_mark_stands_while_the_record_says_what_is_disputed(
    items: tuple[str, ...], state: dict[str, Any] | None, expected: tuple[str, ...]
) -> None:
    assert standing(contested(*items), state, KEY) == expected


def test_a_value_that_cannot_be_read_counts_as_disputed_and_raises_nothing() -> None:
    def schema(kind: str) -> RecordType:
        made = parse({"type": "record", "name": "R", "fields": [{"name": "address", "type": kind}]})
        assert isinstance(made, RecordType)
        return made

    unreadable = ResolvedState({"address": 7}, schema("long"), schema("string"))
    assert standing(contested("address"), unreadable, KEY) == ("address",)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ([opened(2)], "its number is 1"),
        ([opened(1), opened(1)], "its number is 2"),
        ([opened(1), closed(3)], "its number is 2"),
        ([opened(1), opened(2)], "open already"),
        ([closed(1)], "is not open"),
        ([opened(1), closed(2), closed(3)], "is not open"),
        ([DisputeChange(1, Act.OPEN, "t.1")], "said where a dispute is opened"),
        ([replace(closed(1), contested=contested("name"))], "said where a dispute is opened"),
        ([opened(1, "名")], "no id"),
        ([DisputeChange(1, Act.OPEN, "t.1", replace(contested("name"), record="王小明"))], "hexadecimal"),
        (
            [DisputeChange(1, Act.OPEN, "t.1", replace(contested(), values=(("王", "0" * 32),)))],
            "no name of an item",
        ),
        (
            [DisputeChange(1, Act.OPEN, "t.1", replace(contested(), values=(("a", "0" * 32),) * 2))],
            "named twice",
        ),
        ([DisputeChange(1, Act.OPEN, "t.1", replace(contested(), partition=-1))], "is none"),
    ],
)
def test_a_change_that_does_not_follow_is_refused(changes: list[DisputeChange], problem: str) -> None:
    with pytest.raises(RefuseChange, match=problem):
        folded(changes)


def test_no_more_disputes_are_open_than_an_instance_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics.disputes, "MOST_OPEN", 2)
    two = folded([opened(1, "a"), opened(2, "b")])
    with pytest.raises(RefuseChange, match="no more may be"):
        folded([opened(3, "c")], two)
    assert set(folded([closed(3, "a"), opened(4, "c")], two).open) == {"b", "c"}


@drawn(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30), st.integers(0, 30))
def test_a_number_means_the_same_disputes_whenever_they_are_read(
    wishes: list[tuple[str, bool]], cut: int
) -> None:
    changes: list[DisputeChange] = []
    still: set[str] = set()
    for dispute, opening in wishes:
        if opening is not (dispute in still):
            number = len(changes) + 1
            changes.append(opened(number, dispute) if opening else closed(number, dispute))
            still ^= {dispute}
    cut = min(cut, len(changes))
    found = folded(changes[cut:], folded(changes[:cut]))
    assert found == folded(changes)
    assert (found.number, set(found.open)) == (len(changes), still)


def test_a_change_travels_as_its_schema_says_and_comes_back_the_same() -> None:
    codec = ReferenceCodec(control_schema("DisputeChange"))
    for change in (
        opened(1, "t.1", "address", "name"),
        DisputeChange(2, Act.OPEN, "t.2", contested()),
        closed(3),
    ):
        assert change_from(codec.decode(codec.encode(change_record(change)))) == change


@pytest.mark.parametrize("broken", [{}, {"number": "x"}, {**change_record(closed(1)), "act": "hide"}])
def test_a_malformed_change_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(RefuseChange, match="malformed"):
        change_from(broken)


def marks(*changes: DisputeChange) -> DisputeMarks:
    return DisputeMarks(folded(changes), keys_from(SECRETS))


def test_a_record_is_found_by_its_key_in_its_resource_and_partition_only() -> None:
    found = marks(opened(1, "a", "address"), opened(2, "b", "name"))
    assert [each.values[0][0] for each in found.met(PERSON, 0, key_bytes())] == ["address", "name"]
    assert found.met(PERSON, 0, key_bytes(EntityKey(ENTITY.identity, RecordId("2")))) == ()
    assert found.met(PERSON, 1, key_bytes()) == ()
    assert found.met(ResourceId("legal.enterprise.v1"), 0, key_bytes()) == ()
    assert (found.touches(PERSON, 0), found.touches(PERSON, 1)) == (True, False)


def test_two_disputes_of_one_record_mark_the_items_of_both() -> None:
    found = marks(opened(1, "a", "address"), opened(2, "b", "name"))
    met = found.met(PERSON, 0, key_bytes())
    assert found.items(met, WRONG) == {"address", "name"}
    assert found.items(met, RIGHT) == {"name"}


def test_disputes_of_several_key_versions_are_found_each_by_its_own() -> None:
    secrets = {**SECRETS, 2: b"n" * 32}
    key = dispute_key(secrets[2], 2)
    hashed = record_hash(key, PERSON, key_bytes())
    newer = replace(contested(), record=hashed, key_version=2)
    disputes = folded([opened(1, "a", "address"), DisputeChange(2, Act.OPEN, "b", newer)])
    found = DisputeMarks(disputes, keys_from(secrets))
    assert found.items(found.met(PERSON, 0, key_bytes()), WRONG) == {"address", "*"}
    with pytest.raises(DisputeKeyMissing, match="version 2"):
        DisputeMarks(disputes, keys_from(SECRETS))


def test_without_disputes_nothing_is_asked_of_any_record() -> None:
    assert not DisputeMarks(Disputes(), keys_from(SECRETS)).touches(PERSON, 0)
