"""Grants change while the city lives: in time, without gaps, and a withdrawn one gets nothing any more."""

import json
import os
import signal
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from services.cli import processes
from services.cli.plan import access_of
from services.control.applied import Applied
from services.control.apply import Apply
from services.control.definitions import Definitions
from services.control.kafka_topics import end_offsets
from services.control.settings import ApplySettings
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import ELSEWHERE, GRANTED, delete, insert, number, update
from tests.e2e.test_faults import traffic
from topics.delivery import DeliveryOrder, read_delivery
from topics.event import GrantId, SourcePosition, TopicName
from topics.grants.declaration import Grant, GrantState, PartialMask, RowFilter
from topics.names import POLICY, POLICY_ACKNOWLEDGEMENTS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

HEALTH = GrantId("health-persons-gusu")
EDUCATION = GrantId("education-persons")
FANOUT = "fanout.default.0"
ACKNOWLEDGED_MS = 2_000
PATIENT = {
    "GOVBUS_PROCESSOR_SESSION_TIMEOUT_MS": "60000",
    "GOVBUS_PROCESSOR_TRANSACTION_TIMEOUT_MS": "60000",
}
"""So that a frozen instance has its place and its transaction until it is fenced, on a slow machine too."""
FREEZES = 200


def changed(definitions: Definitions, grant: GrantId, **values: Any) -> Definitions:
    """The definitions with one grant declared differently."""
    other = Grant.model_validate(definitions.grants[grant].model_dump() | values)
    return replace(definitions, grants={**definitions.grants, grant: other})


def apply(city: LiveCity, definitions: Definitions, *confirmed: GrantId, lease_s: float = 10.0) -> Applied:
    """Apply, with removals of any size confirmed for these grants."""
    access = access_of(city.stack)
    settings = ApplySettings(revocation_lease_s=lease_s)
    return Apply(access, definitions, lambda _: None, settings, confirmed_shrinks=confirmed).run()


def held(city: LiveCity, topic: TopicName) -> list[dict[str, Any]]:
    """The records that a reader of the topic holds, in a stable order."""
    found = [value for value in city.state(topic).values() if value is not None]
    return sorted(found, key=lambda value: json.dumps(value, default=str, sort_keys=True))


def named(city: LiveCity, topic: TopicName) -> set[str]:
    """The names in what a reader of the topic holds."""
    return {str(value["name"]) for value in held(city, topic)}


@dataclass
class Newcomer:
    """A second grant of the health department, granted in the middle of traffic."""

    definitions: Definitions
    grant: Grant
    rows: list[int]
    written: int

    @property
    def topic(self) -> TopicName:
        return self.grant.topic


@pytest.fixture(scope="module")
def newcomer(city: LiveCity) -> Iterator[Newcomer]:
    """All persons of another district, every item; withdrawn again at the end."""
    rows = [city.new_id() for _ in range(20)]
    people = [
        insert(row, number(row % 90_000), household_district=GRANTED if row % 2 else ELSEWHERE)
        for row in rows
    ]
    city.execute("police", *people)
    city.settle()
    model = city.definitions.grants[HEALTH]
    grant = Grant.model_validate(
        model.model_dump()
        | {
            "id": f"health-elsewhere-{uuid.uuid4().hex[:8]}",
            "rows": (RowFilter(item="household_district", values=(ELSEWHERE,)),),
        }
    )
    definitions = replace(city.definitions, grants={**city.definitions.grants, grant.id: grant})
    with traffic(city, rows) as written:
        wait_until(lambda: len(written) > 100, "traffic before the grant")
        apply(city, definitions)
        filled = len(written)
        wait_until(lambda: len(written) > filled + 100, "traffic after the grant")
    yield Newcomer(definitions, grant, rows, len(written))
    apply(city, city.definitions)


@pytest.mark.requirement("A3-08", "A4-01")
def test_a_new_grant_under_live_updates_has_no_gap_and_never_goes_back(
    city: LiveCity, newcomer: Newcomer
) -> None:
    city.settle()
    wanted = [items for items in city.canonical().values() if items["household_district"] == ELSEWHERE]
    wanted.sort(key=lambda value: json.dumps(value, default=str, sort_keys=True))
    got = held(city, newcomer.topic)
    assert got == [{name: items[name] for name in newcomer.grant.items} for items in wanted]
    own = {number(row % 90_000) for row in newcomer.rows}
    mine = [items for items in got if items["id_number"] in own and str(items["address"]).startswith("第")]
    assert len(mine) == sum(row % 2 == 0 for row in newcomer.rows)
    assert_never_back(city, newcomer.topic)
    assert city.balance()["differences"] == []


