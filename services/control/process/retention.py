"""Holds the retention of evidence on the running broker against the floor, and raises what is too short.

Raising is safe, so it is done at once and by itself; that somebody had shortened it is an act in the ledger,
and stands among the alarms for a day. Nothing is ever shortened here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from services.control.process.loops import NotYet
from services.control.retention.adopted import adopted_floor
from services.control.retention.floor import Floor, is_protected
from services.control.retention.keeping import Short, days_kept, too_short
from services.control.state import Topic
from services.control.store import snapshots
from services.control.store.database import ControlDatabase, Task
from services.control.store.outbox import Act, Fact, append, is_id

FLOOR: Final = "floor"
"""The name of the floor among the snapshots of topics, which have a dot or are ``policy``."""
STANDS: Final = timedelta(days=1)
RAISED: Final = "retention.raised"
_SYSTEM: Final = "system"
_REMEDY: Final = "find out who changed the broker's settings; `govbus apply` sets them as they are declared"


class Broker(Protocol):
    """What is asked of the broker."""

    def topics(self) -> Mapping[str, Topic]:
        """Every topic with its settings."""

    def alter(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Set these settings."""


@dataclass(frozen=True, slots=True)
class RetentionTurn:
    """Takes turns; of several processes one does so at a time."""

    database: ControlDatabase
    broker: Broker
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Look once and raise; returns whether anything was raised.

        Raises:
            NotYet: nothing was applied, so there is nothing to keep.
        """
        with self.database.alone(Task.RETENTION) as ours:
            return ours and self._look()

    def _look(self) -> bool:
        topics = {name: one for name, one in self.broker.topics().items() if is_protected(name)}
        if not topics:
            raise NotYet("there are no topics yet: `govbus apply` makes them")
        with self.database.reading() as connection:
            floor = adopted_floor(connection)
        short = too_short(topics, floor)
        self.broker.alter(_changes(short))
        if short:
            topics = {name: one for name, one in self.broker.topics().items() if is_protected(name)}
        self._keep(topics, floor, short)
        return bool(short)

    def _keep(self, topics: Mapping[str, Topic], floor: Floor, short: Iterable[Short]) -> None:
        now = self.now()
        with self.database.begin() as connection:
            before = snapshots.all_of(connection, snapshots.Kind.RETENTION).documents
            found = {name: document_of(one, before.get(name, {}), now) for name, one in topics.items()}
            for each in short:
                found[each.topic] |= {"raised_at": now.isoformat(), "found": str(each), "remedy": _REMEDY}
                append(connection, _act(each, floor, now))
            snapshots.put(connection, snapshots.Kind.RETENTION, {FLOOR: floor_document(floor), **found}, now)


def document_of(topic: Topic, before: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """How long a topic keeps a record, and for a day that it had to be raised."""
    raised = before.get("raised_at")
    recent = isinstance(raised, str) and now - datetime.fromisoformat(raised) < STANDS
    trouble = {name: before[name] for name in ("raised_at", "found", "remedy")} if recent else {}
    return {"days": days_kept(topic), "partitions": topic.partitions, **trouble}


def floor_document(floor: Floor) -> dict[str, Any]:
    """The floor as it is kept beside them."""
    source = None if floor.source is None else asdict(floor.source)
    return {"days": floor.days, "source": source, "pack": floor.pack, "because": floor.because}


def _changes(short: Iterable[Short]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for each in short:
        found.setdefault(each.topic, {})[each.setting] = each.wanted
    return found


def _act(short: Short, floor: Floor, now: datetime) -> Act:
    facts: dict[str, Fact] = {
        "setting": short.setting,
        "found": short.found,
        "set": short.wanted,
        "floor_days": floor.days,
    }
    named = short.topic if is_id(short.topic) else "unnamed"
    return Act(_SYSTEM, RAISED, "topic", named, now, facts=facts)
