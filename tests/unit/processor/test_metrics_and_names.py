"""What an instance exposes as metrics, and what its Faust app needs on the broker."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.processor.contract import InputPartition
from services.processor.metrics import DESCRIBED, Metrics, kind_of
from services.processor.requirements import faust_app_id, faust_topics
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import SOURCE, Copying
from tests.unit.processor.fakes import Bench, numbered
from topics.event import TopicName


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample: name and labels but the instance's, to its value; parsed as Prometheus does."""
    found = {}
    for family in text_string_to_metric_families(metrics.as_text()):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "instance_id"}
            found[(sample.name, tuple(sorted(labels.items())))] = sample.value
    return found


def test_outcomes_are_exposed_by_kind_and_reason() -> None:
    metrics = Metrics("gate.0", "gate")
    metrics.counts["records"] += 3
    metrics.outcomes.update({"accepted": 2, "IDENTITY_INVALID": 1})
    found = samples(metrics)
    assert found[("govbus_records_total", ())] == 3
    assert found[("govbus_outcomes_total", (("code", "IDENTITY_INVALID"), ("kind", "stopped")))] == 1
    assert found[("govbus_outcomes_total", (("code", "accepted"), ("kind", "accepted")))] == 2


@pytest.mark.parametrize(
    ("code", "group", "kind"),
    [
        ("INTERNAL", "gate", "stopped"),
        ("INTERNAL", "fanout.default", "withheld"),
        ("OUTSIDE_ROWS", "fanout.default", "withheld"),
        ("TOMBSTONE", "gate", "control"),
        ("NOTHING_PENDING", "gate", "superseded"),
        ("delivered", "fanout.default", "delivered"),
    ],
)
def test_a_reason_says_which_kind_of_outcome_it_belongs_to(code: str, group: str, kind: str) -> None:
    assert kind_of(code, group) == kind


def test_the_lag_has_the_name_and_labels_that_kafkas_exporters_use() -> None:
    metrics = Metrics("gate.0", "gate")
    metrics.lags = lambda: {InputPartition(TopicName("raw.a.b.c"), 2): 17}
    labels = (("consumergroup", "gate"), ("partition", "2"), ("topic", "raw.a.b.c"))
    assert samples(metrics)[("kafka_consumergroup_lag", labels)] == 17


def test_every_described_metric_is_exposed_from_the_start_and_no_other_of_ours() -> None:
    families = {
        family.name: family
        for family in text_string_to_metric_families(Metrics("gate.0", "gate").as_text())
        if not family.name.startswith("process_")
    }
    assert set(families) == {found.name.removesuffix("_total") for found in DESCRIBED}
    for found in DESCRIBED:
        family = families[found.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (found.kind, found.meaning)


async def test_a_batch_is_measured_in_each_stage() -> None:
    bench = Bench(Copying(), numbered(b"1", b"2", b"3"), sample_policy(1), batch_records=2)
    await bench.run(5)
    found = samples(bench.metrics)
    for stage in ("fetch", "decide"):
        assert found[("govbus_stage_duration_seconds_count", (("stage", stage),))] == 2
    # The acknowledgement of the policy is a transaction without a batch.
    for stage in ("produce", "commit"):
        assert found[("govbus_stage_duration_seconds_count", (("stage", stage),))] == 3
    assert found[("govbus_batch_records_count", ())] == 2
    assert found[("govbus_batch_records_sum", ())] == 3
    assert found[("govbus_transaction_duration_seconds_count", ())] == 2


async def test_the_lag_is_what_is_not_decided_yet() -> None:
    bench = Bench(Copying(), numbered(b"1", b"2", b"3"), sample_policy(1), batch_records=2)
    bench.input.pauses = True
    await bench.turn()
    assert bench.runner.lags() == {SOURCE: 1}


async def test_the_lag_of_a_partition_that_waits_grows_with_its_end() -> None:
    bench = Bench(Copying(), numbered(b"1", b"2", b"3"), sample_policy(1))
    await bench.turn()
    await bench.runner.look_at_ends()
    assert bench.input.ends == {}, "who fetches need not ask"
    bench.input.suspend()
    bench.reader.high = 50
    await bench.runner.look_at_ends()
    assert bench.runner.lags() == {SOURCE: 47}


def test_the_app_has_a_group_and_a_prefix_of_its_own() -> None:
    needs = faust_topics(faust_app_id("fanout.default"))
    assert needs.app_id == "faust-fanout.default"
    assert [(topic.startswith(f"{needs.app_id}-"), partitions) for topic, partitions in needs.topics] == [
        (True, 1)
    ]
