"""A report as a page that prints, or as a workbook: the same figures, each with where it is from."""

import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.control.catalogue.text import guarded
from services.control.catalogue.vocabulary import Language
from services.control.clocks.calendar import civil_day
from services.control.reports.report import Appendix, Figure, Report, behind, departments_of, digest_of
from services.control.reports.words import ABOUT, KINDS, Kind, Titled

_TEMPLATES: Final = Path(__file__).with_name("templates")
WORDS: Final = {
    "figure": Titled("指标", "figure"),
    "value": Titled("数值", "value"),
    "rule": Titled("依据编号", "requirement"),
    "source": Titled("数据来源", "where it is from"),
    "department": Titled("部门", "department"),
    "authority": Titled("主管部门", "the authority"),
    "all": Titled("全部部门", "all departments"),
    "year": Titled("年度", "year"),
    "as_of": Titled("统计时间", "as of"),
    "digest": Titled("摘要值（SHA-256）", "digest (SHA-256)"),
    "never": Titled("尚未采集", "nobody has looked yet"),
    "bytes": Titled("字节", "bytes"),
    "records": Titled("条", "records"),
    "count": Titled("", ""),
    "by_department": Titled("分部门情况", "by department"),
    "ledger": Titled("账本汇总", "sums of the ledger"),
    "mounting": Titled("目录挂接情况", "mounting of the catalogue"),
    "census": Titled("资源计数", "count of the resources"),
    "appendix": Titled("附表", "appendix"),
    "what": Titled("事项", "what"),
    "when": Titled("到期或采集时间", "due, or seen"),
    "state": Titled("落实情况", "state"),
    "fulfilled": Titled("已落实", "fulfilled"),
    "unfulfilled": Titled("未落实", "not fulfilled"),
    "left_out": Titled("未列出的事项数", "not listed here"),
    "none": Titled("无", "none"),
}


def titled(title: Titled, language: Language) -> str:
    """A title in one of the languages."""
    return title.zh if language is Language.ZH else title.en


def html(report: Report, language: Language, base: str = "") -> str:
    """A page of its own, which prints on A4; links lead to the rows behind each figure.

    Args:
        report: what it shows.
        language: of its words.
        base: the address of the portal, before the paths of links.
    """
    template = _environment().get_template("report.html")
    return template.render(
        report=report,
        title=titled(KINDS[report.scope.kind], language),
        lang="zh-CN" if language is Language.ZH else "en",
        say=lambda word: titled(WORDS[word], language),
        name=lambda measure: titled(ABOUT[measure].title, language),
        about=ABOUT,
        base=base,
        day=_day,
        link=lambda measure, department="": base + behind(measure, report.scope.year, department),
        department_name=lambda id_: department_name(report, id_, language),
        departments=departments_of(report) if is_table(report) else [],
        number=lambda value: f"{value:,}",
        digest=digest_of(report.document),
    )


def xlsx(report: Report, language: Language, base: str = "") -> bytes:
    """A workbook: the figures on one sheet, the departments on another."""
    stream = io.BytesIO()
    settings = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, settings) as book:
        # The moment of the report, so that the same report is the same file.
        book.set_properties({"created": report.as_of.replace(tzinfo=None)})
        bold = book.add_format({"bold": True, "text_wrap": True})
        _write(book.add_worksheet("figures"), bold, _figure_rows(report, language, base))
        if is_table(report):
            _write(book.add_worksheet("departments"), bold, _department_rows(report, language))
        if report.appendix is not None:
            rows = _appendix_rows(report, report.appendix, language, base)
            _write(book.add_worksheet("appendix"), bold, rows)
    return stream.getvalue()


def department_name(report: Report, id_: str, language: Language) -> str:
    """What a department was called when the report was made; nobody's is the authority's."""
    return report.names.get(id_, id_) if id_ else titled(WORDS["authority"], language)


def is_table(report: Report) -> bool:
    """Whether departments stand beside one another in it."""
    return report.scope.kind is not Kind.DEPARTMENT and not report.scope.department


def _of(figure: Figure, department: str) -> int:
    return figure.by_department.get(department, 0)


def _figure_rows(report: Report, language: Language, base: str) -> list[list[Any]]:
    scope = report.scope
    whose = department_name(report, scope.department, language) if scope.department else ""
    head: list[list[Any]] = [
        [titled(KINDS[scope.kind], language)],
        [titled(WORDS["year"], language), scope.year],
        [titled(WORDS["department"], language), whose or titled(WORDS["all"], language)],
        [titled(WORDS["as_of"], language), report.as_of.isoformat()],
        [titled(WORDS["digest"], language), digest_of(report.document)],
        [titled(WORDS[word], language) for word in ("figure", "value", "count", "rule", "source")],
    ]
    return head + [
        [
            titled(ABOUT[each.measure].title, language),
            each.value,
            titled(WORDS[ABOUT[each.measure].unit.value], language),
            ABOUT[each.measure].rule,
            base + behind(each.measure, scope.year, scope.department),
        ]
        for each in report.figures
    ]


def _department_rows(report: Report, language: Language) -> list[list[Any]]:
    names = [titled(ABOUT[each.measure].title, language) for each in report.figures]
    head: list[list[Any]] = [[titled(WORDS["department"], language), *names]]
    return head + [
        [department_name(report, id_, language), *(_of(each, id_) for each in report.figures)]
        for id_ in departments_of(report)
    ]


def _appendix_rows(report: Report, appendix: Appendix, language: Language, base: str) -> list[list[Any]]:
    """Each row behind the figure; a last one where not all are here."""
    with_state = any(each.state is not None for each in appendix.lines)
    words = ("department", "what", "when", "source", *(("state",) if with_state else ()))
    rows: list[list[Any]] = [[titled(WORDS[word], language) for word in words]]
    for each in appendix.lines:
        state = [] if each.state is None else [titled(WORDS[each.state.value], language)]
        where = base + each.path if each.path else ""
        rows.append(
            [department_name(report, each.department, language), each.label, _day(each.at), where, *state]
        )
    if appendix.left_out:
        rows.append([titled(WORDS["left_out"], language), appendix.left_out])
    return rows


def _day(at: str | None) -> str:
    """The day in official time."""
    return "" if at is None else civil_day(datetime.fromisoformat(at)).isoformat()


def _write(sheet: Any, bold: Any, rows: Sequence[Sequence[Any]]) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 30, 18)
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, column, value)
            else:
                sheet.write_string(number, column, guarded(value), bold if column == 0 else None)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
