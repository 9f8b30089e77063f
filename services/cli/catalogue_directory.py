"""`govbus catalogue directory`: what is shared, open, or not shared and why, of the published catalogue."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.cli.catalogue_input import TableWords
from services.cli.control import open_control
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
from services.control.catalogue.directories import Directory, csv_lines, directory_of, line_of
from services.control.catalogue.fields import Field, label
from services.control.catalogue.vocabulary import Language
from services.control.store.catalogue.exporting import Which, entries_of

_SUFFIXES: Final = (".csv", ".json")
_SHOWN: Final[Mapping[Directory, tuple[Field, ...]]] = {
    Directory.SHARE: (Field.SHARE_TYPE, Field.SHARE_CONDITION, Field.UPDATE_CYCLE),
    Directory.OPEN: (Field.OPEN_TYPE, Field.OPEN_CONDITION, Field.UPDATE_CYCLE),
    Directory.NOT_SHARED: (Field.BASIS_LEVEL, Field.BASIS),
}


def directory_command(
    directory: Annotated[Directory, typer.Argument(help="Which one.")],
    file: Annotated[
        Path | None,
        typer.Argument(dir_okay=False, help="Where to write it: .csv or .json; shown if not given."),
    ] = None,
    language: TableWords = Language.ZH,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Show or write a directory: what is shared, what is open, or what is not shared and why."""
    if file is not None:
        _check(file, force=force)
    with open_control() as database, database.reading() as connection:
        entries = tuple(directory_of(entries_of(connection, Which.PUBLISHED), directory))
    said = [line_of(each, directory, language) for each in entries]
    answer = {"directory": directory.value, "entries": said}
    if file is not None:
        _write(file, csv_lines(entries, directory, language), answer)
        note(f"{len(entries)} entries stand in {file}")
    if wants_json(as_json, output):
        emit_json(answer)
    elif file is None:
        fields = (Field.CODE, Field.NAME, Field.PROVIDER, *_SHOWN[directory])
        rows = [[line[each.value] for each in fields] for line in said]
        table(f"Directory: {directory.value}", [label(each, Language.EN) for each in fields], rows)


def _check(file: Path, *, force: bool) -> None:
    if file.suffix not in _SUFFIXES:
        what = f"{file.suffix or 'a file without suffix'} is no form of a directory"
        raise CommandFailed(ExitCode.USAGE, what, "FILE", f"name a {' or '.join(_SUFFIXES)} file")
    if file.exists() and not force:
        remedy = "name another, or give --force"
        raise CommandFailed(ExitCode.REFUSED, "the file is there already", str(file), remedy)


def _write(file: Path, lines: Iterable[bytes], answer: Mapping[str, Any]) -> None:
    try:
        if file.suffix == ".csv":
            with file.open("wb") as written:
                written.writelines(lines)
        else:
            file.write_text(json.dumps(answer, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        what = error.strerror or "it cannot be written"
        remedy = "name a folder that you may write to"
        raise CommandFailed(ExitCode.USAGE, what, str(file), remedy) from error
