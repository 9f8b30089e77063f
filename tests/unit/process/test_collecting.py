"""What the collector makes of one look at Kafka: how far readers are, how fresh resources, and more."""

from datetime import UTC, datetime, timedelta

import pytest

from producers.connect_status import ConnectorStatus, TaskStatus
from producers.snapshot import Snapshot, SnapshotState
from services.control.policy_document import with_hold
from services.control.process.collecting.ages import ages
from services.control.process.collecting.connectors import connector_documents, safe_trace
from services.control.process.collecting.facts import look, topic_documents
from services.control.process.collecting.grants import grant_documents, is_department
from services.control.process.collecting.ledger_sums import Followed, follow
from services.control.process.collecting.resources import quarantine_documents, resource_documents
from services.ledger.counts import Place
from tests.support.memory_bus import MemoryCity
from tests.support.policy import sample_policy
from tests.unit.cli.called import PERSON
from tests.unit.process.bus_facts import MemoryView
from topics.event import GrantId, PolicyNumber, ResourceId
from topics.grants.declaration import GrantState
from topics.grants.hold import Hold, HoldScope
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE

POLICY = sample_policy()
NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
GRANT = GrantId("health-persons-gusu")
TOPIC = POLICY.grants[GRANT].grant.topic
PERSONS = ResourceId("population.person.v1")
RAW = POLICY.resources[PERSONS].resource.raw_topic


def ago(*seconds: float) -> list[int]:
    return [NOW_MS - int(one * 1000) for one in seconds]


def granted(view: MemoryView) -> dict[str, object]:
    facts = look(view)
    committed = view.committed(lambda group: is_department(group, POLICY))
    return grant_documents(POLICY, facts, committed, {}, view, NOW)[GRANT]


def test_a_reader_is_as_late_as_the_oldest_record_that_it_has_not_read() -> None:
    view = MemoryView({TOPIC: [ago(7200, 7200, 3600, 3600, 60, 60), ago(10, 10)]})
    view.groups = {"health": {Place(TOPIC, 0): 2, Place(TOPIC, 1): 1}}
    found = granted(view)
    assert (found["group"], found["lag_records"]) == ("health", 3)
    assert found["lag_seconds"] == pytest.approx(3600, rel=0.02)
    assert found["last_delivery_at"] == (NOW - timedelta(seconds=10)).isoformat()


def test_the_mark_of_the_last_transaction_is_nothing_unread() -> None:
    """A reader that has read everything stands before it, and so does its offset."""
    view = MemoryView({TOPIC: [ago(7200, 3600, 60, 60)]}, {"health": {Place(TOPIC, 0): 3}})
    found = granted(view)
    assert (found["lag_records"], found["lag_seconds"]) == (0, 0.0)


def test_of_several_groups_of_a_department_the_one_that_is_furthest_counts() -> None:
    view = MemoryView({TOPIC: [ago(300, 200, 100, 100)]})
    view.groups = {
        "health.abandoned": {Place(TOPIC, 0): 0},
        "health.warehouse": {Place(TOPIC, 0): 3},
        "tax": {Place(TOPIC, 0): 3},
    }
    assert granted(view)["group"] == "health.warehouse"


def test_a_grant_that_nobody_reads_has_no_reader_and_everything_unread() -> None:
    view = MemoryView({TOPIC: [ago(300, 200, 100)]})
    found = granted(view)
    assert (found["group"], found["lag_records"]) == (None, 2)


@pytest.mark.parametrize("position", [1, 2], ids=["at the mark before it", "at the record"])
@pytest.mark.parametrize("seconds", [3, 59, 3600, 86_400, 30 * 86_400])
def test_the_age_of_the_unread_is_found_within_two_percent_whatever_it_is(
    seconds: int, position: int
) -> None:
    """Three transactions of one record: after each record stands the mark of its transaction."""
    at, days = Place(TOPIC, 0), 40 * 86_400
    view = MemoryView({TOPIC: [ago(days, days, seconds, seconds, 1, 1)]})
    assert ages(view, {at: position}, NOW_MS)[at] == pytest.approx(seconds, rel=0.02)


def test_the_number_of_questions_does_not_grow_with_the_bus() -> None:
    few, many = MemoryView({TOPIC: [ago(60, 60)]}), MemoryView({TOPIC: [ago(60, 60)] * 64})
    granted(few)
    granted(many)
    assert few.questions == many.questions <= 20


@pytest.mark.requirement("A2-12")
def test_a_resource_is_stale_once_it_is_silent_for_longer_than_its_cycle_allows() -> None:
    fresh = resource_documents(POLICY, look(MemoryView({RAW: [ago(3600)]})), {}, NOW)[PERSONS]
    stale = resource_documents(POLICY, look(MemoryView({RAW: [ago(86_401)]})), {}, NOW)[PERSONS]
    silent = resource_documents(POLICY, look(MemoryView({RAW: [[]]})), {}, NOW)[PERSONS]
    assert (fresh["stale"], fresh["freshness_s"]) == (False, 3600)
    assert (stale["stale"], stale["freshness_s"]) == (True, 86_401)
    assert (silent["stale"], silent["last_event_at"]) == (False, None)
    assert fresh["consumers"] == ["education", "health"]


