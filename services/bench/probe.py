"""What is measured while something runs: committed offsets, processor time and memory of processes."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TIMEOUT_S: Final = 10.0


class ProcessEnded(Exception):  # noqa: N818 - says what happened
    """The measured process ended before its work was done; its log says why."""


def cpu_seconds(pid: int) -> float:
    """Processor time of a process since it started, its threads and waited-for children included.

    Raises:
        ProcessEnded: there is no such process.
    """
    fields = _stat(pid)
    return sum(int(fields[place]) for place in range(11, 15)) / _TICKS


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB.

    Raises:
        ProcessEnded: there is no such process.
    """
    return int(_stat(pid)[21]) * _PAGE / 1e6


def family_mb(pid: int) -> float:
    """Memory of a process and all below it in MB; of a page that several share, each counts its part (PSS).

    Of processes that share most of what they hold, as those of a database do, resident sizes add up to
    several times what there is.

    Raises:
        ProcessEnded: there is no such process.
    """
    _stat(pid)
    return sum(map(_proportional_mb, _family(pid)))


def _family(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessEnded):
            children.setdefault(int(_stat(int(folder.name))[1]), []).append(int(folder.name))
    found = [pid]
    for each in found:
        found += children.get(each, ())
    return found


def _proportional_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        # It ended between the two looks.
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError) as error:
        raise ProcessEnded(f"process {pid} has ended") from error
    fields = text[text.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        raise ProcessEnded(f"process {pid} has ended")
    return fields


class CommittedOffsets:
    """How far a consumer group is, asked without joining it."""

    def __init__(self, kafka: Mapping[str, Any], group: str, inputs: Mapping[str, int]) -> None:
        # Read uncommitted: while a transaction is undecided the answer is what was committed before it.
        settings = {"group.id": group, "enable.auto.commit": False, "isolation.level": "read_uncommitted"}
        self._consumer = Consumer({**kafka, **settings})
        self._wanted = [
            TopicPartition(topic, partition)
            for topic, partitions in inputs.items()
            for partition in range(partitions)
        ]

    def total(self) -> int:
        """Sum of the committed offsets over all partitions."""
        try:
            found = self._consumer.committed(self._wanted, timeout=_TIMEOUT_S)
        except KafkaException:
            # The coordinator is busy or moves; the next sample will tell.
            return 0
        return sum(max(part.offset, 0) for part in found)

    def close(self) -> None:
        """End the session."""
        self._consumer.close()


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: monotonic seconds, events committed, processor seconds of clients and broker, resident MB."""

    at: float
    events: int
    client_cpu: float
    broker_cpu: float
    resident_mb: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run did between the first committed offsets after its warm-up and the last."""

    events: int
    seconds: float
    events_per_second: float
    client_us_per_event: float
    broker_us_per_event: float
    resident_mb: float
    """The highest of the run."""
    complete: bool
    """Whether it came to the end of the input within its time."""

    @property
    def us_per_event(self) -> float:
        """Processor time of client and broker together, in microseconds."""
        return self.client_us_per_event + self.broker_us_per_event


class NothingMeasured(Exception):  # noqa: N818 - says what happened
    """Too little was committed in the time to say anything."""


def measured(samples: Sequence[Sample], total: int, warm_share: float = 0.1) -> Measured:
    """Judge samples: from the first that shows a tenth of the input (or two seconds later than any) on.

    Raises:
        NothingMeasured: fewer than two commits were seen.
    """
    moved = [sample for sample in samples if sample.events > 0]
    if not moved:
        raise NothingMeasured("nothing was committed")
    warm = [s for s in moved if s.events >= total * warm_share or s.at >= moved[0].at + _WARM_S]
    last_events = moved[-1].events
    last = next(sample for sample in moved if sample.events == last_events)
    first = warm[0] if warm and warm[0].events < last_events else moved[0]
    events, seconds = last.events - first.events, last.at - first.at
    if events <= 0 or seconds <= 0:
        raise NothingMeasured("only one commit was seen")
    return Measured(
        events=events,
        seconds=round(seconds, 3),
        events_per_second=round(events / seconds, 1),
        client_us_per_event=round((last.client_cpu - first.client_cpu) / events * 1e6, 3),
        broker_us_per_event=round((last.broker_cpu - first.broker_cpu) / events * 1e6, 3),
        resident_mb=round(max(sample.resident_mb for sample in samples), 1),
        complete=last.events >= total,
    )


_WARM_S: Final = 2.0


def watch(
    offsets: CommittedOffsets,
    clients: Sequence[int],
    broker: int,
    total: int,
    *,
    start_s: float,
    run_s: float,
    every_s: float = 0.04,
) -> list[Sample]:
    """Sample until the whole input is committed or ``run_s`` have passed since the first commit.

    Raises:
        ProcessEnded: a client ended.
        NothingMeasured: nothing was committed within ``start_s``.
    """
    samples: list[Sample] = []
    begin = time.monotonic()
    first: float | None = None
    while not samples or samples[-1].events < total:
        events = offsets.total()
        now = time.monotonic()
        cpu, memory = sum(map(cpu_seconds, clients)), max(map(resident_mb, clients))
        samples.append(Sample(now, events, cpu, cpu_seconds(broker), memory))
        if first is None and events > 0:
            first = now
        if first is None and now - begin > start_s:
            raise NothingMeasured(f"nothing was committed in {start_s:.0f} s")
        if first is not None and now - first > run_s:
            break
        time.sleep(every_s)
    return samples


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """Minimum, median and maximum; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {"min": _short(ordered[0]), "median": _short(median), "max": _short(ordered[-1])}


def _short(value: float) -> float:
    return float(f"{value:.4g}")
