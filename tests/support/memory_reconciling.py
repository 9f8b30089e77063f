"""The source of a city in memory; its rows are compared with the canonical topic as by `govbus reconcile`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from producers.columns import Column
from services.gate.plan import compile_gate
from services.reconcile.canonical import CanonicalReader
from services.reconcile.compare import Compared, compare, of_topic
from services.reconcile.judge import RowJudge, moment
from services.reconcile.scan import form_of, values_of
from services.reconcile.spill import NOTHING, Spill, State, read_range
from services.reconcile.stopped import stopped_at_cut
from services.reconcile.window import Behind
from tests.support.memory_bus import MemoryCity
from topics.engine.choose import choose
from topics.event import KafkaRecord, Record, RecordId, ResourceId, TopicName
from topics.names import stopped_keys

PERSONS: Final = ResourceId("population.person.v1")
COLUMNS: Final = (
    Column("id", "int8"),
    *(Column(name, "text") for name in ("id_number", "name", "sex", "address", "household_district")),
    Column("birth_date", "date"),
    Column("updated_at", "timestamp"),
)
_RANGES: Final = 16
_ANY_CYCLE_MS: Final = 2**40


class Source:
    """The table of persons, as the transactions that were committed leave it."""

    def __init__(self) -> None:
        self.rows: dict[Any, Record] = {}

    def commit(self, before: Any, after: Any) -> None:
        """One change."""
        if before is not None:
            self.rows.pop(before["id"], None)
        if after is not None:
            self.rows[after["id"]] = after


def reconciled(city: MemoryCity, source: Source) -> frozenset[str]:
    """How rows differ, but for what the gate stopped; nothing moves meanwhile."""
    entry, gate = city.policy.resources[PERSONS], compile_gate(city.policy)
    raw_topic, canonical_topic = entry.resource.raw_topic, entry.resource.canonical_topic
    plan = gate.sources[raw_topic]
    form = form_of(entry, plan)
    values = values_of(entry, form, city.registry)
    judge = RowJudge(gate, plan, COLUMNS, values, form, moment(plan, city.clock), choose())
    behind = Behind({place.partition: city.memory.ends[place] for place in city.memory.places(raw_topic)})
    stopped = stopped_at_cut(
        _whole(city, stopped_keys(raw_topic)), city.lookup.decoder, behind, plan.primary_key, 0
    )
    with tempfile.TemporaryDirectory(prefix="govbus-test-") as folder:
        table, topic = Spill(Path(folder) / "table", _RANGES), Spill(Path(folder) / "topic", _RANGES)
        for record_id, digest in judge.judged(list(source.rows.values())):
            table.add(record_id, digest or NOTHING, state=State.ROW if digest else State.UNFIT)
        table.flush()
        CanonicalReader(values, raw_topic, behind, _ANY_CYCLE_MS).read(_whole(city, canonical_topic), topic)
        differences = compare(
            _RANGES,
            lambda at: read_range(table.folder, at),
            table.totals(),
            of_topic(topic),
            Compared(),
            table_is_right=True,
        )
        return frozenset(each.kind.value for each in differences if RecordId(each.id) not in stopped)


def _whole(city: MemoryCity, topic: TopicName) -> Iterator[KafkaRecord]:
    for place in city.memory.places(topic):
        yield from city.memory.read(place, 0, city.memory.ends[place])