def test_topics_are_told_with_their_newest_record() -> None:
    documents = topic_documents(look(MemoryView({RAW: [ago(9, 8), []]})))
    assert documents[RAW]["records"] == 2
    assert documents[RAW]["partitions"] == 2
    assert documents[RAW]["last_record_at"] == (NOW - timedelta(seconds=8)).isoformat()


def test_blocks_are_added_up_once_however_often_they_are_followed() -> None:
    city = MemoryCity()
    city.change("c", after={**PERSON, "id_number": "wrong"})
    city.pump()
    lookup = city.lookup
    first = follow(Followed({}, {}), LEDGER_INTAKE, lookup.reader, lookup.decoder.value)
    again = follow(Followed.of(first.document()), LEDGER_INTAKE, lookup.reader, lookup.decoder.value)
    assert again == first
    ((topic, counted),) = first.sums.items()
    assert topic == RAW
    assert counted["stopped"] == 1
    assert sum(counted["reasons"].values()) == 1
    found = quarantine_documents(POLICY, look(MemoryView({})), first.sums)
    assert (found["police"]["count"], found["police"]["reasons"]) == (1, counted["reasons"])
    assert found["market_regulation"]["count"] == 0


def test_a_long_ledger_is_caught_up_with_by_and_by_and_a_new_one_from_its_beginning() -> None:
    city = MemoryCity()
    for number in range(3):
        city.change("c", after={**PERSON, "id": number, "id_number": "wrong"})
        city.pump()
    lookup = city.lookup

    def once(before: Followed) -> Followed:
        return follow(before, LEDGER_INTAKE, lookup.reader, lookup.decoder.value, many=4)

    whole = follow(Followed({}, {}), LEDGER_INTAKE, lookup.reader, lookup.decoder.value)
    slowly = Followed({}, {})
    for _ in range(10):
        slowly = once(slowly)
    assert (slowly.sums, slowly.behind) == (whole.sums, 0)
    elsewhere = Followed({str(number): 10_000 for number in range(4)}, {"raw.gone": {"accepted": 9}})
    assert follow(elsewhere, LEDGER_INTAKE, lookup.reader, lookup.decoder.value) == whole
    assert follow(Followed({}, {}), LEDGER_DELIVERY, lookup.reader, lookup.decoder.value).behind == 0


TRACE = """org.apache.kafka.connect.errors.ConnectException: duplicate key (id_number)=(11010519491231002X)
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:67)
\tDetail: Key (name)=(王小明) already exists.
Caused by: org.postgresql.util.PSQLException: ERROR: value 王小明 too long
\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2725)
\t... 9 more"""


def test_a_trace_says_what_was_thrown_and_where_and_nothing_of_a_row() -> None:
    assert safe_trace(TRACE).splitlines() == [
        "org.apache.kafka.connect.errors.ConnectException",
        "\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:67)",
        "Caused by: org.postgresql.util.PSQLException",
        "\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2725)",
    ]


def test_a_connector_is_as_well_as_its_worst_task() -> None:
    tasks = (TaskStatus(0, "RUNNING", "w"), TaskStatus(1, "FAILED", "w", TRACE))
    status = ConnectorStatus("capture.police", "RUNNING", "w", tasks)
    volume = Snapshot(SnapshotState.RUNNING, {"public.person": 7}, {}, 1, 2)
    found = connector_documents([status], {"capture.police": volume})["capture.police"]
    assert (found["state"], found["connector_state"]) == ("FAILED", "RUNNING")
    assert [task["state"] for task in found["tasks"]] == ["RUNNING", "FAILED"]
    assert "王小明" not in str(found)
    assert found["snapshot"]["rows"] == {"public.person": 7}


def test_whose_grant_has_ended_is_no_consumer_of_a_resource() -> None:
    entry = POLICY.grants[GRANT]
    revoked = entry.model_copy(update={"grant": entry.grant.model_copy(update={"state": GrantState.REVOKED})})
    policy = POLICY.model_copy(update={"grants": {**POLICY.grants, GRANT: revoked}})
    found = resource_documents(policy, look(MemoryView({RAW: [ago(60, 60)]})), {}, NOW)[PERSONS]
    assert found["consumers"] == ["education"]


def test_a_grant_names_what_stops_it_since_when_and_why() -> None:
    hold = Hold(
        id="s-1",
        scope=HoldScope.CONSUMER,
        name="health",
        reason="contract ended",
        since_ms=NOW_MS,
        since_version=PolicyNumber(1),
    )
    view = MemoryView({TOPIC: [ago(10), []]})
    found = grant_documents(with_hold(POLICY, hold, NOW_MS), look(view), {}, {}, view, NOW)[GRANT]
    told = {"id": "s-1", "scope": "consumer", "name": "health", "reason": "contract ended"}
    assert found["stops"] == [{**told, "since": NOW.isoformat()}]
    assert (found["state"], found["holds"]) == ("suspended", ["s-1"])
    assert granted(view)["stops"] == []
