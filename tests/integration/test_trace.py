"""On the real stack: who received what about a person is named exactly, and a receipt proves it elsewhere."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from services.cli import processes
from services.cli.control import control_database, prepare_control
from services.cli.plan import access_of
from services.control.accounts.decision import Whose
from services.control.accounts.roles import Role
from services.control.definitions import packaged_definitions
from services.control.evidence.ordering import State, Subject, Wish
from services.control.store.outbox import acts_on
from services.control.store.receipts import orders
from services.evidence.entries import ACTS
from services.evidence.trust import trust_from
from services.ledger.on_stack import master_secret
from tests.integration.apply_bench import EDUCATION, HEALTH, Bench, own_stack
from tests.integration.suspension_bench import Writer, environment, govbus, start_fanout
from tests.support.staff import hire, settle
from tests.support.tracing import number
from tests.support.waiting import eventually
from topics.canonical import CANONICAL_KEY_SCHEMA, PSEUDONYM_KEY_SCHEMA
from topics.engine.reference import ReferenceCodec
from topics.event import EntityKey, GrantId, Operation, RecordId
from topics.grants.keys import grant_key, has_canonical_key, pseudonym
from topics.wire import split

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PERSON, OTHER = 0, 2
"""Both are in the health department's rows; their numbers in the topics are these, filled with zeros."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("definitions") / "city"
    shutil.copytree(packaged_definitions(), folder)
    given = {"GOVBUS_CONTROL_TRACE_S": "0.5", "GOVBUS_CONTROL_ACQUIRED_S": "0.5"}
    os.environ.update(given)
    try:
        with own_stack() as stack:
            found = Bench(stack, access_of(stack), folder)
            found.apply()
            prepare_control(stack, datetime.now(UTC))
            with closing(control_database(stack)) as database, database.begin() as connection:
                settle(connection)
                hire(connection, "sun.audit", "data_bureau", Role.AUDITOR)
                hire(connection, "wang", "police", Role.PROVIDER)
                hire(connection, "chen", "health", Role.CONSUMER)
            start_fanout(found)
            stack.run_process(processes.control(stack.settings.control_port))
            yield found
    finally:
        for name in given:
            del os.environ[name]


