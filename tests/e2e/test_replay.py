"""On the real stack: decided again to the byte, compared with another policy, delivered again."""

import time
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import yaml

from consumers.errors import AccessRevoked
from consumers.settings import SubscriberSettings, from_credentials_file
from consumers.subscriber import Subscriber
from services.cli.control import control_database
from services.control.accounts.roles import Role
from services.control.kafka_topics import topic_names
from services.control.replays.redelivering import HEADER
from tests.e2e.live_city import LiveCity
from tests.e2e.people import ELSEWHERE, delete, insert, number, update
from tests.support.staff import hire, settle
from tests.support.waiting import eventually, patience
from topics.event import GrantId, TopicName
from topics.names import redelivered

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

HEALTH = GrantId("health-persons-gusu")
PERSONS = "population.person.v1"
Command = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module", autouse=True)
def offices(city: LiveCity) -> None:
    """People of whom one may ask and another approve."""
    with closing(control_database(city.stack)) as database, database.begin() as connection:
        settle(connection)
        for login, role in (
            ("replay.auditor", Role.AUDITOR),
            ("replay.auditor.2", Role.AUDITOR),
            ("replay.operator", Role.OPERATOR),
            ("replay.authority", Role.AUTHORITY),
        ):
            hire(connection, login, "data_bureau", role)


def approved(command: Command, asks: str, approves: str, *what: str) -> str:
    """The number of a replay that one person asked for and another approved."""
    code, made = command(
        "replay", "create", "--as", asks, "--reason", "年度抽查", "--basis", "试行办法第十二条", *what
    )
    assert (code, made["state"]) == (0, "requested"), made
    number_of = str(made["number"])
    code, moved = command("replay", "approve", number_of, "--as", approves)
    assert (code, moved["state"]) == (0, "approved"), moved
    return number_of


@pytest.fixture(scope="module")
def lived(city: LiveCity) -> None:
    """People who come, move, have a wrong number for a while, and go."""
    rows = [city.new_id() for _ in range(6)]
    city.execute("police", *(insert(row, number(row % 90_000)) for row in rows))
    away = city.new_id()
    city.execute("police", insert(away, number(away % 90_000), household_district=ELSEWHERE))
    city.settle()
    city.execute("police", *(update(row, address=f"迁居{row}") for row in rows[:3]))
    city.execute("police", update(rows[3], id_number="320508199001011"), delete(rows[4]))
    city.settle()
    city.execute("police", update(rows[3], id_number=number(rows[3] % 90_000)))
    city.settle()


@pytest.mark.usefixtures("lived")
def test_two_processes_decide_everything_again_and_every_byte_is_the_same(
    city: LiveCity, command: Command
) -> None:
    groups = groups_of(city)
    asked = approved(command, "replay.auditor", "replay.auditor.2", "--resource", PERSONS)
    code, counted = command("replay", "run", asked, "--as", "replay.auditor", "--dry-run")
    assert code == 0
    assert counted["not_retained"] == []
    assert any("raw.police" in chain for chain in counted["chains"])
    assert any("resource." in chain for chain in counted["chains"])
    code, done = command("replay", "run", asked, "--as", "replay.auditor", "--workers", "2")
    result = done["result"]
    assert (code, result["verdict"]) == (0, "identical"), result["first_difference"]
    assert sum(result["blocks"].values()) == result["blocks"]["identical"] == counted["blocks"] > 0
    assert result["records"] == counted["records"]
    assert done["progress"]["done"] == done["progress"]["of"]
    assert groups_of(city) == groups, "no live group was touched"


def groups_of(city: LiveCity) -> set[str]:
    """Every consumer group that the broker knows."""
    listed = city.stack.admin().list_consumer_groups(request_timeout=30).result()
    return {group.group_id for group in listed.valid}


