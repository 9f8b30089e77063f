"""`govbus identity check`: checks identifiers by the gate's own rules, without a running stack."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from topics.identity.check import check
from topics.identity.kinds import IdentityKind, IdentityReason, IdentityVerdict
from topics.quality.values import CIVIL_TIME

app = typer.Typer(help="Check identifiers of persons and organisations.", no_args_is_help=True)

INVALID = 1


class Output(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"


@app.callback()
def identity() -> None:
    """Check identifiers of persons and organisations."""


@app.command("check")
def check_command(
    value: Annotated[str | None, typer.Argument(help="The identifier, as it was written.")] = None,
    kind: Annotated[IdentityKind | None, typer.Option(help="What the identifier claims to be.")] = None,
    country: Annotated[
        str | None, typer.Option(help="Three-letter code of the state that issued a passport, such as CHN.")
    ] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help='Read JSON lines {"kind", "value"} and answer each with one.')
    ] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Add the notes to JSON answers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as -o json.")] = False,
    output: Annotated[Output, typer.Option("-o", "--output", help="How to print.")] = Output.TABLE,
) -> None:
    """Check one identifier (exit code 0 valid, 1 not) or those on standard input (0: all were answered)."""
    # The gate's day, wherever this runs: near midnight a newborn is valid in both or in neither.
    today = datetime.now(CIVIL_TIME).date()
    if stdin:
        if value is not None or kind is not None:
            raise typer.BadParameter("--stdin reads kind and value from its lines: leave both out")
        for answer in answers(sys.stdin.buffer, today, notes=notes):
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
        return
    if value is None or kind is None:
        raise typer.BadParameter("give --kind and the identifier, or --stdin")
    verdict = check(kind, value, today, country)
    if as_json or output is Output.JSON:
        typer.echo(json.dumps(_answer(value, verdict, notes=notes)))
    else:
        _print_table(verdict)
    raise typer.Exit(0 if verdict.valid else INVALID)


def answers(lines: Iterable[bytes], today: date, *, notes: bool = False) -> Iterator[dict[str, Any]]:
    """Answer each line of JSON with one object of the documented shape; no line is ever skipped."""
    for line in lines:
        yield _answer_line(line, today, notes=notes)


def _answer_line(line: bytes, today: date, *, notes: bool) -> dict[str, Any]:
    try:
        request = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return _unanswerable(None, None, IdentityReason.UNREADABLE, notes=notes)
    if not isinstance(request, dict):
        return _unanswerable(None, None, IdentityReason.UNREADABLE, notes=notes)
    kind, value, country = request.get("kind"), request.get("value"), request.get("country")
    if not isinstance(kind, str) or not isinstance(value, str) or not isinstance(country, str | None):
        return _unanswerable(kind, value, IdentityReason.UNREADABLE, notes=notes)
    if kind not in set(IdentityKind):
        return _unanswerable(kind, value, IdentityReason.KIND_UNKNOWN, notes=notes)
    return _answer(value, check(IdentityKind(kind), value, today, country), notes=notes)


def _answer(value: str, verdict: IdentityVerdict, *, notes: bool) -> dict[str, Any]:
    answer = {
        "kind": verdict.kind.value,
        "value": value,
        "valid": verdict.valid,
        "normalised": verdict.value,
        "reason": None if verdict.reason is None else verdict.reason.value,
    }
    return answer | ({"notes": [note.value for note in verdict.notes]} if notes else {})


def _unanswerable(kind: object, value: object, reason: IdentityReason, *, notes: bool) -> dict[str, Any]:
    answer = {
        "kind": kind if isinstance(kind, str) else None,
        "value": value if isinstance(value, str) else None,
        "valid": False,
        "normalised": None,
        "reason": reason.value,
    }
    return answer | ({"notes": []} if notes else {})


def _print_table(verdict: IdentityVerdict) -> None:
    table = Table("", "", show_header=False)
    table.add_row("kind", verdict.kind.value)
    table.add_row("normalised", _printable(verdict.value))
    table.add_row("valid", "yes" if verdict.valid else "no")
    if verdict.reason is not None:
        table.add_row("reason", f"{verdict.reason.value}: {REMEDIES[verdict.reason]}")
    for note in verdict.notes:
        table.add_row("note", note.value)
    # What somebody typed is no markup.
    Console(markup=False, highlight=False, emoji=False).print(table)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


REMEDIES = {
    IdentityReason.EMPTY: "there is nothing to check",
    IdentityReason.LENGTH: "it has too few or too many characters for its kind",
    IdentityReason.OBSOLETE_15_DIGITS: "15-digit numbers ended in 2013; ask for the one of 18 characters",
    IdentityReason.CHARACTERS: "it holds characters that its kind does not use; compare with the document",
    IdentityReason.FORM: "letters and digits are not where its kind has them; compare with the document",
    IdentityReason.ALL_ZERO: "zeros stand in for a missing identifier; ask for the real one",
    IdentityReason.PROVINCE_UNKNOWN: "its first two digits are no province; compare with the document",
    IdentityReason.BIRTH_DATE_NOT_REAL: "the birth date in it does not exist; compare with the document",
    IdentityReason.BIRTH_DATE_BEFORE_1850: "the birth date in it is before 1850; compare with the document",
    IdentityReason.BIRTH_DATE_IN_FUTURE: "the birth date in it is in the future; compare with the document",
    IdentityReason.CHECK_DIGIT: "the last character does not fit the others; compare with the document",
    IdentityReason.ORGANISATION_CHECK_DIGIT: "the organisation code inside it (characters 9 to 17) is wrong",
    IdentityReason.COUNTRY_MALFORMED: "the issuing country is a three-letter code, such as CHN",
    IdentityReason.KIND_UNKNOWN: "the kind is none of those listed by --help",
    IdentityReason.UNREADABLE: 'a line is a JSON object with the texts "kind" and "value"',
}
