"""Apply on the real stack: what is declared comes to be, drift is mended, grants are filled and withdrawn."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from schemas.registry import RegistryCredentials
from services.cli.plan import access_of
from services.control.acls import create_acls, delete_acls, read_acls
from services.control.apply import Apply, CorrectDefinitions
from services.control.definitions import load_definitions, packaged_definitions
from services.control.difference import StepKind
from services.control.kafka_topics import alter_topics, end_offsets
from services.control.policy_document import with_grant_state
from services.control.policy_topic import AnotherApplyRuns, PolicyWriter
from services.control.quotas import read_quotas
from services.control.reading import read_whole, whole_reader
from services.control.rights import grant_denials
from services.control.state import Acl, Pattern, Quota, ResourceType, Right
from services.stack.probes import loopback_session
from tests.integration.apply_bench import (
    DISTRICTS,
    EDUCATION,
    HEALTH,
    PERSONS,
    Bench,
    own_stack,
    policy_schema_id,
    write_persons,
)
from topics.delivery import Delivery, delivery_headers, read_delivery
from topics.engine.reference import ReferenceCodec
from topics.event import GrantId, Operation, PolicyNumber, SourcePosition
from topics.grants.declaration import GrantState
from topics.wire import split

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("definitions") / "city"
    shutil.copytree(packaged_definitions(), folder)
    with own_stack() as stack:
        found = Bench(stack, access_of(stack), folder)
        found.apply()
        write_persons(found, range(40), Operation.CREATE)
        yield found


def test_a_second_apply_changes_nothing(bench: Bench) -> None:
    before = bench.policy().version
    assert bench.steps() == []
    assert bench.apply().steps == 0
    assert bench.policy().version == before


def test_a_scope_item_that_changes_its_column_in_place_is_refused_with_its_line(bench: Bench) -> None:
    path, version = bench.folder / "resources/person.yaml", bench.policy().version
    declared = path.read_text(encoding="utf-8")
    item = "  - name: household_district\n"
    path.write_text(declared.replace(item, f"{item}    column: district\n"), encoding="utf-8")
    line = declared.split(item)[0].count("\n") + 2
    try:
        with pytest.raises(CorrectDefinitions, match=rf"person\.yaml:{line}: items\.5\.column.*version 2"):
            bench.apply()
    finally:
        path.write_text(declared, encoding="utf-8")
    assert bench.policy().version == version
    assert bench.steps() == []


def test_every_grant_is_active_after_the_first_apply_with_begin_and_end_on_its_epochs_topic(
    bench: Bench,
) -> None:
    for grant_id, entry in bench.policy().grants.items():
        assert entry.grant.state is GrantState.ACTIVE
        assert set(entry.starts_at) == set(range(4))
        assert bench.markers(grant_id)[:4] == ["BEGIN", "COPIED", "SWEPT", "END"]


def test_drift_in_settings_and_rights_is_repaired(bench: Bench) -> None:
    admin = bench.access.admin()
    surplus = Acl("consumer-tax", ResourceType.TOPIC, Pattern.PREFIXED, "raw.", Right.READ)
    missing = Acl("gate", ResourceType.TOPIC, Pattern.PREFIXED, "raw.", Right.READ)
    create_acls(admin, [surplus])
    delete_acls(admin, [missing])
    alter_topics(admin, {"raw.police.public.person": {"retention.ms": "1000"}})

    assert bench.steps() == [
        (StepKind.ALTER_TOPIC, "raw.police.public.person"),
        (StepKind.CREATE_ACL, "gate"),
        (StepKind.DELETE_ACL, "consumer-tax"),
    ]
    bench.apply()

    assert bench.steps() == []
    assert missing in read_acls(admin)
    assert surplus not in read_acls(admin)


def test_quotas_are_those_of_the_definitions(bench: Bench) -> None:
    found = read_quotas(bench.stack.kafka_config("admin"))
    assert found["consumer-tax"] == Quota(fetch_bytes=16_777_216, produce_bytes=1_048_576)


@pytest.mark.requirement("A3-08")
def test_an_expired_grant_has_no_reader_until_it_is_in_force_again(bench: Bench) -> None:
    new_year_2035_ms = 2_051_193_600_000
    topic = bench.policy().grants[HEALTH].grant.topic

    def readers() -> set[str]:
        return {acl.user for acl in read_acls(bench.access.admin()) if acl.name == topic}

    bench.apply(clock_ms=lambda: new_year_2035_ms)
    assert readers() == set()
    bench.apply()
    assert readers() == {"consumer-health"}
    assert bench.steps() == []


def test_a_changed_filter_is_filled_and_what_left_it_is_withdrawn(bench: Bench) -> None:
    bench.change("grants/health.yaml", rows=[{"item": "household_district", "values": list(DISTRICTS)}])
    bench.apply()
    assert len(bench.held(HEALTH)) == 40

    bench.change("grants/health.yaml", rows=[{"item": "household_district", "values": [DISTRICTS[0]]}])
    applied = bench.apply()

    held = bench.held(HEALTH)
    assert len(held) == 20
    assert applied.filled[HEALTH]["swept"] == 20
    generation = bench.policy().grants[HEALTH].generation
    assert {read_delivery(record.headers).grant_generation for record in held.values()} == {generation}
    schema = json.loads(bench.policy().grants[HEALTH].value_schema)
    districts = {
        ReferenceCodec(schema).decode(split(record.value or b"")[1])["household_district"]
        for record in held.values()
    }
    assert districts == {DISTRICTS[0]}


def test_the_copier_says_where_the_fan_out_goes_on_and_the_ledger_has_its_blocks(bench: Bench) -> None:
    bench.change("grants/education.yaml", items=["name", "birth_date", "household_district", "sex"])
    bench.apply()
    entry = bench.policy().grants[EDUCATION]
    assert len(bench.held(EDUCATION)) == 40
    ends = end_offsets(bench.access.admin(), f"resource.{PERSONS}", 4, stable=True)
    assert entry.starts_at == ends
    assert entry.active_since == bench.policy().version

    from services.control.framing import decode

    group = f"copier.{EDUCATION}.{entry.generation}"
    blocks = [decode("DecisionBlock", record.value or b"") for record in bench.read("ledger.delivery")]
    mine = [block for block in blocks if block["group"] == group]
    delivered = sum(grant["delivered"] for block in mine for grant in block["grants"])
    assert delivered == len(bench.read(f"resource.{PERSONS}"))
    for partition, end in ends.items():
        chain = [
            (block["from_offset"], block["to_offset"]) for block in mine if block["partition"] == partition
        ]
        assert chain[0][0] == 0
        assert chain[-1][1] == end
        assert all(left[1] == right[0] for left, right in pairwise(chain))


def test_a_sweep_that_would_remove_too_much_waits_for_an_operator(bench: Bench) -> None:
    entry = bench.policy().grants[EDUCATION]
    leave_strangers(bench, entry.grant.topic, EDUCATION, 10)
    bench.change("grants/education.yaml", items=["name", "birth_date", "household_district"])

    waiting = bench.apply().waiting

    assert set(waiting) == {EDUCATION}
    assert bench.policy().grants[EDUCATION].grant.state is GrantState.FILLING
    assert bench.markers(EDUCATION)[-1] == "WAITING"
    assert len(bench.held(EDUCATION)) == 50

    applied = bench.apply(confirmed_shrinks=[EDUCATION])

    assert applied.filled[EDUCATION]["swept"] == 10
    assert len(bench.held(EDUCATION)) == 40
    assert bench.policy().grants[EDUCATION].grant.state is GrantState.ACTIVE


def leave_strangers(bench: Bench, topic: str, grant: GrantId, count: int) -> None:
    """Records in a grant's topic that the canonical topic knows nothing of."""
    producer = Producer(bench.stack.kafka_config("admin"))
    delivery = Delivery(
        ce_id="raw.police.public.person/0/0",
        ce_source=f"/govbus/{PERSONS}",
        ce_time="2026-01-01T00:00:00.000Z",
        operation=Operation.CREATE,
        position=SourcePosition(0, 1, 1, 1),
        grant=grant,
        grant_generation=1,
        policy_version=PolicyNumber(1),
    )
    for number in range(count):
        headers: Any = list(delivery_headers(delivery))
        producer.produce(topic, key=f"stranger{number}", value=b"x", partition=0, headers=headers)
    producer.flush(30)


