"""A provider publishes files with its own credentials: the right reaches the grant, the wrong is named."""

import csv
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from consumers.settings import from_credentials_file
from consumers.subscriber import Subscriber
from services.cli.main import app
from services.control.credentials import credentials_path
from tests.e2e.live_city import LiveCity
from topics.identity.digits import credit_code_check_digit, organisation_code_check_digit

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

PERMITS = "licence.permit.v1"
GRANT = "tax-permits"


def holder(number: int) -> str:
    """A valid unified social credit code."""
    eight = f"MA2{number:05d}"
    first = "91320508" + eight + organisation_code_check_digit(eight)
    return first + credit_code_check_digit(first)


@dataclass
class Counter:
    """The market regulation's desk: publishes files of permits as the department would."""

    city: LiveCity
    folder: Path
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:8].upper())

    def number(self, name: str) -> str:
        return f"{self.tag}-{name}"

    def permit(self, name: str, holder_number: int, **changes: Any) -> dict[str, Any]:
        row = {
            "permit_number": self.number(name),
            "credit_code": holder(holder_number),
            "kind": "01",
            "valid_from": "2024-01-01",
            "valid_until": "2028-12-31",
        }
        return row | changes

    def publish(self, name: str, lines: str, expected_code: int = 0, *options: str) -> dict[str, Any]:
        """Run `govbus publish` and return its answer."""
        path = self.folder / name
        path.write_text(lines, encoding="utf-8")
        provider = credentials_path(self.city.stack.settings.home, "provider-market_regulation")
        arguments = ["publish", PERMITS, str(path), "--json", "--credentials", str(provider), *options]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == expected_code, (result.output, result.exception)
        answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        return answer

    def publish_rows(self, *rows: Mapping[str, Any]) -> dict[str, Any]:
        """Publish rows that are all right, and wait until they are decided and delivered."""
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        answer = self.publish(f"{uuid.uuid4().hex}.jsonl", lines)
        self.settle()
        return answer

    def settle(self) -> None:
        """What was published is in the log already: until the gate and the fan-out have decided it."""
        self.city.await_decisions()

    def canonical(self) -> dict[str, list[tuple[str, str]]]:
        """Permit → its holders and kinds in the canonical topic."""
        found: dict[str, list[tuple[str, str]]] = {}
        for (identity, record_id), items in self.city.canonical(PERMITS).items():
            if record_id.startswith(self.tag):
                found.setdefault(record_id.removeprefix(f"{self.tag}-"), []).append((identity, items["kind"]))
        return found

    def at_the_tax_bureau(self) -> dict[str, tuple[str, str]]:
        """What the tax bureau holds after it has read its topic from the beginning: permit → holder, kind."""
        path = self.city.credentials("tax")
        settings = from_credentials_file(path, grant=GRANT)
        settings = settings.model_copy(update={"group_id": f"tax.{uuid.uuid4().hex}"})
        expected = len(self.city.records(self.city.topic_of(GRANT)))
        held: dict[str, dict[str, Any]] = {}
        with Subscriber(settings) as subscriber:
            for received in subscriber.records(lambda: subscriber.applied + subscriber.outdated >= expected):
                key = json.dumps(received.key, sort_keys=True)
                held.pop(key, None)
                if received.value is not None:
                    held[key] = received.value
        mine = [value for value in held.values() if value["permit_number"].startswith(self.tag)]
        found = {value["permit_number"].removeprefix(f"{self.tag}-"): value for value in mine}
        assert len(found) == len(mine)
        return {name: (value["credit_code"], value["kind"]) for name, value in found.items()}


@pytest.fixture
def desk(city: LiveCity, tmp_path: Path) -> Counter:
    return Counter(city, tmp_path)


def refused_lines(report: str) -> list[tuple[int, str]]:
    with Path(report).open(encoding="utf-8-sig", newline="") as file:
        return [(int(row["line"]), row["item"]) for row in csv.DictReader(file)]


@pytest.mark.requirement("A4-06")
def test_json_lines_reach_the_grant_and_every_wrong_line_is_named(desk: Counter) -> None:
    wrong_code = holder(1)[:-1] + ("0" if holder(1)[-1] != "0" else "1")
    rows: list[Mapping[str, Any] | str] = [
        desk.permit("A", 1),
        desk.permit("B", 2, credit_code=wrong_code),
        desk.permit("C", 3, colour="red"),
        "{not json",
        desk.permit("D", 4, kind="99"),
        desk.permit("E", 5, valid_until="2020-01-01"),
        desk.permit("F", 6, kind="02"),
    ]
    lines = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)

    answer = desk.publish("permits.jsonl", lines, 1)

    assert (answer["published"], answer["refused"], answer["unconfirmed"]) == (2, 5, 0)
    named = refused_lines(answer["report"])
    assert {line for line, _ in named} == {2, 3, 4, 5, 6}
    assert {(2, "credit_code"), (5, "kind")} <= set(named)
    report = Path(answer["report"]).read_text(encoding="utf-8-sig")
    assert wrong_code not in report
    desk.settle()
    assert desk.canonical() == {
        "A": [(f"credit_code:{holder(1)}", "01")],
        "F": [(f"credit_code:{holder(6)}", "02")],
    }
    assert desk.at_the_tax_bureau() == {"A": (holder(1), "01"), "F": (holder(6), "02")}


