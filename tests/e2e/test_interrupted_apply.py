"""`govbus apply` is killed within an epoch, under live updates; run again, it finishes what was begun."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer, TopicPartition

from services.control.definitions import packaged_definitions
from services.control.policy_topic import newest_policy
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import ELSEWHERE, GRANTED, delete, insert, number, update
from tests.e2e.stopped_within import environment, stopped_within
from tests.e2e.test_policy import assert_never_back, held
from topics import names
from topics.event import GrantId, TopicName
from topics.grants.declaration import GrantState
from topics.policy import GrantPolicy

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

CANONICAL = TopicName("resource.population.person.v1")


@dataclass
class Grantee:
    """A grant of the test's own in a folder of definitions, and persons who move in and out of it."""

    city: LiveCity
    folder: Path
    rows: list[int]
    grant: GrantId = field(default_factory=lambda: GrantId(f"health-apply-{uuid.uuid4().hex[:8]}"))
    districts: tuple[str, ...] = ()

    def declare(self, *districts: str) -> None:
        """The grant covers all items of the persons of these districts."""
        self.districts = districts
        declared = yaml.safe_load((self.folder / "grants" / "health.yaml").read_text(encoding="utf-8"))
        rows = [{"item": "household_district", "values": list(districts)}]
        text = yaml.safe_dump(declared | {"id": self.grant, "rows": rows}, allow_unicode=True)
        self.path.write_text(text, encoding="utf-8")

    @property
    def path(self) -> Path:
        return self.folder / "grants" / "of-this-test.yaml"

    @property
    def topic(self) -> TopicName:
        return TopicName(f"sub.health.population.person.v1.{self.grant}")

    def policy(self) -> GrantPolicy | None:
        """The grant in the newest policy."""
        policy = newest_policy(self.city.stack.kafka_config("admin"))
        return None if policy is None else policy.grants.get(self.grant)

    def begin(self, place: str, nth: int) -> "subprocess.Popen[bytes]":
        """Start apply; return when it has stopped itself at that place."""
        return stopped_within(place, nth, self._arguments, self._environment)

    def finish(self) -> None:
        """Run apply to its end."""
        command = [sys.executable, "-m", "services.cli", *self._arguments]
        done = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)
        assert done.wait(180) == 0

    @property
    def _arguments(self) -> list[str]:
        return ["apply", "--definitions", str(self.folder)]

    @property
    def _environment(self) -> dict[str, str]:
        return environment(self.city.stack, GOVBUS_APPLY_BATCH_RECORDS="40")

    def copied_to(self, generation: int) -> dict[int, int]:
        """What the copier of that generation has committed: partition → offset, without what it has not."""
        group = names.copier_group(self.grant, generation)
        partitions = len(
            self.city.stack.admin().list_topics(CANONICAL, timeout=30).topics[CANONICAL].partitions
        )
        consumer = Consumer({**self.city.stack.kafka_config("admin"), "group.id": group})
        try:
            wanted = [TopicPartition(CANONICAL, partition) for partition in range(partitions)]
            found = consumer.committed(wanted, timeout=30)
        finally:
            consumer.close()
        return {part.partition: part.offset for part in found if part.offset >= 0}

    def markers(self) -> list[dict[str, Any]]:
        """The epochs' markers, oldest first."""
        with self.city.story.lookup() as lookup:
            values = [lookup.value(record) for record in self.city.records(names.epochs(self.grant))]
        return [value for value in values if value is not None]

    def covered(self) -> dict[str, tuple[str, str, str]]:
        """The test's persons in the source whom the grant covers: number → name, address, district."""
        query = (
            "SELECT id_number, name, address, household_district FROM public.person"
            " WHERE id = ANY(%s) AND household_district = ANY(%s)"
        )
        with self.city.database("police") as connection, connection.cursor() as cursor:
            cursor.execute(query, (self.rows, list(self.districts)))
            return {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}

    def delivered(self) -> dict[str, tuple[str, str, str]]:
        """What the department holds of them."""
        mine = {number(row % 90_000) for row in self.rows}
        return {
            str(items["id_number"]): (items["name"], items["address"], items["household_district"])
            for items in held(self.city, self.topic)
            if items["id_number"] in mine
        }


@pytest.fixture(scope="module")
def grantee(city: LiveCity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grantee]:
    """A grant that is not declared yet, and the rows of its persons; withdrawn again at the end."""
    folder = tmp_path_factory.mktemp("definitions") / "definitions"
    shutil.copytree(packaged_definitions(), folder)
    found = Grantee(city, folder, [city.new_id() for _ in range(40)])
    for row in found.rows:
        city.execute("police", insert(row, number(row % 90_000), household_district=district_of(row)))
    city.settle()
    yield found
    found.path.unlink(missing_ok=True)
    found.finish()