@pytest.mark.requirement("A8-05")
def test_a_suspended_grant_is_cut_though_an_instance_is_frozen_in_a_transaction(bench: Bench) -> None:
    topic = bench.policy().grants[HEALTH].grant.topic
    member, frozen = frozen_instance(bench, topic)
    try:
        bench.change("grants/health.yaml", state="suspended")
        receipt = json.loads(Path(bench.apply().receipts[HEALTH]).read_text(encoding="utf-8"))
    finally:
        member.close()

    assert receipt["fenced"] == ["fanout.default.0"]
    assert receipt["state"] == "suspended"
    ends = end_offsets(bench.access.admin(), topic, 4, stable=True)
    assert {int(partition): offset for partition, offset in receipt["cut"].items()} == ends
    with pytest.raises(KafkaException) as fenced:
        frozen.commit_transaction(30)
    assert fenced.value.args[0].fatal()
    assert b"frozen" not in {record.key for record in bench.read(topic)}
    with pytest.raises(KafkaException):
        write_as_fanout(bench, topic)
    assert refused_to_read(bench, "health", topic)
    assert bench.steps() == []


def frozen_instance(bench: Bench, topic: str) -> tuple[Consumer, Producer]:
    """A live member of the group with an open transaction on the topic, that acknowledges nothing."""
    config = bench.stack.kafka_config("fanout")
    member = Consumer(
        {
            **config,
            "group.id": "fanout.default",
            "group.instance.id": "fanout.default.0",
            "enable.auto.commit": False,
        }
    )
    member.subscribe([f"resource.{PERSONS}"])
    deadline = time.monotonic() + 30
    while not member.assignment():
        assert time.monotonic() < deadline
        member.poll(0.1)
    producer = Producer(
        {**config, "transactional.id": "fanout.default.0", "transaction.timeout.ms": 60_000, "linger.ms": 0}
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, key=b"frozen", value=b"x", partition=0)
    producer.flush(30)
    return member, producer


