"""What was seen of the running bus, with the moment at which it was: lists read this and never ask the bus.

Each kind is replaced as a whole by who has looked at everything of it. Where a source did not answer, the
last snapshot stays with its own moment, and a note says since when it cannot be renewed and why.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Table,
    Text,
    delete,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.control.store.metadata import INSTANT, METADATA, one_of

Document = Mapping[str, Any]
_LONGEST_NOTE: Final = 300
_WAITING: Final = "waiting"
"""How a full volume stands that an operator has to confirm or give up."""


class Kind(StrEnum):
    """Of what a snapshot is; each has one shape of documents (docs/operator/control.md)."""

    RESOURCE = "resource"
    GRANT = "grant"
    TOPIC = "topic"
    CONNECTOR = "connector"
    QUARANTINE = "quarantine"
    ALARM = "alarm"
    MOUNTING = "mounting"
    """How catalogue and bus agree: entries by their code, resources without entry by their id."""
    LEDGER = "ledger"
    """How far the ledger's blocks were added up, and to what."""
    DRIFT = "drift"
    """Where the bus differed from the cases, mended within a day or not mended."""
    CENSUS = "census"
    """How many records each resource holds, and how many bytes they are, counted in its topic."""
    RETENTION = "retention"
    """For how long each topic of evidence is kept, with the floor under the name ``floor``."""
    EPOCH = "epoch"
    """The full volumes of each resource, and how an open one gets on."""


SNAPSHOTS: Final = Table(
    "snapshots",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("as_of", INSTANT, nullable=False),
    one_of("kind", Kind),
)

SNAPSHOT_ROUNDS: Final = Table(
    "snapshot_rounds",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("as_of", INSTANT),
    Column("trouble", Text),
    Column("trouble_since", INSTANT),
    one_of("kind", Kind),
    CheckConstraint("(trouble IS NULL) = (trouble_since IS NULL)", name="trouble"),
)
"""When each kind was seen last, also where there was nothing to see, and what keeps it from being renewed."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a kind cannot be renewed, and since when."""

    what: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen of one kind; ``as_of`` is None where nobody has looked yet."""

    as_of: datetime | None
    documents: Mapping[str, Document]
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one thing."""

    as_of: datetime
    document: Document
    trouble: Trouble | None = None


def put(connection: Connection, kind: Kind, documents: Mapping[str, Document], as_of: datetime) -> bool:
    """Replace the snapshot of a kind; what is not in it any more is removed.

    Returns:
        Whether it was taken: one that is older than what is there changes nothing.
    """
    round_ = {"as_of": as_of, "trouble": None, "trouble_since": None}
    newer = or_(SNAPSHOT_ROUNDS.c.as_of.is_(None), SNAPSHOT_ROUNDS.c.as_of <= as_of)
    # The row of the kind is locked from here on: two collectors write one after the other.
    statement = insert(SNAPSHOT_ROUNDS).values(kind=kind.value, **round_)
    statement = statement.on_conflict_do_update(index_elements=["kind"], set_=round_, where=newer)
    if connection.execute(statement.returning(SNAPSHOT_ROUNDS.c.kind)).first() is None:
        return False
    gone = delete(SNAPSHOTS).where(SNAPSHOTS.c.kind == kind.value)
    connection.execute(gone.where(SNAPSHOTS.c.name.not_in(list(documents))) if documents else gone)
    rows = [
        {"kind": kind.value, "name": name, "document": dict(document), "as_of": as_of}
        for name, document in documents.items()
    ]
    if rows:
        written = insert(SNAPSHOTS)
        connection.execute(
            written.on_conflict_do_update(
                index_elements=["kind", "name"],
                set_={"document": written.excluded.document, "as_of": written.excluded.as_of},
            ),
            rows,
        )
    return True


def note_trouble(connection: Connection, kind: Kind, what: str, now: datetime) -> None:
    """Note that a kind cannot be renewed; the first moment of a trouble stays until it is over."""
    text = what.strip()[:_LONGEST_NOTE] or "unknown"
    statement = insert(SNAPSHOT_ROUNDS).values(kind=kind.value, trouble=text, trouble_since=now)
    statement = statement.on_conflict_do_update(
        index_elements=["kind"],
        set_={
            "trouble": text,
            # The moment that stands there already, if one does.
            "trouble_since": func.coalesce(SNAPSHOT_ROUNDS.c.trouble_since, statement.excluded.trouble_since),
        },
    )
    connection.execute(statement)


def all_of(connection: Connection, kind: Kind) -> Snapshot:
    """Everything that was seen of a kind, by name."""
    return _seen(connection, kind, true())


def alarms(connection: Connection) -> Snapshot:
    """What the watch says, with the drift that was found, and with retention that had to be raised."""
    watched, drift = all_of(connection, Kind.ALARM), all_of(connection, Kind.DRIFT)
    kept = all_of(connection, Kind.RETENTION).documents
    raised = {f"retention:{name}": _raised(name, each) for name, each in kept.items() if "raised_at" in each}
    return replace(watched, documents={**watched.documents, **drift.documents, **raised})


def _raised(topic: str, document: Document) -> Document:
    return {
        "kind": "retention-raised",
        "subject": topic,
        "detail": f"{document['found']} (raised)",
        "remedy": document["remedy"],
        "seen_at": document["raised_at"],
    }


def some_of(connection: Connection, kind: Kind, names: Collection[str]) -> Snapshot:
    """What was seen of these, where there is anything: for the rows of one page."""
    return _seen(connection, kind, SNAPSHOTS.c.name.in_(list(names)))


def waiting_volumes(connection: Connection) -> Mapping[str, Document]:
    """Of the full volumes of resources those whose newest one waits for the operator."""
    newest = SNAPSHOTS.c.document["epochs"][0]["state"].astext
    return _seen(connection, Kind.EPOCH, newest == _WAITING).documents


def one(connection: Connection, kind: Kind, name: str) -> Seen | None:
    """What was seen of one thing; None where nothing was."""
    found = some_of(connection, kind, [name])
    document = found.documents.get(name)
    if document is None or found.as_of is None:
        return None
    return Seen(found.as_of, document, found.trouble)


def _seen(connection: Connection, kind: Kind, which: ColumnElement[bool]) -> Snapshot:
    wanted = select(SNAPSHOTS.c.name, SNAPSHOTS.c.document)
    wanted = wanted.where(SNAPSHOTS.c.kind == kind.value, which).order_by(SNAPSHOTS.c.name)
    documents = {row.name: row.document for row in connection.execute(wanted)}
    rounds = select(SNAPSHOT_ROUNDS).where(SNAPSHOT_ROUNDS.c.kind == kind.value)
    round_ = connection.execute(rounds).first()
    if round_ is None:
        return Snapshot(None, documents)
    trouble = None if round_.trouble is None else Trouble(round_.trouble, round_.trouble_since)
    return Snapshot(round_.as_of, documents, trouble)
