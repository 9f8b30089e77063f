"""A catalogue as a file of DCAT-AP in JSON-LD, written one dataset after the other."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from services.control.catalogue.dcat import Catalogue, dcat_text
from services.control.catalogue.entry import Entry
from services.control.catalogue.files import write_whole


def write_dcat(path: Path, catalogue: Catalogue, entries: Iterable[Entry]) -> int:
    """Write the file and return its number of datasets; what stood there before stays until it is complete.

    Raises:
        NotDescribable: an entry lacks what a dataset must say.
        OSError: the file cannot be written.
    """

    def write(draft: Path) -> int:
        with draft.open("w", encoding="utf-8") as file:
            return put_dcat(file, catalogue, entries)

    return write_whole(path, write)


def put_dcat(file: TextIO, catalogue: Catalogue, entries: Iterable[Entry]) -> int:
    """Write the document to an open file and return its number of datasets.

    Raises:
        NotDescribable: an entry lacks what a dataset must say.
    """
    count = 0

    def counted() -> Iterator[Entry]:
        nonlocal count
        for entry in entries:
            count += 1
            yield entry

    file.writelines(dcat_text(catalogue, counted()))
    return count
