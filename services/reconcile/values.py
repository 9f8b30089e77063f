"""Opens canonical records: where one came from, its key, and its state in the bytes that are compared."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import fastavro

from services.ledger.decode import SchemaSource
from services.reconcile.origin import Origin, OriginBytes
from services.reconcile.rows import RowForm, key_bytes
from topics.engine.reference import without_logical_types
from topics.event import SchemaId, TopicName
from topics.wire import PREFIX_LENGTH, NotFramed, split

WrittenState = bytes | Mapping[str, Any]
"""The items of a record: their bytes where they were written as they are compared, else their values."""


class Unreadable(Exception):  # noqa: N818 - named after what the record is
    """A canonical record is no datum of its schema."""


class CanonicalValues:
    """Values of one canonical topic, as the policy's schema has them."""

    def __init__(
        self,
        envelope_schema: Mapping[str, Any],
        value_schema_id: SchemaId,
        raw_topic: TopicName,
        form: RowForm,
        schemas: SchemaSource,
    ) -> None:
        """Prepare the schemas.

        Args:
            envelope_schema: the canonical value's, of the policy.
            value_schema_id: its id.
            raw_topic: where records of the resource come from.
            form: how rows are compared.
            schemas: those that earlier records were written with.
        """
        plain = without_logical_types(dict(envelope_schema))
        self._envelope = fastavro.parse_schema(plain)
        # The bytes of a state are what is compared where all of it is.
        before_state = plain["fields"][:-1]
        self._origins = OriginBytes(before_state, value_schema_id, raw_topic) if form.is_whole else None
        self._writers: dict[SchemaId, Any] = {value_schema_id: None}
        self._schemas, self._form = schemas, form

    def envelope(self, value: bytes, where: str) -> dict[str, Any]:
        """The value as the policy's schema has it.

        Raises:
            Unreadable: it is no datum of its schema.
        """
        try:
            schema_id, avro = split(value)
            writer = self._writer(schema_id)
            stream = BytesIO(avro)
            if writer is None:
                found = fastavro.schemaless_reader(stream, self._envelope, None)
            else:
                found = fastavro.schemaless_reader(stream, writer, self._envelope)
        except NotFramed as error:
            raise Unreadable(str(error)) from error
        except Exception as error:
            raise Unreadable(f"{where}: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise Unreadable(where)
        return found

    def opened(self, value: bytes, where: str) -> tuple[Origin, WrittenState | None]:
        """Where a record came from, and its state.

        Raises:
            Unreadable: it is no datum of its schema.
        """
        found = self._read(value, where)
        if found is not None:
            return found
        envelope = self.envelope(value, where)
        return Origin(*(envelope[name] for name in Origin._fields)), envelope["state"]

    def _read(self, value: bytes, where: str) -> tuple[Origin, bytes | None] | None:
        try:
            return None if self._origins is None else self._origins.read(value)
        except Exception as error:
            raise Unreadable(f"{where}: {type(error).__name__}") from error

    def digest(self, framed_key: bytes, state: WrittenState) -> bytes | None:
        """What is compared of a record; None where its state is none of the resource's schema.

        Raises:
            Unreadable: the key is no canonical key.
        """
        key = key_bytes(*split_key(framed_key))
        return self._form.digest_of(key, state) if isinstance(state, bytes) else self._form.digest(key, state)

    def _writer(self, schema_id: SchemaId) -> Any:
        if schema_id not in self._writers:
            schema = without_logical_types(dict(self._schemas.schema(schema_id)))
            self._writers[schema_id] = fastavro.parse_schema(schema)
        return self._writers[schema_id]


def split_key(framed: bytes) -> tuple[bytes, bytes]:
    """Identity and record id of a canonical key, in UTF-8: two texts behind the five bytes of the frame.

    Raises:
        Unreadable: it is no canonical key.
    """
    try:
        identity, at = _text_at(framed, PREFIX_LENGTH)
        record_id, _ = _text_at(framed, at)
        identity.decode()
        record_id.decode()
    except (IndexError, UnicodeDecodeError) as error:
        raise Unreadable("a canonical key") from error
    return identity, record_id


def _text_at(data: bytes, at: int) -> tuple[bytes, int]:
    length = data[at]
    at += 1
    if length > 0x7F:
        length, at = _long_length(data, at - 1)
    end = at + (length >> 1)
    return data[at:end], end


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    length = shift = 0
    while True:
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return length, at
