"""A report as a value: sums, digest, what differs when it is made again, and the files that it becomes."""

import io
from datetime import UTC, datetime

import openpyxl
import pytest

from services.control.catalogue.vocabulary import Language
from services.control.reports.rendering import html, xlsx
from services.control.reports.report import (
    Appendix,
    Differs,
    Fulfilled,
    Line,
    Report,
    Scope,
    behind,
    differences,
    digest_of,
    made,
    report_from,
)
from services.control.reports.words import ABOUT, FIGURES, KINDS, Kind, Measure

NOW = datetime(2027, 1, 4, tzinfo=UTC)
NAMES = {"police": "公安局", "tax": "税务局"}
COUNTS = {Measure.ENTRIES: {"police": 3, "tax": 2, "idle": 0}, Measure.OVERDUE: {"": 1}}


def report(kind: Kind = Kind.AUTHORITY, department: str = "", **more: int) -> Report:
    counts = {**COUNTS, Measure.ENTRIES: {**COUNTS[Measure.ENTRIES], **more}}
    return made(Scope(kind, 2026, department), NOW, counts, NAMES, {"ledger": None})


def value(found: Report, measure: Measure) -> int:
    return next(each.value for each in found.figures if each.measure is measure)


@pytest.mark.requirement("A12-04")
def test_a_figure_is_the_sum_of_its_departments_and_a_department_sees_its_own() -> None:
    assert value(report(), Measure.ENTRIES) == 5
    own = report(Kind.DEPARTMENT, "tax")
    assert value(own, Measure.ENTRIES) == 2
    assert value(own, Measure.OVERDUE) == 0


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_its_figures_with_titles_and_requirements(kind: Kind) -> None:
    assert [each.measure for each in report(kind).figures] == list(FIGURES[kind])
    assert all(ABOUT[each].title.zh and ABOUT[each].title.en and ABOUT[each].rule for each in FIGURES[kind])
    assert KINDS[kind].zh


def test_what_is_kept_gives_the_same_report_with_the_same_digest() -> None:
    found = report()
    again = report_from(found.document)
    assert again == found
    assert digest_of(again.document) == digest_of(found.document)
    assert digest_of(report(tax=3).document) != digest_of(found.document)
    with pytest.raises(ValueError, match="newer"):
        report_from({**found.document, "form": 3})


def test_a_report_that_is_made_again_is_compared_figure_by_figure() -> None:
    assert differences(report(), report()) == []
    assert differences(report(), report(tax=4)) == [
        Differs("entries", "", 5, 7),
        Differs("entries", "tax", 2, 4),
    ]


@pytest.mark.parametrize(
    ("language", "title"), [(Language.ZH, "主管部门年度报告"), (Language.EN, "annual report")]
)
def test_a_page_prints_and_links_every_figure(language: Language, title: str) -> None:
    found = report()
    text = html(found, language, "https://bus.example")
    assert title in text
    assert "@page" in text
    for each in found.figures:
        link = "https://bus.example" + behind(each.measure, 2026)
        assert link.replace("&", "&amp;") in text
    assert digest_of(found.document) in text
    assert "公安局" in text


def test_a_workbook_has_the_same_figures_and_departments() -> None:
    found = report()
    book = openpyxl.load_workbook(io.BytesIO(xlsx(found, Language.ZH)))
    rows = {row[0]: row[1] for row in book["figures"].values}
    for each in found.figures:
        assert rows[ABOUT[each.measure].title.zh] == each.value
    table = {row[0]: row[1] for row in book["departments"].values}
    assert (table["公安局"], table["税务局"]) == (3, 2)


DUE = "2026-11-20T00:00:00+08:00"
OVERDUE = Appendix(
    Measure.OVERDUE,
    (
        Line("police", "申请 3: answer", DUE, "/cases/3"),
        Line("", "=申请 4: answer", DUE, "/cases/4"),
    ),
    7,
)
DUTIES = Appendix(
    Measure.DUTIES,
    (
        Line("police", "人口: name", None, "", Fulfilled.NO),
        Line("tax", "税务: code", DUE, "/catalogue/code/9", Fulfilled.YES),
    ),
)


def list_of(appendix: Appendix, kind: Kind) -> Report:
    return made(Scope(kind, 2026), NOW, COUNTS, NAMES, {"ledger": None}, appendix)


@pytest.mark.requirement("A2-08", "A12-08")
@pytest.mark.parametrize(("appendix", "kind"), [(OVERDUE, Kind.OVERDUE), (DUTIES, Kind.DUTIES)])
def test_the_rows_of_a_list_are_kept_with_it_under_its_digest(appendix: Appendix, kind: Kind) -> None:
    found = list_of(appendix, kind)
    assert report_from(found.document) == found
    without = made(found.scope, NOW, COUNTS, NAMES, {"ledger": None})
    assert digest_of(found.document) != digest_of(without.document)
    assert "appendix" not in without.document, "what was kept before has the digest that it had"


@pytest.mark.requirement("A2-08", "A12-08")
def test_a_page_of_a_list_names_each_row_with_its_day_and_how_it_stands() -> None:
    text = html(list_of(OVERDUE, Kind.OVERDUE), Language.ZH, "https://bus.example")
    for part in (
        "附表",
        "公安局",
        "申请 3: answer",
        "2026-11-20",
        'href="https://bus.example/cases/3"',
        ": 7",
    ):
        assert part in text, part
    assert "落实情况" not in text
    text = html(list_of(DUTIES, Kind.DUTIES), Language.ZH)
    assert text.index("未落实") < text.index("已落实</td>")
    assert "人口: name" in text


@pytest.mark.requirement("A2-08", "A12-08")
def test_a_workbook_of_a_list_has_a_sheet_of_its_rows() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx(list_of(OVERDUE, Kind.OVERDUE), Language.EN, "https://b")))
    rows = [tuple(row) for row in book["appendix"].values]
    assert rows[1][:4] == ("公安局", "申请 3: answer", "2026-11-20", "https://b/cases/3")
    assert str(rows[2][1]).startswith("'"), "nothing of a name is a formula"
    assert rows[-1][1] == 7
    book = openpyxl.load_workbook(io.BytesIO(xlsx(list_of(DUTIES, Kind.DUTIES), Language.EN)))
    assert [row[4] for row in book["appendix"].values] == ["state", "not fulfilled", "fulfilled"]
