"""How figures are made of what was seen: windows, ratios within rounds, latencies, plans."""

import json
from pathlib import Path

import jsonschema
import pytest

from services.bench.answer import commit, framed
from services.bench.build import c_plan
from services.bench.end_to_end import judged
from services.bench.field import answer
from services.bench.grants import many_grants
from services.bench.latency import Arrival, percentiles
from services.bench.probe import Measured, NothingMeasured, Sample, measured, spread
from services.bench.race import Runs, processor_time, ratios, throughput
from services.bench.show import shown
from services.cli.bench_machinery import bench_definitions

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/cli/bench.schema.json").read_text("utf-8"))


def sample(at: float, events: int, cpu: float = 0.0) -> Sample:
    return Sample(at, events, cpu, cpu * 2, 50 + events / 100)


def test_the_window_goes_from_the_first_commit_after_a_tenth_to_the_last() -> None:
    samples = [
        sample(0, 0),
        sample(1, 50, 1.0),
        sample(2, 100, 2.0),
        sample(4, 1_000, 3.8),
        sample(9, 1_000, 9),
    ]
    found = measured(samples, total=1_000)
    assert (found.events, found.seconds, found.complete) == (900, 2.0, True)
    assert found.events_per_second == 450
    assert found.client_us_per_event == pytest.approx(2_000)
    assert found.broker_us_per_event == pytest.approx(4_000)
    assert found.resident_mb == 60


def test_one_that_is_too_slow_for_a_tenth_counts_from_two_seconds_after_its_first_commit() -> None:
    samples = [sample(0, 5), sample(1, 10), sample(2, 15), sample(6, 25)]
    found = measured(samples, total=100_000)
    assert (found.events, found.seconds, found.complete) == (10, 4.0, False)


@pytest.mark.parametrize("samples", [[], [sample(0, 0)], [sample(0, 10), sample(5, 10)]])
def test_fewer_than_two_commits_say_nothing(samples: list[Sample]) -> None:
    with pytest.raises(NothingMeasured):
        measured(samples, total=10)


def test_a_spread_is_minimum_median_maximum() -> None:
    assert spread([3, 1, 2]) == {"min": 1, "median": 2, "max": 3}
    assert spread([4, 1, 2, 3]) == {"min": 1, "median": 2.5, "max": 4}
    assert spread([]) is None


def run_of(per_second: float, client: float) -> Measured:
    return Measured(1_000, 1.0, per_second, client, 1.0, 50.0, complete=True)


def test_ratios_compare_only_what_ran_in_the_same_round() -> None:
    bus = Runs({0: run_of(100, 9), 1: run_of(200, 4), 2: run_of(300, 9)})
    other = Runs({1: run_of(50, 9), 2: run_of(100, 19)})
    assert ratios(bus, other, throughput) == {"min": 3, "median": 3.5, "max": 4}
    assert ratios(bus, other, processor_time) == {"min": 2, "median": 2, "max": 2}
    assert ratios(bus, Runs(), throughput) is None


def test_an_answer_has_every_ratio_and_null_for_those_that_did_not_run() -> None:
    runs = {"govbus": Runs({0: run_of(100, 9)}), "copy_loop": Runs({0: run_of(50, 9)})}
    found = answer({"lz4": runs}, {"quix": "cannot be installed"})
    assert found["ratio_copy_loop"] == {"min": 2, "median": 2, "max": 2}
    for name in ("faust", "quix", "kafka_streams", "c_loop"):
        assert found[f"ratio_{name}"] is None
        assert found["compressions"]["lz4"]["contenders"][name] is None
    assert found["left_out"] == {"quix": "cannot be installed"}


def test_latency_is_not_bounded_where_it_is_long_against_the_run() -> None:
    steady = arrivals([80.0] * 8 + [700.0])
    assert judged(steady, {"changes": 9.0, "seconds": 4.0}, rate=2)["bounded"]
    assert not judged(steady, {"changes": 9.0, "seconds": 3.0}, rate=3)["bounded"]


def arrivals(latencies: list[float]) -> list[Arrival]:
    return [Arrival(str(n), n, n, n + latency) for n, latency in enumerate(latencies)]


def test_latency_is_bounded_while_the_end_is_hardly_later_than_the_middle() -> None:
    written = {"changes": 9.0, "seconds": 3.0}
    assert judged(arrivals([400, 400, 400, 80, 80, 80, 90, 90, 90]), written, rate=3)["bounded"]
    assert not judged(arrivals([80, 80, 80, 400, 400, 400, 900, 900, 900]), written, rate=3)["bounded"]


def test_latency_is_not_bounded_where_changes_are_missing_or_were_written_too_slowly() -> None:
    steady = arrivals([80.0] * 9)
    assert not judged(steady, {"changes": 10.0, "seconds": 3.0}, rate=3)["bounded"]
    assert not judged(steady, {"changes": 9.0, "seconds": 3.0}, rate=4)["bounded"]


def test_percentiles_are_values_that_were_seen() -> None:
    assert percentiles([float(n) for n in range(1, 1_001)]) == {
        "p50": 501,
        "p99": 991,
        "p999": 1_000,
        "max": 1_000,
    }
    assert percentiles([]) is None


def test_many_grants_fill_group_after_group() -> None:
    made = many_grants(bench_definitions().grants, 25, 10)
    assert len(made) == 25
    groups = [grant.group for grant in made.values()]
    assert [groups.count(name) for name in ("g00", "g01", "g02")] == [10, 10, 5]
    assert len({grant.topic for grant in made.values()}) == 25


def test_the_loop_in_c_is_told_everything_in_lines() -> None:
    description = {
        "kafka": {"bootstrap.servers": "127.0.0.1:1"},
        "group": "bench.c_loop.1",
        "compression": "none",
        "batch_records": 7,
        "ledger": {"topic": "bench.ledger", "value_bytes": 9},
        "inputs": ["in"],
        "copies": [
            {
                "topic": "bench.out",
                "input": "in",
                "every": 5,
                "partitions": 4,
                "key_bytes": 1,
                "value_bytes": 2,
                "headers": [["ce_id", "raw/0/1"]],
            }
        ],
    }
    lines = c_plan(description).splitlines()
    assert "consumer\tenable.auto.commit\tfalse" in lines
    assert "producer\tcompression.type\tnone" in lines
    assert lines[-4:] == [
        "ledger\tbench.ledger\t9",
        "input\tin",
        "copy\tbench.out\tin\t5\t1\t2\t4",
        "header\tce_id\traw/0/1",
    ]


def test_without_a_checkout_there_is_no_commit(tmp_path: Path) -> None:
    assert commit(tmp_path) is None


def test_a_race_is_told_in_its_published_shape_and_as_a_table() -> None:
    runs = {"govbus": Runs({0: run_of(100, 9)}), "copy_loop": Runs({0: run_of(50, 9)}, compared=0)}
    figures = answer({"lz4": runs}, {"quix": "cannot be installed"}) | {"events": 1_000, "outputs": {}}
    whole = framed(figures, "fanout", quick=True, began=0.0)
    jsonschema.validate(whole, SCHEMA)
    text = shown(whole)
    assert "| copy loop, Python | 50 / 50 / 50" in text
    assert "Left out: Quix Streams (cannot be installed)." in text
