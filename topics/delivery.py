"""The headers of a delivered record, once: what fan-out writes and what every reader may rely on.

CloudEvents 1.0 in Kafka's binary mode plus a few short headers of our own. None of them holds personal data:
they name topics, offsets, resources, grants and rules, never a person or an organisation.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from topics.event import (
    GrantId,
    Headers,
    Operation,
    PolicyNumber,
    ResourceId,
    SourcePosition,
    TopicName,
)

CONTENT_TYPE: Final = "application/avro"
DISPUTED_HEADER: Final = "govbus_disputed"
_TYPE_PREFIX: Final = "govbus.record."
_SOURCE_PREFIX: Final = "/govbus/"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MARK: Final = re.compile(r"[^,\s]+")
_NUMBER: Final = re.compile(r"-?[0-9]+")


class NotADelivery(Exception):  # noqa: N818 - the reader sets the record aside
    """The headers are not those of a delivered record; set the record aside, it cannot be put in order."""


@dataclass(frozen=True, slots=True, order=True)
class DeliveryOrder:
    """Where a delivered record stands among those of its key: the grant's generation, then the source."""

    grant_generation: int
    position: SourcePosition


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the headers of one delivered record say.

    An operation of ``DELETE`` is exactly a tombstone: the record was deleted or has left the grant's scope.

    Raises:
        ValueError: a mark or a disputed item is empty or holds a comma or white space.
    """

    ce_id: str
    """``<raw topic>/<partition>/<offset>`` of the change that led to the record."""
    ce_source: str
    """``/govbus/<resource id>``"""
    ce_time: str
    """When the source committed the change, RFC 3339 in UTC."""
    operation: Operation
    """What happened to the record, as far as this grant sees it: ``ce_type``."""
    position: SourcePosition
    grant: GrantId
    grant_generation: int
    policy_version: PolicyNumber
    marks: tuple[str, ...] = ()
    """Names of the quality rules that marked the record."""
    disputed: tuple[str, ...] = ()
    """Items of the grant that are reported as wrong, ``*`` for the whole record (topics/disputes.py)."""

    def __post_init__(self) -> None:
        for item in self.disputed:
            if not is_mark(item):
                raise ValueError(f"a disputed item may hold neither comma nor white space: {item!r}")
        for mark in self.marks:
            if not is_mark(mark):
                raise ValueError(f"a quality mark may hold neither comma nor white space: {mark!r}")

    @property
    def order(self) -> DeliveryOrder:
        """What readers compare per key; the greater one is newer."""
        return DeliveryOrder(self.grant_generation, self.position)

    @property
    def is_tombstone(self) -> bool:
        """Whether the record has no value."""
        return self.operation is Operation.DELETE


def is_mark(text: str) -> bool:
    """Whether a text can be one mark of several in the header."""
    return _MARK.fullmatch(text) is not None


def event_id(raw_topic: TopicName, partition: int, offset: int) -> str:
    """``ce_id``: the coordinates of the original change, unique together with the source."""
    return f"{raw_topic}/{partition}/{offset}"


def event_source(resource: ResourceId) -> str:
    """``ce_source`` of a resource's records."""
    return f"{_SOURCE_PREFIX}{resource}"


def event_type(operation: Operation) -> str:
    """``ce_type`` of an operation: ``govbus.record.<operation>``."""
    return f"{_TYPE_PREFIX}{operation.value}"


def event_time(source_time_ms: int) -> str:
    """``ce_time``: milliseconds since 1970 as RFC 3339 text in UTC, always with three decimals."""
    moment = _EPOCH + timedelta(milliseconds=source_time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(ce_time: str) -> int:
    """The inverse of ``event_time``.

    Raises:
        ValueError: the text is not RFC 3339 with an offset.
    """
    moment = datetime.fromisoformat(ce_time)
    if moment.tzinfo is None:
        raise ValueError(f"a time without an offset: {ce_time!r}")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def delivery_headers(delivery: Delivery) -> Headers:
    """The headers of the record that ``delivery`` describes, in a fixed order."""
    position = delivery.position
    place = (position.generation, position.incarnation, position.commit, position.ordinal)
    texts = [
        ("ce_specversion", "1.0"),
        ("ce_id", delivery.ce_id),
        ("ce_source", delivery.ce_source),
        ("ce_type", event_type(delivery.operation)),
        ("ce_time", delivery.ce_time),
        ("govbus_position", ".".join(map(str, place))),
        ("govbus_grant", f"{delivery.grant}@{delivery.grant_generation}"),
        ("govbus_policy", str(delivery.policy_version)),
    ]
    if delivery.marks:
        texts.append(("govbus_marks", ",".join(delivery.marks)))
    if delivery.disputed:
        texts.append((DISPUTED_HEADER, ",".join(delivery.disputed)))
    if not delivery.is_tombstone:
        texts.append(("content-type", CONTENT_TYPE))
    return tuple((name, text.encode()) for name, text in texts)


def read_delivery(headers: Headers) -> Delivery:
    """What the headers say; headers of others, e.g. ``traceparent``, are ignored.

    Raises:
        NotADelivery: a header is missing or malformed.
    """
    try:
        found = {name: value.decode() for name, value in headers if name.startswith(("ce_", "govbus_"))}
        return _delivery(found)
    except KeyError as missing:
        raise NotADelivery(f"header {missing.args[0]} is missing") from missing
    except (ValueError, AttributeError) as malformed:
        raise NotADelivery("a header of the delivery is malformed") from malformed


def _delivery(found: dict[str, str]) -> Delivery:
    grant, separator, generation = found["govbus_grant"].rpartition("@")
    if not separator or not grant:
        raise NotADelivery("header govbus_grant is not <grant>@<generation>")
    marks, disputed = found.get("govbus_marks", ""), found.get(DISPUTED_HEADER, "")
    return Delivery(
        ce_id=found["ce_id"],
        ce_source=found["ce_source"],
        ce_time=found["ce_time"],
        operation=_operation(found["ce_type"]),
        position=_position(found["govbus_position"]),
        grant=GrantId(grant),
        grant_generation=_number(generation),
        policy_version=PolicyNumber(_number(found["govbus_policy"])),
        marks=tuple(marks.split(",")) if marks else (),
        disputed=tuple(disputed.split(",")) if disputed else (),
    )


def _operation(ce_type: str) -> Operation:
    prefix, operation = ce_type[: len(_TYPE_PREFIX)], ce_type[len(_TYPE_PREFIX) :]
    if prefix != _TYPE_PREFIX:
        raise NotADelivery(f"header ce_type is not {_TYPE_PREFIX}<operation>")
    return Operation(operation)


def _position(text: str) -> SourcePosition:
    parts = text.split(".")
    if len(parts) != 4:
        raise NotADelivery("header govbus_position is not generation.incarnation.commit.ordinal")
    return SourcePosition(*map(_number, parts))


def _number(text: str) -> int:
    # int() would also accept spaces, underscores and other scripts' digits: two texts, one number.
    if not _NUMBER.fullmatch(text):
        raise NotADelivery("a number in a header is malformed")
    return int(text)
