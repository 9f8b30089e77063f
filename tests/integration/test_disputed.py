"""A reported record on the real stack: delivered as ever with its mark, until the corrected version comes."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from schemas.registry import SchemaRegistry
from services.cli.control import control_database, prepare_control
from services.cli.plan import access_of
from services.control.definitions import packaged_definitions
from services.ledger.explain_delivery import explain_grants
from services.ledger.lookup import Lookup
from services.ledger.on_stack import dispute_keys, open_reader
from tests.integration.apply_bench import DISTRICTS, HEALTH, PERSONS, Bench, own_stack
from tests.integration.suspension_bench import INSTANCES, Writer, govbus, pid_of, start_fanout
from tests.support.staff import staffed
from tests.support.waiting import eventually
from topics.delivery import Delivery, read_delivery
from topics.event import KafkaRecord, Operation
from topics.names import DISPUTES, canonical

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

REPORTED, OTHER = 2, 4
"""Two persons in the health department's rows; the first one's address is wrong."""
ADDRESS = "苏州市"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("definitions") / "city"
    shutil.copytree(packaged_definitions(), folder)
    with own_stack() as stack:
        found = Bench(stack, access_of(stack), folder)
        found.apply()
        prepare_control(stack, datetime.now(UTC))
        with closing(control_database(stack)) as database, database.begin() as connection:
            staffed(connection)
        start_fanout(found, 1)
        yield found


@pytest.fixture(scope="module")
def writer(bench: Bench) -> Writer:
    found = Writer(bench)
    found.write(*((number, Operation.CREATE, None) for number in range(6)))
    eventually(lambda: len(bench.held(HEALTH)) == 3, 60)
    return found


def held(bench: Bench, number: int) -> tuple[KafkaRecord, Delivery]:
    """What the health department has of a person now."""
    found = [(record, read_delivery(record.headers)) for record in bench.held(HEALTH).values()]
    [wanted] = [each for each in found if each[1].ce_id == f"raw.police.public.person/0/{number}"]
    return wanted


def disputed_after_an_update(bench: Bench, writer: Writer, number: int) -> tuple[str, ...]:
    """Update the person, and tell what its delivery names as disputed."""
    before = held(bench, number)[1].position
    writer.write((number, Operation.UPDATE, None))
    eventually(lambda: held(bench, number)[1].position > before, 30, lambda: "the update's delivery")
    return held(bench, number)[1].disputed


def told(bench: Bench, *arguments: str) -> Any:
    done = govbus(bench, *arguments, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def status(bench: Bench) -> Any:
    """What the fan-out's instance says of the disputes that it knows."""
    group = bench.policy().groups().index("default")
    port = bench.stack.settings.processes_port + 20 + 10 * group
    return requests.get(f"http://127.0.0.1:{port}/status", timeout=5).json()["disputes"]


def explained(bench: Bench, number: int) -> list[tuple[Any, ...]]:
    """What is decided again of the newest version of a person: grant, disputed items, disputes' number."""
    topic, stack = canonical(PERSONS), bench.stack
    registry = SchemaRegistry(bench.access.registry_credentials("ledger"))
    with open_reader(stack, "test") as reader:
        lookup = Lookup(reader, registry, dispute_keys(stack))
        versions = [
            record for record in bench.read(topic) if (lookup.value(record) or {}).get("raw_offset") == number
        ]
        newest = max(versions, key=lambda record: record.offset)
        policies = lookup.policies
        found = explain_grants(lookup, newest, PERSONS, policies[max(policies)])
    return [(each.grant, each.outcome, each.disputed, each.disputes) for each in found if each.grant]


def reported_and_dispatched(bench: Bench, writer: Writer, folder: Path) -> str:
    """The number of a ticket about the record, which the authority has given to its provider."""
    evidence = folder / "extract.txt"
    evidence.write_text("户口簿复印件", encoding="utf-8")
    packs = ("--pack", "province-sample-2024", "--pack", "jiyuan-2022", "--ruled-by", "data_bureau")
    said = ("--item", "address", "--statement", "门牌号应为2号", "--evidence", str(evidence))
    at = held(bench, REPORTED)[0].coordinates
    reported = told(bench, "ticket", "report", "--at", at, *said, "--as", "chen", *packs)
    number = str(reported["ticket"]["number"])
    assert disputed_after_an_update(bench, writer, REPORTED) == (), "nobody has looked at the report yet"
    told(bench, "ticket", "dispatch", number, "--as", "li")
    return number


@pytest.mark.requirement("A9-06")
def test_a_reported_record_is_marked_by_fan_out_and_copier_until_the_corrected_version_comes(
    bench: Bench, writer: Writer, tmp_path: Path
) -> None:
    number = reported_and_dispatched(bench, writer, tmp_path)
    assert told(bench, "ticket", "follow")["marks"] == {"count": 1, "problem": None}
    eventually(lambda: status(bench) == {"number": 1, "problem": None}, 30)

    # The record travels on, with its mark; others have none.
    assert disputed_after_an_update(bench, writer, REPORTED) == ("address",)
    assert disputed_after_an_update(bench, writer, OTHER) == ()
    assert (HEALTH, "delivered", ("address",), 1) in explained(bench, REPORTED)
    assert (HEALTH, "delivered", (), 1) in explained(bench, OTHER)
    assert ADDRESS not in repr([(record.key, record.value) for record in bench.read(DISPUTES, 1)])

    # An epoch delivers it anew, marked too.
    generation = held(bench, REPORTED)[1].grant_generation
    both = [{"item": "household_district", "values": list(DISTRICTS)}]
    bench.change("grants/health.yaml", rows=both)
    bench.apply()
    eventually(lambda: len(bench.held(HEALTH)) == 6, 30)
    copied = held(bench, REPORTED)[1]
    assert (copied.grant_generation, copied.disputed) == (generation + 1, ("address",))
    assert held(bench, OTHER)[1].disputed == ()

    # An instance that is started anew knows the disputes before it decides.
    os.kill(pid_of(bench, INSTANCES[0]), signal.SIGKILL)
    start_fanout(bench, 1)
    assert disputed_after_an_update(bench, writer, REPORTED) == ("address",)

    # The corrected version carries no mark, though the dispute is open still; then it is closed.
    decide = ("decide", number, "--as", "wang", "--accept", "--why", "登记有误")
    told(bench, "ticket", *decide)
    writer.more = {"address": "平江路2号"}
    assert disputed_after_an_update(bench, writer, REPORTED) == ()
    followed = told(bench, "ticket", "follow")
    assert [each["ticket"]["state"] for each in followed["steps"]][-1] == "corrected"
    assert followed["marks"] == {"count": 1, "problem": None}
    eventually(lambda: status(bench) == {"number": 2, "problem": None}, 30)

    # The ledger proves who has received a wrong version.
    shown = told(bench, "ticket", "show", number, "--as", "chen")
    received = {(each["consumer"], each["certain"]) for each in shown["recipients"]}
    assert {("health", True), ("education", True)} <= received
