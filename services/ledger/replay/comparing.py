"""Compares what a block recorded with what deciding it again came to; names the first difference; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from topics.engine.lanes import UNDIGESTED_HEADERS
from topics.event import KafkaRecord, OutputRecord

_PARTS: Final = (
    "records",
    "policy_version",
    "first_timestamp_ms",
    "last_timestamp_ms",
    "outcomes",
    "reasons",
    "grants",
    "entries",
    "versions",
    "disputes",
)
"""What a block says beside its outputs; who decided it (``instance``) may be another today."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where recorded and repeated decision part: never with a value, which may be personal."""

    block: str
    """Coordinate of the decision block."""
    input: str
    """The input partition and the offsets that the block covers."""
    part: str
    """What differs: ``digest``, ``records``, ``key``, ``value``, ``header <name>``, ``missing``, a count."""
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    """Of the output record; None where it stands no more, or the whole partition's part is meant."""
    recorded: str = ""
    repeated: str = ""
    event: str | None = None
    """The raw record that led to it, where the output names it."""


def first_difference(said: Mapping[str, Any], again: Mapping[str, Any], at: str) -> Difference | None:
    """The first part in which two blocks differ; None where they are the same in the sense of fact 11.

    Args:
        said: the block of the ledger, decoded.
        again: the block that was drafted now, decoded.
        at: the coordinate of the first.
    """
    covered = f"{said['topic']}:{said['partition']}:{said['from_offset']}-{said['to_offset']}"
    found = _outputs_differ(said["outputs"], again["outputs"])
    if found is not None:
        return replace(found, block=at, input=covered)
    for part in _PARTS:
        was, now = said.get(part), again.get(part)
        if part in said and was != now:
            return Difference(at, covered, part, recorded=_short(was), repeated=_short(now))
    return None


def _outputs_differ(said: Sequence[Any], again: Sequence[Any]) -> Difference | None:
    was = {(each["topic"], each["partition"]): each for each in said}
    now = {(each["topic"], each["partition"]): each for each in again}
    for place in sorted({*was, *now}):
        one, other = was.get(place), now.get(place)
        if one is None or other is None or one["records"] != other["records"]:
            counts = (str(each["records"]) if each else "0" for each in (one, other))
            return Difference("", "", "records", *place, None, *counts)
        if one["digest"] != other["digest"]:
            return Difference("", "", "digest", *place, None, one["digest"], other["digest"])
    return None


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "…"


def locate(
    difference: Difference, standing: Iterable[KafkaRecord], again: Iterable[OutputRecord]
) -> Difference:
    """The difference at its very record, where the output topic still holds what was written then.

    Args:
        difference: in the digest or the count of one output partition.
        standing: what that partition holds from about then.
        again: what deciding again wrote to it, in order.
    """
    waiting: dict[bytes | None, list[KafkaRecord]] = {}
    for record in standing:
        waiting.setdefault(record.key, []).append(record)
    for output in again:
        candidates = waiting.get(output.key, [])
        exact = next((each for each in candidates if _apart(each, output) is None), None)
        if exact is not None:
            candidates.remove(exact)
            continue
        event = _event(output)
        if not candidates:
            return replace(difference, part="key or missing", event=event)
        nearest = next((each for each in candidates if _event(each) == event), candidates[0])
        part, was, now = _apart(nearest, output) or ("", "", "")
        return replace(difference, part=part, offset=nearest.offset, recorded=was, repeated=now, event=event)
    return difference


def _apart(record: KafkaRecord, output: OutputRecord) -> tuple[str, str, str] | None:
    """In which part two records of one key differ, and how long or what each is; None where they do not."""
    if record.value != output.value:
        return "value", *_lengths(record.value, output.value)
    headers = [_counted(each.headers) for each in (record, output)]
    for was, now in zip(*headers, strict=False):
        if was != now:
            return f"header {was[0]}", was[1].decode(errors="replace"), now[1].decode(errors="replace")
    if len(headers[0]) != len(headers[1]):
        return "headers", str(len(headers[0])), str(len(headers[1]))
    return None


def _lengths(was: bytes | None, now: bytes | None) -> tuple[str, str]:
    """Where two values part, in bytes from their beginning; nothing of what they hold."""
    if was is None or now is None:
        return "null" if was is None else f"{len(was)} bytes", "null" if now is None else f"{len(now)} bytes"
    at = next((n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
    return f"{len(was)} bytes, first differing byte {at}", f"{len(now)} bytes"


def _counted(headers: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [each for each in headers if each[0] not in UNDIGESTED_HEADERS]


def _event(record: KafkaRecord | OutputRecord) -> str | None:
    found = next((value for name, value in record.headers if name == "ce_id"), None)
    return None if found is None else found.decode(errors="replace")
