"""Metrics as documented are metrics as exposed; dashboard and alerts ask only for what is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.control.process.metrics import DESCRIBED as OF_CONTROL
from services.processor.contract import InputPartition
from services.processor.metrics import DESCRIBED, Metrics
from topics.event import TopicName

OPERATOR = Path(__file__).parents[2] / "docs" / "operator"
PAGE = (OPERATOR / "metrics.md").read_text(encoding="utf-8")
DASHBOARD: dict[str, Any] = json.loads((OPERATOR / "grafana-dashboard.json").read_text(encoding="utf-8"))
ALERTS: dict[str, Any] = yaml.safe_load((OPERATOR / "alerts.yml").read_text(encoding="utf-8"))
SCRAPED_ALWAYS = {"up": {"job", "instance"}}
_SERIES = re.compile(r"\b([a-z_]+)\s*(?:\{([^}]*)\})?")
_WORDS = {"by", "le", "sum", "max", "rate", "increase", "delta", "count", "vector", "or", "and", "without"}
_WORDS |= {"histogram_quantile", "max_over_time"}


def exposed() -> dict[str, set[str]]:
    """Every series of a live text with its labels, those included that a scrape adds."""
    metrics = Metrics("gate.0", "gate")
    metrics.outcomes["QUALITY"] += 1
    metrics.lags = lambda: {InputPartition(TopicName("raw.a.b.c"), 0): 1}
    metrics.committed(1, 0.1)
    found: dict[str, set[str]] = {}
    for line in metrics.as_text().splitlines():
        if not line.startswith("#"):
            name, _, rest = line.partition("{") if "{" in line else line.partition(" ")
            labels = set(re.findall(r'(\w+)="', rest)) if "{" in line else set()
            found.setdefault(name, {"job", "instance", "part"}).update(labels)
    return found | SCRAPED_ALWAYS


def queries() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def series_in(query: str) -> Iterator[tuple[str, set[str]]]:
    """The series that a query names, each with the labels that it is selected by."""
    bare = re.sub(r"by \([^)]*\)|\[[^\]]*\]", "", query)
    for name, selected in _SERIES.findall(re.sub(r'"[^"]*"', '""', bare)):
        if name not in _WORDS:
            yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selected))


@pytest.mark.parametrize("found", DESCRIBED, ids=lambda found: found.name)
def test_each_metric_is_documented_with_kind_unit_labels_and_meaning(found: Any) -> None:
    labels = ", ".join(f"`{label}`" for label in found.labels)
    assert f"| `{found.name}` | {found.kind} | {found.unit} | {labels} | {found.meaning} |" in PAGE


def test_no_metric_is_documented_that_does_not_exist() -> None:
    rows = re.findall(r"^\| `((?:govbus|kafka)_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(found.name for found in DESCRIBED)


@pytest.mark.parametrize(("place", "query"), list(queries()))
def test_a_query_names_series_and_labels_that_processors_expose(place: str, query: str) -> None:
    known, named = exposed(), list(series_in(query))
    assert named, f"{place}: no series in {query}"
    for name, labels in named:
        assert name in known, f"{place}: nobody exposes {name}"
        assert labels <= known[name], f"{place}: {name} has no labels {labels - known[name]}"
    for grouped in re.findall(r"by \(([^)]*)\)", query):
        wanted = {label.strip() for label in grouped.split(",")}
        assert wanted <= set().union(*(known[name] for name, _ in named)), f"{place}: by ({grouped})"


def test_the_dashboard_has_what_grafana_needs_to_load_it() -> None:
    assert DASHBOARD["title"]
    assert re.fullmatch(r"[\w-]{1,40}", DASHBOARD["uid"])
    assert isinstance(DASHBOARD["schemaVersion"], int)
    assert "id" not in DASHBOARD, "an id of its own would collide with another dashboard's"
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids)) > 10
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)\}?", json.dumps(DASHBOARD["panels"])))
    assert used <= variables | {"__all"}
    for panel in DASHBOARD["panels"]:
        assert panel["type"] in {"timeseries", "stat"}
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))


def test_no_panel_of_the_dashboard_lies_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_each_alert_says_what_happened_and_what_to_do() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert set(rule["annotations"]) == {"summary", "remedy"}


def test_the_scrape_example_loads_the_rules_and_names_the_job_that_queries_ask_for() -> None:
    example = yaml.safe_load((OPERATOR / "prometheus.yml").read_text(encoding="utf-8"))
    assert example["rule_files"] == ["alerts.yml"]
    assert [job["job_name"] for job in example["scrape_configs"]] == ["govbus"]


def test_each_metric_of_the_control_process_is_documented() -> None:
    page = (OPERATOR / "control.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(govbus_control_\w+)` \| (\w+) \| (\w+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(each.name, each.kind, each.unit, each.meaning) for each in OF_CONTROL]
