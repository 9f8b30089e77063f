"""Avro bytes to values and back with fastavro: the reference that every faster walker is held against."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import fastavro
from fastavro.validation import ValidationError, validate

from topics.engine import native
from topics.engine.schema import AvroType, NotCompilable, parse
from topics.engine.skip import Fault, Programs, fault_of
from topics.event import Record
from topics.schema_rules import unsafe_parts


class Undecodable(Exception):  # noqa: N818 - named after what the bytes are
    """The bytes are not one datum of the writer's schema; the message holds no value of the datum."""


class DoesNotFit(Exception):  # noqa: N818 - named after what the record does
    """The record is not a datum of the schema; the message names the field, not its value."""


class ReferenceCodec:
    """One parsed schema: decodes and encodes single data, logical types left as plain Avro values."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Parse the schema.

        Raises:
            topics.engine.schema.NotCompilable: it is recursive, too deep or malformed.
        """
        plain = without_logical_types(dict(schema))
        self.type: AvroType = parse(plain)
        self._fault_of = _checker(self.type)
        self._schema = fastavro.parse_schema(plain)

    def decode(self, data: bytes) -> Record:
        """Decode exactly one datum.

        The walker of the engines judges first: fastavro also reads numbers that are too long, lengths below
        zero and text that is none.

        Raises:
            Undecodable: malformed, truncated or followed by other bytes.
        """
        found = self._fault_of(data)
        if found is not None:
            raise Undecodable(fault_text(*found, len(data)))
        stream = BytesIO(data)
        try:
            decoded = fastavro.schemaless_reader(stream, self._schema, None)
        except Exception as error:
            raise Undecodable(f"{type(error).__name__} at byte {stream.tell()} of {len(data)}") from error
        if not isinstance(decoded, dict):
            raise Undecodable("the schema is not a record")
        return decoded

    def encode(self, record: Record) -> bytes:
        """Encode one datum that ``decode`` reads again: fastavro also writes numbers that are too long.

        Raises:
            DoesNotFit: a field is missing or has another type than the schema.
        """
        stream = BytesIO()
        try:
            fastavro.schemaless_writer(stream, self._schema, dict(record), strict=True)
        except Exception as error:
            raise DoesNotFit(self._misfit(record)) from error
        written = stream.getvalue()
        if self._fault_of(written) is not None:
            raise DoesNotFit(self._misfit(record))
        return written

    def _misfit(self, record: Record) -> str:
        """What does not fit, by the name that the schema gives it."""
        try:
            validate(dict(record), self._schema, strict=True)
        except ValidationError as error:
            # Of a union the last branch is the record, if one of them is; its fields are named, not itself.
            field = str(error.errors[-1].field).rpartition(".")[2]
            return f"{field} has another type" if field else "a field is missing"
        except Exception as error:  # noqa: BLE001 - what it raises for a record that is none is not defined
            return type(error).__name__
        return "a value is none of its type"


def usable_codec(schema: Mapping[str, Any]) -> ReferenceCodec | None:
    """The codec of a schema from outside; None where it is unsafe to decode with, or no schema."""
    if unsafe_parts(schema):
        return None
    try:
        return ReferenceCodec(schema)
    except NotCompilable:
        return None


def fault_text(fault: int, at: int, length: int) -> str:
    """What is said of unsound bytes, by every engine alike; it holds no value."""
    return f"{Fault(fault).name} at byte {at} of {length}"


def _checker(avro_type: AvroType) -> Callable[[bytes], tuple[int, int] | None]:
    """Why and where bytes are not exactly one datum of the type; None where they are."""
    programs = Programs()
    start = programs.add(avro_type)
    numbers = [int(number) for number in programs.numbers]
    if native.compiled():
        checker: Callable[[bytes], tuple[int, int] | None] = native.module(
            "topics.engine.native_check"
        ).Checker(numbers, start)
        return checker
    return lambda data: fault_of(numbers, start, data)


def without_logical_types(schema: Any) -> Any:
    """The same schema over plain Avro values: dates stay days, timestamps stay counts."""
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if key not in ("logicalType", "connect.name")}
        return {
            key: without_logical_types(value) if key != "default" else value for key, value in kept.items()
        }
    if isinstance(schema, list):
        return [without_logical_types(entry) for entry in schema]
    return schema
