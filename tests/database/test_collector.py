"""One round of the collector: what answers is renewed, what does not keeps its moment and says why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from producers.connect_errors import ConnectUnavailable
from producers.connect_status import ConnectorStatus
from producers.snapshot import Snapshot
from schemas.registry import RegistryUnavailable
from services.control.catalogue.schema_steps import Registered
from services.control.process.catalogue import CatalogueTurn
from services.control.process.collecting.collector import Collector, Ledger
from services.control.process.errors import WatchSilent
from services.control.process.loops import NotYet
from services.control.store.database import ControlDatabase, Task
from services.control.store.snapshots import Kind, all_of
from services.ledger.reader import KafkaUnavailable
from tests.support.memory_bus import MemoryCity
from tests.support.policy import sample_policy
from tests.unit.process.bus_facts import MemoryView
from topics.canonical import envelope_schema
from topics.event import ResourceId
from topics.policy import Policy

NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
POLICY = sample_policy()
PERSON = "population.person.v1"
ITEMS = json.loads(POLICY.resources[ResourceId(PERSON)].item_schema)
ONE, TWO = envelope_schema(ITEMS, ()), envelope_schema({**ITEMS, "doc": "another text"}, ())
RUNNING = ConnectorStatus("capture.police", "RUNNING", "w", ())


@dataclass(slots=True)
class MemorySources:
    """Sources that answer, or raise what a test wants."""

    view: MemoryView
    known: Policy | None = POLICY
    connect: Exception | None = None
    watch: Exception | None = None
    registry: Exception | None = None
    city: MemoryCity = field(default_factory=MemoryCity)

    def policy(self) -> Policy | None:
        return self.known

    def schemas(self, subject: str) -> Sequence[Registered]:
        if self.registry is not None:
            raise self.registry
        return [Registered(1, ONE), Registered(2, TWO)] if PERSON in subject else [Registered(1, ONE)]

    def ledger(self) -> Ledger:
        return Ledger(self.city.lookup.reader, self.city.lookup.decoder.value)

    def connectors(self) -> Sequence[ConnectorStatus]:
        if self.connect is not None:
            raise self.connect
        return [RUNNING]

    def volumes(self) -> Mapping[str, Snapshot]:
        return {}

    def alarms(self) -> Sequence[Mapping[str, str]]:
        if self.watch is not None:
            raise self.watch
        return [{"kind": "slot-lost", "subject": "govbus_police", "detail": "", "remedy": ""}]


def collected(database: ControlDatabase, sources: MemorySources, now: datetime) -> None:
    Collector(database, sources, lambda: now).turn()


def moments(database: ControlDatabase) -> dict[Kind, tuple[datetime | None, str | None]]:
    with database.reading() as connection:
        found = {kind: all_of(connection, kind) for kind in Kind}
    return {
        kind: (one.as_of, None if one.trouble is None else one.trouble.what) for kind, one in found.items()
    }


@pytest.fixture
def sources() -> MemorySources:
    raw = POLICY.resources[next(iter(POLICY.resources))].resource.raw_topic
    return MemorySources(MemoryView({raw: [[int(NOON.timestamp() * 1000)]]}))


def test_a_round_keeps_a_snapshot_of_every_kind(
    control_database: ControlDatabase, sources: MemorySources
) -> None:
    collected(control_database, sources, NOON)
    seen = moments(control_database)
    assert {kind for kind, (as_of, _) in seen.items() if as_of == NOON} == set(Kind) - {
        Kind.MOUNTING,
        Kind.DRIFT,
        Kind.RETENTION,
        Kind.CENSUS,
    }
    assert {trouble for _, trouble in seen.values()} == {None}


def test_what_became_of_schemas_is_kept_though_the_registry_is_silent_later(
    control_database: ControlDatabase, sources: MemorySources
) -> None:
    collected(control_database, sources, NOON)
    sources.registry = RegistryUnavailable("gone")
    sources.known = POLICY.model_copy(
        update={
            "resources": {
                id_: each.model_copy(update={"canonical_value_schema_id": 900})
                for id_, each in POLICY.resources.items()
            }
        }
    )
    later = NOON + timedelta(minutes=1)
    collected(control_database, sources, later)
    with control_database.reading() as connection:
        found = all_of(connection, Kind.RESOURCE)
    assert (found.as_of, found.trouble) == (later, None)
    [step] = found.documents[PERSON]["schema_steps"]
    assert [(each["path"], each["what"]) for each in step["changes"]] == [("state", "doc")]


@pytest.mark.parametrize(
    ("broken", "kind"), [("connect", Kind.CONNECTOR), ("watch", Kind.ALARM)], ids=["connect", "watch"]
)
def test_a_source_beside_kafka_that_is_silent_keeps_its_moment_and_is_no_failure(
    control_database: ControlDatabase, sources: MemorySources, broken: str, kind: Kind
) -> None:
    collected(control_database, sources, NOON)
    setattr(sources, broken, {"connect": ConnectUnavailable("gone"), "watch": WatchSilent("gone")}[broken])
    later = NOON + timedelta(minutes=1)
    collected(control_database, sources, later)
    seen = moments(control_database)
    assert seen[kind] == (NOON, "gone")
    assert seen[Kind.TOPIC] == (later, None)


def test_without_kafka_its_kinds_keep_their_moment_the_others_go_on_and_the_round_has_failed(
    control_database: ControlDatabase, sources: MemorySources
) -> None:
    collected(control_database, sources, NOON)
    sources.view.fails = KafkaUnavailable("no broker")
    later = NOON + timedelta(minutes=1)
    with pytest.raises(KafkaUnavailable):
        collected(control_database, sources, later)
    seen = moments(control_database)
    of_kafka = (Kind.GRANT, Kind.RESOURCE, Kind.TOPIC, Kind.EPOCH)
    assert {seen[kind] for kind in of_kafka} == {(NOON, "no broker")}
    assert seen[Kind.CONNECTOR] == (later, None)


def test_before_the_first_apply_topics_are_seen_and_the_policy_is_waited_for(
    control_database: ControlDatabase, sources: MemorySources
) -> None:
    sources.known = None
    with pytest.raises(NotYet, match="govbus apply"):
        collected(control_database, sources, NOON)
    assert moments(control_database)[Kind.TOPIC] == (NOON, None)


def test_of_two_collectors_one_looks(control_database: ControlDatabase, sources: MemorySources) -> None:
    with control_database.alone(Task.COLLECTOR) as ours:
        assert ours
        collected(control_database, sources, NOON)
    assert sources.view.questions == 0


@pytest.mark.requirement("A2-11", "A2-12")
def test_topics_without_an_entry_are_listed(
    control_database: ControlDatabase, sources: MemorySources
) -> None:
    turn = CatalogueTurn(control_database, lambda: POLICY, lambda: NOON)
    with pytest.raises(NotYet):
        turn.turn()
    collected(control_database, sources, NOON)
    turn.turn()
    with control_database.reading() as connection:
        found = all_of(connection, Kind.MOUNTING)
    assert found.as_of == NOON
    assert {name: one["state"] for name, one in found.documents.items()} == dict.fromkeys(
        POLICY.resources, "no_entry"
    )