def write_as_fanout(bench: Bench, topic: str) -> None:
    producer = Producer({**bench.stack.kafka_config("fanout"), "transactional.id": "fanout.default.9"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, key=b"late", value=b"x", partition=0)
    producer.commit_transaction(30)


def department(bench: Bench, consumer: str) -> Consumer:
    """A client with the credentials in the department's file."""
    found = bench.credentials(consumer)
    login = {
        "bootstrap.servers": found["bootstrap"],
        "security.protocol": found["security_protocol"],
        "sasl.mechanism": found["sasl_mechanism"],
        "sasl.username": found["username"],
        "sasl.password": found["password"],
    }
    return whole_reader(login, f"{found['group_prefix']}test")


def refused_to_read(bench: Bench, consumer: str, topic: str) -> bool:
    """Whether the broker keeps even the topic's existence from the department."""
    reader = department(bench, consumer)
    try:
        error = reader.list_topics(topic, timeout=30).topics[topic].error
        return error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    finally:
        reader.close()


def test_a_resumed_grant_is_filled_under_a_new_generation_and_its_writers_may_write_again(
    bench: Bench,
) -> None:
    before = bench.policy().grants[HEALTH]
    bench.change("grants/health.yaml", state="active")
    bench.apply()
    after = bench.policy().grants[HEALTH]
    assert after.generation == before.generation + 1
    assert after.grant.state is GrantState.ACTIVE
    assert not grant_denials(after.grant) & read_acls(bench.access.admin())
    assert not refused_to_read(bench, "health", after.grant.topic)
    assert len(bench.held(HEALTH)) == 20


@pytest.mark.requirement("A11-04")
def test_a_department_reads_its_own_topic_and_is_refused_on_all_others(bench: Bench) -> None:
    grants = bench.policy().grants
    own = grants[EDUCATION].grant.topic
    reader = department(bench, "education")
    try:
        ends = end_offsets(bench.access.admin(), own, 4, stable=True)
        found = [record for batch in read_whole(reader, own, ends, 1000) for record in batch]
    finally:
        reader.close()
    assert {record.key for record in found} >= set(bench.held(EDUCATION))
    assert refused_to_read(bench, "education", grants[HEALTH].grant.topic)
    assert refused_to_read(bench, "education", f"resource.{PERSONS}")
    assert refused_to_read(bench, "archives", grants[EDUCATION].grant.topic)


def test_a_later_apply_takes_the_policy_from_an_earlier_one(bench: Bench) -> None:
    policy = bench.policy()
    config, schema_id = bench.stack.kafka_config("apply"), policy_schema_id(bench)
    earlier = PolicyWriter(config, schema_id)
    PolicyWriter(config, schema_id)
    changed = with_grant_state(policy, {EDUCATION: GrantState.SUSPENDED}, 1)
    with pytest.raises(AnotherApplyRuns):
        earlier.write(changed, policy)
    assert bench.policy().version == policy.version


def test_a_policy_of_thousands_of_grants_is_one_version_and_can_be_read(bench: Bench) -> None:
    policy = bench.policy()
    entry = policy.grants[EDUCATION]
    many = {
        id_: entry.model_copy(
            update={"grant": entry.grant.model_copy(update={"id": id_, "state": GrantState.SUSPENDED})}
        )
        for id_ in (GrantId(f"many-{number}") for number in range(3_000))
    }
    crowded = policy.model_copy(update={"version": policy.version + 1, "grants": {**policy.grants, **many}})
    assert len(crowded.model_dump_json()) > 2_000_000
    writer = PolicyWriter(bench.stack.kafka_config("apply"), policy_schema_id(bench))
    writer.write(crowded, policy)
    assert bench.policy() == crowded
    writer.write(policy.model_copy(update={"version": crowded.version + 1}), crowded)
    assert bench.policy().grants == policy.grants


def may_read_schemas(credentials: dict[str, Any]) -> bool:
    registry = credentials["registry"]
    with loopback_session((registry["username"], registry["password"])) as session:
        return session.get(f"{registry['url']}/subjects", timeout=10).ok


def test_a_withdrawn_department_is_locked_out_and_never_deleted(bench: Bench) -> None:
    old, other = bench.credentials("archives"), bench.credentials("tax")
    assert old["registry"]["username"] != other["registry"]["username"]
    assert may_read_schemas(old)
    path = bench.folder / "consumers.yaml"
    consumers = yaml.safe_load(path.read_text(encoding="utf-8"))
    kept = [consumer for consumer in consumers if consumer["id"] != "archives"]
    path.write_text(yaml.safe_dump(kept, allow_unicode=True), encoding="utf-8")

    bench.apply()

    assert "consumer-archives" in bench.access.known_users()
    assert not any(acl.user == "consumer-archives" for acl in read_acls(bench.access.admin()))
    assert not (bench.stack.settings.home / "credentials" / "archives.json").exists()
    assert old["username"] == "consumer-archives"
    assert not may_read_schemas(old)
    assert may_read_schemas(other)
    assert bench.steps() == []


@pytest.mark.requirement("A8-05")
def test_a_right_is_withdrawn_while_the_registry_is_down_and_the_rest_waits(bench: Bench) -> None:
    nobody = RegistryCredentials("http://127.0.0.1:9", "apply", "none")
    alone = replace(bench.access, registry_url=nobody.url, registry_credentials=lambda _: nobody)
    topic = bench.policy().grants[EDUCATION].grant.topic
    bench.change("grants/education.yaml", state="suspended")
    applied = Apply(alone, load_definitions(bench.folder), bench.said.append).run()

    assert json.loads(Path(applied.receipts[EDUCATION]).read_text(encoding="utf-8"))["state"] == "suspended"
    assert list(applied.held_back) == ["registry"]
    assert bench.policy().grants[EDUCATION].grant.state is GrantState.SUSPENDED
    assert refused_to_read(bench, "education", topic)
    assert [target for kind, target in bench.steps() if kind is StepKind.WITHDRAW_GRANT] == []
    bench.change("grants/education.yaml", state="active")
    bench.apply()
    assert bench.policy().grants[EDUCATION].grant.state is GrantState.ACTIVE
