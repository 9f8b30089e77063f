"""Records in a raw partition that withdraw what a full volume did not see: their headers and their value.

A withdrawal goes in two steps, so that no live change ever loses to it. The *announcement* makes the gate
remember the raw key as one whose last word it is; every live change of the key that comes after it clears or
outdates that memory. The *withdrawal* names the announcement's offset and is refused unless the announcement
is still the last word. The value of both is the canonical key, framed as it stands on the canonical topic.
"""

from dataclasses import dataclass
from typing import Final

from topics.event import KafkaRecord, OutputRecord, TopicName

RELEASE_HEADER: Final = "govbus_release"
"""What an operator appends carries it: the gate's engines leave such records to the line."""
WITHDRAWAL_HEADER: Final = "govbus_withdrawal"
_ANNOUNCED: Final = b"announced"
_LONGEST: Final = 18


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal says: the announcement that it follows, and where it stands in its source.

    Args:
        announced: raw offset of the announcement, in the same partition.
        incarnation: of the source, as the newest record that it withdraws knew it.
        commit: the newest commit position that the bus has of that source; no later change has a lower one.
    """

    announced: int
    incarnation: int
    commit: int


def announcement(raw: TopicName, partition: int, raw_key: bytes, canonical_key: bytes) -> OutputRecord:
    """The record that announces a withdrawal."""
    headers = ((RELEASE_HEADER, _ANNOUNCED), (WITHDRAWAL_HEADER, _ANNOUNCED))
    return OutputRecord(raw, partition, raw_key, canonical_key, headers)


def withdrawal(announced: OutputRecord, what: Withdrawal) -> OutputRecord:
    """The record that carries out what was announced."""
    position = f"{what.incarnation}.{what.commit}".encode()
    headers = ((RELEASE_HEADER, str(what.announced).encode()), (WITHDRAWAL_HEADER, position))
    return OutputRecord(announced.topic, announced.partition, announced.key, announced.value, headers)


def is_withdrawal(record: KafkaRecord) -> bool:
    """Whether the record announces or carries out a withdrawal."""
    return record.header(WITHDRAWAL_HEADER) is not None


def read_withdrawal(record: KafkaRecord) -> Withdrawal | None:
    """What the record carries out; None for an announcement, or where its headers cannot be read."""
    offset = _number(record.header(RELEASE_HEADER) or b"")
    parts = [_number(part) for part in (record.header(WITHDRAWAL_HEADER) or b"").split(b".")]
    if offset is None or offset >= record.offset or len(parts) != 2:
        return None
    incarnation, commit = parts
    return None if incarnation is None or commit is None else Withdrawal(offset, incarnation, commit)


def is_announcement(record: KafkaRecord) -> bool:
    """Whether the record announces a withdrawal."""
    return record.header(WITHDRAWAL_HEADER) == _ANNOUNCED


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) <= _LONGEST + 2 else None
