"""The kill switch on the real stack: delivery stops, a receipt proves it, nothing old comes back."""

import json
import os
import shutil
import signal
from collections.abc import Iterator

import pytest

from services.cli.plan import access_of
from services.control.acls import create_acls, read_acls
from services.control.definitions import packaged_definitions
from services.control.difference import StepKind
from services.control.kafka_topics import end_offsets
from services.control.rights import grant_rights
from services.control.suspension.acts import ActWord, read_acts
from services.control.suspension.finish import close_held
from services.control.suspension.receipt import Receipt, Step
from services.control.suspension.resume import NotSuspended
from services.control.suspension.suspend import Order
from tests.integration.apply_bench import DISTRICTS, EDUCATION, HEALTH, Bench, own_stack
from tests.integration.suspension_bench import (
    INSTANCES,
    ON_HEALTH,
    PARTITIONS,
    Reader,
    Writer,
    arrives,
    govbus,
    pid_of,
    resumed,
    silence,
    start_fanout,
    suspended,
    traffic,
)
from tests.support.waiting import eventually
from topics.delivery import read_delivery
from topics.event import GrantId, Operation
from topics.grants.declaration import GrantState
from topics.grants.hold import HoldScope

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

ON_CONSUMER = Order(HoldScope.CONSUMER, "health", "operator-7", "contract ended")
ON_ALL = Order(HoldScope.ALL, "", "operator-7", "breach")
LIVE = range(20)
"""Persons that the traffic updates; those with an even number are in the health department's rows."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("definitions") / "city"
    shutil.copytree(packaged_definitions(), folder)
    with own_stack() as stack:
        found = Bench(stack, access_of(stack), folder)
        found.apply()
        start_fanout(found)
        yield found


@pytest.fixture(scope="module")
def writer(bench: Bench) -> Writer:
    found = Writer(bench)
    found.write(*((number, Operation.CREATE, None) for number in range(60)))
    eventually(lambda: len(bench.held(HEALTH)) == 30, 60)
    return found


def state(bench: Bench, grant: GrantId = HEALTH) -> GrantState:
    return bench.policy().grants[grant].grant.state


def after_cut(bench: Bench, receipt: Receipt, generation: int) -> list[str]:
    """Records of that generation in a health grant's topic at or after its cut."""
    [held] = [held for held in receipt.grants if held.grant == HEALTH]
    return [
        record.coordinates
        for record in bench.read(held.topic)
        if record.offset >= held.cut[record.partition]
        and read_delivery(record.headers).grant_generation <= generation
    ]


@pytest.mark.requirement("A8-05")
@pytest.mark.alone
def test_delivery_stops_and_the_receipt_proves_it(bench: Bench, writer: Writer) -> None:
    with traffic(writer, LIVE), Reader(bench, HEALTH) as reader:
        arrives(reader)
        receipt = suspended(bench)
        silence(reader)
        assert reader.last_ms() - receipt.requested_ms < 2_000
    [held] = receipt.grants
    assert receipt.is_complete
    assert receipt.fenced == ()
    assert {answer.instance for answer in receipt.acknowledgements} == set(INSTANCES)
    assert held.cut == end_offsets(bench.access.admin(), held.topic, PARTITIONS, stable=False)
    assert all(offset < held.cut[partition] for partition, offset, _ in reader.got)
    assert after_cut(bench, receipt, held.generation) == []
    assert state(bench) is GrantState.SUSPENDED
    assert state(bench, EDUCATION) is GrantState.ACTIVE
    acts = read_acts(bench.access.admin(), bench.access.kafka_config("apply"))
    [act] = [act for act in acts if act.id == receipt.id]
    assert act.document == receipt.as_json()
    shown = govbus(bench, "grant", "receipt", receipt.id, "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout.splitlines()[-1]) == receipt.as_json()


@pytest.mark.requirement("A8-05")
def test_apply_does_not_undo_a_suspension_and_finds_nothing_to_change(bench: Bench, writer: Writer) -> None:
    assert state(bench) is GrantState.SUSPENDED
    version = bench.policy().version
    assert bench.steps() == []
    bench.apply()
    assert state(bench) is GrantState.SUSPENDED
    assert bench.policy().version == version


def test_a_right_that_somebody_gives_back_is_taken_again(bench: Bench, writer: Writer) -> None:
    admin, grant = bench.access.admin(), bench.policy().grants[HEALTH].grant
    given = grant_rights(grant.model_copy(update={"state": GrantState.ACTIVE}))
    create_acls(admin, given)
    assert (StepKind.DELETE_ACL, "consumer-health") in bench.steps()
    close_held(bench.access, admin)
    # The controller answers; the broker that is asked follows a moment later.
    eventually(lambda: not given & read_acls(admin), 10)


@pytest.mark.requirement("A8-05")
def test_resuming_tombstones_what_left_or_was_deleted_meanwhile_and_brings_nothing_old(
    bench: Bench, writer: Writer
) -> None:
    assert state(bench) is GrantState.SUSPENDED
    before = bench.held(HEALTH)
    writer.write((50, Operation.UPDATE, DISTRICTS[1]))
    writer.remove(52)
    with traffic(writer, LIVE):
        done = resumed(bench)
    assert done.is_complete
    assert done.filled[HEALTH]["swept"] + tombstoned(bench) >= 2
    eventually(lambda: len(bench.held(HEALTH)) == len(before) - 2, 30)
    generation = bench.policy().grants[HEALTH].generation
    held = bench.held(HEALTH)
    assert {read_delivery(record.headers).grant_generation for record in held.values()} == {generation}
    assert_never_back(bench)
    assert state(bench) is GrantState.ACTIVE
    assert bench.steps() == []
    with traffic(writer, LIVE), Reader(bench, HEALTH) as reader:
        arrives(reader)


def tombstoned(bench: Bench) -> int:
    topic = bench.policy().grants[HEALTH].grant.topic
    generation = bench.policy().grants[HEALTH].generation
    return sum(
        record.value is None and read_delivery(record.headers).grant_generation == generation
        for record in bench.read(topic)
    )


def assert_never_back(bench: Bench) -> None:
    """Within each key of the grant's topic positions never fall, whoever wrote."""
    last: dict[bytes, object] = {}
    for record in bench.read(bench.policy().grants[HEALTH].grant.topic):
        delivery, key = read_delivery(record.headers), record.key or b""
        place = (delivery.grant_generation, delivery.position)
        assert key not in last or last[key] <= place, record.coordinates  # type: ignore[operator]
        last[key] = place


@pytest.mark.requirement("A8-05")
@pytest.mark.alone
def test_an_instance_that_does_not_answer_is_fenced_and_nothing_of_it_stands_after_the_cut(
    bench: Bench, writer: Writer
) -> None:
    pid = pid_of(bench, INSTANCES[1])
    generation = bench.policy().grants[HEALTH].generation
    with traffic(writer, LIVE), Reader(bench, HEALTH) as reader:
        arrives(reader)
        os.kill(pid, signal.SIGSTOP)
        try:
            receipt = suspended(bench)
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: told_of_the_fence(bench), 60, lambda: "the woken instance to find itself fenced")
        start_fanout(bench)
        written = writer.written
        eventually(lambda: writer.written > written + 200, 60)
    assert receipt.fenced == (INSTANCES[1],)
    assert receipt.members == INSTANCES
    assert receipt.steps[Step.READ_REMOVED] < receipt.steps[Step.ANSWERED]
    assert reader.last_ms() - receipt.requested_ms < 2_000
    assert after_cut(bench, receipt, generation) == []
    assert resumed(bench).is_complete