@pytest.mark.usefixtures("lived")
def test_a_grant_that_showed_more_is_compared_item_by_item(
    city: LiveCity, command: Command, tmp_path: Any
) -> None:
    declared = city.definitions.grants[HEALTH].model_dump(mode="json")
    wider = tmp_path / "wider.yaml"
    wider.write_text(yaml.safe_dump({**declared, "rows": []}, allow_unicode=True), encoding="utf-8")
    asked = approved(
        command,
        "replay.auditor",
        "replay.auditor.2",
        *("--purpose", "what-if", "--grant", HEALTH, "--grant-file", str(wider)),
    )
    code, done = command("replay", "run", asked, "--as", "replay.auditor")
    assert (code, done["result"]["verdict"]) == (1, "different")
    rows = {(row["subject"], row["recorded"], row["otherwise"]) for row in done["result"]["rows"]}
    assert any(subject == HEALTH and otherwise == "delivered" for subject, _, otherwise in rows), rows
    table = tmp_path / "difference.csv"
    assert command("replay", "show", asked, "--csv", str(table))[0] == 0
    assert HEALTH in table.read_text(encoding="utf-8")


@pytest.mark.usefixtures("lived")
def test_a_redelivery_is_marked_and_changes_no_state(city: LiveCity, command: Command) -> None:
    topic = city.topic_of(HEALTH)
    before, held = {each.coordinates for each in city.records(topic)}, table_of(city, topic)
    asked = approved(
        command,
        "replay.operator",
        "replay.authority",
        *("--purpose", "redeliver", "--grant", HEALTH, "--resource", PERSONS),
    )
    code, done = command("replay", "run", asked, "--as", "replay.operator")
    assert (code, done["state"]) == (0, "done"), done
    again = [each for each in city.records(topic) if each.coordinates not in before]
    assert again
    assert {dict(each.headers)[HEADER].decode() for each in again} == {asked}
    assert table_of(city, topic) == held


@pytest.mark.requirement("A8-05")
@pytest.mark.usefixtures("lived")
def test_a_separate_redelivery_is_its_departments_alone_and_ends_with_its_grant(
    city: LiveCity, command: Command
) -> None:
    own = city.topic_of(HEALTH)
    asked = approved(
        command,
        "replay.operator",
        "replay.authority",
        *("--purpose", "redeliver", "--grant", HEALTH, "--separate"),
    )
    code, done = command("replay", "run", asked, "--as", "replay.operator")
    assert (code, done["options"]) == (0, {"separate": True}), done
    topic = redelivered(own, int(asked))
    assert done["result"]["topic"] == topic
    written = city.records(topic)
    assert len(written) == done["result"]["delivered"] + done["result"]["tombstoned"] > 0
    assert table_of(city, topic).items() <= table_of(city, own).items()
    assert not any((HEADER, asked.encode()) in each.headers for each in city.records(own))
    assert city.balance()["differences"] == []

    department = from_credentials_file(city.credentials("health"), grant=HEALTH, replay=int(asked))
    got = read_as(department, len(written))
    assert got == {each.coordinates for each in written}
    stranger = from_credentials_file(city.credentials("education"), topic=topic)
    with pytest.raises(AccessRevoked):
        read_as(stranger, 1, "education")

    why = ("--reason", "data found on a market", "--yes", HEALTH)
    assert command("grant", "suspend", HEALTH, *why)[0] == 0
    try:
        with pytest.raises(AccessRevoked):
            read_as(department, 1)
    finally:
        assert command("grant", "resume", HEALTH, *why)[0] == 0
    # What it held may be outside the grant that was resumed.
    eventually(lambda: topic not in topic_names(city.stack.admin()), 30)
    assert command("plan")[1]["steps"] == []


def read_as(department: SubscriberSettings, count: int, consumer: str = "health") -> set[str]:
    """What a reader gets that begins anew in a group of its own, until there are so many."""
    anew = {"group_id": f"{consumer}.{uuid.uuid4().hex}"}
    found: set[str] = set()
    deadline = time.monotonic() + 60 * patience()
    with Subscriber(department.model_copy(update=anew), lambda each: found.add(each.coordinates)) as reader:
        reader.run(lambda: len(found) >= count or time.monotonic() > deadline)
    return found


def table_of(city: LiveCity, topic: TopicName) -> dict[str, dict[str, Any]]:
    """What a reader of the topic has; who is outside the grant's rows is a tombstone, and in no table."""
    return {key: value for key, value in city.state(topic).items() if value is not None}
