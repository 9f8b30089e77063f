"""`govbus catalogue` without a stack: answers, exit codes, and what is said when the call is wrong."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from services.cli.main import app
from services.cli.output import ExitCode, run
from services.control.catalogue.entry import Department, ResourceCode
from services.control.catalogue.files import write_catalogue
from services.control.catalogue.vocabulary import BasisLevel
from services.control.definitions import packaged_definitions
from tests.support.catalogue import CODES, COMPLETE, entry, item
from tests.unit.catalogue.test_checks import CONDITIONAL
from tests.unit.cli.called import Ended, shape

COMMANDS = typer.main.get_command(app)
Call = Callable[..., Ended]


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.setenv("GOVBUS_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("COLUMNS", "300")

    def call(*arguments: str | Path) -> Ended:
        code = run(lambda: COMMANDS(["catalogue", *map(str, arguments)]))
        ended = Ended(code, *capsys.readouterr())
        assert "Traceback" not in ended.err
        return ended

    return call


@pytest.fixture
def city(catalogue: Call, tmp_path: Path) -> Path:
    path = tmp_path / "city.xlsx"
    assert catalogue("export", path).code == ExitCode.OK
    return path


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_what_is_exported_of_the_sample_city_has_nothing_wrong(
    suffix: str, catalogue: Call, tmp_path: Path
) -> None:
    path = tmp_path / f"city{suffix}"
    written = catalogue("export", path, "--json")
    shape("catalogue-export").validate(written.answer)
    checked = catalogue("check", path, "--json")
    shape("catalogue-check").validate(checked.answer)
    assert (written.code, checked.code) == (ExitCode.OK, ExitCode.OK)
    assert checked.answer["valid"]
    assert checked.answer["rows"] == written.answer["rows"]
    assert checked.answer["encoding"] == ("utf-8-sig" if suffix == ".csv" else None)


def test_a_table_with_english_words_is_a_catalogue_as_well(catalogue: Call, tmp_path: Path) -> None:
    path = tmp_path / "city.csv"
    assert catalogue("export", path, "--language", "en").code == ExitCode.OK
    assert "Update cycle" in path.read_text(encoding="utf-8-sig")
    checked = catalogue("check", path, "--json")
    assert (checked.code, checked.answer["valid"]) == (ExitCode.OK, True)


def test_everything_wrong_in_a_file_is_told_with_cell_value_and_remedy_in_both_languages(
    catalogue: Call, tmp_path: Path
) -> None:
    path = tmp_path / "c.csv"
    write_catalogue(path, [entry(name="居住证管理系统", summary="", provider=Department("公安局", "12"))])
    ended = catalogue("check", path, "--json")
    shape("catalogue-check").validate(ended.answer)
    assert ended.code == ExitCode.NEGATIVE
    answer = ended.answer
    assert not answer["valid"]
    assert answer["by_rule"] == {"MISSING": 1, "NAME_IS_A_SYSTEM": 1, "PROVIDER_CODE_INVALID": 1}
    name = next(each for each in answer["problems"] if each["rule"] == "NAME_IS_A_SYSTEM")
    assert (name["row"], name["column"], name["value"]) == (2, 5, "居住证管理系统")
    assert name["field"] == {"id": "name", "zh": "信息资源名称", "en": "Name"}
    assert "系统名称" in name["problem"]["zh"]
    assert "system" in name["problem"]["en"]
    assert name["remedy"]["zh"]
    told = catalogue("check", path, "--language", "zh")
    assert told.code == ExitCode.NEGATIVE
    assert "是系统名称" in told.out
    assert "信息资源名称 Name" in told.out


@pytest.mark.parametrize("level", ["city_policy", "institution"])
def test_the_levels_that_suffice_are_options(level: str, catalogue: Call, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    write_catalogue(path, [entry(sharing=replace(CONDITIONAL, basis_level=BasisLevel(level)))])
    assert catalogue("check", path).code == ExitCode.NEGATIVE
    assert catalogue("check", path, "--denial-basis", level).code == ExitCode.NEGATIVE
    assert catalogue("check", path, "--condition-basis", level).code == ExitCode.OK
    assert catalogue("check", path, "--condition-without-basis").code == ExitCode.OK


def test_a_long_list_is_cut_for_people_and_whole_in_json(catalogue: Call, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    write_catalogue(path, [entry(items=tuple(item(name=f"第{n}项", grade=None) for n in range(250)))])
    assert "50 more are not shown" in catalogue("check", path).err
    assert len(catalogue("check", path, "--json").answer["problems"]) == 250


def test_control_characters_of_a_file_do_not_reach_the_terminal(catalogue: Call, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    write_catalogue(path, [entry(code=None, name="居住\x1b[2J证", summary="\u202e反的")])
    ended = catalogue("check", path)
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out
    assert "居住<U+001B>[2J证" in ended.out
    assert catalogue("check", path, "--json").answer["by_rule"]["TEXT_UNREADABLE"] == 2


def test_an_export_replaces_nothing_unless_it_is_told_to(catalogue: Call, city: Path) -> None:
    before = city.stat().st_ino
    refused = catalogue("export", city)
    assert refused.code == ExitCode.REFUSED
    assert "--force" in refused.err
    assert city.stat().st_ino == before
    assert catalogue("export", city, "--force").code == ExitCode.OK


def test_an_export_into_a_folder_that_is_not_there_is_told(catalogue: Call, tmp_path: Path) -> None:
    for name in ("c.csv", "c.xlsx"):
        ended = catalogue("export", tmp_path / "none" / name)
        assert ended.code == ExitCode.USAGE
        assert "folder that you may write to" in ended.err


def test_compare_finds_catalogue_and_definitions_agreeing(catalogue: Call, city: Path) -> None:
    ended = catalogue("compare", city, "--json")
    shape("catalogue-compare").validate(ended.answer)
    assert ended.code == ExitCode.OK
    assert ended.answer["agrees"]
    assert catalogue("compare", city).code == ExitCode.OK


def test_compare_lists_what_only_one_of_them_has(catalogue: Call, city: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(packaged_definitions(), tmp_path / "definitions"))
    for name in ("resources/permit.yaml", "grants/tax-permits.yaml"):
        (folder / name).unlink()
    person = folder / "resources" / "person.yaml"
    person.write_text(person.read_text(encoding="utf-8").replace("01-3205/000001", "01-3205/000009"), "utf-8")
    ended = catalogue("compare", city, "--definitions", folder, "--json")
    shape("catalogue-compare").validate(ended.answer)
    assert ended.code == ExitCode.NEGATIVE
    assert [each["name"] for each in ended.answer["without_topic"]] == ["人口基本信息", "行政许可证照信息"]
    assert [each["resource"] for each in ended.answer["without_entry"]] == ["population.person.v1"]
    told = catalogue("compare", city, "--definitions", folder)
    assert "行政许可证照信息" in told.out


def test_duties_are_listed_by_department_and_second_collections_are_found(
    catalogue: Call, city: Path, tmp_path: Path
) -> None:
    ended = catalogue("duties", city, "--json")
    shape("catalogue-duties").validate(ended.answer)
    assert ended.code == ExitCode.OK
    assert {each["department"] for each in ended.answer["departments"]} == {"公安局", "市场监管局", "人社局"}
    path = tmp_path / "c.csv"
    other = entry(
        code=ResourceCode("3", "02", "000", "", "1"), provider=Department("民政局", CODES[1]), name="另一信息"
    )
    write_catalogue(path, [COMPLETE, other])
    found = catalogue("duties", path, "--json")
    shape("catalogue-duties").validate(found.answer)
    assert found.code == ExitCode.NEGATIVE
    assert [each["item"] for each in found.answer["collected_twice"]] == ["签注日期"]
    assert "签注日期" in catalogue("duties", path).out


@pytest.mark.parametrize("command", ["compare", "duties"])
def test_nothing_of_a_file_with_problems_is_used(command: str, catalogue: Call, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    write_catalogue(path, [COMPLETE, entry(name="")])
    ended = catalogue(command, path)
    assert ended.code == ExitCode.REFUSED
    assert f"govbus catalogue check {path}" in " ".join(ended.err.split())


def test_a_file_of_another_kind_is_told(catalogue: Call, tmp_path: Path) -> None:
    path = tmp_path / "c.xls"
    path.write_bytes(b"")
    for command in (("check", path), ("export", path, "--force")):
        ended = catalogue(*command)
        assert ended.code == ExitCode.USAGE
        assert ".csv" in ended.err


def test_definitions_that_cannot_be_used_are_told(catalogue: Call, tmp_path: Path) -> None:
    ended = catalogue("export", tmp_path / "c.csv", "--definitions", tmp_path)
    assert ended.code == ExitCode.USAGE
    assert "providers.yaml" in ended.err