def district_of(step: int) -> str:
    """Two districts by turns."""
    return GRANTED if step % 2 else ELSEWHERE


@contextmanager
def life(city: LiveCity, rows: Sequence[int]) -> Iterator[list[int]]:
    """About 50 changes a second: most write an address, some move, some delete a person and bring it back."""
    steps: list[int] = []
    stop = threading.Event()

    def change(step: int, row: int) -> list[tuple[str, tuple[object, ...]]]:
        address = f"第{step}步"
        if step % 11 == 0:
            again = insert(row, number(row % 90_000), address=address, household_district=district_of(step))
            return [delete(row), again]
        if step % 5 == 0:
            return [update(row, address=address, household_district=district_of(step // 5))]
        return [update(row, address=address)]

    def live() -> None:
        with city.database("police") as connection:
            while not stop.wait(0.02):
                row = rows[len(steps) * 7 % len(rows)]
                for statement in change(len(steps), row):
                    with connection, connection.cursor() as cursor:
                        cursor.execute(*statement)
                steps.append(row)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield steps
    finally:
        stop.set()
        thread.join()


@dataclass(frozen=True)
class Interruption:
    """Where apply is killed, and what stands in Kafka then.

    Args:
        place: the method that it is about to call.
        nth: for the how manieth time.
        kinds: the markers of this epoch that are written by then.
        copied: whether the copier's last transaction is committed by then.
        districts: what the grant is declared to cover from now on; each differs from the one before.
    """

    place: str
    nth: int
    kinds: tuple[str, ...]
    copied: bool
    districts: tuple[str, ...]


@pytest.mark.requirement("A3-08", "A4-01")
@pytest.mark.parametrize(
    "at",
    [
        # A new grant: its copy is committed, the policy says FILLING.
        pytest.param(
            Interruption("services.control.fill:Epoch:_sweep", 1, ("BEGIN", "COPIED"), True, (ELSEWHERE,)),
            marks=pytest.mark.soak,
        ),
        # Fewer rows, once more after the commit of the copy: the sweep must still remove what went.
        Interruption("services.control.fill:Epoch:_sweep", 1, ("BEGIN", "COPIED"), True, (GRANTED,)),
        # More rows, in a transaction of the copy that never ends: the first call commits BEGIN.
        Interruption(
            "services.control.copy_transactions:CopyTransactions:_retried",
            3,
            ("BEGIN",),
            False,
            (GRANTED, ELSEWHERE),
        ),
        # Other rows, when all is done but the policy that says ACTIVE.
        pytest.param(
            Interruption(
                "services.control.policy_topic:PolicyWriter:write",
                2,
                ("BEGIN", "COPIED", "SWEPT", "END"),
                True,
                (ELSEWHERE,),
            ),
            marks=pytest.mark.soak,
        ),
    ],
    ids=["copied-new", "copied-narrower", "copying-wider", "before-active"],
)
def test_apply_killed_within_an_epoch_and_run_again_ends_in_the_right_state(
    city: LiveCity, grantee: Grantee, at: Interruption
) -> None:
    before = grantee.policy()
    with life(city, grantee.rows) as steps:
        wait_until(lambda: len(steps) > 50, "some life before apply")
        grantee.declare(*at.districts)
        stopped = grantee.begin(at.place, at.nth)
        reached = len(steps)
        wait_until(lambda: len(steps) > reached + 50, "some life while it stands still")
        filling = grantee.policy()
        assert filling is not None
        generation = filling.generation
        assert before is None or generation > before.generation
        assert filling.grant.state is GrantState.FILLING
        kinds = [marker["kind"] for marker in grantee.markers() if marker["generation"] == generation]
        assert tuple(kinds) == at.kinds
        assert bool(grantee.copied_to(generation)) is at.copied
        os.kill(stopped.pid, signal.SIGKILL)
        assert stopped.wait(30) == -signal.SIGKILL
        grantee.finish()
        filled = len(steps)
        wait_until(lambda: len(steps) > filled + 50, "some life after it")
    city.settle()
    active = grantee.policy()
    assert active is not None
    assert (active.grant.state, active.generation > generation) == (GrantState.ACTIVE, True)
    assert grantee.delivered() == grantee.covered(), "what the source says of whom the grant covers"
    wanted = [items for items in city.canonical().values() if items["household_district"] in at.districts]
    assert len(held(city, grantee.topic)) == len(wanted), "and of all others as many"
    assert_never_back(city, grantee.topic)
    assert city.balance()["differences"] == []
