"""Files in and out: encodings, hostile workbooks, no half-written file, nothing that is computed."""

import csv
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from services.control.catalogue import xlsx_file
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import Field, label
from services.control.catalogue.files import NameAFile, read_catalogue, write_catalogue
from services.control.catalogue.importing import Imported, Rejected
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.rules import Rule
from services.control.catalogue.xlsx_file import SHEET, TooMuchForExcel
from tests.support.catalogue import COMPLETE, entry, item

RULES = CatalogueRules()
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


def rules_of(path: Path) -> list[Rule]:
    read, _ = read_catalogue(path, RULES)
    assert isinstance(read, Rejected)
    return [each.problem.rule for each in read.found]


def edited(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """The workbook with one of its parts changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new, 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "c.xlsx"
    write_catalogue(path, [COMPLETE])
    return path


def test_csv_is_written_with_a_mark_so_that_spreadsheets_read_it_as_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    assert write_catalogue(path, [COMPLETE]) == 2
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_catalogue(path, RULES)[1].encoding == "utf-8-sig"


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030")]
)
def test_the_encoding_of_a_csv_file_is_found_and_said(encoding: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    write_catalogue(path, [COMPLETE])
    path.write_bytes(path.read_bytes().decode("utf-8-sig").encode(encoding))
    read, source = read_catalogue(path, RULES)
    assert read == Imported((COMPLETE,), 2)
    assert source.encoding == told


@pytest.mark.parametrize(
    "content", ["目录".encode("utf-16"), b"\xff\xff\xff", "目錄".encode("big5") + b"\x80\xff"]
)
def test_bytes_of_no_known_encoding_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes(content)
    assert rules_of(path) == [Rule.FILE_ENCODING]


def test_a_file_that_is_no_csv_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    write_catalogue(path, [COMPLETE])
    with path.open("a", encoding="utf-8") as file:
        file.write('a,"b" c\r\n')
    read, _ = read_catalogue(path, RULES)
    assert isinstance(read, Rejected)
    assert [(each.problem.rule, each.row) for each in read.found] == [(Rule.FILE_UNREADABLE, 4)]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_no_cell_begins_with_what_a_spreadsheet_computes(sign: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"c{suffix}"
    written = entry(summary=f"{sign}HYPERLINK(1)", items=(item(name=f"{sign}1+1"),))
    write_catalogue(path, [written])
    assert not [cell for row in raw_cells(path) for cell in row if cell.startswith(sign)]
    assert read_catalogue(path, RULES)[0] == Imported((written,), 1)


def raw_cells(path: Path) -> Iterator[list[str]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.reader(file)
        return
    for row in openpyxl.load_workbook(path).worksheets[0].iter_rows():
        assert {cell.data_type for cell in row} <= {"s", "n"}
        yield [str(cell.value or "") for cell in row]


def test_codes_and_telephones_are_text_in_a_workbook_and_lengths_are_numbers(workbook: Path) -> None:
    sheet = openpyxl.load_workbook(workbook)[SHEET]
    by_name = {cell.value: cell.column for cell in sheet[1]}
    for field in Field:
        cell = sheet.cell(2, by_name[label(field)])
        is_length = field is Field.ITEM_LENGTH
        assert cell.value is None or (cell.data_type == "n") == is_length, field
        column = sheet.column_dimensions[cell.column_letter]
        assert is_length or column.number_format == "@" or cell.number_format in ("@", "General")


def test_a_workbook_offers_the_closed_lists_to_choose_from(workbook: Path) -> None:
    sheet = openpyxl.load_workbook(workbook)[SHEET]
    offered = [each.formula1 for each in sheet.data_validations.dataValidation]
    assert '"无条件共享,有条件共享,不予共享"' in offered


def test_a_workbook_that_a_person_made_is_read_by_its_types(tmp_path: Path) -> None:
    path = tmp_path / "c.xlsx"
    write_catalogue(path, [entry(published_on=datetime(2026, 11, 26).date())])  # noqa: DTZ001
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    columns = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, columns["发布日期"]).value = datetime(2026, 11, 26)  # noqa: DTZ001
    sheet.cell(2, columns["信息资源提供方代码"]).value = 113205000140832149
    sheet.cell(3, columns["信息项名称"]).value = "=1+1"
    sheet.cell(3, columns["是否主键"]).value = True
    book.save(path)
    read, _ = read_catalogue(path, RULES)
    assert isinstance(read, Rejected)
    found = {(each.problem.field, each.problem.rule) for each in read.found}
    assert (Field.PROVIDER_CODE, Rule.CELL_NOT_TEXT) in found
    assert (Field.ITEM_NAME, Rule.CELL_FORMULA) in found
    assert (Field.ITEM_KEY, Rule.CELL_NOT_TEXT) in found
    assert Field.PUBLISHED_ON not in {field for field, _ in found}


def test_the_sheet_of_the_catalogue_is_read_and_the_others_are_named(workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook)
    book.create_sheet("说明", 0)["A1"] = "填写说明"
    book.save(workbook)
    read, source = read_catalogue(workbook, RULES)
    assert read == Imported((COMPLETE,), 2)
    assert (source.sheet, source.other_sheets) == (SHEET, ("说明",))


@pytest.mark.parametrize("claimed", [b'ref="A1:B2"', b'ref="A1:XFD1048576"'])
def test_what_a_sheet_says_of_its_own_size_is_not_trusted(claimed: bytes, workbook: Path) -> None:
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(workbook) as archive:
        dimension = archive.read(part).split(b"<dimension ")[1].split(b"/>")[0]
    edited(workbook, part, dimension, claimed)
    assert read_catalogue(workbook, RULES)[0] == Imported((COMPLETE,), 2)


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml"])
def test_entities_in_a_workbook_are_refused_and_not_expanded(part: str, workbook: Path) -> None:
    edited(workbook, part, b"?>", f"?>{BOMB}".encode())
    assert rules_of(workbook) == [Rule.FILE_UNREADABLE]


def test_entities_in_shared_strings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet(SHEET).write_string(0, 0, "类")
    edited(path, "xl/sharedStrings.xml", b"?>", f"?>{BOMB}".encode())
    assert rules_of(path) == [Rule.FILE_UNREADABLE]


def test_without_protection_against_entities_no_workbook_is_opened(
    workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openpyxl, "DEFUSEDXML", False)
    assert rules_of(workbook) == [Rule.FILE_UNREADABLE]


def test_a_workbook_of_charts_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_chartsheet()
    assert rules_of(path) == [Rule.FILE_UNREADABLE]


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b" " * 3_000_000)
    monkeypatch.setattr(xlsx_file, "_LARGEST_REST", 2_000_000)
    assert rules_of(path) == [Rule.FILE_TOO_LARGE]


def test_a_workbook_of_more_texts_than_a_catalogue_has_is_refused_while_it_is_unpacked(
    workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(workbook, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"<sst>" + b"<si/>" * 1_000_000 + b"</sst>")

    def parsed(*_: Any, **__: Any) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr(openpyxl, "load_workbook", parsed)
    assert rules_of(workbook) == [Rule.FILE_TOO_LARGE]


def test_sixty_four_megabytes_of_texts_are_refused_by_what_the_archive_says(workbook: Path) -> None:
    with zipfile.ZipFile(workbook, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"<si><t>x</t></si>" * 4_000_000)
    assert workbook.stat().st_size < 500_000
    read, _ = read_catalogue(workbook, RULES)
    assert isinstance(read, Rejected)
    assert "64 MB beside the cells" in str(read.found[0].problem)


def test_texts_that_hide_among_the_sheets_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet(SHEET).write_string(0, 0, "类")
    edited(path, "[Content_Types].xml", b"/xl/sharedStrings.xml", b"/xl/worksheets/texts.xml")
    assert rules_of(path) == [Rule.FILE_UNREADABLE]


def test_a_catalogue_that_a_spreadsheet_has_saved_with_its_texts_apart_is_read(
    workbook: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.xlsx"
    with xlsxwriter.Workbook(str(saved)) as book:
        sheet = book.add_worksheet(SHEET)
        for number, row in enumerate(openpyxl.load_workbook(workbook)[SHEET].iter_rows(values_only=True)):
            sheet.write_row(number, 0, row)
    with zipfile.ZipFile(saved) as archive:
        assert b"<si>" in archive.read("xl/sharedStrings.xml")
    assert read_catalogue(saved, RULES)[0] == Imported((COMPLETE,), 2)


def test_a_sheet_that_claims_millions_of_cells_is_given_up(
    workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_file, "_MOST_CELLS", 100)
    assert Rule.FILE_TOO_LARGE in rules_of(workbook)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\xd0\xcf\x11\xe0" * 100])
def test_what_is_no_workbook_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c.xlsx"
    path.write_bytes(content)
    assert rules_of(path) == [Rule.FILE_UNREADABLE]


def test_a_workbook_that_was_cut_off_is_refused(workbook: Path) -> None:
    edited(workbook, "xl/worksheets/sheet1.xml", b"</row>", b"</ro")
    assert Rule.FILE_UNREADABLE in rules_of(workbook)


@pytest.mark.parametrize("name", ["c.xls", "c.ods", "c"])
def test_other_suffixes_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(NameAFile, match="neither"):
        write_catalogue(tmp_path / name, [COMPLETE])
    with pytest.raises(NameAFile):
        read_catalogue(tmp_path / name, RULES)


def broken_entries() -> Iterator[Entry]:
    yield COMPLETE
    raise RuntimeError("the source broke")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_file_is_written_whole_or_not_at_all(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"c{suffix}"
    path.write_bytes(b"what was there before")
    with pytest.raises(RuntimeError):
        write_catalogue(path, broken_entries())
    assert path.read_bytes() == b"what was there before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_does_not_fit_into_excel_is_refused_and_not_cut(tmp_path: Path) -> None:
    with pytest.raises(TooMuchForExcel, match="信息资源摘要"):
        write_catalogue(tmp_path / "c.xlsx", [entry(summary="字" * 40_000)])
    assert list(tmp_path.iterdir()) == []


def test_reading_holds_one_row_at_a_time(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    made = xlsx_file._cell

    def counted(cell: Any) -> Any:
        given.append(cell.row if hasattr(cell, "row") else 0)
        return made(cell)

    monkeypatch.setattr(xlsx_file, "_cell", counted)
    sheet = xlsx_file.open_xlsx(workbook)
    next(sheet.lines)
    assert len(given) == len(Field)
    sheet.close()
