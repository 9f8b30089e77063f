"""Remembers across the death of the process what was being decided when it died.

Each instance writes a file of its own in a folder that the instances of the group share, and reads the
others' when it is given a partition: a record that kills one instance is known to the one that takes over.
Nobody writes another's file, so one that is frozen and believes that it still owns the partition harms
nothing: what it leaves is at most tried in a child once too often.
"""

import glob
import json
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from services.processor.contract import InputPartition
from topics.engine.records import Records
from topics.event import TopicName

_MOST_CPU_SECONDS: Final = 6.0
_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Suspect:
    """Records of one partition that were being decided: ``[first, end)``."""

    source: InputPartition
    first: int
    end: int
    attempts: int
    """How many times the process has died over them."""


class AttemptLog:
    """A small file, written before each decision; after it, only what is still suspect remains.

    It is not synced to the disk: it has to survive the process, not the machine. While a decision is under
    way a timer of CPU time runs whose signal ends the process, also inside compiled code, so that a step
    of it that never ends is a death like any other. A frozen process uses none.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
        self._kept: list[list[str | int]] = []
        self.suspects = _read(path)
        """What an earlier process of this instance died over, and what that one suspected already."""

    def beside(self, suffix: str) -> "AttemptLog":
        """Another file of the same instance, read by the others' files of the same kind only."""
        return AttemptLog(self._path.with_suffix(suffix))

    def others(self) -> tuple[Suspect, ...]:
        """What the other instances of the group say now; one that lives says what it is deciding."""
        group = self._path.stem.rpartition(".")[0]
        files = sorted(self._path.parent.glob(f"{glob.escape(group)}.*{self._path.suffix}"))
        named = [path for path in files if path.stem.rpartition(".")[0] == group and path != self._path]
        return tuple(chain.from_iterable(map(_read, named)))

    def keep(self, suspects: Iterable[Suspect]) -> None:
        """From the next decision on these stand in the file, too, until they are replaced."""
        self._kept = [[*each.source, each.first, each.end, each.attempts] for each in suspects]

    def begin(self, batch: Iterable[Records], attempt: int) -> None:
        """These records are being decided, for the so many-th time."""
        begun: list[list[str | int]] = [
            [records.topic, records.partition, records[0].offset, records[-1].offset + 1, attempt]
            for records in batch
        ]
        self._write(self._kept + begun)
        self.goes_on()

    def goes_on(self) -> None:
        """A step of the decision is over: the next has as much time again."""
        signal.setitimer(signal.ITIMER_PROF, _MOST_CPU_SECONDS)

    def end(self) -> None:
        """They are decided, or refused by an exception; the process lives."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._write(self._kept)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._file)

    def _write(self, rows: list[list[str | int]]) -> None:
        content = b""
        if rows:
            content = json.dumps(rows).encode()
            os.pwrite(self._file, content, 0)
        os.ftruncate(self._file, len(content))


def _read(path: Path) -> tuple[Suspect, ...]:
    """What a file says; a torn or strange one says nothing, nor does one that is gone."""
    try:
        return tuple(
            Suspect(InputPartition(TopicName(topic), int(partition)), int(first), int(end), int(attempts))
            for topic, partition, first, end, attempts in json.loads(path.read_bytes() or b"[]")
        )
    except (OSError, ValueError, TypeError):
        return ()
