"""What commands on catalogues take: a file, the authority's rules, and progress while it is read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli.output import CommandFailed, ExitCode
from services.control.catalogue.files import NameAFile, Source, read_catalogue
from services.control.catalogue.importing import Imported, Rejected
from services.control.catalogue.parameters import NATIONAL_LEVELS, CatalogueRules
from services.control.catalogue.vocabulary import BasisLevel, Language

_EVERY: Final = 500
"""Rows between two movements of the progress."""

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A .csv or .xlsx file.")
]
Speech = Annotated[Language, typer.Option("--language", help="Language of problems and remedies.")]
TableWords = Annotated[
    Language, typer.Option("--language", help="Of headings and words; the official form is Chinese.")
]
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


def rules_of(
    denial: list[BasisLevel] | None, condition: list[BasisLevel] | None, without_basis: bool
) -> CatalogueRules:
    """The rules that the options name."""
    return CatalogueRules(
        denial_levels=frozenset(denial or NATIONAL_LEVELS),
        condition_levels=frozenset(condition or NATIONAL_LEVELS),
        condition_needs_basis=not without_basis,
    )


def read_file(file: Path, rules: CatalogueRules) -> tuple[Imported | Rejected, Source]:
    """Read a catalogue's file.

    Raises:
        CommandFailed: it is no such file, or cannot be opened.
    """
    try:
        with moving("row") as moved:
            return read_catalogue(file, rules, lambda row: moved(row) if row % _EVERY == 0 else None)
    except NameAFile as error:
        remedy = "save it as .xlsx or as CSV in UTF-8"
        raise CommandFailed(ExitCode.USAGE, str(error), "FILE", remedy) from error
    except OSError as error:
        raise CommandFailed(
            ExitCode.USAGE, error.strerror or "it cannot be read", str(file), "check the file"
        ) from error


@contextmanager
def moving(what: str) -> Iterator[Callable[[int], None]]:
    """How many of something were reached, on a terminal only."""
    console = Console(stderr=True, emoji=False)
    columns = (SpinnerColumn(), TextColumn(f"{what} {{task.completed:,.0f}}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda reached: bar.update(task, completed=reached)
