"""`govbus report …`: make reports from the ledger and the control plane, and find those that were made."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.acting import As, acting
from services.cli.control import open_control
from services.cli.output import CommandFailed, ExitCode, Json, emit_json, table
from services.control.accounts.actions import Action
from services.control.accounts.decision import Whose
from services.control.catalogue.vocabulary import Language
from services.control.reports.rendering import html, titled, xlsx
from services.control.reports.report import Scope, behind, differences
from services.control.reports.words import ABOUT, Kind
from services.control.store.clocks.calendars import read_calendar
from services.control.store.reports.made import Made, Wish, keep, kept, listed
from services.control.store.reports.making import make

app = typer.Typer(help="Reports from the ledger and the control plane.", no_args_is_help=True)


class Shape(StrEnum):
    """The forms that a report is written in."""

    JSON = "json"
    XLSX = "xlsx"
    HTML = "html"


Written = Annotated[Shape, typer.Option("--format", help="html prints on A4, or into a PDF.")]
To = Annotated[Path | None, typer.Option("-o", help="The file to write.")]
Tongue = Annotated[Language, typer.Option("--language", help="Of the report's words.")]
Portal = Annotated[str, typer.Option("--portal", help="The portal's address, before the links of figures.")]


@app.callback()
def report() -> None:
    """Reports from the ledger and the control plane."""


@app.command("list")
def list_command(
    kind: Annotated[Kind | None, typer.Option(help="Only of this kind.")] = None,
    year: Annotated[int | None, typer.Option(help="Only on this year.")] = None,
    as_json: Json = False,
) -> None:
    """List reports that were made, the newest first."""
    with open_control() as database, database.reading() as connection:
        found = [_shape(each) for each in listed(connection, Wish(kind, year))]
    if as_json:
        emit_json({"reports": found})
        return
    columns = ("number", "kind", "year", "department", "as_of", "made_by", "digest")
    table("Reports that were made", columns, [[each[name] for name in columns] for each in found])


@app.command("make")
def make_command(
    kind: Annotated[Kind, typer.Argument(help="Which report.")],
    year: Annotated[int, typer.Option(min=2000, max=2999, help="On which year.")],
    who: As,
    department: Annotated[str, typer.Option(help="On which department; all without one.")] = "",
    form: Written = Shape.JSON,
    to: To = None,
    language: Tongue = Language.ZH,
    portal: Portal = "",
    as_json: Json = False,
) -> None:
    """Count the figures of a report now, keep it with its digest, and write it to a file if one is named."""
    if kind is Kind.DEPARTMENT and not department:
        raise CommandFailed(ExitCode.USAGE, "a department's report names none", "--department", "name one")
    with open_control() as database:
        with database.begin() as connection:
            whose = Whose(department or None, department or None)
            by = acting(connection, who, Action.REPORT_MAKE, whose)
        with database.reading() as connection:
            made = make(
                connection, read_calendar(connection), datetime.now(UTC), Scope(kind, year, department)
            )
        with database.begin() as connection:
            found = keep(connection, made, by.id)
    _give(found, form, to, language, portal, as_json=as_json)


@app.command("show")
def show_command(
    number: Annotated[int, typer.Argument(min=1, help="Of the report.")],
    again: Annotated[
        bool, typer.Option("--again", help="Make it again and say what differs (exit code 1).")
    ] = False,
    form: Written = Shape.JSON,
    to: To = None,
    language: Tongue = Language.ZH,
    portal: Portal = "",
    as_json: Json = False,
) -> None:
    """Show a report as it was made; exit code 1 where its text is not the one of its digest."""
    with open_control() as database, database.reading() as connection:
        found = kept(connection, number)
        if found is None:
            remedy = "`govbus report list` shows those that there are"
            raise CommandFailed(ExitCode.USAGE, f"there is no report {number}", "", remedy)
        if not found.is_whole:
            remedy = "this is a finding: compare with the digest of its act in the ledger"
            raise CommandFailed(ExitCode.NEGATIVE, f"report {number} was altered", "", remedy)
        if not again:
            _give(found, form, to, language, portal, as_json=as_json)
            return
        now = make(connection, read_calendar(connection), datetime.now(UTC), found.report.scope)
    differ = differences(found.report, now)
    answer = {"number": number, "as_of": now.as_of.isoformat(), "differences": differ}
    if as_json:
        emit_json(answer)
    else:
        columns = ("figure", "department", "then", "now")
        table("Differences", columns, [(e.measure, e.department, e.then, e.now) for e in differ])
    if differ:
        raise typer.Exit(ExitCode.NEGATIVE)


def _give(
    made: Made, form: Shape, to: Path | None, language: Language, portal: str, *, as_json: bool
) -> None:
    if to is not None:
        _write(made, form, to, language, portal)
    if as_json or (form is Shape.JSON and to is None):
        emit_json(_whole(made, to))
        return
    columns = ("figure", "value", "requirement", "behind it")
    title = f"Report {made.number}, digest {made.digest}" + (f", written to {to}" if to else "")
    table(title, columns, _lines(made, language))


def _lines(made: Made, language: Language) -> list[tuple[Any, ...]]:
    scope = made.report.scope
    return [
        (
            titled(ABOUT[each.measure].title, language),
            each.value,
            ABOUT[each.measure].rule,
            behind(each.measure, scope.year, scope.department),
        )
        for each in made.report.figures
    ]


def _write(made: Made, form: Shape, to: Path, language: Language, portal: str) -> None:
    try:
        match form:
            case Shape.XLSX:
                to.write_bytes(xlsx(made.report, language, portal))
            case Shape.HTML:
                to.write_text(html(made.report, language, portal), encoding="utf-8")
            case Shape.JSON:
                to.write_text(json.dumps(_whole(made, to), ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        what = f"{to}: {error.strerror}"
        raise CommandFailed(ExitCode.USAGE, what, "-o", "name a file that can be written") from error


def _shape(made: Made) -> dict[str, Any]:
    scope = made.report.scope
    return {
        "number": made.number,
        "kind": scope.kind.value,
        "year": scope.year,
        "department": scope.department,
        "as_of": made.report.as_of.isoformat(),
        "made_by": made.by,
        "digest": made.digest,
    }


def _whole(made: Made, to: Path | None) -> dict[str, Any]:
    """The shape that docs/cli/report-make.schema.json describes."""
    scope = made.report.scope
    return _shape(made) | {
        "path": None if to is None else str(to),
        "figures": [
            {
                "measure": each.measure.value,
                "value": each.value,
                "unit": ABOUT[each.measure].unit.value,
                "requirement": ABOUT[each.measure].rule,
                "behind": behind(each.measure, scope.year, scope.department),
                "by_department": dict(each.by_department),
            }
            for each in made.report.figures
        ],
        "seen": dict(made.report.seen),
    }
