"""Columns read at the source for a reconciliation are what a real capture of them sends."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from producers.columns import COLUMNS_SQL, Column, query
from producers.connector import TableName
from schemas.registry import SchemaRegistry
from services.cli.plan import access_of
from services.ledger.decode import Decoder
from services.ledger.reader import KafkaTopicReader, read_whole
from services.stack.api import Stack
from tests.integration.own_capture import TABLE, OwnCapture, eventually, own_capture
from topics.event import TopicName

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

COLUMNS = {
    "small": ("smallint", "-5"),
    "whole": ("integer", "7"),
    "yes": ("boolean", "true"),
    "fixed": ("char(5)", "'ab'"),
    "short": ("varchar(20)", "'值'"),
    "amount": ("numeric(18,2)", "'12.50'"),
    "tiny": ("numeric(18,10)", "'0.0000000100'"),
    "free": ("numeric", "'1200'"),
    "single": ("real", "0.1"),
    "double": ("double precision", "0.1"),
    "day": ("date", "'1969-12-30'"),
    "millis": ("timestamp(3)", "'1969-12-31 23:59:59.999'"),
    "micros": ("timestamp", "'2026-11-27 01:02:03.000001'"),
    "zoned": ("timestamptz", "'2026-11-27 09:02:03.5+08'"),
    "clock3": ("time(3)", "'01:02:03.004'"),
    "clock": ("time", "'01:02:03.000004'"),
    "uid": ("uuid", "'00000000-0000-0000-0000-00000000000a'"),
    "doc": ("json", "'{\"a\": 1}'"),
    "raw": ("bytea", "'\\x00ff'"),
    "tags": ("text[]", "'{a,b}'"),
}


@pytest.fixture(scope="module")
def typed(stack: Stack) -> Iterator[OwnCapture]:
    with own_capture(stack, "typed", rows=0) as capture:
        for name, (kind, _) in COLUMNS.items():
            capture.sql(f"ALTER TABLE item ADD COLUMN {name} {kind}")
        values = ", ".join(value for _, value in COLUMNS.values())
        capture.sql(f"INSERT INTO item (name, {', '.join(COLUMNS)}) VALUES ('x', {values})")
        capture.sql("INSERT INTO item (name) VALUES ('empty')")
        capture.start()
        yield capture


def captured(capture: OwnCapture) -> list[dict[str, Any]]:
    """The rows as they travel, by their ids."""
    access = access_of(capture.stack)
    decoder = Decoder(SchemaRegistry(access.registry_credentials("ledger")))
    with KafkaTopicReader(access.kafka_config("admin"), "typed.reader") as reader:
        found = [decoder.value(record) for record in read_whole(reader, TopicName(capture.raw))]
    rows: list[dict[str, Any]] = [value["after"] for value in found if value is not None]
    return sorted(rows, key=lambda row: int(row["id"]))


def read(capture: OwnCapture) -> list[dict[str, Any]]:
    """The same rows as a reconciliation reads them."""
    server = capture.stack.superuser_connection(capture.provider)
    with closing(server) as connection, connection.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(COLUMNS_SQL, ("public.item",))
        columns = [Column(*row) for row in cursor.fetchall()]
        cursor.execute(query(TableName(TABLE.schema, TABLE.table), columns, "true ORDER BY id"))
        names = [column.name for column in columns]
        return [dict(zip(names, map(plain, row), strict=True)) for row in cursor.fetchall()]


def plain(value: Any) -> Any:
    assert not isinstance(value, Decimal)
    return bytes(value) if isinstance(value, memoryview) else value


def test_every_type_is_read_as_it_travels(typed: OwnCapture) -> None:
    eventually(lambda: len(captured(typed)) == 2)
    assert read(typed) == captured(typed)
