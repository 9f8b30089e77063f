"""Compares a table that Debezium's JDBC sink keeps with the grant topic that it copies.

The sink writes at least once and commits afterwards, so a table may already hold what its group has not
committed. What stands between the offset committed before the table's snapshot and the topic's end after it
is moving: of those keys the table must have one of the states in between; of all others the one state.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from producers.provider_setup import quoted
from schemas.registry import SchemaNotFound
from services.control.access import CaptureSource
from services.control.sink_target import Target
from services.ledger.counts import Place
from services.ledger.decode import Decoder, Undecodable
from services.reconcile.bus import NotSettled
from services.reconcile.compare import Compared, Difference, compare, of_topic
from services.reconcile.cut import Connection, connect
from services.reconcile.rows import RowForm, key_bytes, key_digest
from services.reconcile.spill import NOTHING, Spill, State, read_range
from topics.event import GrantId, KafkaRecord
from topics.schema_rules import ItemForm, item_forms

_AT_ONCE: Final = 5_000
_AS_PLAIN: Final[Mapping[str, str]] = {
    "date": "({0} - DATE '1970-01-01')",
    "timestamp-millis": "trunc(extract(epoch FROM {0}) * 1000)::bigint",
    "timestamp-micros": "trunc(extract(epoch FROM {0}) * 1000000)::bigint",
    "time-millis": "trunc(extract(epoch FROM {0}) * 1000)::int",
}


class LoginMissing(NotSettled):
    """No login for the department's database is set here: set the connection secret set that is named."""


@dataclass(frozen=True, slots=True)
class SinkTable:
    """A sink's table, and how to log in to it.

    Args:
        grant: whose records it keeps.
        target: the table.
        database: the connection secret set of its database.
        source: the login; None where none is set here.
    """

    grant: GrantId
    target: Target
    database: str
    source: CaptureSource | None

    @property
    def form(self) -> RowForm:
        """How its rows are compared: by the items of the grant that are not its key's."""
        return RowForm(self.target.values, self.target.keys)

    @property
    def columns(self) -> tuple[str, ...]:
        """The key's columns, then the items'."""
        return (*self.target.keys, *self.form.names)

    def query(self) -> str:
        """The SQL that reads the table in the values of the grant's schema."""
        forms = item_forms(self.target.values)
        chosen = [f"{quoted(key)}::text" for key in self.target.keys]
        chosen += [_plain(name, forms.get(name)) for name in self.form.names]
        # Names of columns, quoted: values are never part of it.
        return f"SELECT {', '.join(chosen)} FROM {self.target.name}"  # noqa: S608


def _plain(name: str, form: ItemForm | None) -> str:
    if form is not None and form.logical is not None and form.logical in _AS_PLAIN:
        return _AS_PLAIN[form.logical].format(quoted(name))
    if form is not None and form.type == "float":
        return f"{quoted(name)}::float8"
    if form is not None and form.type == "string":
        return f"{quoted(name)}::text"
    return quoted(name)


def read_table(connection: Connection, table: SinkTable, spill: Spill) -> int:
    """Read every row of the sink's table in one snapshot; how many there are."""
    form, keys, count = table.form, len(table.target.keys), 0
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    with connection.cursor("govbus_reconcile") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(table.query())
        while found := cursor.fetchmany(_AT_ONCE):
            for values in found:
                key = key_bytes(*(str(part).encode() for part in values[:keys]))
                items = dict(zip(form.names, map(_value, values[keys:]), strict=True))
                digest = form.digest(key, items)
                state = State.UNFIT if digest is None else State.ROW
                spill.add(_text(values[:keys]), digest or NOTHING, state=state)
            count += len(found)
    spill.flush()
    return count


def _value(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def read_grant(
    records: Iterable[KafkaRecord],
    decoder: Decoder,
    table: SinkTable,
    spill: Spill,
    committed: Mapping[Place, int],
) -> None:
    """Take the records of the grant's topic; what is not committed by the sink's group is moving.

    A record that cannot be decoded counts as a row that no table can hold.
    """
    form = table.form
    for record in records:
        place = Place(record.topic, record.partition)
        moving = record.offset >= committed.get(place, 0)
        id_, digest = _read(record, decoder, table, form)
        if digest is None:
            state = State.MOVING_GONE if moving else State.GONE
        elif digest == NOTHING:
            state = State.UNFIT
        else:
            state = State.MOVING_ROW if moving else State.ROW
        spill.add(
            id_, digest or NOTHING, key_digest(record.key or b""), state, record.partition, record.offset
        )
    spill.flush()


def _read(
    record: KafkaRecord, decoder: Decoder, table: SinkTable, form: RowForm
) -> tuple[bytes, bytes | None]:
    """The key's text and the digest of the row; no digest for a tombstone."""
    try:
        key = decoder.key(record) or {}
        parts = tuple(str(key.get(name, "")) for name in table.target.keys)
        value = decoder.value(record)
    except (Undecodable, SchemaNotFound):
        return (record.key or b"").hex().encode(), NOTHING
    if value is None:
        return _text(parts), None
    return _text(parts), form.digest(key_bytes(*(part.encode() for part in parts)), value) or NOTHING


def _text(parts: Iterable[Any]) -> bytes:
    return "\x1f".join(str(part) for part in parts).encode()


@dataclass(frozen=True, slots=True)
class GrantTopic:
    """What is asked of the grant's topic: how far its sink has committed, and its records up to the end."""

    committed: Callable[[], Mapping[Place, int]]
    records: Callable[[], Iterator[KafkaRecord]]


def compare_sink(
    table: SinkTable, topic: GrantTopic, decoder: Decoder, folder: Path, ranges: int, compared: Compared
) -> Iterator[Difference]:
    """Every key in which the table differs from the topic.

    Raises:
        LoginMissing: no login is set here, so that nobody may say that it is equal.
        psycopg2.Error: the department's database cannot be read.
    """
    if table.source is None:
        raise LoginMissing(f"no login for its database is set here: connection secret set {table.database}")
    committed = topic.committed()
    rows = Spill(folder / "table", ranges)
    with closing(connect(table.source)) as connection:
        read_table(connection, table, rows)
    grant = Spill(folder / "grant", ranges)
    read_grant(topic.records(), decoder, table, grant, committed)
    yield from compare(
        ranges,
        lambda at: read_range(folder / "table", at),
        rows.totals(),
        of_topic(grant),
        compared,
        table_is_right=False,
    )
