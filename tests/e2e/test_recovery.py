"""A slot that was dropped and made again: the fence stops the capture, an epoch brings what was missed."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest

from producers.connect_status import Health
from producers.connector import connector_name, slot_name
from services.cli.control import control_database
from services.cli.plan import access_of
from services.cli.policy import current_policy
from services.control.epochs.run import epoch_status
from services.control.epochs.state import EpochState
from services.control.process.loops import NotYet
from services.control.process.recovery import RecoveryTurn
from services.control.recovery.bus import StackRecovery, tables_of
from services.control.recovery.rules import BEGUN, ENDED, KIND
from services.control.settings import ApplySettings
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on
from services.watch.app import Reach, Watch
from services.watch.settings import WatchSettings
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import delete, insert, number, update
from tests.stack_fixture import temporary_stack
from tests.support.reconciling import reconciled
from topics.event import ProviderId

pytestmark = [pytest.mark.stack, pytest.mark.soak, pytest.mark.timeout(1800)]

PERSONS = "population.person.v1"
POLICE = ProviderId("police")
NAME, SLOT = connector_name(POLICE), slot_name(POLICE)


@pytest.fixture(scope="module")
def city() -> Iterator[LiveCity]:
    """A city of its own: it loses a slot."""
    with temporary_stack() as stack:
        yield LiveCity.found(stack, persons=20)


@pytest.fixture
def control(city: LiveCity) -> Iterator[ControlDatabase]:
    with closing(control_database(city.stack)) as database:
        yield database


def person(city: LiveCity) -> int:
    row = city.new_id()
    city.execute("police", insert(row, number(row % 90_000)))
    return row


def dropped(city: LiveCity) -> None:
    """While the connector reads it: its session is ended, and the slot is gone before it is back."""
    with city.database(POLICE) as connection, connection.cursor() as cursor:
        connection.autocommit = True

        def gone() -> bool:
            ended = "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s"
            cursor.execute(ended, (SLOT,))
            try:
                cursor.execute("SELECT pg_drop_replication_slot(%s)", (SLOT,))
            except psycopg2.errors.ObjectInUse:
                return False
            return True

        wait_until(gone, "the slot to be dropped")


def made_again(city: LiveCity) -> None:
    city.execute("police", ("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (SLOT,)))


def fence(city: LiveCity, memory: Path) -> Callable[[], list[str]]:
    """A watch; each call looks once more and returns what its fence says of the capture."""
    stack = city.stack
    endpoints = stack.endpoints()
    ours = (endpoints.postgres_host, endpoints.postgres_port)
    client = access_of(stack).connect()
    reach = Reach(client, stack.context.layout.connect_secrets, {ours: stack.superuser_connection}, memory)
    watch = Watch(reach, WatchSettings(), lambda *_arguments, **_fields: None)

    def look() -> list[str]:
        watch.round()
        alarms = [each for each in watch.status()["alarms"] if each["kind"] == "capture-fenced"]
        return [str(each["detail"]) for each in alarms if each["subject"] == NAME]

    return look


def acts(control: ControlDatabase) -> list[str]:
    with control.reading() as connection:
        return [each.what for each in acts_on(connection, KIND, POLICE)]


@pytest.mark.requirement("A5-08")
def test_a_slot_made_again_behind_the_connectors_back_is_recovered_by_epochs_once(
    city: LiveCity, control: ControlDatabase, tmp_path: Path
) -> None:
    gone, changed, kept = person(city), person(city), person(city)
    city.settle()
    look = fence(city, tmp_path / "continuity.json")
    assert look() == []
    access = access_of(city.stack)
    bus = StackRecovery(access, ApplySettings.from_environment(), lambda _text: None)
    turns = RecoveryTurn(control, bus, lambda: current_policy(city.stack), lambda: datetime.now(UTC))
    assert not turns.turn()
    before = bus.incarnation(POLICE)

    with city.nobody_recovers(), closing(access.connect()) as client:
        dropped(city)
        city.execute("police", delete(gone), update(changed, name="缺口中"))
        made_again(city)
        wait_until(lambda: any("made again" in each for each in look()), "the fence to see it", 400)
        wait_until(lambda: client.health(NAME) is Health.STOPPED, "the capture to be stopped")
    assert acts(control) == []

    def recovered() -> bool:
        try:
            turns.turn()
        except NotYet:
            return False
        return acts(control) == [BEGUN, ENDED]

    wait_until(recovered, "the recovery to end", 600)
    assert (before, bus.incarnation(POLICE)) == (1, 2)
    policy = current_policy(city.stack)
    assert policy is not None
    states = {each: epoch_status(access, each).state for each in tables_of(policy, POLICE)}
    assert set(states.values()) == {EpochState.ENDED}
    city.settle()
    # The source table is the oracle: nothing is lost, different or left over, and the fence is content.
    assert reconciled(city, PERSONS).counts == {}
    names = {each["name"] for each in city.of_record(changed, PERSONS).values()}
    assert names == {"缺口中"}
    assert city.of_record(gone, PERSONS) == {}
    assert city.of_record(kept, PERSONS)
    wait_until(lambda: look() == [], "the alarm to be over")
    assert not turns.turn()
    assert acts(control) == [BEGUN, ENDED]
