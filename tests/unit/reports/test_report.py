"""A report as a value: sums, digest, what differs when it is made again, and the files that it becomes."""

import io
from datetime import UTC, datetime

import openpyxl
import pytest

from services.control.catalogue.vocabulary import Language
from services.control.reports.rendering import html, xlsx
from services.control.reports.report import (
    Differs,
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
        report_from({**found.document, "form": 2})


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
