"""`govbus catalogue`: checks a catalogue's file, exports the definitions as one, compares both."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    note,
    table,
    wants_json,
)
from services.control.catalogue.drafting import drafts
from services.control.catalogue.duties import (
    DoubleCollection,
    Duty,
    double_collections,
    responsibility_list,
)
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import label
from services.control.catalogue.files import NameAFile, Source, read_catalogue, write_catalogue
from services.control.catalogue.importing import Imported, Rejected
from services.control.catalogue.mounting import Mounted, compare
from services.control.catalogue.parameters import NATIONAL_LEVELS, CatalogueRules
from services.control.catalogue.register import load_register
from services.control.catalogue.table import Found
from services.control.catalogue.vocabulary import BasisLevel, Language, word
from services.control.catalogue.xlsx_file import TooMuchForExcel
from services.control.definitions import (
    Definitions,
    DefinitionsInvalid,
    load_definitions,
    packaged_definitions,
)

app = typer.Typer(help="The catalogue of what departments hold.", no_args_is_help=True)

Loaded = TypeVar("Loaded")

_FILE: Final = typer.Argument(exists=True, dir_okay=False, readable=True, help="A .csv or .xlsx file.")
_EVERY: Final = 500
"""Rows between two movements of the progress."""
_SHOWN: Final = 200
_EN: Final = Language.EN

File = Annotated[Path, _FILE]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--definitions", exists=True, file_okay=False, help="Folder of definitions; the sample city's if not."
    ),
]
Speech = Annotated[Language, typer.Option("--language", help="Language of problems and remedies.")]
DenialLevels = Annotated[
    list[BasisLevel] | None,
    typer.Option("--denial-basis", help="Level of basis that suffices for 不予共享; repeatable."),
]
ConditionLevels = Annotated[
    list[BasisLevel] | None,
    typer.Option("--condition-basis", help="Level of basis that suffices for 有条件共享; repeatable."),
]
NoBasis = Annotated[
    bool, typer.Option("--condition-without-basis", help="有条件共享 needs a condition and no basis.")
]


@app.callback()
def catalogue() -> None:
    """The catalogue of what departments hold."""


@app.command("check")
def check_command(
    file: File,
    denial_basis: DenialLevels = None,
    condition_basis: ConditionLevels = None,
    condition_without_basis: NoBasis = False,
    language: Speech = Language.EN,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Say everything that is wrong with a catalogue's file, by row and column (exit code 1 if any)."""
    rules = _rules(denial_basis, condition_basis, condition_without_basis)
    read, source = _read(file, rules)
    found = read.found if isinstance(read, Rejected) else ()
    if wants_json(as_json, output):
        emit_json(_checked(file, read, source))
    else:
        _print_checked(read, source, language)
    if found:
        raise typer.Exit(ExitCode.NEGATIVE)


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to write: .csv or .xlsx.")],
    definitions: Folder = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Write what the definitions say as a catalogue; what nobody declared stays empty for the clerk."""
    folder = definitions or packaged_definitions()
    declared = _definitions(folder)
    if file.exists() and not force:
        raise CommandFailed(
            ExitCode.REFUSED, "the file is there already", str(file), "name another, or give --force"
        )
    entries = _loaded(lambda: tuple(drafts(declared, load_register(folder))))
    rows = _written(file, entries)
    answer = {"file": str(file), "entries": len(entries), "rows": rows}
    if wants_json(as_json, output):
        emit_json(answer)
    else:
        table("Written", tuple(answer), [tuple(answer.values())])


@app.command("compare")
def compare_command(
    file: File,
    definitions: Folder = None,
    denial_basis: DenialLevels = None,
    condition_basis: ConditionLevels = None,
    condition_without_basis: NoBasis = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List entries without a topic, topics without an entry and where both differ (exit code 1 if any)."""
    declared = _definitions(definitions or packaged_definitions())
    entries = _accepted(file, _rules(denial_basis, condition_basis, condition_without_basis))
    names = {str(id_): provider.titles.zh for id_, provider in declared.providers.items()}
    mounted = compare(entries, declared.resources.values(), names)
    if wants_json(as_json, output):
        emit_json(_compared(mounted))
    else:
        _print_compared(mounted)
    if not mounted.agrees:
        raise typer.Exit(ExitCode.NEGATIVE)


