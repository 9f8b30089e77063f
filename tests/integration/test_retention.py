"""The retention of evidence on a real broker: raised by packs, never shortened, mended."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.cli.plan import access_of
from services.control.apply import CorrectDefinitions
from services.control.definitions import packaged_definitions
from services.control.desired import DAY_MS
from services.control.kafka_topics import alter_topics, read_topics
from services.control.retention.floor import Floor
from services.control.retention.kafka_broker import KafkaBroker
from services.control.retention.keeping import days_kept, too_short
from tests.integration.apply_bench import Bench, own_stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack
RAW = "raw.police.public.person"
LEDGER = "ledger.intake"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("definitions") / "city"
    shutil.copytree(packaged_definitions(), folder)
    with own_stack() as stack:
        yield Bench(stack, access_of(stack), folder)


def days(bench: Bench, topic: str) -> int | None:
    return days_kept(read_topics(bench.access.admin())[topic])


@pytest.mark.requirement("A11-01", "C12")
def test_evidence_on_the_broker_is_raised_never_shortened_and_mended(bench: Bench) -> None:
    bench.access = replace(bench.access, audit_floor=lambda: Floor(500))
    bench.apply()
    assert (days(bench, RAW), days(bench, LEDGER)) == (500, 500)
    assert bench.steps() == []

    bench.change("resources/person.yaml", retention_days=300)
    with pytest.raises(CorrectDefinitions, match="not to be kept for 300 days instead of 400"):
        bench.apply()
    assert days(bench, RAW) == 500
    bench.change("resources/person.yaml", retention_days=400)

    cut = {"retention.ms": str(DAY_MS), "retention.bytes": "1048576"}
    alter_topics(bench.access.admin(), {LEDGER: cut})
    broker = KafkaBroker(bench.access.admin)
    short = too_short(broker.topics(), Floor(500))
    assert {(each.topic, each.setting) for each in short} == {
        (LEDGER, "retention.ms"),
        (LEDGER, "retention.bytes"),
    }
    broker.alter({LEDGER: {each.setting: each.wanted for each in short}})
    eventually(lambda: too_short(broker.topics(), Floor(500)) == [], 15)
    assert days(bench, LEDGER) == 500
    assert bench.steps() == []