def told_of_the_fence(bench: Bench) -> bool:
    """Whether it said that it stops because it is fenced, or that a new producer takes over."""
    told = "\n".join(bench.stack.logs(INSTANCES[1], lines=10_000))
    return "stopped: " in told or "the producer is closed and made anew" in told


@pytest.mark.requirement("A8-05")
# After the hold; after the others, in the long tests.
@pytest.mark.parametrize(
    "writes", [pytest.param(n, marks=() if n == 3 else pytest.mark.soak) for n in range(1, 9)]
)
def test_killed_after_any_step_and_ordered_again_nothing_is_half_done(
    bench: Bench, writer: Writer, writes: int
) -> None:
    command = ["grant", "suspend", HEALTH, "--reason", "breach", "--yes", HEALTH, "--json"]
    with traffic(writer, LIVE):
        killed = govbus(bench, *command, killed_after=writes)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        again = govbus(bench, *command)
        assert again.returncode == 0, again.stderr
        receipt = Receipt.from_json(json.loads(again.stdout.splitlines()[-1]))
        third = govbus(bench, *command)
    assert json.loads(third.stdout.splitlines()[-1]) == receipt.as_json()
    assert list(bench.policy().holds) == [receipt.id]
    acts = read_acts(bench.access.admin(), bench.access.kafka_config("apply"))
    found = [act for act in acts if act.what == ActWord.SUSPEND and act.document["policy_version"]]
    assert [act.document for act in found if act.id == receipt.id] == [receipt.as_json()]
    [held] = receipt.grants
    assert held.cut == end_offsets(bench.access.admin(), held.topic, PARTITIONS, stable=False)
    assert resumed(bench).is_complete


def test_apply_finishes_a_suspension_that_was_interrupted(bench: Bench, writer: Writer) -> None:
    killed = govbus(
        bench, "grant", "suspend", HEALTH, "--reason", "breach", "--yes", HEALTH, "--json", killed_after=2
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert state(bench) is GrantState.ACTIVE, "only the right to read is gone"
    applied = bench.apply()
    assert state(bench) is GrantState.SUSPENDED
    assert set(applied.receipts) == {HEALTH}
    assert bench.steps() == []
    assert resumed(bench).is_complete


@pytest.mark.requirement("A8-05")
def test_holds_are_lifted_one_by_one(bench: Bench, writer: Writer) -> None:
    everything = suspended(bench, ON_ALL)
    assert {held.grant for held in everything.grants} == set(bench.policy().grants)
    assert len({held.grant for held in suspended(bench, ON_CONSUMER).grants}) == 1
    assert resumed(bench, ON_ALL).is_complete
    assert state(bench, EDUCATION) is GrantState.ACTIVE
    assert state(bench) is GrantState.SUSPENDED
    with pytest.raises(NotSuspended):
        resumed(bench, ON_HEALTH)
    assert set(resumed(bench, ON_CONSUMER).filled) == {HEALTH}
    assert state(bench) is GrantState.ACTIVE
    assert bench.policy().holds == {}
    assert bench.steps() == []
