"""`govbus catalogue export` as DCAT-AP, to a file and to standard output."""

import json
from pathlib import Path

import pytest

from services.cli.output import ExitCode
from services.control.catalogue.files import write_catalogue
from tests.support.catalogue import entry
from tests.support.dcat_ap import graph_of, violations
from tests.unit.catalogue.test_command import Call, catalogue
from tests.unit.cli.called import shape

__all__ = ["catalogue"]


def test_the_sample_city_is_written_as_dcat_by_format_or_suffix(catalogue: Call, tmp_path: Path) -> None:
    path = tmp_path / "city.jsonld"
    ended = catalogue("export", path, "--base", "https://data.example/c/", "--json")
    assert ended.code == ExitCode.OK, ended.err
    shape("catalogue-export").validate(ended.answer)
    assert ended.answer["entries"] == ended.answer["rows"] == 4
    assert violations(graph_of(path.read_text(encoding="utf-8"))) == ""
    printed = catalogue("export", "--format", "dcat", "--base", "https://data.example/c")
    assert printed.code == ExitCode.OK, printed.err
    assert printed.out == path.read_text(encoding="utf-8")


def test_without_a_base_identifiers_lead_nowhere_and_that_is_said(catalogue: Call) -> None:
    ended = catalogue("export", "--format", "dcat")
    assert ended.code == ExitCode.OK
    assert json.loads(ended.out)["@id"] == "https://catalogue.invalid"
    assert "--base" in ended.err


def test_a_catalogues_file_is_exported_in_place_of_the_definitions(catalogue: Call, tmp_path: Path) -> None:
    source = tmp_path / "c.csv"
    write_catalogue(source, [entry()])
    ended = catalogue("export", "--format", "dcat", "--table", source, "--publisher", "数据局")
    assert ended.code == ExitCode.OK, ended.err
    document = json.loads(ended.out)
    assert document["dct:publisher"]["foaf:name"]["@value"] == "数据局"
    assert [each["dct:title"][0]["@value"] for each in document["dcat:dataset"]] == ["居住证办理信息"]
    table = tmp_path / "again.xlsx"
    assert catalogue("export", table, "--table", source).code == ExitCode.OK
    write_catalogue(source, [entry(summary="")])
    assert catalogue("export", "--format", "dcat", "--table", source).code == ExitCode.REFUSED


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ([], ExitCode.USAGE, "--format dcat"),
        (["--format", "dcat", "--json"], ExitCode.USAGE, "JSON itself"),
        (["c.csv", "--base", "https://data.example"], ExitCode.USAGE, "--format dcat"),
        (["--format", "dcat", "--base", "nowhere"], ExitCode.USAGE, "no address"),
        (["c.txt"], ExitCode.USAGE, ".csv"),
    ],
)
def test_a_wrong_call_is_refused_with_what_to_do(
    options: list[str],
    code: ExitCode,
    told: str,
    catalogue: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = catalogue("export", *options)
    assert (ended.code, told in ended.err) == (code, True), ended.err
    assert list(tmp_path.glob("*.*")) == []
