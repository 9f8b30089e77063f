"""What is derived of the catalogue: its published directories, and the duties with how each is fulfilled."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from services.api.parts import Parts
from services.api.security.asking import permit
from services.api.uses.reach import own
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal
from services.control.catalogue.directories import Directory, csv_lines, directory_of, line_of
from services.control.catalogue.duties import responsibility_list
from services.control.catalogue.entry import Entry
from services.control.catalogue.fulfilment import Judged, judged
from services.control.catalogue.vocabulary import Language
from services.control.store import snapshots
from services.control.store.accounts.departments import department_of
from services.control.store.catalogue.exporting import (
    Which,
    collected_by,
    collectors,
    entries_of,
    standing_in,
)
from services.control.store.snapshots import Kind


class DirectoryForm(StrEnum):
    """The forms in which a directory is written; the value is the suffix."""

    CSV = "csv"
    JSON = "json"

    @property
    def media_type(self) -> str:
        """What the web calls it."""
        return "text/csv; charset=utf-8" if self is DirectoryForm.CSV else "application/json"


@dataclass(frozen=True, slots=True)
class Some:
    """Some entries of a directory, and the code after which the next ones come; None after the last."""

    entries: tuple[Entry, ...]
    following: str | None


@dataclass(frozen=True, slots=True)
class Duties:
    """What departments must collect and how it stands, by what was seen at ``as_of``; None: never."""

    departments: Mapping[str, tuple[Judged, ...]]
    as_of: datetime | None
    names: tuple[str, ...]
    """All departments that must collect anything."""


def directory(parts: Parts, principal: Principal, which: Directory, after: str = "", limit: int = 50) -> Some:
    """Published entries of a directory by their codes."""
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.reading() as connection:
        read = entries_of(connection, Which.PUBLISHED, standing_in(which), after, limit + 1)
        found = tuple(islice(directory_of(read, which), limit + 1))
    following = str(found[limit - 1].code) if len(found) > limit else None
    return Some(found[:limit], following)


@contextmanager
def directory_file(
    parts: Parts,
    principal: Principal,
    which: Directory,
    form: DirectoryForm,
    language: Language = Language.ZH,
) -> Iterator[Path]:
    """A whole directory as a file that is gone afterwards, in the words of a language.

    Raises:
        AnswerProblem: somebody may not.
    """
    permit(parts, principal, Action.CATALOGUE_EXPORT, own(principal))
    with TemporaryDirectory(prefix="govbus-directory-") as folder:
        path = Path(folder) / f"{which.value}.{form.value}"
        with parts.database.reading() as connection, path.open("wb") as file:
            entries = entries_of(connection, Which.PUBLISHED, standing_in(which))
            lines = csv_lines if form is DirectoryForm.CSV else json_pieces
            file.writelines(lines(entries, which, language))
        yield path


def json_pieces(
    entries: Iterable[Entry], which: Directory, language: Language = Language.ZH
) -> Iterator[bytes]:
    """A directory as one JSON object, written piece by piece."""
    yield f'{{"directory": "{which.value}", "entries": ['.encode()
    for number, entry in enumerate(directory_of(entries, which)):
        yield b", " if number else b""
        yield json.dumps(line_of(entry, which, language), ensure_ascii=False).encode()
    yield b"]}\n"


def duties(parts: Parts, principal: Principal, department: str | None = None) -> Duties:
    """The responsibility list of what is published, each duty judged by what was seen of its entry.

    Args:
        parts: what requests are answered with.
        principal: who asks.
        department: only that of the department of this name; of all without one.
    """
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.reading() as connection:
        within = () if department is None else (collected_by(department),)
        lists = responsibility_list(entries_of(connection, Which.PUBLISHED, within))
        wanted = {name: each for name, each in lists.items() if department in (None, name)}
        codes = {str(duty.code) for each in wanted.values() for duty in each}
        seen = snapshots.some_of(connection, Kind.MOUNTING, codes)
        names = tuple(collectors(connection))
    return Duties({name: judged(each, seen.documents) for name, each in wanted.items()}, seen.as_of, names)


def own_name(parts: Parts, principal: Principal) -> str:
    """The name by which entries know the reader's department; empty where it has none."""
    with parts.database.reading() as connection:
        found = department_of(connection, principal.department)
    return "" if found is None else found.zh
