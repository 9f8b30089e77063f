"""The entries of the store one after another, in the order of their codes: for files and lists of duties."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Tuple, select, tuple_

from services.control.catalogue.directories import Directory
from services.control.catalogue.entry import Entry, EntryItem
from services.control.catalogue.vocabulary import OpenType
from services.control.store.catalogue.documents import entry_of, item_of
from services.control.store.catalogue.tables import ENTRIES, ITEMS, VERSIONS
from topics.resource import ShareType

_AT_ONCE: Final = 500


class Which(StrEnum):
    """Which version of an entry is wanted."""

    PUBLISHED = "published"
    """What counts; an entry without a published version is left out."""
    NEWEST = "newest"
    """What was written last, published or not."""


def entries_of(
    connection: Connection,
    which: Which,
    within: Sequence[ColumnElement[bool]] = (),
    after: str = "",
    at_once: int = _AT_ONCE,
) -> Iterator[Entry]:
    """Each entry in one version, read some hundred at a time.

    Args:
        connection: inside the caller's transaction.
        which: the version.
        within: conditions on the rows by which entries are listed.
        after: only those whose place in the order of codes is behind this one.
        at_once: how many are read with one question.
    """
    wanted = ENTRIES.c[which.value]
    place = tuple_(ENTRIES.c.sort_key, ENTRIES.c.id)
    last: Tuple | None = None
    while True:
        statement = (
            select(ENTRIES.c.id, ENTRIES.c.sort_key, VERSIONS.c.number, VERSIONS.c.document)
            .join(VERSIONS, (VERSIONS.c.entry_id == ENTRIES.c.id) & (VERSIONS.c.number == wanted))
            .where(ENTRIES.c.sort_key > after, *within)
            .order_by(ENTRIES.c.sort_key, ENTRIES.c.id)
            .limit(at_once)
        )
        rows = connection.execute(statement if last is None else statement.where(place > last)).all()
        items = _items(connection, [(row.id, row.number) for row in rows])
        for row in rows:
            yield entry_of(row.document, items.get(row.id, ()))
        if len(rows) < at_once:
            return
        last = tuple_(rows[-1].sort_key, rows[-1].id)


def standing_in(directory: Directory) -> tuple[ColumnElement[bool], ...]:
    """Which published entries may stand in a directory; ``belongs`` decides."""
    shared = ENTRIES.c.share_type != ShareType.NOT_SHARED.value
    match directory:
        case Directory.SHARE:
            return (shared,)
        case Directory.OPEN:
            return shared, ENTRIES.c.open_type.in_([OpenType.UNCONDITIONAL.value, OpenType.CONDITIONAL.value])
        case Directory.NOT_SHARED:
            return (~shared,)


def collected_by(department: str) -> ColumnElement[bool]:
    """Published entries with an item that the department of this name collects."""
    own = (ITEMS.c.entry_id == ENTRIES.c.id) & (ITEMS.c.number == ENTRIES.c.published)
    items = select(ITEMS.c.entry_id).where(own, ITEMS.c.owner == department)
    return (ENTRIES.c.provider == department) | items.correlate(ENTRIES).exists()


def collectors(connection: Connection) -> list[str]:
    """The names of the departments that have to collect anything of what is published."""
    published = ENTRIES.c.published.is_not(None)
    own = (ITEMS.c.entry_id == ENTRIES.c.id) & (ITEMS.c.number == ENTRIES.c.published)
    owners = select(ITEMS.c.owner).join(ENTRIES, own).where(published, ITEMS.c.owner != "")
    wanted = select(ENTRIES.c.provider).where(published).union(owners)
    return sorted(connection.execute(wanted).scalars())


def _items(connection: Connection, versions: Sequence[tuple[UUID, int]]) -> dict[UUID, list[EntryItem]]:
    found: dict[UUID, list[EntryItem]] = defaultdict(list)
    if not versions:
        return found
    statement = select(ITEMS).where(tuple_(ITEMS.c.entry_id, ITEMS.c.number).in_(versions))
    for row in connection.execute(statement.order_by(ITEMS.c.position)):
        found[row.entry_id].append(item_of(row))
    return found
