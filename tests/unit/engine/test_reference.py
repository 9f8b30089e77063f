"""The reference codec writes only what it reads again, and says what does not fit without its value."""

from typing import Any

import pytest

from topics.engine.reference import DoesNotFit, ReferenceCodec

ITEMS = {
    "type": "record",
    "name": "Items",
    "fields": [
        {"name": "count", "type": "int"},
        {"name": "size", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "names", "type": {"type": "map", "values": "string"}},
    ],
}
CODEC = ReferenceCodec(
    {
        "type": "record",
        "name": "Envelope",
        "namespace": "govbus.test",
        "fields": [{"name": "at", "type": "long"}, {"name": "state", "type": ["null", ITEMS]}],
    }
)
SOUND: dict[str, Any] = {"count": 1, "size": 2, "note": "x", "names": {"a": "b"}}


@pytest.mark.parametrize("count", [-(2**31), 2**31 - 1])
@pytest.mark.parametrize("size", [-(2**63), 2**63 - 1])
def test_the_outermost_numbers_of_a_type_are_written_and_read(count: int, size: int) -> None:
    record = {"at": 1, "state": {**SOUND, "count": count, "size": size}}
    assert CODEC.decode(CODEC.encode(record)) == record


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"count": 2**31}, "count has another type"),
        ({"count": -(2**31) - 1}, "count has another type"),
        ({"count": "7"}, "count has another type"),
        ({"count": None}, "count has another type"),
        ({"size": 2**63}, "size has another type"),
        ({"note": 424242}, "note has another type"),
        ({"names": {"zhang": 424242}}, "names has another type"),
    ],
)
def test_what_does_not_fit_is_told_by_its_field_alone(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(DoesNotFit) as failure:
        CODEC.encode({"at": 1, "state": {**SOUND, **changed}})
    assert str(failure.value) == told


def test_a_number_of_the_envelope_itself_is_told_too() -> None:
    with pytest.raises(DoesNotFit, match=r"^at has another type$"):
        CODEC.encode({"at": "1", "state": None})


def test_a_record_without_a_field_is_told() -> None:
    with pytest.raises(DoesNotFit, match=r"^a field is missing$"):
        CODEC.encode({"state": None})
