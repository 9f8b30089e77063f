"""How far each suspension and resumption has come, one file each: who is killed is continued there."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from services.control.credentials import write_owner_only

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


class JournalUnreadable(Exception):  # noqa: N818 - says what is the matter
    """A file of the journal is damaged; a suspension may be half done. Look at the file named."""


class Journal(Protocol):
    """Keeps documents by id; what is saved survives whoever saved it."""

    def save(self, key: str, document: Mapping[str, Any]) -> None:
        """Write the document whole or not at all."""
        ...

    def load(self, key: str) -> dict[str, Any] | None:
        """The document as it was saved last; None where there is none."""
        ...

    def keys(self) -> list[str]:
        """Every id, sorted; ids begin with their time, so the oldest comes first."""
        ...


@dataclass(frozen=True, slots=True)
class FileJournal:
    """One file per document, readable by its owner only."""

    folder: Path

    def save(self, key: str, document: Mapping[str, Any]) -> None:
        """Write the document whole or not at all."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_owner_only(self._path(key), json.dumps(document, ensure_ascii=False, indent=2) + "\n")

    def load(self, key: str) -> dict[str, Any] | None:
        """The document as it was saved last; None where there is none.

        Raises:
            JournalUnreadable: the file is not JSON.
        """
        path = self._path(key)
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise JournalUnreadable(f"{path}: {error}") from error
        return found

    def keys(self) -> list[str]:
        """Every id, sorted; ids begin with their time, so the oldest comes first."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def changes(self) -> tuple[tuple[str, int], ...]:
        """Tells whether anything was saved since: each document with the time of its last change."""
        found = ((path.stem, path.stat().st_mtime_ns) for path in self.folder.glob("*.json"))
        return tuple(sorted(found))

    def _path(self, key: str) -> Path:
        """No id leads out of the folder.

        Raises:
            ValueError: it is none of ours.
        """
        if not _ID.fullmatch(key):
            raise ValueError(f"not an id of a suspension: {key!r}")
        return self.folder / f"{key}.json"


def suspensions_path(home: Path) -> Path:
    """The folder of suspensions."""
    return home / "suspensions"


def resumptions_path(home: Path) -> Path:
    """The folder of resumptions."""
    return home / "resumptions"