@app.command("duties")
def duties_command(
    file: File,
    denial_basis: DenialLevels = None,
    condition_basis: ConditionLevels = None,
    condition_without_basis: NoBasis = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List what each department must collect, and what several collect (exit code 1 if there is any)."""
    entries = _accepted(file, _rules(denial_basis, condition_basis, condition_without_basis))
    duties, doubled = responsibility_list(entries), double_collections(entries)
    if wants_json(as_json, output):
        emit_json(_duties(duties, doubled))
    else:
        _print_duties(duties, doubled)
    if doubled:
        raise typer.Exit(ExitCode.NEGATIVE)


def _accepted(file: Path, rules: CatalogueRules) -> tuple[Entry, ...]:
    """The entries of a file in which nothing is wrong."""
    read, _ = _read(file, rules)
    if isinstance(read, Imported):
        return read.entries
    what = f"{len(read.found)} problems in the file, so nothing of it is used"
    raise CommandFailed(ExitCode.REFUSED, what, str(file), f"`govbus catalogue check {file}` names them")


def _rules(
    denial: list[BasisLevel] | None, condition: list[BasisLevel] | None, without_basis: bool
) -> CatalogueRules:
    return CatalogueRules(
        denial_levels=frozenset(denial or NATIONAL_LEVELS),
        condition_levels=frozenset(condition or NATIONAL_LEVELS),
        condition_needs_basis=not without_basis,
    )


def _read(file: Path, rules: CatalogueRules) -> tuple[Imported | Rejected, Source]:
    try:
        with _progress() as moved:
            return read_catalogue(file, rules, moved)
    except NameAFile as error:
        remedy = "save it as .xlsx or as CSV in UTF-8"
        raise CommandFailed(ExitCode.USAGE, str(error), "FILE", remedy) from error
    except OSError as error:
        raise CommandFailed(
            ExitCode.USAGE, error.strerror or "it cannot be read", str(file), "check the file"
        ) from error


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Rows that were reached, on a terminal only."""
    console = Console(stderr=True, emoji=False)
    columns = (SpinnerColumn(), TextColumn("row {task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def moved(row: int) -> None:
            if row % _EVERY == 0:
                bar.update(task, completed=row)

        yield moved


def _written(file: Path, entries: tuple[Entry, ...]) -> int:
    try:
        return write_catalogue(file, entries)
    except NameAFile as error:
        raise CommandFailed(ExitCode.USAGE, str(error), "FILE", "name a .csv or .xlsx file") from error
    except TooMuchForExcel as error:
        raise CommandFailed(ExitCode.REFUSED, str(error), str(file), "write a .csv file") from error
    except OSError as error:
        what = error.strerror or str(error) or "it cannot be written"
        raise CommandFailed(ExitCode.USAGE, what, str(file), "name a folder that you may write to") from error


def _definitions(folder: Path) -> Definitions:
    return _loaded(lambda: load_definitions(folder))


def _loaded(load: Callable[[], Loaded]) -> Loaded:
    try:
        return load()
    except DefinitionsInvalid as error:
        raise CommandFailed(ExitCode.USAGE, str(error), "", "correct the definitions") from error


def _checked(file: Path, read: Imported | Rejected, source: Source) -> dict[str, Any]:
    found = read.found if isinstance(read, Rejected) else ()
    return {
        "file": str(file),
        "format": source.form,
        "encoding": source.encoding,
        "sheet": source.sheet,
        "other_sheets": source.other_sheets,
        "valid": not found,
        "entries": read.entries if isinstance(read, Rejected) else len(read.entries),
        "rows": read.rows,
        "by_rule": dict(sorted(Counter(each.problem.rule.value for each in found).items())),
        "problems": [_problem(each) for each in found],
    }


def _problem(found: Found) -> dict[str, Any]:
    problem = found.problem
    named = problem.field
    return {
        "rule": problem.rule.value,
        "row": found.row,
        "column": found.column,
        "entry": found.entry or None,
        "field": None if named is None else {"id": named.value, "zh": label(named), "en": label(named, _EN)},
        "value": problem.value,
        "problem": {each.value: problem.what(each) for each in Language},
        "remedy": {each.value: problem.remedy(each) for each in Language},
    }


def _print_checked(read: Imported | Rejected, source: Source, language: Language) -> None:
    if source.encoding:
        note(f"read as {source.encoding}")
    if source.other_sheets:
        note(f"read the sheet {source.sheet}; not read: {', '.join(source.other_sheets)}")
    if isinstance(read, Imported):
        table("Nothing is wrong", ("entries", "rows"), [(len(read.entries), read.rows)])
        return
    shown = read.found[:_SHOWN]
    rows = [_told(each, language) for each in shown]
    title = f"{len(read.found)} problems in {read.entries} entries, {read.rows} rows"
    table(title, ("row", "entry", "field", "value", "problem", "what to do", "rule"), rows)
    if len(read.found) > len(shown):
        note(f"{len(read.found) - len(shown)} more are not shown; --json gives all")


def _told(found: Found, language: Language) -> tuple[str, ...]:
    problem, field = found.problem, found.problem.field
    return (
        "" if found.row is None else f"{found.row}",
        found.entry,
        "" if field is None else f"{label(field)} {label(field, _EN)}",
        problem.shown,
        problem.what(language),
        problem.remedy(language),
        problem.rule.value,
    )


def _compared(mounted: Mounted) -> dict[str, Any]:
    return {
        "agrees": mounted.agrees,
        "matched": [{"code": str(code), "resource": id_} for code, id_ in mounted.matched],
        "without_topic": [
            {"code": None if each.code is None else str(each.code), "name": each.name}
            for each in mounted.without_topic
        ],
        "without_entry": [
            {"resource": each.id, "code": each.code, "topic": each.canonical_topic, "name": each.titles.zh}
            for each in mounted.without_entry
        ],
        "differences": [
            {
                "resource": each.resource,
                "code": str(each.code),
                "what": each.what.value,
                "entry": each.entry,
                "definition": each.definition,
            }
            for each in mounted.differences
        ],
    }


def _duties(duties: Mapping[str, Sequence[Duty]], doubled: Sequence[DoubleCollection]) -> dict[str, Any]:
    return {
        "departments": [
            {
                "department": name,
                "duties": [
                    {
                        "code": str(each.code),
                        "entry": each.entry,
                        "item": each.item,
                        "key": each.key,
                        "update_cycle": each.update_cycle.value if each.update_cycle else None,
                    }
                    for each in of_department
                ],
            }
            for name, of_department in duties.items()
        ],
        "collected_twice": [
            {
                "item": each.item,
                "places": [
                    {"department": at.department, "code": str(at.code), "entry": at.entry, "item": at.item}
                    for at in each.places
                ],
            }
            for each in doubled
        ],
    }


def _print_duties(duties: Mapping[str, Sequence[Duty]], doubled: Sequence[DoubleCollection]) -> None:
    rows = [
        (name, each.entry, each.item, "" if each.update_cycle is None else word(each.update_cycle))
        for name, of_department in duties.items()
        for each in of_department
    ]
    table("What each department must collect", ("department", "entry", "item", "update cycle"), rows)
    twice = [(each.item, at.department, at.entry, at.item) for each in doubled for at in each.places]
    table("What several departments collect", ("item", "department", "entry", "as"), twice)


def _print_compared(mounted: Mounted) -> None:
    table("Matched", ("code", "resource"), [(str(code), id_) for code, id_ in mounted.matched])
    alone = [(str(each.code or ""), each.name) for each in mounted.without_topic]
    table("Entries without a topic", ("code", "name"), alone)
    hidden = [(each.code, each.id, each.titles.zh) for each in mounted.without_entry]
    table("Topics without an entry", ("code", "resource", "name"), hidden)
    rows = [
        (str(each.code), each.resource, each.what.value, each.entry, each.definition)
        for each in mounted.differences
    ]
    table("Differences", ("code", "resource", "what", "entry", "definition"), rows)
