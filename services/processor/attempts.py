"""Remembers across the death of the process what was being decided when it died."""

import json
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
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
    """A small file, written before each decision and emptied after it.

    It is not synced to the disk: it has to survive the process, not the machine. While a decision is under
    way a timer of CPU time runs whose signal ends the process, also inside compiled code, so that a decision
    that never ends is a death like any other. A frozen process uses no CPU time.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
        self.suspects = _read(self._file)
        """What an earlier process died over."""

    def begin(self, batch: Iterable[Records], attempt: int) -> None:
        """These records are being decided, for the so many-th time."""
        ranges = [
            [records.topic, records.partition, records[0].offset, records[-1].offset + 1] for records in batch
        ]
        text = json.dumps({"attempt": attempt, "ranges": ranges}).encode()
        os.pwrite(self._file, text, 0)
        os.ftruncate(self._file, len(text))
        signal.setitimer(signal.ITIMER_PROF, _MOST_CPU_SECONDS)

    def end(self) -> None:
        """They are decided, or refused by an exception; the process lives."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._file)


def _read(file: int) -> tuple[Suspect, ...]:
    """What the file says; a torn or strange one says nothing."""
    try:
        content = json.loads(os.pread(file, os.fstat(file).st_size, 0) or b"{}")
        return tuple(
            Suspect(
                InputPartition(TopicName(topic), int(partition)),
                int(first),
                int(end),
                int(content["attempt"]),
            )
            for topic, partition, first, end in content.get("ranges", ())
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()
