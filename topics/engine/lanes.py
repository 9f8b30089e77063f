"""Lanes: what one batch writes to one output partition, in order, with the digest that the ledger keeps.

Order matters only within a partition, so a batch's result is a list of lanes. A lane of the compiled engine
holds its records as bytes in one piece; everybody else sees both kinds as a sequence of ``OutputRecord``.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

from topics.event import Headers, OutputRecord, TopicName

UNDIGESTED_HEADERS: Final = frozenset({"traceparent"})
"""Headers that replay need not reproduce."""


class Digest(Protocol):
    """What lanes are digested into, such as ``hashlib.sha256()``."""

    def update(self, data: Any, /) -> None:
        """Take the next bytes."""
        ...


class Lane(Protocol):
    """Records for one partition of one topic."""

    @property
    def topic(self) -> TopicName:
        """Where they go."""
        ...

    @property
    def partition(self) -> int:
        """Which partition of it."""
        ...

    def __len__(self) -> int:
        """How many."""
        ...

    def __iter__(self) -> Iterator[OutputRecord]:
        """The records, in order."""
        ...

    def digest(self) -> str:
        """SHA-256 over ``digest_form`` of every record, in hexadecimal."""
        ...

    def feed(self, digest: Digest) -> None:
        """Update a digest with ``digest_form`` of every record: so lanes are digested one after the other."""
        ...


class RecordLane:
    """A lane of ready records."""

    def __init__(self, topic: TopicName, partition: int, records: Iterable[OutputRecord] = ()) -> None:
        self.topic = topic
        self.partition = partition
        self._records = list(records)

    def append(self, record: OutputRecord) -> None:
        """Put one more behind the others."""
        self._records.append(record)

    def __len__(self) -> int:
        """How many records."""
        return len(self._records)

    def __iter__(self) -> Iterator[OutputRecord]:
        """The records, in order."""
        return iter(self._records)

    def digest(self) -> str:
        """See ``Lane.digest``."""
        found = hashlib.sha256()
        self.feed(found)
        return found.hexdigest()

    def feed(self, digest: Digest) -> None:
        """See ``Lane.feed``."""
        for record in self._records:
            digest.update(digest_form(record))


def into_lanes(records: Iterable[OutputRecord]) -> list[RecordLane]:
    """Sort records into lanes; within a lane they keep their order."""
    lanes: dict[tuple[TopicName, int], RecordLane] = {}
    for record in records:
        place = (record.topic, record.partition)
        lane = lanes.get(place)
        if lane is None:
            lane = lanes[place] = RecordLane(*place)
        lane.append(record)
    return list(lanes.values())


def digest_form(record: OutputRecord) -> bytes:
    """One record as unambiguous bytes: key, value, headers, each with its length before it (0xff: null)."""
    parts = (record.key, record.value, headers_form(record.headers) if record.headers else b"")
    return b"".join([b"\xff" if part is None else len(part).to_bytes(4, "big") + part for part in parts])


def headers_form(headers: Headers) -> bytes:
    """Headers as unambiguous bytes, without those that replay need not reproduce.

    Per header: length of the name in 2 bytes, the name, length of the value in 4 bytes, the value.
    """
    parts = []
    for name, value in headers:
        if name not in UNDIGESTED_HEADERS:
            encoded = name.encode()
            parts += [len(encoded).to_bytes(2, "big"), encoded, len(value).to_bytes(4, "big"), value]
    return b"".join(parts)


def headers_from_form(form: bytes) -> Headers:
    """The inverse of ``headers_form``."""
    found, at = [], 0
    while at < len(form):
        name_end = at + 2 + int.from_bytes(form[at : at + 2], "big")
        value_end = name_end + 4 + int.from_bytes(form[name_end : name_end + 4], "big")
        found.append((form[at + 2 : name_end].decode(), form[name_end + 4 : value_end]))
        at = value_end
    return tuple(found)
