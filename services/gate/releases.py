"""Releases: records that an operator appended to a raw partition, naming the offset that they release."""

from typing import Final

from services.gate.stopped import StoppedEntry
from services.gate.versions import Remembered
from topics.event import KafkaRecord, SupersededReason
from topics.withdrawal import RELEASE_HEADER as RELEASE_HEADER

_LONGEST_OFFSET: Final = 18


def is_release(record: KafkaRecord) -> bool:
    """Whether the record says that it releases another one."""
    return record.header(RELEASE_HEADER) is not None


def released_offset(record: KafkaRecord) -> int | None:
    """The raw offset that a release names; None for what is no release, or names none before itself."""
    text = record.header(RELEASE_HEADER)
    if text is None or not text.isdigit() or len(text) > _LONGEST_OFFSET or int(text) > record.offset:
        return None
    return int(text)


def refusal(record: KafkaRecord, entry: Remembered | None, *, published: bool) -> SupersededReason | None:
    """An older record never overwrites a newer one: what the stopped-key entry says of a release.

    Of a published source the versions say it, once they are read (``order`` in services/gate/line.py).
    """
    if not is_release(record):
        return None
    released = released_offset(record)
    if released is None:
        return SupersededReason.NOTHING_PENDING
    if published:
        return None
    if not isinstance(entry, StoppedEntry):
        return SupersededReason.NOTHING_PENDING
    return SupersededReason.OLDER_THAN_PENDING if released < entry.first_stopped else None
