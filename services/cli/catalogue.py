"""`govbus catalogue`: checks a catalogue's file, exports definitions or the store as one, compares both."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from services.cli import catalogue_demand, catalogue_objection, catalogue_retire, catalogue_store
from services.cli.catalogue_directory import directory_command
from services.cli.catalogue_export import ExportForm, export_of, written
from services.cli.catalogue_input import (
    ConditionLevels,
    DenialLevels,
    File,
    NoBasis,
    Speech,
    TableWords,
    read_file,
    rules_of,
)
from services.cli.catalogue_schemas import schemas_command
from services.cli.catalogue_view import (
    checked,
    compared,
    duties_answer,
    print_checked,
    print_compared,
    print_duties,
)
from services.cli.control import open_control
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
from services.control.catalogue.fulfilment import Seen, judged
from services.control.catalogue.importing import Imported, Rejected
from services.control.catalogue.mounting import compare
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.register import load_register
from services.control.catalogue.vocabulary import Language
from services.control.definitions import (
    Definitions,
    DefinitionsInvalid,
    load_definitions,
    packaged_definitions,
)
from services.control.store import snapshots
from services.control.store.catalogue.exporting import Which, entries_of
from services.control.store.snapshots import Kind

app = typer.Typer(help="The catalogue of what departments hold.", no_args_is_help=True)
catalogue_store.register(app)
catalogue_retire.register(app)
app.add_typer(catalogue_demand.app, name="demand")
app.add_typer(catalogue_objection.app, name="objection")
app.command("directory")(directory_command)
app.command("schemas")(schemas_command)

Loaded = TypeVar("Loaded")

Folder = Annotated[
    Path | None,
    typer.Option(
        "--definitions", exists=True, file_okay=False, help="Folder of definitions; the sample city's if not."
    ),
]
FileOrStore = Annotated[
    Path | None,
    typer.Argument(
        exists=True,
        dir_okay=False,
        readable=True,
        help="A .csv or .xlsx file; what the store has published if not given.",
    ),
]


class Origin(StrEnum):
    """Where an export comes from."""

    DEFINITIONS = "definitions"
    PUBLISHED = "published"
    NEWEST = "newest"


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
    rules = rules_of(denial_basis, condition_basis, condition_without_basis)
    read, source = read_file(file, rules)
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
    origin: Annotated[
        Origin,
        typer.Option("--from", help="What the definitions say, or a version of each entry of the store."),
    ] = Origin.DEFINITIONS,
    source: Annotated[
        Path | None,
        typer.Option("--table", exists=True, dir_okay=False, help="A catalogue's file instead of both."),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", help="With dcat: the address that identifiers begin with.")
    ] = None,
    publisher: Annotated[
        str | None, typer.Option("--publisher", help="With dcat: who publishes the catalogue.")
    ] = None,
    language: TableWords = Language.ZH,
    definitions: Folder = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Write a catalogue: of the definitions, where what nobody declared stays empty, or of the store."""
    export = export_of(file, form, base, publisher, force, language)
    if export.file is None and wants_json(as_json, output):
        remedy = "name a file, or drop --json: the document is JSON itself"
        raise CommandFailed(ExitCode.USAGE, "the answer tells of a file", "--json", remedy)
    entries = _exported(source, origin, definitions)
    rows = written(export, entries)
    if export.file is None:
        return
    answer = {"file": str(export.file), "entries": len(entries), "rows": rows}
    if wants_json(as_json, output):
        emit_json(answer)
    else:
        table("Written", tuple(answer), [tuple(answer.values())])


def _exported(source: Path | None, origin: Origin, definitions: Path | None) -> tuple[Entry, ...]:
    """The entries of the one source that was named."""
    from_store = origin is not Origin.DEFINITIONS
    if (source is not None) + from_store + (definitions is not None) > 1:
        where = "--table, --from, --definitions"
        raise CommandFailed(ExitCode.USAGE, "there is more than one source", where, "give one")
    if source is not None:
        return _accepted(source, CatalogueRules())
    return _of_store(Which(origin.value)) if from_store else _of_definitions(definitions)


@app.command("compare")
def compare_command(
    file: FileOrStore = None,
    definitions: Folder = None,
    denial_basis: DenialLevels = None,
    condition_basis: ConditionLevels = None,
    condition_without_basis: NoBasis = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List entries without a topic, topics without an entry and where both differ (exit code 1 if any)."""
    declared = _definitions(definitions or packaged_definitions())
    entries = _accepted(file, rules_of(denial_basis, condition_basis, condition_without_basis))
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
    file: FileOrStore = None,
    denial_basis: DenialLevels = None,
    condition_basis: ConditionLevels = None,
    condition_without_basis: NoBasis = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """List what each department must collect and whether it does, and what several collect (exit code 1).

    Whether a duty is fulfilled is judged for the store's entries, by what the control process saw of the bus.
    """
    entries = _accepted(file, rules_of(denial_basis, condition_basis, condition_without_basis))
    seen = {} if file is not None else _mounted()
    duties = {name: judged(each, seen) for name, each in responsibility_list(entries).items()}
    doubled = double_collections(entries)
    if wants_json(as_json, output):
        emit_json(duties_answer(duties, doubled))
    else:
        print_duties(duties, doubled)
    if doubled:
        raise typer.Exit(ExitCode.NEGATIVE)


def _accepted(file: Path | None, rules: CatalogueRules) -> tuple[Entry, ...]:
    """The entries of a file in which nothing is wrong, or those that the store has published."""
    if file is None:
        return _of_store(Which.PUBLISHED)
    read, _ = read_file(file, rules)
    if isinstance(read, Imported):
        return read.entries
    what = f"{len(read.found)} problems in the file, so nothing of it is used"
    raise CommandFailed(ExitCode.REFUSED, what, str(file), f"`govbus catalogue check {file}` names them")


def _of_definitions(folder: Path | None) -> tuple[Entry, ...]:
    where = folder or packaged_definitions()
    declared = _definitions(where)
    return _loaded(lambda: tuple(drafts(declared, load_register(where))))


def _of_store(which: Which) -> tuple[Entry, ...]:
    with open_control() as database, database.reading() as connection:
        return tuple(entries_of(connection, which))


def _mounted() -> Seen:
    """What the control process saw of each entry."""
    with open_control() as database, database.reading() as connection:
        return snapshots.all_of(connection, Kind.MOUNTING).documents


def _definitions(folder: Path) -> Definitions:
    return _loaded(lambda: load_definitions(folder))


def _loaded(load: Callable[[], Loaded]) -> Loaded:
    try:
        return load()
    except DefinitionsInvalid as error:
        raise CommandFailed(ExitCode.USAGE, str(error), "", "correct the definitions") from error
