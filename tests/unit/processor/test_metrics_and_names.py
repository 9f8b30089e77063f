"""What an instance exposes as metrics, and what its Faust app needs on the broker."""

from services.processor.metrics import Metrics
from services.processor.requirements import faust_app_id, faust_topics


def test_counters_and_gauges_in_prometheus_text_with_codes_as_labels() -> None:
    metrics = Metrics("gate.0")
    metrics.counts["records"] += 3
    metrics.outcomes.update({"accepted": 2, "IDENTITY_INVALID": 1})
    assert metrics.as_text({"ready": 1.0, "partitions": 4.0}).splitlines() == [
        'govbus_records_total{instance_id="gate.0"} 3',
        'govbus_outcomes_total{instance_id="gate.0",code="IDENTITY_INVALID"} 1',
        'govbus_outcomes_total{instance_id="gate.0",code="accepted"} 2',
        'govbus_partitions{instance_id="gate.0"} 4',
        'govbus_ready{instance_id="gate.0"} 1',
    ]


def test_the_app_has_a_group_and_a_prefix_of_its_own() -> None:
    needs = faust_topics(faust_app_id("fanout.default"))
    assert needs.app_id == "faust-fanout.default"
    assert [(topic.startswith(f"{needs.app_id}-"), partitions) for topic, partitions in needs.topics] == [
        (True, 1)
    ]
