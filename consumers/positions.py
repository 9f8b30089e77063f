"""How new the state is that a department holds of each key, so that an older record never overwrites it."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from consumers.errors import TransactionEndedByHandler
from topics.delivery import DeliveryOrder
from topics.event import SourcePosition


class PositionStore(Protocol):
    """Per topic and key, the order of the newest record that was applied; it only ever rises."""

    def transaction(self) -> AbstractContextManager[None]:
        """A scope in which the effect and its position succeed together; an exception undoes both."""
        ...

    def applied(self, topic: str, key: bytes) -> DeliveryOrder | None:
        """The order of the newest record applied for the key, or None."""
        ...

    def advance(self, topic: str, key: bytes, order: DeliveryOrder) -> None:
        """Note, within a transaction, that the record of that order was applied; never goes back."""
        ...


class MemoryPositions:
    """Positions for as long as the process lives: for handlers whose effect may be repeated.

    One entry per key stays in memory. After a restart records since the last commit are handed over again.
    """

    def __init__(self) -> None:
        self._orders: dict[tuple[str, bytes], DeliveryOrder] = {}
        self._before: dict[tuple[str, bytes], DeliveryOrder | None] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Undo the positions noted within, where an exception leaves it."""
        before: dict[tuple[str, bytes], DeliveryOrder | None] = {}
        self._before = before
        try:
            yield
        except BaseException:
            for key, order in before.items():
                if order is None:
                    self._orders.pop(key, None)
                else:
                    self._orders[key] = order
            raise

    def applied(self, topic: str, key: bytes) -> DeliveryOrder | None:
        """The order of the newest record applied for the key, or None."""
        return self._orders.get((topic, key))

    def advance(self, topic: str, key: bytes, order: DeliveryOrder) -> None:
        """Note that the record of that order was applied; an older one changes nothing."""
        known = self._orders.get((topic, key))
        if known is None or order > known:
            self._before.setdefault((topic, key), known)
            self._orders[(topic, key)] = order


_CREATE: Final = """
CREATE TABLE IF NOT EXISTS govbus_positions (
    topic TEXT NOT NULL, key BLOB NOT NULL,
    grant_generation INTEGER NOT NULL, generation INTEGER NOT NULL, incarnation INTEGER NOT NULL,
    commit_position INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    PRIMARY KEY (topic, key)
) WITHOUT ROWID"""
_SELECT: Final = """
SELECT grant_generation, generation, incarnation, commit_position, ordinal
FROM govbus_positions WHERE topic = ? AND key = ?"""
_UPSERT: Final = """
INSERT INTO govbus_positions VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (topic, key) DO UPDATE SET
    grant_generation = excluded.grant_generation, generation = excluded.generation,
    incarnation = excluded.incarnation, commit_position = excluded.commit_position,
    ordinal = excluded.ordinal
WHERE (excluded.grant_generation, excluded.generation, excluded.incarnation,
       excluded.commit_position, excluded.ordinal)
    > (govbus_positions.grant_generation, govbus_positions.generation, govbus_positions.incarnation,
       govbus_positions.commit_position, govbus_positions.ordinal)"""


class SqlitePositions:
    """Positions in the department's own SQLite file, in the transaction of the effect: exactly-once effect.

    The handler writes through the same connection and must leave committing to this class.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        # Transactions are begun here and nowhere else; the driver would begin its own too late.
        connection.isolation_level = None
        connection.execute(_CREATE)
        self.connection = connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One SQLite transaction around the effect and its position.

        Raises:
            TransactionEndedByHandler: the code within committed or rolled back by itself.
        """
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._refuse_ended()
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def applied(self, topic: str, key: bytes) -> DeliveryOrder | None:
        """The order of the newest record applied for the key, or None."""
        row = self.connection.execute(_SELECT, (topic, key)).fetchone()
        return None if row is None else DeliveryOrder(row[0], SourcePosition(*row[1:]))

    def advance(self, topic: str, key: bytes, order: DeliveryOrder) -> None:
        """Note that the record of that order was applied; an older one changes nothing."""
        place = order.position
        self.connection.execute(
            _UPSERT,
            (
                topic,
                key,
                order.grant_generation,
                place.generation,
                place.incarnation,
                place.commit,
                place.ordinal,
            ),
        )

    def _refuse_ended(self) -> None:
        if not self.connection.in_transaction:
            raise TransactionEndedByHandler(
                "the handler ended the transaction itself; leave commit and rollback to the subscriber"
            )
