"""`govbus publish` from the command line, with the publisher's network parts left out."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

from producers.publisher import Publisher, PublishResult
from services.cli import publish as command
from services.cli.output import CommandFailed, ExitCode, run
from tests.unit.producers.test_publisher import ITEMS, RESOURCE, FakeProducer, FakeRegistry

SHAPE = json.loads(
    (Path(__file__).parents[3] / "docs" / "cli" / "publish.schema.json").read_text(encoding="utf-8")
)
GOOD = {"id": "p1", "holder": "11010519491231002X", "issued": "2024-01-02"}


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    fake = FakeProducer()

    def publisher(*_arguments: Any) -> Publisher:
        return Publisher(RESOURCE, {}, FakeRegistry(), item_schema=ITEMS, producer=fake)

    class Declared:
        resources = {RESOURCE.id: RESOURCE}  # noqa: RUF012 - a stand-in for a frozen value

    monkeypatch.setattr(command, "_publisher", publisher)
    monkeypatch.setattr(command, "_definitions", lambda _folder: Declared())
    monkeypatch.setattr(command, "require", lambda *_arguments: None)
    return fake


def call(*words: str) -> int:
    app = typer.Typer()
    command.register(app)
    return run(lambda: app(list(words), standalone_mode=True))


def test_good_records_are_published_and_refused_lines_are_listed(
    producer: FakeProducer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "permits.jsonl"
    bad = {**GOOD, "holder": "11010519491231002Y"}
    file.write_text("\n".join([json.dumps(GOOD), "{", json.dumps(bad)]), encoding="utf-8")
    assert call(RESOURCE.id, str(file), "--version", "3", "--json") == ExitCode.NEGATIVE
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(jsonschema.Draft202012Validator(SHAPE).iter_errors(answer)) == []
    report = tmp_path / "permits.jsonl.refused.csv"
    assert answer == {
        "published": 1,
        "refused": 2,
        "unconfirmed": 0,
        "broken": None,
        "report": str(report),
    }
    lines = report.read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "2", "3"]
    assert bad["holder"] not in report.read_text(encoding="utf-8-sig")
    assert len(producer.sent) == 1


def test_a_file_without_a_fault_leaves_no_report(
    producer: FakeProducer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "permits.csv"
    file.write_text("id,holder,issued\np1,11010519491231002X,2024-01-02\n", encoding="utf-8")
    assert call(RESOURCE.id, str(file), "--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["report"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["permits.csv"]


def test_an_unknown_resource_and_a_wrong_heading_are_told(producer: FakeProducer, tmp_path: Path) -> None:
    file = tmp_path / "permits.csv"
    file.write_text("id,colour\n", encoding="utf-8")
    assert call("licence.other.v1", str(file)) == ExitCode.USAGE
    assert call(RESOURCE.id, str(file)) == ExitCode.USAGE
    assert producer.sent == []


def test_missing_credentials_are_told_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        command._publisher(RESOURCE, None, tmp_path / "none.json")  # type: ignore[arg-type]
    assert str(tmp_path) in caught.value.where


def test_an_unfinished_upload_is_not_reported_as_done() -> None:
    assert not PublishResult(1, (), 1).complete
