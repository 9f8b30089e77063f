"""Looks at the rows that differ: in which items, why, and by which condition a snapshot brings them again."""

import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from producers.columns import Column, chosen_rows
from producers.debezium import is_unavailable, record_id_of
from services.control.epochs.filters import HASHED_TYPES, hashed
from services.gate.plan import SourcePlan
from services.reconcile.compare import Difference, Kind
from services.reconcile.judge import moment, stopped_by, take
from services.reconcile.rows import RowForm
from services.reconcile.scan import SourceTable
from services.reconcile.stopped import StoppedRow
from topics.event import Record, RecordId, ResourceId, Stopped
from topics.grants.keys import joined

_AT_ONCE: Final = 500
_PSEUDONYM: Final = 16
_MOST_RANGES: Final = 100
"""In a command; beyond, reading the table once is as good."""


class Why(StrEnum):
    """What explains a difference."""

    STOPPED = "stopped"
    """The gate stopped the row's last change: it waits in quarantine."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One difference as it is told.

    Args:
        kind: how it differs.
        key: a pseudonym of the record id: the same row has the same one in each answer.
        items: in which items it differs, where both sides have the row.
        explained: why it is no loss; None where nothing explains it.
        reason: of the stop, as docs/reasons.md lists them, or a remark.
        raw: the stopped change.
        canonical: where the topic's records stand.
        record_id: what the pseudonym stands for; only where somebody looks at values.
        source: the row's items at the source; likewise.
        topic: the items that the topic has; likewise.
    """

    kind: Kind
    key: str
    items: tuple[str, ...] = ()
    explained: Why | None = None
    reason: str | None = None
    raw: str | None = None
    canonical: tuple[str, ...] = ()
    record_id: str | None = None
    source: Record | None = None
    topic: Record | None = None


@dataclass(frozen=True, slots=True)
class Looking:
    """What is needed to look at a difference of a source and its canonical topic."""

    table: SourceTable
    plan: SourcePlan
    form: RowForm
    at_ms: int
    stopped: Mapping[RecordId, StoppedRow]
    state_at: Callable[[int, int], Record | None]
    """Partition and offset of a canonical record → its items."""
    pseudonym: Callable[[str], str]
    reveal: bool = False

    def looked(self, differences: Sequence[Difference]) -> list[Shown]:
        """Each difference with what can be told of it."""
        ids = [each.id for each in differences if each.kind is not Kind.EXTRA]
        rows = self._rows(ids)
        return [self._shown(each, rows.get(each.id)) for each in differences]

    def _rows(self, ids: Sequence[str]) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(ids), _AT_ONCE):
            where = condition(self.table, ids[start : start + _AT_ONCE])
            for row in self.table.some(where) if where else ():
                found[str(record_id_of(row, self.plan.primary_key))] = row
        return found

    def _shown(self, each: Difference, row: Record | None) -> Shown:
        stop = self.stopped.get(RecordId(each.id))
        source, reason = self._source(each.id, row)
        topic = self.state_at(*each.at[-1]) if each.at else None
        items = () if source is None or topic is None else self.form.differing(source, topic)
        if topic is not None and any(is_unavailable(value) for value in topic.values()):
            reason = "the topic holds a placeholder instead of a large value"
        names = self.plan.resource.canonical_topic
        return Shown(
            each.kind,
            self.pseudonym(each.id),
            items,
            None if stop is None else Why.STOPPED,
            reason,
            None if stop is None else f"{self.plan.resource.raw_topic}:{stop.partition}:{stop.last}",
            tuple(f"{names}:{partition}:{offset}" for partition, offset in each.at),
            each.id if self.reveal else None,
            source if self.reveal else None,
            topic if self.reveal else None,
        )

    def _source(self, record_id: str, row: Record | None) -> tuple[Record | None, str | None]:
        """The row's items as the gate takes them, and why it would stop the row today."""
        if row is None:
            return None, None
        at = moment(self.plan, self.at_ms)
        taken = take(row, RecordId(record_id), self.plan, at)
        stop = stopped_by(row, RecordId(record_id), self.plan, at)
        reason = None if stop is None else stop.reason.value
        return (None if isinstance(taken, Stopped) else taken.items), reason


def condition(table: SourceTable, ids: Iterable[str]) -> str | None:
    """The condition of a filtered snapshot that brings these rows; None where none can name them."""
    found = [parts(each, len(table.primary_key)) for each in ids]
    return chosen_rows(table.primary_key, [each for each in found if each]) if found else None


def ranges_of(primary_key: tuple[Column, ...], ids: Iterable[str]) -> tuple[str, ...]:
    """The filter of an epoch that brings these rows, as ``govbus snapshot start --where`` takes each part.

    Ranges of hashes, because a primary key may be personal data. Empty where they are too many for a command,
    or the key is of a type of which the source's hash and ours may differ: then the whole table is read.
    """
    rows = [RecordId(each) for each in ids]
    if not all(parts(each, len(primary_key)) for each in rows):
        return ()
    if not all(column.type in HASHED_TYPES for column in primary_key):
        return ()
    found = hashed(rows, tuple(column.name for column in primary_key), _MOST_RANGES)
    return () if found is None else found.texts


def parts(record_id: str, count: int) -> tuple[str, ...]:
    """The parts of a record id; none where it does not have so many."""
    if count == 1:
        return (record_id,)
    try:
        found: Any = json.loads(record_id)
    except ValueError:
        return ()
    return tuple(map(str, found)) if isinstance(found, list) and len(found) == count else ()


def pseudonyms(master: bytes, resource: ResourceId) -> Callable[[str], str]:
    """Record ids to pseudonyms under a key of the resource alone: HMAC-SHA-256, 16 characters."""
    key = hmac.new(master, joined("reconcile", resource), sha256).digest()
    return lambda record_id: hmac.new(key, record_id.encode(), sha256).hexdigest()[:_PSEUDONYM]


@dataclass(slots=True)
class Kept:
    """Counts all differences and keeps the first ones of each kind to be shown, and ids for a repair."""

    shown_most: int
    repaired_most: int
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    explained: dict[str, int] = field(default_factory=dict)
    shown: list[Difference] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    """Those that nothing explains."""
    too_many: bool = False

    def add(self, each: Difference, why: Why | None) -> None:
        """Count one difference."""
        if why is None:
            self.counts[each.kind] += 1
            if len(self.ids) < self.repaired_most:
                self.ids.append(each.id)
            else:
                self.too_many = True
        else:
            self.explained[why.value] = self.explained.get(why.value, 0) + 1
        if len(self.shown) < self.shown_most:
            self.shown.append(each)

    @property
    def total(self) -> int:
        """How many rows differ without an explanation."""
        return sum(self.counts.values())
