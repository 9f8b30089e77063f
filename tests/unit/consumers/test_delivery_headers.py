"""The headers of a delivered record say everything that they were given, and nothing else is accepted."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.delivery import (
    Delivery,
    NotADelivery,
    delivery_headers,
    event_id,
    event_source,
    event_time,
    milliseconds,
    read_delivery,
)
from topics.event import GrantId, Operation, PolicyNumber, ResourceId, SourcePosition, TopicName

EXAMPLE = Delivery(
    ce_id=event_id(TopicName("raw.gaj.public.person"), 3, 41),
    ce_source=event_source(ResourceId("population.person.v1")),
    ce_time=event_time(1_767_225_600_123),
    operation=Operation.UPDATE,
    position=SourcePosition(0, 2, 24_113_088, 41),
    grant=GrantId("persons-haidian"),
    grant_generation=1,
    policy_version=PolicyNumber(7),
    marks=("address-stale",),
)

numbers = st.integers(min_value=0, max_value=2**63 - 1)
deliveries = st.builds(
    Delivery,
    ce_id=st.builds(event_id, st.just(TopicName("raw.gaj.public.person")), numbers, numbers),
    ce_source=st.just("/govbus/population.person.v1"),
    ce_time=st.builds(event_time, st.integers(min_value=0, max_value=4_102_444_800_000)),
    operation=st.sampled_from(Operation),
    position=st.builds(SourcePosition, numbers, numbers, numbers, numbers),
    grant=st.from_regex(r"[a-z][a-z0-9-]{0,50}", fullmatch=True).map(GrantId),
    grant_generation=numbers,
    policy_version=numbers.map(PolicyNumber),
    marks=st.lists(st.from_regex(r"[a-z0-9_.-]{1,20}", fullmatch=True), max_size=5).map(tuple),
    disputed=st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,20}|\*", fullmatch=True), max_size=3).map(tuple),
)


def headers_with(name: str, value: bytes | None) -> tuple[tuple[str, bytes], ...]:
    kept = tuple(header for header in delivery_headers(EXAMPLE) if header[0] != name)
    return kept if value is None else (*kept, (name, value))


@given(deliveries)
def test_headers_read_back_as_the_delivery_that_they_were_made_of(delivery: Delivery) -> None:
    assert read_delivery(delivery_headers(delivery)) == delivery


def test_headers_are_cloudevents_in_binary_mode_and_a_few_short_ones_of_our_own() -> None:
    assert dict(delivery_headers(EXAMPLE)) == {
        "ce_specversion": b"1.0",
        "ce_id": b"raw.gaj.public.person/3/41",
        "ce_source": b"/govbus/population.person.v1",
        "ce_type": b"govbus.record.update",
        "ce_time": b"2026-01-01T00:00:00.123Z",
        "govbus_position": b"0.2.24113088.41",
        "govbus_grant": b"persons-haidian@1",
        "govbus_policy": b"7",
        "govbus_marks": b"address-stale",
        "content-type": b"application/avro",
    }


def test_tombstone_has_no_content_type_and_a_record_without_marks_no_marks() -> None:
    names = [name for name, _ in delivery_headers(replace(EXAMPLE, operation=Operation.DELETE, marks=()))]
    assert "content-type" not in names
    assert "govbus_marks" not in names


def test_headers_of_others_are_ignored() -> None:
    foreign = (("traceparent", b"\xff"), ("spring_json_header_types", b"{}"))
    assert read_delivery((*delivery_headers(EXAMPLE), *foreign)) == EXAMPLE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("govbus_position", None),
        ("govbus_position", b"1.2.3"),
        ("govbus_position", b"1.2.3.4.5"),
        ("govbus_position", b"1.2.3. 4"),
        ("govbus_position", b"1.2.3.1_0"),
        ("govbus_position", "1.2.3.٤".encode()),
        ("govbus_grant", None),
        ("govbus_grant", b"persons-haidian"),
        ("govbus_grant", b"@1"),
        ("govbus_grant", b"persons-haidian@x"),
        ("ce_type", b"govbus.record.merge"),
        ("ce_type", b"update"),
        ("ce_type", None),
        ("govbus_policy", b""),
        ("govbus_marks", b"a,,b"),
        ("ce_id", b"\xff\xfe"),
        ("ce_time", None),
    ],
)
def test_missing_or_malformed_headers_are_refused(name: str, value: bytes | None) -> None:
    with pytest.raises(NotADelivery):
        read_delivery(headers_with(name, value))


def test_record_without_any_header_is_not_a_delivery() -> None:
    with pytest.raises(NotADelivery):
        read_delivery(())


@pytest.mark.parametrize("mark", ["", "a,b", "a b", "a\n"])
def test_mark_that_could_not_be_read_back_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="quality mark"):
        replace(EXAMPLE, marks=(mark,))


def test_newer_generation_of_the_grant_outranks_every_source_position() -> None:
    later_at_the_source = replace(EXAMPLE, position=SourcePosition(9, 9, 9, 9))
    next_generation = replace(EXAMPLE, grant_generation=2)
    assert later_at_the_source.order > EXAMPLE.order
    assert next_generation.order > later_at_the_source.order


@given(st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999))
def test_time_reads_back_to_the_millisecond(moment: int) -> None:
    assert milliseconds(event_time(moment)) == moment


def test_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        milliseconds("2026-01-01T00:00:00")
