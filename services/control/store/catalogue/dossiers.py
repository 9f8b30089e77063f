"""Reads and writes the life of entries: every version, every step, and the row by which an entry is found.

Who changes an entry has read it before. If somebody else has changed it since, nothing is written. Each step
goes to the outbox in the same transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NewType, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Row, Select, Table, bindparam, delete, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from services.control.catalogue.entry import EntryItem, ResourceCode
from services.control.catalogue.lifecycle import Action, Actor, Dossier, Role, State, Step, Version
from services.control.store.catalogue.documents import document_of, entry_of, item_of, item_values
from services.control.store.catalogue.heads import head_of
from services.control.store.catalogue.tables import ENTRIES, ITEMS, STEPS, VERSIONS
from services.control.store.errors import ReadAgain
from services.control.store.outbox import Act, answering, append_all

EntryId = NewType("EntryId", UUID)
Element = TypeVar("Element")
KIND: Final = "catalogue-entry"
"""What an act calls an entry."""
_AT_ONCE: Final = 1_000
_UNIQUE: Final = "23505"


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as it was read; ``lock_version`` counts its changes."""

    id: EntryId
    lock_version: int
    dossier: Dossier


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an entry; ``before`` is None where it is new."""

    id: EntryId
    before: Stored | None
    after: Dossier
    recorder: str = ""
    """The account that enters it, where that is not the one that acts."""

    @property
    def stored(self) -> Stored:
        """The entry once the change is written."""
        return Stored(self.id, 1 if self.before is None else self.before.lock_version + 1, self.after)


def by_code(connection: Connection, code: ResourceCode) -> Stored | None:
    """The entry with this resource code."""
    return next(iter(by_codes(connection, [code]).values()), None)


def by_codes(connection: Connection, codes: Iterable[ResourceCode]) -> dict[str, Stored]:
    """The entries that there are of these codes, by code."""
    found: dict[str, Stored] = {}
    for some in _chunks([str(code) for code in codes]):
        rows = connection.execute(select(ENTRIES.c.id, ENTRIES.c.code).where(ENTRIES.c.code.in_(some)))
        codes_of = {row.id: row.code for row in rows}
        found |= {codes_of[stored.id]: stored for stored in by_ids(connection, list(codes_of))}
    return found


def by_id(connection: Connection, id_: EntryId) -> Stored | None:
    """The entry with this id."""
    return next(iter(by_ids(connection, [id_])), None)


def by_ids(connection: Connection, ids: Sequence[UUID]) -> list[Stored]:
    """The entries that there are of these ids, in no order."""
    if not ids:
        return []
    heads = connection.execute(
        select(ENTRIES.c.id, ENTRIES.c.department, ENTRIES.c.lock_version).where(ENTRIES.c.id.in_(ids))
    ).all()
    versions, steps = _versions(connection, ids), _steps(connection, ids)
    return [
        Stored(row.id, row.lock_version, Dossier(row.department, versions[row.id], steps[row.id]))
        for row in heads
    ]


def write(connection: Connection, changes: Sequence[Change]) -> None:
    """Write what becomes of entries: rows, versions, items, steps, and the acts that the ledger is owed.

    Raises:
        ReadAgain: somebody changed one of them since it was read, or took its code; nothing is written if the
            caller's transaction ends with this error.
    """
    for some in _chunks(changes):
        _lock(connection, some)
        try:
            _write_heads(connection, some)
        except IntegrityError as error:
            if getattr(error.orig, "pgcode", None) != _UNIQUE:
                raise
            raise ReadAgain("another entry has taken the same resource code meanwhile") from None
        _write_versions(connection, some)
        rows = [row for change in some for row in _new_steps(change)]
        if rows:
            connection.execute(STEPS.insert(), rows)
        append_all(connection, [act for change in some for act in _acts(change)])


def _lock(connection: Connection, changes: Sequence[Change]) -> None:
    known = {change.id: change.before.lock_version for change in changes if change.before is not None}
    if not known:
        return
    wanted = select(ENTRIES.c.id, ENTRIES.c.lock_version).where(ENTRIES.c.id.in_(list(known)))
    # In one order, so that two writers of the same entries wait for one another and never both.
    found = connection.execute(wanted.order_by(ENTRIES.c.id).with_for_update())
    if {row.id: row.lock_version for row in found} != known:
        raise ReadAgain("somebody else has changed the entry meanwhile; read it again")


def _write_heads(connection: Connection, changes: Sequence[Change]) -> None:
    fresh = [_head(change) for change in changes if change.before is None]
    if fresh:
        connection.execute(ENTRIES.insert(), fresh)
    known = [_head(change) for change in changes if change.before is not None]
    if known:
        names = [name for name in known[0] if name != "id"]
        statement = update(ENTRIES).where(ENTRIES.c.id == bindparam("entry"))
        statement = statement.values({name: bindparam(f"new_{name}") for name in names})
        connection.execute(
            statement,
            [{"entry": row["id"], **{f"new_{name}": row[name] for name in names}} for row in known],
        )


def _head(change: Change) -> dict[str, Any]:
    return {"id": change.id, "lock_version": change.stored.lock_version, **head_of(change.after)}


def _write_versions(connection: Connection, changes: Sequence[Change]) -> None:
    fresh, moved, rewritten = [], [], []
    for change in changes:
        before = {} if change.before is None else _by_number(change.before.dossier)
        for version in change.after.versions:
            old = before.get(version.number)
            if old is None:
                fresh.append((change.id, version))
            elif old != version:
                moved.append((change.id, version))
                if old.entry.items != version.entry.items:
                    rewritten.append((change.id, version))
    if fresh:
        connection.execute(VERSIONS.insert(), [_version_values(*each) for each in fresh])
    for id_, version in moved:
        own = (VERSIONS.c.entry_id == id_) & (VERSIONS.c.number == version.number)
        values = {"state": version.state, "document": _document(version)}
        connection.execute(update(VERSIONS).where(own).values(values))
    if rewritten:
        numbers = [(id_, version.number) for id_, version in rewritten]
        connection.execute(delete(ITEMS).where(tuple_(ITEMS.c.entry_id, ITEMS.c.number).in_(numbers)))
    items = [row for each in (*fresh, *rewritten) for row in _item_rows(*each)]
    if items:
        connection.execute(ITEMS.insert(), items)


def _by_number(dossier: Dossier) -> Mapping[int, Version]:
    return {version.number: version for version in dossier.versions}


def _version_values(id_: EntryId, version: Version) -> dict[str, Any]:
    document = _document(version)
    return {"entry_id": id_, "number": version.number, "state": version.state, "document": document}


def _document(version: Version) -> dict[str, Any]:
    """What a version says; the number of its filing only where it has one, as before there were any."""
    filed = {"filing": version.filing} if version.filing else {}
    return {**document_of(version.entry), **filed}


def _item_rows(id_: EntryId, version: Version) -> Iterator[dict[str, Any]]:
    for position, item in enumerate(version.entry.items):
        yield {"entry_id": id_, "number": version.number, "position": position, **item_values(item)}


def _fresh_steps(change: Change) -> Iterator[tuple[int, Step]]:
    known = 0 if change.before is None else len(change.before.dossier.steps)
    yield from islice(enumerate(change.after.steps), known, None)


def _new_steps(change: Change) -> Iterator[dict[str, Any]]:
    for position, step in _fresh_steps(change):
        yield {
            "entry_id": change.id,
            "position": position,
            "number": step.version,
            "action": step.action,
            "before": step.before,
            "after": step.after,
            "person": step.who.person,
            "role": step.who.role,
            "department": step.who.department,
            "acted_at": step.when,
            "why": step.why,
            "changed_on": step.changed_on,
        }


def _acts(change: Change) -> Iterator[Act]:
    code = change.after.versions[-1].entry.code
    for _, step in _fresh_steps(change):
        who, told = answering(step.who.person, change.recorder)
        facts = {
            "code": None if code is None else str(code),
            "version": step.version,
            "before": None if step.before is None else step.before.value,
            "after": step.after.value,
            "role": step.who.role.value,
            "department": step.who.department,
        }
        filing = _by_number(change.after)[step.version].filing if step.action is Action.REGISTER else ""
        facts |= {"filing": filing} if filing else {}
        what = f"catalogue.{step.action.value}"
        yield Act(who, what, KIND, str(change.id), step.when, step.why, facts | told)


def _versions(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, tuple[Version, ...]]:
    items: dict[tuple[UUID, int], list[EntryItem]] = defaultdict(list)
    for row in connection.execute(_of(ITEMS, ids, "position")):
        items[row.entry_id, row.number].append(item_of(row))
    found: dict[UUID, tuple[Version, ...]] = defaultdict(tuple)
    for row in connection.execute(_of(VERSIONS, ids, "number")):
        entry = entry_of(row.document, items[row.entry_id, row.number])
        filing = row.document.get("filing", "")
        found[row.entry_id] += (Version(row.number, entry, State(row.state), filing),)
    return found


def _steps(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, tuple[Step, ...]]:
    found: dict[UUID, tuple[Step, ...]] = defaultdict(tuple)
    for row in connection.execute(_of(STEPS, ids, "position")):
        found[row.entry_id] += (_step(row),)
    return found


def _of(table: Table, ids: Sequence[UUID], order: str) -> Select[Any]:
    return select(table).where(table.c.entry_id.in_(ids)).order_by(table.c[order])


def _step(row: Row[Any]) -> Step:
    return Step(
        version=row.number,
        action=Action(row.action),
        before=None if row.before is None else State(row.before),
        after=State(row.after),
        who=Actor(row.person, Role(row.role), row.department),
        when=row.acted_at,
        why=row.why,
        changed_on=row.changed_on,
    )


def _chunks(values: Sequence[Element]) -> Iterator[Sequence[Element]]:
    for begin in range(0, len(values), _AT_ONCE):
        yield values[begin : begin + _AT_ONCE]
