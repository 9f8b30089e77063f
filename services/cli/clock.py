"""`govbus clock`: counts working days by the project's calendar files, and explains the dates of cases."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.cli.lazily import loading
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, table, wants_json
from services.control.clocks.arithmetic import MOST_DAYS, add_working_days
from services.control.clocks.calendar import Calendar, Due, civil_day, with_year
from services.control.clocks.calendar_file import CalendarInvalid, china, read_year

_MODULES: Final = {
    "packs": "clock_packs",
    "years": "clock_store",
    "explain": "clock_explain",
    "breaches": "clock_breaches",
}
"""What needs more than the calendar files is loaded when it is asked for."""

app = typer.Typer(
    cls=loading(_MODULES), help="Count legal deadlines, and say what they are from.", no_args_is_help=True
)

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARS: Final = range(1949, 3000)
"""Days outside of them are typing errors."""


@app.callback()
def clock() -> None:
    """Count legal deadlines, and say what they are from."""


class _Uncountable(Exception):  # noqa: N818 - says what cannot be done
    """The question cannot be answered: what is wrong with it, and what to do."""

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.field, self.problem, self.remedy = field, problem, remedy


@dataclass(frozen=True, slots=True)
class _Question:
    start: date
    working_days: int


@app.command("due")
def due_command(
    start: Annotated[
        str | None, typer.Option(help="The day of receipt, or an instant with its time zone.")
    ] = None,
    working_days: Annotated[int | None, typer.Option(help="How many working days there are.")] = None,
    stdin: Annotated[
        bool,
        typer.Option("--stdin", help='Read JSON lines {"start", "working_days"} and answer each with one.'),
    ] = False,
    year_file: Annotated[
        list[Path] | None,
        typer.Option(help="A calendar file of a year that govbus does not know yet; may be given again."),
    ] = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Say when so many working days have passed; the day of receipt does not count.

    Exit codes: 0 counted, 1 one or more lines of --stdin could not be counted, 2 the command line or a
    calendar file is wrong.
    """
    calendar = _calendar(year_file or [])
    if stdin:
        if start is not None or working_days is not None:
            raise typer.BadParameter("--stdin reads start and working_days from its lines: leave both out")
        raise typer.Exit(_answer_lines(calendar))
    if start is None or working_days is None:
        raise typer.BadParameter("give --start and --working-days, or --stdin")
    try:
        question = _question(start, working_days)
    except _Uncountable as error:
        where = f"--{error.field.replace('_', '-')}"
        raise CommandFailed(ExitCode.USAGE, error.problem, where, error.remedy) from error
    found = add_working_days(calendar, question.start, working_days)
    if wants_json(as_json, output):
        emit_json(_answer(start, working_days, found) | {"waits_for": found.waits_for})
    else:
        _print(question, found)


def answers(lines: Iterable[bytes], calendar: Calendar) -> Iterator[dict[str, Any]]:
    """Answer each line of JSON with one object of the documented shape; no line is ever skipped."""
    for line in lines:
        given = _object(line)
        start, working_days = given.get("start"), given.get("working_days")
        try:
            question = _question(start, working_days)
            yield _answer(
                start, working_days, add_working_days(calendar, question.start, question.working_days)
            )
        except _Uncountable as error:
            told = {"field": error.field, "problem": error.problem, "remedy": error.remedy}
            yield {**_answer(_echo(start), _echo(working_days), None), "error": told}


def _answer_lines(calendar: Calendar) -> ExitCode:
    ended = ExitCode.OK
    for answer in answers(sys.stdin.buffer, calendar):
        # In ASCII, so that half a character in a line cannot end the answers to the others.
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        if "error" in answer:
            ended = ExitCode.NEGATIVE
    return ended


def _answer(start: object, working_days: object, found: Due | None) -> dict[str, Any]:
    return {
        "start": start,
        "working_days": working_days,
        "due": None if found is None else found.day.isoformat(),
        "provisional": None if found is None else found.provisional,
    }


def _object(line: bytes) -> dict[str, Any]:
    try:
        given = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def _echo(value: object) -> object:
    """What was given, where it is text or a whole number; what else stood there is not repeated."""
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _question(start: object, working_days: object) -> _Question:
    if not isinstance(start, str):
        raise _Uncountable("start", "there is no start", 'write "start" as a text such as "2026-09-18"')
    day = _day(start)
    if day.year not in _YEARS:
        remedy = f"give a day from {_YEARS[0]} to {_YEARS[-1]}"
        raise _Uncountable("start", f"the year {day.year} is out of reach", remedy)
    if not isinstance(working_days, int) or isinstance(working_days, bool):
        raise _Uncountable("working_days", "there are no working days", 'write "working_days" as a number')
    if not 0 <= working_days <= MOST_DAYS:
        problem = f"{working_days} working days cannot be counted"
        raise _Uncountable("working_days", problem, f"give 0 to {MOST_DAYS}")
    return _Question(day, working_days)


def _day(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        return civil_day(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        remedy = "write a day as 2026-09-18, or an instant as 2026-09-18T17:30:00+08:00"
        raise _Uncountable("start", f"{text!r} is no day and no instant with a time zone", remedy) from error


def _calendar(files: Iterable[Path]) -> Calendar:
    calendar = china()
    for path in files:
        try:
            days = read_year(path, str(path))
        except CalendarInvalid as error:
            first, *others = error.errors
            remedy = "\n".join(["correct the file", *map(str, others)])
            raise CommandFailed(ExitCode.USAGE, str(first), "--year-file", remedy) from error
        calendar = with_year(calendar, days[0].year, days)
    return calendar


def _print(question: _Question, found: Due) -> None:
    row = [question.start, question.working_days, f"{found.day:%Y-%m-%d %a}", _standing(found)]
    table("Due", ["received", "working days", "due", "standing"], [row])


def _standing(found: Due) -> str:
    if found.provisional:
        return f"provisional: the holidays of {found.waits_for} are not there yet"
    if found.waits_for is not None:
        return f"the notice for {found.waits_for} may still move it"
    return "final"
