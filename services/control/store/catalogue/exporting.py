"""The entries of the store one after another, in the order of their codes: for files and lists of duties."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Tuple, select, tuple_

from services.control.catalogue.entry import Entry, EntryItem
from services.control.store.catalogue.documents import entry_of, item_of
from services.control.store.catalogue.tables import ENTRIES, ITEMS, VERSIONS

_AT_ONCE: Final = 500


class Which(StrEnum):
    """Which version of an entry is wanted."""

    PUBLISHED = "published"
    """What counts; an entry without a published version is left out."""
    NEWEST = "newest"
    """What was written last, published or not."""


def entries_of(connection: Connection, which: Which) -> Iterator[Entry]:
    """Each entry in one version, read some hundred at a time."""
    wanted = ENTRIES.c[which.value]
    place = tuple_(ENTRIES.c.sort_key, ENTRIES.c.id)
    last: Tuple | None = None
    while True:
        statement = (
            select(ENTRIES.c.id, ENTRIES.c.sort_key, VERSIONS.c.number, VERSIONS.c.document)
            .join(VERSIONS, (VERSIONS.c.entry_id == ENTRIES.c.id) & (VERSIONS.c.number == wanted))
            .order_by(ENTRIES.c.sort_key, ENTRIES.c.id)
            .limit(_AT_ONCE)
        )
        rows = connection.execute(statement if last is None else statement.where(place > last)).all()
        items = _items(connection, [(row.id, row.number) for row in rows])
        for row in rows:
            yield entry_of(row.document, items.get(row.id, ()))
        if len(rows) < _AT_ONCE:
            return
        last = tuple_(rows[-1].sort_key, rows[-1].id)


def _items(connection: Connection, versions: Sequence[tuple[UUID, int]]) -> dict[UUID, list[EntryItem]]:
    found: dict[UUID, list[EntryItem]] = defaultdict(list)
    if not versions:
        return found
    statement = select(ITEMS).where(tuple_(ITEMS.c.entry_id, ITEMS.c.number).in_(versions))
    for row in connection.execute(statement.order_by(ITEMS.c.position)):
        found[row.entry_id].append(item_of(row))
    return found
