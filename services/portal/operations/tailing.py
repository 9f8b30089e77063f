"""Looks into a topic and follows it: lines as they come, how far the search is, and how it ended.

A filter compares with what is shown: on masked lines it cannot be used to guess what they hide.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.reader import Bounds
from services.ledger.showing import as_line, start_offset
from topics.event import KafkaRecord, TopicName
from topics.policy import Policy

MOST_LINES: Final = 500
MOST_SCANNED: Final = 200_000
TOLD_EACH: Final = 500
_POSITION: Final = re.compile(r"[0-9]{1,6}:[0-9]{1,18}(,[0-9]{1,6}:[0-9]{1,18}){0,999}")
LAZY_BYTES: Final = 20 * 1024
"""Texts longer than this are shown when they are asked for."""


class NoSuchTopic(LookupError):  # noqa: N818 - the caller names another topic
    """There is no topic, or no partition, of this name."""


class Ended(StrEnum):
    """Why a look ended."""

    AT_END = "at_end"
    ENOUGH_LINES = "enough_lines"
    SCANNED_ENOUGH = "scanned_enough"
    STOPPED = "stopped"
    BUSY = "busy"
    """Too many look already."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at."""

    topic: TopicName
    offset: str = "-20"
    partition: int | None = None
    words: str = ""
    follow: bool = False
    lines: int = 50
    position: str = ""
    """Where an earlier look ended, by partition: what came since is shown, in place of ``offset``."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record, decoded; integers are texts already, so that no reader rounds them."""

    at: str
    timestamp_ms: int
    key: str
    value: str | None
    """None is a tombstone."""
    headers: tuple[tuple[str, str], ...]
    position: str = ""
    """Where to go on after it."""

    @property
    def is_long(self) -> bool:
        """Whether it is folded until somebody asks for it."""
        return self.value is not None and len(self.value) > LAZY_BYTES


@dataclass(frozen=True, slots=True)
class Scanned:
    """How far the search is; ``left`` counts offsets, marks of transactions among them."""

    records: int
    lines: int
    left: int | None
    position: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """How it ended: nothing was found in so many records is not the same as an empty topic."""

    why: Ended
    records: int
    lines: int
    position: str = field(default="", compare=False)


Step = Line | Scanned | Finished


@dataclass(slots=True)
class Tail:
    """One look."""

    lookup: Lookup
    policy: Policy | None
    wanted: Wanted
    reveal: bool = False
    stop: Callable[[], bool] = lambda: False
    _records: int = 0
    _lines: int = 0
    _next: dict[int, int] = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        """What comes, until there is enough or nothing more.

        Raises:
            NoSuchTopic: there is none of this name.
            NotAnOffset: the offset means nothing.
            KafkaUnavailable, ReadRefused: the topic cannot be read.
        """
        starts = self._starts()
        self._next = {place.partition: start for place, start in starts.items()}
        bounds = self.lookup.reader.bounds_of(starts)
        ranges = {place: Bounds(start, bounds[place].end) for place, start in starts.items()}
        left = sum(max(each.end - each.low, 0) for each in ranges.values())
        yield Scanned(0, 0, left, self._position())
        for record in self.lookup.reader.read_all(ranges):
            yield from self._met(record, left)
            if (ended := self._ended()) is not None:
                yield self._finished(ended)
                return
        yield Scanned(self._records, self._lines, 0, self._position())
        if not self.wanted.follow:
            yield self._finished(Ended.AT_END)
            return
        onward = {place: max(each.low, each.end) for place, each in ranges.items()}
        for record in self.lookup.reader.follow(onward, self.stop):
            yield from self._met(record, None)
            if self._lines >= MOST_LINES:
                yield self._finished(Ended.ENOUGH_LINES)
                return
        yield self._finished(Ended.STOPPED)

    def _starts(self) -> dict[Place, int]:
        """Where to begin in each partition; an earlier position counts within what is kept."""
        earlier, found = positions(self.wanted.position), {}
        for place in self._places():
            text = str(earlier[place.partition]) if place.partition in earlier else self.wanted.offset
            found[place] = start_offset(self.lookup.reader, place, text)
        return found

    def _position(self) -> str:
        return ",".join(f"{partition}:{offset}" for partition, offset in sorted(self._next.items()))

    def _places(self) -> list[Place]:
        known = self.lookup.reader.places(self.wanted.topic)
        found = [each for each in known if self.wanted.partition in (None, each.partition)]
        if not found:
            raise NoSuchTopic(self.wanted.topic)
        return found

    def _met(self, record: KafkaRecord, left: int | None) -> Iterator[Step]:
        self._records += 1
        self._next[record.partition] = record.offset + 1
        line = self._line(record)
        if not self.wanted.words or self.wanted.words in f"{line.at} {line.key} {line.value} {line.headers}":
            self._lines += 1
            yield line
        if self._records % TOLD_EACH == 0:
            rest = None if left is None else max(left - self._records, 0)
            yield Scanned(self._records, self._lines, rest, self._position())

    def _line(self, record: KafkaRecord) -> Line:
        shown = as_line(self.lookup, record, self.policy, reveal=self.reveal)
        value = None if record.value is None else text_of(shown["value"])
        headers = tuple((str(name), str(text)) for name, text in shown["headers"].items())
        key, position = text_of(shown["key"]), self._position()
        return Line(shown["at"], shown["timestamp_ms"], key, value, headers, position)

    def _ended(self) -> Ended | None:
        if self.stop():
            return Ended.STOPPED
        if self._lines >= (MOST_LINES if self.wanted.follow else min(self.wanted.lines, MOST_LINES)):
            return Ended.ENOUGH_LINES
        return Ended.SCANNED_ENOUGH if self._records >= MOST_SCANNED else None

    def _finished(self, why: Ended) -> Finished:
        return Finished(why, self._records, self._lines, self._position())


def positions(text: str) -> dict[int, int]:
    """The offsets that a position names, by partition; nothing where the text is none."""
    if not _POSITION.fullmatch(text):
        return {}
    return {int(part.partition(":")[0]): int(part.partition(":")[2]) for part in text.split(",")}


def text_of(content: Any) -> str:
    """Content as JSON text: numbers stand in it with every digit, and no browser parses them."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return json.dumps(content, ensure_ascii=False, default=str, indent=1)


@dataclass(slots=True)
class Places:
    """How many may look at once: each look holds a connection and a thread."""

    most: int
    _taken: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_full(self) -> bool:
        """Whether nobody else may look now."""
        with self._lock:
            return self._taken >= self.most

    def take(self) -> bool:
        """Whether there was a place; who has taken one gives it back."""
        with self._lock:
            if self._taken >= self.most:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """One look has ended."""
        with self._lock:
            self._taken -= 1
