"""Decides records in a child process first, so that one that kills a process kills only the child."""

import asyncio
import contextlib
import gc
import os
import select
import signal
import struct
import warnings
from collections.abc import Mapping
from typing import Any, Final, Protocol

from services.processor.contract import Batch, Steps, finished
from topics.engine.records import PartitionRecords, Records

_STEP: Final = struct.Struct("<i")
_DONE: Final = -1
_PATIENCE_SECONDS: Final = 3.0
_LONGEST_LIFE_SECONDS: Final = 600
_DEATHS: Final = 2
"""How often a record must kill a child before it is believed."""


class Deciding(Protocol):
    """What is needed of ``services.processor.contract.Processor``."""

    def process_in_steps(self, batch: Batch, schemas: Mapping[Any, Any]) -> Steps:
        """Decide a batch."""
        ...


async def deadly_records(
    processor: Deciding, records: Records, schemas: Mapping[Any, Any], patience_s: float = _PATIENCE_SECONDS
) -> frozenset[int]:
    """Offsets of the records that end a process which decides them, or never let it end.

    The processor is pure, so a copy of this process can decide without touching Kafka; what it changes dies
    with it. The event loop goes on meanwhile.
    """
    deadly: set[int] = set()
    at = deaths = 0
    while at < len(records):
        stopped_at = await asyncio.to_thread(_watch, *_start(processor, records, schemas, at), patience_s)
        if stopped_at is None:
            break
        deaths = deaths + 1 if stopped_at == at else 1
        at = stopped_at
        if deaths >= _DEATHS:
            deadly.add(records[at].offset)
            at, deaths = at + 1, 0
    return frozenset(deadly)


def _start(processor: Deciding, records: Records, schemas: Mapping[Any, Any], at: int) -> tuple[int, int]:
    """A child that decides from there on; its process id and where it says how far it is."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn of copies of processes with threads; this one touches nothing but its own memory.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _decide_one_by_one(processor, records, schemas, at, writing)
    os.close(writing)
    return child, reading


def _decide_one_by_one(
    processor: Deciding, records: Records, schemas: Mapping[Any, Any], at: int, writing: int
) -> None:
    """The child's whole life. Nothing is collected or closed: that would touch the parent's connections."""
    gc.disable()
    _be_alone()
    try:
        for number in range(at, len(records)):
            os.write(writing, _STEP.pack(number))
            alone = PartitionRecords(records.topic, records.partition, [records[number]])
            # An exception kills nobody; the runner isolates it by itself.
            with contextlib.suppress(Exception):
                finished(processor.process_in_steps([alone], schemas))
        os.write(writing, _STEP.pack(_DONE))
    finally:
        os._exit(0)


def _be_alone() -> None:
    """Signals end the child and tell the parent's event loop nothing; it does not outlive its purpose."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(_LONGEST_LIFE_SECONDS)


def _watch(child: int, reading: int, patience_s: float) -> int | None:
    """Follow a child to its end; the number of the record at which it ended, or None if it came through."""
    last = 0
    try:
        while select.select([reading], [], [], patience_s)[0]:
            step = os.read(reading, 4096)
            if not step:
                return last
            last = _STEP.unpack_from(step, len(step) - _STEP.size)[0]
            if last == _DONE:
                return None
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
    return last
