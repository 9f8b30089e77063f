"""How a topic is looked at: where looking begins, and each record decoded, masked unless it is revealed."""

import re
from typing import Any, Final

from schemas.registry import SchemaNotFound
from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.masking import MASKED, OPEN_TOPICS, mask_record
from services.ledger.reader import Bounds, TopicReader
from topics.engine.reference import Undecodable
from topics.event import KafkaRecord
from topics.policy import Policy

_START: Final = re.compile(r"beginning|end|-?[0-9]{1,18}|s@[0-9]{1,15}")
_HEADERS_WITHOUT_PERSONS: Final = (
    # Only the bus writes here, and never a person into a header; a raw header is its provider's.
    *OPEN_TOPICS,
    "sub.",
    "resource.",
    "quarantine.",
    "claims.",
    "stopped.",
    "versions.",
)


class NotAnOffset(ValueError):  # noqa: N818 - says what is wrong
    """The text says no place to begin at: beginning, end, a number, -N for the last N, s@MS for a time."""


def start_offset(reader: TopicReader, place: Place, text: str) -> int:
    """The offset that kcat's ``-o`` means, within what the partition keeps.

    ``-N`` means the last N records: other than in kcat, the marks of transactions do not count.

    Raises:
        NotAnOffset: the text means nothing.
    """
    if not _START.fullmatch(text):
        raise NotAnOffset(text)
    low, end = reader.bounds(place)
    if text in ("beginning", "end"):
        return low if text == "beginning" else end
    if text.startswith("s@"):
        return reader.offset_at(place, int(text[2:]))
    if text.startswith("-"):
        return _last(reader, place, Bounds(low, end), -int(text))
    return min(max(int(text), low), end)


def _last(reader: TopicReader, place: Place, bounds: Bounds, count: int) -> int:
    """The offset of the last record but so many: further back until there are enough."""
    span = count
    while span:
        start = max(bounds.end - span, bounds.low)
        offsets = [record.offset for record in reader.read(place, start, bounds.end)]
        if len(offsets) >= count:
            return offsets[-count]
        if start == bounds.low:
            return start
        span *= 4
    return bounds.end


def as_line(lookup: Lookup, record: KafkaRecord, policy: Policy | None, *, reveal: bool) -> dict[str, Any]:
    """One record of docs/cli/tail.schema.json."""
    key, value = decoded(lookup, record.key), decoded(lookup, record.value)
    if not reveal:
        key, value = mask_record(record.topic, key, value, policy)
    shown = record.topic.startswith(_HEADERS_WITHOUT_PERSONS) or reveal
    return {
        "at": record.coordinates,
        "timestamp_ms": record.timestamp_ms,
        "key": key,
        "value": value,
        "headers": {
            name: text.decode(errors="replace") if shown else MASKED for name, text in record.headers
        },
    }


def decoded(lookup: Lookup, framed: bytes | None) -> Any:
    """The decoded datum; what is no datum as text, and what is no text as hexadecimal digits."""
    if framed is None:
        return None
    try:
        return dict(lookup.decoder.decode(framed))
    except (Undecodable, SchemaNotFound):
        try:
            return framed.decode()
        except UnicodeDecodeError:
            return framed.hex()
