"""Reads where a canonical record came from out of its bytes, as far as they are written as nearly all are."""

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final, NamedTuple

import fastavro

from topics.engine.gate_forms import text_form
from topics.engine.generated_support import number_of
from topics.event import Operation, SchemaId, TopicName
from topics.wire import frame

_LONG: Final = rb"[\x80-\xff]{0,8}[\x00-\x7f]"
_ASKED: Final = b"(" + _LONG + b")"
_BEHIND: Final = ("marks", "previous_known", "previous")
"""What follows is of no fixed form."""
_MOST_SHORT: Final = 0x7F
_NOTHING: Final = rb"(?!)"


class Origin(NamedTuple):
    """Where a canonical record came from: which operation, when at the source (ms), which raw record."""

    operation: str
    source_time: int
    raw_topic: str
    raw_partition: int
    raw_offset: int


class OriginBytes:
    """Reads envelopes by one regular expression, which takes a third of what decoding them takes.

    It knows the form of topics/canonical.py, and of that what most records have: one raw topic, few marks of
    short names. Whatever else there is has to be decoded.
    """

    def __init__(
        self, fields: Sequence[Mapping[str, Any]], schema_id: SchemaId, raw_topic: TopicName
    ) -> None:
        """Prepare the expression.

        Args:
            fields: of the envelope up to its state, without logical types.
            schema_id: of the envelope.
            raw_topic: where its resource's records come from.
        """
        self._raw_topic: str = raw_topic
        self._previous = fastavro.parse_schema(list(fields[-1]["type"]))
        forms = {
            "operation": b"(" + b"|".join(re.escape(text_form(each)) for each in Operation) + b")",
            "generation": _LONG,
            "incarnation": _LONG,
            "commit": _LONG,
            "ordinal": _LONG,
            "source_time": _ASKED,
            "raw_topic": re.escape(text_form(raw_topic)),
            "raw_partition": _ASKED,
            "raw_offset": _ASKED,
            "policy_version": _LONG,
        }
        known = [*forms, *_BEHIND] == [field["name"] for field in fields]
        form = re.escape(frame(schema_id, b"")) + b"".join(forms.values()) if known else _NOTHING
        self._match = re.compile(form, re.DOTALL).match

    def read(self, value: bytes) -> tuple[Origin, bytes | None] | None:
        """The origin and the bytes of the state, null being none; None where the record must be decoded.

        Raises:
            Exception: it ends too early; which, is not defined.
        """
        found = self._match(value)
        behind_marks = None if found is None else _behind_marks(value, found.end())
        if found is None or behind_marks is None:
            return None
        # A boolean, then which of null and record the previous state is.
        end = behind_marks + 2
        if value[end - 1]:
            end = self._behind_previous(value, end - 1)
        # Which of null and record the state is, then all that is left.
        state = value[end + 1 :] if value[end] else None
        operation, source_time, partition, offset = found.groups()
        at = number_of(partition), number_of(offset)
        return Origin(operation[1:].decode(), number_of(source_time), self._raw_topic, *at), state

    def _behind_previous(self, value: bytes, start: int) -> int:
        stream = BytesIO(value)
        stream.seek(start)
        fastavro.schemaless_reader(stream, self._previous, None)
        return stream.tell()


def _behind_marks(value: bytes, at: int) -> int | None:
    """Where an array of short texts ends; None if it is written in a way that is seldom."""
    while count := value[at]:
        if count > _MOST_SHORT or count & 1:
            return None
        at += 1
        for _ in range(count >> 1):
            length = value[at]
            if length > _MOST_SHORT or length & 1:
                return None
            at += 1 + (length >> 1)
    return at + 1