def assert_never_back(city: LiveCity, topic: TopicName) -> None:
    """Of each key, what stands later in the topic is newer."""
    newest: dict[bytes, DeliveryOrder] = {}
    nothing = DeliveryOrder(0, SourcePosition(0, 0, 0, 0))
    for record in city.records(topic):
        order, key = read_delivery(record.headers).order, record.key or b""
        assert order > newest.get(key, nothing), record.coordinates
        newest[key] = order


@pytest.mark.requirement("A3-08")
def test_other_rows_and_masks_take_effect_through_an_epoch_and_back(
    city: LiveCity, newcomer: Newcomer
) -> None:
    inside, outside = city.new_id(), city.new_id()
    city.execute("police", insert(inside, number(inside % 90_000), name="城内某人"))
    city.execute(
        "police", insert(outside, number(outside % 90_000), name="城外某人", household_district=ELSEWHERE)
    )
    city.settle()
    wider = changed(
        newcomer.definitions, HEALTH, rows=[{"item": "household_district", "values": [GRANTED, ELSEWHERE]}]
    )
    wider = changed(wider, EDUCATION, masks={"name": PartialMask(keep_first=2)})
    health, education = city.topic_of(HEALTH), city.topic_of(EDUCATION)
    assert "城外某人" not in named(city, health)
    try:
        applied = apply(city, wider)
        assert set(applied.filled) == {HEALTH, EDUCATION}
        assert {"城内某人", "城外某人"} <= named(city, health)
        assert "城内**" in named(city, education)
        assert "城***" not in named(city, education)
        city.execute("police", update(outside, name="城外改名"))
        city.settle()
        assert "城外改名" in named(city, health)
    finally:
        apply(city, newcomer.definitions, HEALTH)
    assert "城外改名" not in named(city, health)
    assert {value["household_district"] for value in held(city, health)} == {GRANTED}
    assert "城***" in named(city, education)
    for topic in (health, education):
        assert_never_back(city, topic)
    assert city.balance()["differences"] == []


def test_suspending_one_grant_leaves_the_others_running_and_resuming_makes_up_for_it(
    city: LiveCity, newcomer: Newcomer
) -> None:
    topic = city.topic_of(HEALTH)
    gone, left, stays = city.new_id(), city.new_id(), city.new_id()
    for row, name in ((gone, "将删除者"), (left, "将搬走者"), (stays, "将改名者")):
        city.execute("police", insert(row, number(row % 90_000), name=name))
    city.settle()
    key_of = {value["name"]: key for key, value in city.state(topic).items() if value is not None}
    assert {"将删除者", "将搬走者", "将改名者"} <= key_of.keys()
    suspended = changed(newcomer.definitions, HEALTH, state=GrantState.SUSPENDED)
    receipt = receipt_of(apply(city, suspended), HEALTH)
    came = city.new_id()
    try:
        city.execute("police", delete(gone))
        city.execute("police", update(left, household_district=ELSEWHERE))
        city.execute("police", update(stays, name="已改名者"))
        city.execute("police", insert(came, number(came % 90_000), name="新来的人"))
        city.settle()
        assert "将搬走者" in named(city, newcomer.topic), "the department's other grant goes on"
        assert after_cut(city, topic, receipt) == []
        assert receipt["state"] == "suspended"
        assert receipt["fenced"] == []
    finally:
        apply(city, newcomer.definitions, HEALTH)
    names = named(city, topic)
    assert {"已改名者", "新来的人"} <= names
    assert not {"将删除者", "将搬走者", "将改名者"} & names
    after = city.state(topic)
    assert after[key_of["将删除者"]] is None
    assert after[key_of["将搬走者"]] is None
    assert_never_back(city, topic)
    city.execute("police", update(came, name="恢复之后"))
    city.settle()
    assert "恢复之后" in named(city, topic)
    assert city.balance()["differences"] == []


def receipt_of(applied: Applied, grant: GrantId) -> dict[str, Any]:
    """The receipt of a withdrawal."""
    found: dict[str, Any] = json.loads(Path(applied.receipts[grant]).read_text(encoding="utf-8"))
    return found


def after_cut(city: LiveCity, topic: TopicName, receipt: Mapping[str, Any]) -> list[str]:
    """The coordinates of committed records of the topic that stand after the receipt's cut."""
    cut = {int(partition): offset for partition, offset in receipt["cut"].items()}
    return [record.coordinates for record in city.records(topic) if record.offset >= cut[record.partition]]


