"""The catalogue as files: one taken in whole or not at all, one written for others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.catalogue import note_contacts, own_provider
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal
from services.control.catalogue.dcat import Catalogue, NotDescribable
from services.control.catalogue.dcat_file import write_dcat
from services.control.catalogue.files import NameAFile, read_catalogue, write_catalogue
from services.control.catalogue.importing import Imported, Rejected
from services.control.catalogue.vocabulary import Language
from services.control.catalogue.xlsx_file import TooMuchForExcel
from services.control.store.catalogue.accepting import rules_now
from services.control.store.catalogue.exporting import Which, entries_of
from services.control.store.catalogue.loading import Against, Clash, Loaded, Loading, NotLoaded, load
from services.control.store.database import take_back

PUBLISHER: Final = "政务数据主管部门"
"""The authority by its role: who publishes the catalogue."""


class FileForm(StrEnum):
    """The forms in which a catalogue is written; the value is the suffix."""

    CSV = "csv"
    XLSX = "xlsx"
    DCAT = "jsonld"

    @property
    def media_type(self) -> str:
        """What the web calls it."""
        return {
            FileForm.CSV: "text/csv; charset=utf-8",
            FileForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            FileForm.DCAT: "application/ld+json",
        }[self]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file: what was read, and what was or would be written."""

    read: Imported | Rejected
    done: Loaded | NotLoaded | None
    dry_run: bool

    @property
    def imported(self) -> bool:
        """Whether it stands in the store now."""
        return isinstance(self.done, Loaded) and not self.dry_run

    @property
    def fits(self) -> bool:
        """Whether nothing stands against it."""
        return isinstance(self.done, Loaded)


def imported(parts: Parts, principal: Principal, path: Path, why: str, dry_run: bool) -> Report:
    """Take a file of the own department's entries into the store whole, as drafts, or nothing of it.

    Raises:
        AnswerProblem: somebody may not, or it is no such file.
    """
    permit(parts, principal, Action.CATALOGUE_IMPORT, own(principal))
    with parts.database.reading() as connection:
        rules = rules_now(connection, parts.catalogue_rules)
    try:
        read, _ = read_catalogue(path, rules)
    except NameAFile as error:
        raise AnswerProblem(Code.UNSUPPORTED) from error
    if isinstance(read, Rejected):
        return Report(read, None, dry_run)
    loading = Loading(principal.person, parts.clock(), why, rules, parts.new_id)
    with parts.database.begin() as connection:
        code = own_provider(connection, principal).credit_code
        strangers = tuple(_strangers(read, code))
        done = NotLoaded(strangers) if strangers else load(connection, read.entries, loading)
        if dry_run or isinstance(done, NotLoaded):
            take_back(connection)
    return Report(read, done, dry_run)


@contextmanager
def exported(
    parts: Parts, principal: Principal, form: FileForm, language: Language = Language.ZH
) -> Iterator[Path]:
    """What is published, as a file that is gone afterwards; the official form of a table is Chinese.

    Raises:
        AnswerProblem: somebody may not, or the form cannot hold it.
    """
    permit(parts, principal, Action.CATALOGUE_EXPORT, own(principal))
    with TemporaryDirectory(prefix="govbus-export-") as folder:
        path = Path(folder) / f"catalogue.{form.value}"
        if form is not FileForm.DCAT:
            # Owed before anything is written: what leaves names the contacts of every entry.
            with parts.database.begin() as connection:
                note_contacts(parts, connection, principal, "all")
        with parts.database.reading() as connection:
            entries = entries_of(connection, Which.PUBLISHED)
            if form is FileForm.DCAT:
                _written(lambda: write_dcat(path, _catalogue(parts), entries))
            else:
                _written(lambda: write_catalogue(path, entries, language))
        yield path


def _catalogue(parts: Parts) -> Catalogue:
    return Catalogue(f"{parts.settings.origin}/catalogue", PUBLISHER)


def _written(write: Callable[[], int]) -> None:
    try:
        write()
    except (NotDescribable, TooMuchForExcel) as error:
        raise AnswerProblem(Code.NOT_ACCEPTABLE, detail=str(error)) from error


def _strangers(read: Imported, code: str) -> Iterator[Clash]:
    """Entries of the file that are another department's."""
    for number, entry in enumerate(read.entries, start=1):
        if entry.provider.credit_code != code:
            name = entry.provider.name
            yield Clash(number, str(entry.code or ""), entry.name, Against.OTHER_DEPARTMENT, name)