def test_csv_lines_reach_the_grant_and_every_wrong_line_is_named(desk: Counter) -> None:
    heading = "permit_number,credit_code,kind,valid_from,valid_until"
    lines = [
        heading,
        f"{desk.number('A')},{holder(1)},01,2024-01-01,",
        f"{desk.number('B')},{holder(2)},01,yesterday,",
        f"{desk.number('C')},{holder(3)},01",
        f"{desk.number('D')},,01,2024-01-01,",
        f"{desk.number('E')},{holder(5).lower()},03,2024-01-01,2026-01-01",
    ]

    answer = desk.publish("permits.csv", "\n".join(lines) + "\n", 1)

    assert (answer["published"], answer["refused"]) == (2, 3)
    assert {line for line, _ in refused_lines(answer["report"])} == {3, 4, 5}
    desk.settle()
    assert desk.at_the_tax_bureau() == {"A": (holder(1), "01"), "E": (holder(5), "03")}


def test_a_version_older_than_the_newest_never_reaches_a_department_that_has_the_newer(desk: Counter) -> None:
    desk.publish_rows(desk.permit("A", 1, kind="02") | {"_version": 7})
    desk.publish_rows(desk.permit("A", 1, kind="03") | {"_version": 6})
    assert desk.at_the_tax_bureau() == {"A": (holder(1), "02")}
    desk.publish_rows(desk.permit("A", 1, kind="04") | {"_version": 8})
    assert desk.at_the_tax_bureau() == {"A": (holder(1), "04")}


def test_late_and_repeated_versions_write_nothing_whichever_gate_decides_them(desk: Counter) -> None:
    """Accepted: a state, a deletion and a correction; then each key's history comes once more, and twice."""
    names = [f"P{number}" for number in range(8)]
    desk.publish_rows(*[desk.permit(name, 1, kind="01") | {"_version": 1} for name in names])
    newest = [desk.permit(name, 1, kind="02") | {"_version": 7} for name in names[:4]]
    newest += [desk.permit(name, 1) | {"_version": 7, "_operation": "delete"} for name in names[4:6]]
    # No previous identity is given: the bus knows under whom the permit stands.
    newest += [desk.permit(name, 2, kind="03") | {"_version": 7} for name in names[6:]]
    desk.publish_rows(*newest)
    expected = {name: [(f"credit_code:{holder(1)}", "02")] for name in names[:4]}
    expected |= {name: [(f"credit_code:{holder(2)}", "03")] for name in names[6:]}
    assert desk.canonical() == expected
    before, written = desk.city.balance()["sums"], len(desk.city.records(f"resource.{PERMITS}"))
    late = [desk.permit(name, 1, kind="04") | {"_version": 6} for name in names]
    try:
        desk.city.run_gates(2)
        desk.publish_rows(*late, *newest)
    finally:
        desk.city.run_gates(1)
    desk.publish_rows(*newest, *late)
    after = desk.city.balance()
    gained = {name: after["sums"][name] - before[name] for name in ("accepted", "duplicate", "superseded")}
    assert gained == {"accepted": 0, "duplicate": 16, "superseded": 16}
    assert after["differences"] == []
    assert len(desk.city.records(f"resource.{PERMITS}")) == written
    assert desk.canonical() == expected
    assert desk.at_the_tax_bureau() == {
        name: (key.split(":")[1], kind) for name, [(key, kind)] in expected.items()
    }


def test_another_state_under_an_accepted_version_is_stopped_and_told(desk: Counter) -> None:
    twice = [desk.permit("A", 1, kind=kind) | {"_version": 3} for kind in ("01", "02")]
    desk.publish_rows(*twice)
    assert desk.canonical() == {"A": [(f"credit_code:{holder(1)}", "01")]}
    [stopped] = [
        entry
        for entry in desk.city.quarantined("market_regulation")
        if desk.tag.encode() in (entry.raw.key or b"")
    ]
    assert (stopped.step, stopped.reason) == ("version", "VERSION_REUSED")


@pytest.mark.requirement("A5-03")
def test_a_correction_of_the_holder_moves_the_permit_and_leaves_nothing_under_the_old_one(
    desk: Counter,
) -> None:
    desk.publish_rows(desk.permit("A", 1) | {"_version": 1})
    desk.publish_rows(desk.permit("A", 2) | {"_version": 2, "_previous_identity": holder(1)})
    assert desk.canonical() == {"A": [(f"credit_code:{holder(2)}", "01")]}
    assert desk.at_the_tax_bureau() == {"A": (holder(2), "01")}


def test_a_deleted_permit_is_gone_everywhere_and_its_neighbour_stays(desk: Counter) -> None:
    desk.publish_rows(desk.permit("A", 1) | {"_version": 1}, desk.permit("B", 1) | {"_version": 1})
    desk.publish_rows(desk.permit("A", 1) | {"_version": 2, "_operation": "delete"})
    assert set(desk.canonical()) == {"B"}
    assert set(desk.at_the_tax_bureau()) == {"B"}


def test_another_departments_credentials_cannot_publish_it(desk: Counter) -> None:
    other = credentials_path(desk.city.stack.settings.home, "provider-police")
    before = len(desk.city.records(f"raw.market_regulation.publish.{PERMITS.removesuffix('.v1')}"))
    path = desk.folder / "other.jsonl"
    path.write_text(json.dumps(desk.permit("A", 1)) + "\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["publish", PERMITS, str(path), "--credentials", str(other)])
    assert result.exit_code != 0
    assert len(desk.city.records(f"raw.market_regulation.publish.{PERMITS.removesuffix('.v1')}")) == before
