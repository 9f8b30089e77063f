"""`govbus catalogue export`: a catalogue as a table, or as DCAT-AP for other catalogues."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from services.cli.output import CommandFailed, ExitCode, note
from services.control.catalogue.dcat import NOWHERE, Catalogue, NotABase, NotDescribable, require_describable
from services.control.catalogue.dcat_file import put_dcat, write_dcat
from services.control.catalogue.entry import Entry
from services.control.catalogue.files import SUFFIXES, NameAFile, write_catalogue
from services.control.catalogue.vocabulary import Language
from services.control.catalogue.xlsx_file import TooMuchForExcel

_DCAT_SUFFIX: Final = ".jsonld"
PUBLISHER: Final = "政务数据主管部门"
"""The authority by its role, where nobody says its name."""


class ExportForm(StrEnum):
    """The forms of an export; without one the file's suffix decides."""

    TABLE = "table"
    DCAT = "dcat"


@dataclass(frozen=True, slots=True)
class Export:
    """What to write and where; None is standard output."""

    file: Path | None
    form: ExportForm
    base: str
    publisher: str
    language: Language = Language.ZH
    """Of headings and words of closed lists in a table."""


def export_of(
    file: Path | None,
    form: ExportForm | None,
    base: str | None,
    publisher: str | None,
    force: bool,
    language: Language = Language.ZH,
) -> Export:
    """Check what was asked for, before anything is read.

    Raises:
        CommandFailed: there is no file for a table, the file is there already, or an option does not belong.
    """
    is_dcat = form is ExportForm.DCAT or (form is None and file is not None and file.suffix == _DCAT_SUFFIX)
    if file is None and not is_dcat:
        remedy = "name a .csv or .xlsx file, or add --format dcat"
        raise CommandFailed(ExitCode.USAGE, "a table is written to a file", "FILE", remedy)
    if not is_dcat and (base or publisher):
        remedy = "add --format dcat, or drop it"
        raise CommandFailed(ExitCode.USAGE, "it belongs to --format dcat", "--base, --publisher", remedy)
    if file is not None and file.exists() and not force:
        remedy = "name another, or give --force"
        raise CommandFailed(ExitCode.REFUSED, "the file is there already", str(file), remedy)
    if is_dcat and base is None:
        note(f"identifiers begin with {NOWHERE}, which nobody can reach: give --base")
    chosen = ExportForm.DCAT if is_dcat else ExportForm.TABLE
    return Export(file, chosen, base or NOWHERE, publisher or PUBLISHER, language)


def written(export: Export, entries: Sequence[Entry]) -> int:
    """Write the entries and return the number of rows, of DCAT the number of datasets.

    Raises:
        CommandFailed: they cannot be written, with what to do about it.
    """
    if export.form is ExportForm.DCAT:
        return _saved(lambda: _dcat(export, entries), export.file)
    file = export.file or Path()
    return _saved(lambda: write_catalogue(file, entries, export.language), file)


def _dcat(export: Export, entries: Sequence[Entry]) -> int:
    try:
        catalogue = Catalogue(export.base.rstrip("/"), export.publisher)
        if export.file is None:
            for entry in entries:
                require_describable(entry)  # What was printed cannot be taken back.
            return put_dcat(sys.stdout, catalogue, entries)
        return write_dcat(export.file, catalogue, entries)
    except NotABase as error:
        remedy = "give an address such as https://data.example.gov.cn/catalogue"
        raise CommandFailed(ExitCode.USAGE, str(error), "--base", remedy) from error
    except NotDescribable as error:
        remedy = "fill it in; `govbus catalogue check` names everything that is missing"
        raise CommandFailed(ExitCode.REFUSED, str(error), "", remedy) from error


def _saved(write: Callable[[], int], file: Path | None) -> int:
    try:
        return write()
    except NameAFile as error:
        remedy = f"name a {' or '.join(SUFFIXES)} file"
        raise CommandFailed(ExitCode.USAGE, str(error), "FILE", remedy) from error
    except TooMuchForExcel as error:
        raise CommandFailed(ExitCode.REFUSED, str(error), str(file), "write a .csv file") from error
    except OSError as error:
        what = error.strerror or str(error) or "it cannot be written"
        remedy = "name a folder that you may write to"
        raise CommandFailed(ExitCode.USAGE, what, str(file or "standard output"), remedy) from error
