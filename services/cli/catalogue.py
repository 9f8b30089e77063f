"""`govbus catalogue`: checks a catalogue's file, exports the definitions as one, compares both."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli.catalogue_export import ExportForm, export_of, written
from services.cli.catalogue_view import (
    checked,
    compared,
    duties_answer,
    print_checked,
    print_compared,
    print_duties,
)
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    table,
    wants_json,
)
from services.control.catalogue.drafting import drafts
from services.control.catalogue.duties import double_collections, responsibility_list
from services.control.catalogue.entry import Entry
from services.control.catalogue.files import NameAFile, Source, read_catalogue
from services.control.catalogue.importing import Imported, Rejected
from services.control.catalogue.mounting import compare
from services.control.catalogue.parameters import NATIONAL_LEVELS, CatalogueRules
from services.control.catalogue.register import load_register
from services.control.catalogue.vocabulary import BasisLevel, Language
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
        emit_json(checked(file, read, source))
    else:
        print_checked(read, source, language)
    if found:
        raise typer.Exit(ExitCode.NEGATIVE)


@app.command("export")
def export_command(
    file: Annotated[
        Path | None,
        typer.Argument(
            dir_okay=False, help="Where to write: .csv, .xlsx, .jsonld; dcat without it is printed."
        ),
    ] = None,
    form: Annotated[
        ExportForm | None, typer.Option("--format", help="What to write; the file's suffix decides if not.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", exists=True, dir_okay=False, help="A catalogue's file instead of the definitions."
        ),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", help="With dcat: the address that identifiers begin with.")
    ] = None,
    publisher: Annotated[
        str | None, typer.Option("--publisher", help="With dcat: who publishes the catalogue.")
    ] = None,
    definitions: Folder = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Write what the definitions say as a catalogue; what nobody declared stays empty for the clerk."""
    export = export_of(file, form, base, publisher, force)
    if export.file is None and wants_json(as_json, output):
        remedy = "name a file, or drop --json: the document is JSON itself"
        raise CommandFailed(ExitCode.USAGE, "the answer tells of a file", "--json", remedy)
    if source is not None and definitions is not None:
        raise CommandFailed(ExitCode.USAGE, "there are two sources", "--from, --definitions", "give one")
    entries = _accepted(source, CatalogueRules()) if source else _drafted(definitions)
    rows = written(export, entries)
    if export.file is None:
        return
    answer = {"file": str(export.file), "entries": len(entries), "rows": rows}
    if wants_json(as_json, output):
        emit_json(answer)
    else:
        table("Written", tuple(answer), [tuple(answer.values())])


def _drafted(definitions: Path | None) -> tuple[Entry, ...]:
    """The entries that the definitions say by themselves."""
    folder = definitions or packaged_definitions()
    declared = _definitions(folder)
    return _loaded(lambda: tuple(drafts(declared, load_register(folder))))


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
        emit_json(compared(mounted))
    else:
        print_compared(mounted)
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
        emit_json(duties_answer(duties, doubled))
    else:
        print_duties(duties, doubled)
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


def _definitions(folder: Path) -> Definitions:
    return _loaded(lambda: load_definitions(folder))


def _loaded(load: Callable[[], Loaded]) -> Loaded:
    try:
        return load()
    except DefinitionsInvalid as error:
        raise CommandFailed(ExitCode.USAGE, str(error), "", "correct the definitions") from error
