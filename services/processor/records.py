"""Turns a client's message into the record that the rules know, bytes untouched."""

from typing import Any, Final

from topics.event import Headers, KafkaRecord, TopicName

UNREADABLE_HEADERS: Final = "govbus-unreadable-headers"


def to_record(message: Any) -> KafkaRecord:
    """Return the message as a record; its time is the broker's (topics are LogAppendTime)."""
    return KafkaRecord(
        topic=TopicName(message.topic()),
        partition=message.partition(),
        offset=message.offset(),
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=_headers(message),
    )


def _headers(message: Any) -> Headers:
    try:
        # The error may come with the answer or only when that is looked at.
        return tuple((name, value or b"") for name, value in message.headers() or ())
    except (UnicodeDecodeError, SystemError):
        # A name that is not UTF-8: the client cannot show these headers; the record still goes its way.
        return ((UNREADABLE_HEADERS, b""),)