def trace(bench: Bench, resident: str, login: str = "sun.audit") -> tuple[int, dict[str, Any], str]:
    """Ask with the number on standard input, as a person's window never shows it."""
    asked = ["trace", "--person", "resident_id", "--as", login, "--reason", "complaint", "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "services.cli", *asked],
        env=environment(bench),
        input=resident + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = ended.stdout.splitlines()
    return ended.returncode, json.loads(lines[-1]) if lines else {}, ended.stderr


def received(bench: Bench, resident: str, record: str) -> set[tuple[str, str, str]]:
    """What the topics themselves hold of a person, by their keys."""
    policy, found = bench.policy(), set()
    entity = EntityKey(f"resident_id:{resident}", RecordId(record))
    for grant_id, entry in policy.grants.items():
        if entry.grant.resource != "population.person.v1":
            continue
        resource = policy.resources[entry.grant.resource].resource
        master = master_secret(bench.stack, entry.key_version)
        name = pseudonym(grant_key(master, grant_id, entry.key_version), entity)
        canonical = has_canonical_key(resource, entry.grant)
        codec = ReferenceCodec(CANONICAL_KEY_SCHEMA if canonical else PSEUDONYM_KEY_SCHEMA)
        for each in bench.read(entry.grant.topic):
            key = codec.decode(split(each.key or b"")[1])
            if key.get("identity") == entity.identity or key.get("pseudonym") == name:
                outcome = "delivered" if each.value is not None else "tombstoned"
                found.add((str(grant_id), each.coordinates, outcome))
    return found


def commit(bench: Bench, grant: GrantId, partition: int, offset: int) -> None:
    """The health department commits, as its own reader would."""
    login = bench.credentials("health")
    consumer = Consumer(
        {
            "bootstrap.servers": login["bootstrap"],
            "security.protocol": login["security_protocol"],
            "sasl.mechanism": login["sasl_mechanism"],
            "sasl.username": login["username"],
            "sasl.password": login["password"],
            "group.id": f"{login['group_prefix']}app",
        }
    )
    topic = bench.policy().grants[grant].grant.topic
    consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
    consumer.close()


@pytest.mark.requirement("A11-01", "A11-02")
def test_who_received_a_record_is_named_proven_and_acquired_only_once_it_was(
    bench: Bench, tmp_path: Path
) -> None:
    resident = number(7)
    writer = Writer(bench)
    writer.write_as(resident, PERSON, Operation.CREATE)
    writer.write((OTHER, Operation.CREATE, None))
    writer.write_as(resident, PERSON, Operation.UPDATE)
    writer.write_as(resident, PERSON, Operation.DELETE)
    eventually(lambda: len([each for each in received(bench, resident, "0") if each[0] == HEALTH]) == 3, 60)
    wanted = received(bench, resident, "0")
    assert {grant for grant, _, _ in wanted} >= {HEALTH, EDUCATION}

    def named() -> set[tuple[str, str, str]]:
        _, answer, _ = trace(bench, resident)
        return {(each["grant"], each["at"], each["outcome"]) for each in answer["recipients"]}

    eventually(lambda: named() == wanted, 60)
    code, answer, _ = trace(bench, resident)
    assert (code, answer["why_empty"], answer["incomplete_before"]) == (0, None, None)
    assert answer["complete_until"] is not None
    assert {each["acquired_by"] for each in answer["recipients"]} == {None}

    with closing(control_database(bench.stack)) as database, database.begin() as connection:
        looks = acts_on(connection, "trace", answer["subject"])
    assert {(act.what, act.reason) for act in looks} == {("audit.trace", "complaint")}

    code, stranger, _ = trace(bench, number(8))
    assert (code, stranger["why_empty"], stranger["recipients"]) == (1, "UNKNOWN_SUBJECT", [])
    code, _, error = trace(bench, resident, "chen")
    assert code == 4, error
    assert trace(bench, resident, "wang")[1]["recipients"] == answer["recipients"]

    first = min(
        (each for each in answer["recipients"] if each["grant"] == HEALTH), key=lambda one: one["at_ms"]
    )
    _, partition, offset = first["at"].rsplit(":", 2)
    commit(bench, HEALTH, int(partition), int(offset) + 1)

    def acquired() -> set[str]:
        recipients = trace(bench, resident)[1]["recipients"]
        return {each["at"] for each in recipients if each["acquired_by"] is not None}

    eventually(lambda: acquired() == {first["at"]}, 60)
    _receipt_holds(bench, tmp_path, int(partition), int(offset), first["at"])


def _receipt_holds(bench: Bench, folder: Path, partition: int, offset: int, at: str) -> None:
    """Sealed, receipted, verified; altered, refused."""
    receipt, forged, trust = folder / "r.tar", folder / "f.tar", folder / "trust.json"
    wanted = ["--grant", HEALTH, "-p", str(partition), "--offset", str(offset), "-o", str(receipt)]
    found: dict[str, Any] = {}

    def proven() -> bool:
        assert govbus(bench, "evidence", "checkpoint").returncode == 0
        assert govbus(bench, "evidence", "trust", "-o", str(trust)).returncode == 0
        made = govbus(bench, "evidence", "receipt", *wanted, "--trust", str(trust))
        assert made.returncode == 0, made.stderr
        verified = govbus(bench, "verify", str(receipt), "--trust", str(trust), "--json")
        assert verified.returncode == 0, verified.stdout
        found.update(json.loads(verified.stdout.splitlines()[-1]))
        return found["receipt"]["deliveries"][0]["acquired_ms"] is not None

    eventually(proven, 60)
    (one,) = found["receipt"]["deliveries"]
    assert (one["grant"], one["outcome"], one["at"], one["consumer"]) == (HEALTH, "delivered", at, "health")
    _consumer_receives(bench, folder, Subject(partition, offset, grant=HEALTH), trust, one)
    content = bytearray(receipt.read_bytes())
    content[len(content) // 2] ^= 1
    forged.write_bytes(bytes(content))
    assert govbus(bench, "verify", str(forged), "--trust", str(trust)).returncode == 1


def _consumer_receives(
    bench: Bench, folder: Path, subject: Subject, trust: Path, open_: dict[str, Any]
) -> None:
    """What the consumer asks for is made by the control process, and says the same without the others'."""
    witness = trust_from(trust.read_bytes()).witness.text()
    wish = Wish(subject, frozenset({ACTS}), "chen", "health", Whose("police", "health"), witness)
    with closing(control_database(bench.stack)) as database:
        with database.begin() as connection:
            number = orders.ask(connection, wish, datetime.now(UTC)).number

        def made() -> bool:
            with database.reading() as connection:
                order = orders.load(connection, number)
            assert order is not None
            assert order.state is not State.REFUSED, order.detail
            return order.state is State.MADE

        eventually(made, 60)
        with database.reading() as connection:
            content = orders.content(connection, number)
    assert content is not None
    assert b"legal_basis\\" not in content, "no policy stands in it"
    closed = folder / "closed.tar"
    closed.write_bytes(content)
    verified = govbus(bench, "verify", str(closed), "--trust", str(trust), "--json")
    assert verified.returncode == 0, verified.stdout
    (one,) = json.loads(verified.stdout.splitlines()[-1])["receipt"]["deliveries"]
    assert (one["block_shown"], one["policy_shown"]) == (False, False)
    same = {name for name in open_ if name not in ("block_shown", "policy_shown", "each")}
    assert {name: one[name] for name in same} == {name: open_[name] for name in same}
