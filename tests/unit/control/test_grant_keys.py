"""Keys and schemas of grant topics show no more than the grant does."""

from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.definitions import load_definitions, packaged_definitions
from topics.event import EntityKey, GrantId, RecordId
from topics.grants.declaration import (
    DistrictMask,
    DropMask,
    Grant,
    HashMask,
    PartialMask,
    RowFilter,
    YearMask,
)
from topics.grants.keys import grant_key, has_canonical_key, pseudonym
from topics.grants.projection import UnknownItem, projected_schema

CITY = load_definitions(packaged_definitions())
TAX = CITY.grants[GrantId("tax-enterprises")]
ENTERPRISE = CITY.resources[TAX.resource]


def without_item(grant: Grant, name: str) -> Grant:
    return grant.model_copy(update={"items": tuple(item for item in grant.items if item != name)})


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (TAX, True),
        (without_item(TAX, "id"), False),
        (without_item(TAX, "credit_code"), False),
        (TAX.model_copy(update={"masks": {"credit_code": PartialMask(keep_first=8)}}), False),
        (TAX.model_copy(update={"masks": {"id": HashMask()}}), False),
        (TAX.model_copy(update={"masks": {"name": HashMask()}}), True),
        (TAX.model_copy(update={"rows": (RowFilter(item="district", values=("320508",)),)}), False),
    ],
)
def test_a_key_is_canonical_only_where_the_grant_shows_all_of_it_anyway(grant: Grant, expected: bool) -> None:
    assert has_canonical_key(ENTERPRISE, grant) is expected


def test_a_record_id_that_is_no_item_keeps_the_key_a_pseudonym() -> None:
    person = CITY.resources[CITY.grants[GrantId("health-persons-gusu")].resource]
    grant = CITY.grants[GrantId("health-persons-gusu")].model_copy(update={"rows": ()})
    assert not has_canonical_key(person, grant)


@given(st.text(), st.text(), st.text(), st.text())
def test_pseudonyms_differ_wherever_identity_or_record_id_do(a: str, b: str, c: str, d: str) -> None:
    key = bytes(32)
    left, right = EntityKey(a, RecordId(b)), EntityKey(c, RecordId(d))
    assert (pseudonym(key, left) == pseudonym(key, right)) is (left == right)


def test_each_grant_and_each_version_of_the_master_secret_has_a_key_of_its_own() -> None:
    master = b"m" * 32
    keys = {
        grant_key(master, GrantId("a"), 1),
        grant_key(master, GrantId("b"), 1),
        grant_key(master, GrantId("a"), 2),
        grant_key(b"n" * 32, GrantId("a"), 1),
    }
    assert len(keys) == 4


def test_a_pseudonym_is_32_hexadecimal_characters_and_stays_the_same() -> None:
    found = pseudonym(b"k" * 32, EntityKey("resident_id:11010519491231002X", RecordId("7")))
    assert len(found) == 32
    assert found == pseudonym(b"k" * 32, EntityKey("resident_id:11010519491231002X", RecordId("7")))
    assert set(found) <= set("0123456789abcdef")


def granted(items: tuple[str, ...], masks: dict[str, Any] | None = None) -> Grant:
    return TAX.model_copy(update={"items": items, "masks": masks or {}})


SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Thing",
    "fields": [
        {"name": "a", "type": "string"},
        {"name": "b", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None},
        {"name": "c", "type": {"type": "enum", "name": "Kind", "symbols": ["X", "Y"]}, "default": "X"},
        {"name": "d", "type": "Kind"},
        {"name": "e", "type": "long", "default": 5},
    ],
}


def test_fields_keep_the_order_of_the_resource_whatever_the_order_of_the_grant() -> None:
    found = projected_schema(SCHEMA, granted(("e", "b", "a")))
    assert [field["name"] for field in found["fields"]] == ["a", "b", "e"]


def test_a_named_type_is_written_out_where_its_definition_was_not_granted() -> None:
    found = projected_schema(SCHEMA, granted(("d",)))
    assert found["fields"][0]["type"]["symbols"] == ["X", "Y"]
    fastavro.parse_schema(found)


@pytest.mark.parametrize(
    ("item", "mask", "expected"),
    [
        ("b", HashMask(), ["null", "string"]),
        ("a", HashMask(), "string"),
        ("e", PartialMask(keep_first=1), "string"),
        ("c", DistrictMask(), "string"),
        ("b", YearMask(), ["null", {"type": "int", "logicalType": "date"}]),
        ("e", DropMask(), ["null", "long"]),
        ("b", DropMask(), ["null", {"type": "int", "logicalType": "date"}]),
    ],
)
def test_a_mask_changes_the_type_to_what_it_leaves(item: str, mask: Any, expected: Any) -> None:
    found = projected_schema(SCHEMA, granted((item,), {item: mask}))
    assert found["fields"][0]["type"] == expected
    fastavro.parse_schema(found)
    default = found["fields"][0].get("default", "")
    assert default is None or isinstance(default, str)


def test_an_item_that_the_resource_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(UnknownItem, match="no item z"):
        projected_schema(SCHEMA, granted(("a", "z")))