def frozen_with_an_open_transaction(city: LiveCity, topic: TopicName) -> int:
    """Freeze the fan-out between produce and commit; returns its process id.

    Frozen at any moment, it mostly is not; so it is let go on and frozen again until its transaction is open
    and stays so.
    """
    pid, admin = city.pid(FANOUT), city.stack.admin()
    partitions = len(admin.list_topics(topic, timeout=30).topics[topic].partitions)

    def open_now() -> bool:
        ends = end_offsets(admin, topic, partitions, stable=False)
        return ends != end_offsets(admin, topic, partitions, stable=True)

    for _ in range(FREEZES):
        os.kill(pid, signal.SIGSTOP)
        if open_now() and stays(open_now, seconds=0.3):
            return pid
        os.kill(pid, signal.SIGCONT)
        open_now()
    pytest.fail("the fan-out was never met with an open transaction")


def stays(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it is true all that time: what the broker itself is about to finish is over by then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            return False
    return True


@pytest.mark.requirement("A8-05")
def test_a_revoked_grant_gets_nothing_after_the_cut_though_the_fan_out_was_frozen_in_a_transaction(
    city: LiveCity, newcomer: Newcomer
) -> None:
    topic = newcomer.topic
    with fanout_with(city, PATIENT), traffic(city, newcomer.rows) as written:
        wait_until(lambda: len(written) > 50, "traffic before the freeze")
        pid = frozen_with_an_open_transaction(city, topic)
        told_before = told_of_the_fence(city)
        try:
            receipt = receipt_of(apply(city, city.definitions, lease_s=1.0), newcomer.grant.id)
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_until(
            lambda: told_of_the_fence(city) > told_before,
            "the woken instance to find itself fenced, or too late",
        )
        city.stack.run_process(processes.fanout(city.stack.settings.processes_port, "default", 0))
        at_restart = len(written)
        wait_until(lambda: len(written) > at_restart + 50, "traffic after the restart")
    city.settle()
    assert receipt["fenced"] == [FANOUT]
    assert receipt["state"] == "revoked"
    assert after_cut(city, topic, receipt) == []
    last = max(index for index, row in enumerate(written) if row in newcomer.rows and row % 2)
    delivered = {value["address"] for value in held(city, city.topic_of(HEALTH))}
    assert f"第{last}次" in delivered, "the department's other grant goes on"
    assert city.balance()["differences"] == []


@contextmanager
def fanout_with(city: LiveCity, settings: Mapping[str, str]) -> Iterator[None]:
    """Meanwhile the fan-out runs with these settings."""
    run_fanout(city, settings)
    try:
        yield
    finally:
        run_fanout(city, {})


def run_fanout(city: LiveCity, settings: Mapping[str, str]) -> None:
    """Run the fan-out, and no other one, with these settings."""
    component = processes.fanout(city.stack.settings.processes_port, "default", 0)
    city.stack.stop_process(FANOUT)
    city.stack.run_process(replace(component, settings=settings))


def told_of_the_fence(city: LiveCity) -> int:
    """How often it said that it stops because it is fenced, or that a new producer takes over."""
    told = "\n".join(city.stack.logs(FANOUT, lines=10_000))
    return told.count("stopped: ") + told.count("the producer is closed and made anew")


@pytest.mark.alone
def test_every_version_was_acknowledged_by_every_instance_within_two_seconds(
    city: LiveCity, record_property: Any
) -> None:
    apply(city, changed(city.definitions, EDUCATION, purpose="义务教育阶段学位需求预测（测试）"))
    apply(city, city.definitions)
    waited = acknowledged_ms(city)
    record_property("acknowledged_ms", json.dumps(waited))
    assert set(waited) == {"gate.0", FANOUT}
    for instance, figures in waited.items():
        assert len(figures) == 2
        assert max(figures) < ACKNOWLEDGED_MS, f"{instance}: {figures} ms"
    print(f"policy written to acknowledged, ms: {waited}")


def acknowledged_ms(city: LiveCity) -> dict[str, list[int]]:
    """Milliseconds from each of the two newest versions to each instance's acknowledgement of it.

    Both are the broker's times of the records.
    """
    with city.story.lookup() as lookup:
        written = {
            int(str((lookup.value(record) or {})["version"])): record.timestamp_ms
            for record in city.records(POLICY)
        }
        first: dict[str, dict[int, int]] = defaultdict(dict)
        for record in city.records(POLICY_ACKNOWLEDGEMENTS):
            answer: Any = lookup.value(record)
            first[answer["instance"]].setdefault(answer["version"], record.timestamp_ms)
    newest = sorted(written)[-2:]
    return {
        instance: [found[version] - written[version] for version in newest if version in found]
        for instance, found in sorted(first.items())
        if any(version in found for version in newest)
    }
