"""The gate's engine in generated Python: what runs where nothing could be compiled.

It decides the same records as the compiled one, by the same program, and refers the rest; numbers with a
point are more for it to refer.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from topics.engine.gate_answers import REASONS, Answers
from topics.engine.gate_engine import NOTHING_KNOWN, Desk, Known, Tally
from topics.engine.gate_forms import claim_heads, long_form, record_heads, text_form
from topics.engine.gate_program import GateProgram, compile_program
from topics.engine.gate_spec import GateSpec
from topics.engine.generated_identity import is_credit_code, is_resident
from topics.engine.generated_rules import Judge, judge
from topics.engine.generated_walk import OTHER, Failed, Unclear, mapper, size, walker, writer
from topics.engine.lane_book import LaneBook
from topics.engine.records import Records
from topics.engine.schema import AvroType, NotCompilable
from topics.event import EntityKey, Headers, KafkaRecord, OutputRecord, RecordId, SchemaId, Stopped
from topics.identity.check import check
from topics.identity.kinds import IdentityKind
from topics.quality.values import civil_day
from topics.wire import frame

_MOST_TIMESTAMP: Final = 250_000_000_000_000
_MOST_SOURCE_TIME: Final = 10_000_000_000_000_000
again: Final = lru_cache(4096)(long_form)
"""For numbers that come again: of a transaction, of a moment, of a partition."""
_BOTH: Final = re.compile(r'\["([0-9]{1,18})","[0-9]{1,18}"\]').fullmatch
_OPERATIONS: Final = {"c": 0, "u": 1, "d": 2, "r": 3}


class _Place(NamedTuple):
    """Where a change stands, and its row's record id."""

    record: KafkaRecord
    incarnation: int
    commit: int
    source_ms: int
    id: str


@dataclass(slots=True)
class _Compiled:
    """One writer schema with the functions that were generated for it."""

    program: GateProgram
    walk: Any
    items: Callable[[Sequence[Any]], list[Any]]
    judge: Judge
    state: Any
    scope: Any


class _Halt(Exception):  # noqa: N818 - ends the decision of one record
    """The record is stopped."""

    def __init__(self, stop: Stopped) -> None:
        super().__init__()
        self.stop = stop


class GeneratedGateEngine:
    """See ``topics.engine.gate_engine.GateEngine``."""

    def __init__(self, spec: GateSpec) -> None:
        self._spec = spec
        self._answers = Answers(spec)
        self._programs: dict[SchemaId, _Compiled] = {}
        self._heads = record_heads(spec)
        self._claim_heads = claim_heads(spec)
        self._raw_topic = text_form(spec.raw_topic)
        self._version = long_form(spec.policy_version)
        self._marks = [text_form(rule.id) for rule in spec.rules.rules]
        self._key_frame = frame(spec.canonical_key_schema_id, b"")
        self._met: tuple[Headers, int] = ((), spec.incarnation)
        """The headers of the last record, which mostly are those of the next, and its incarnation."""

    def learn(self, schema_id: SchemaId, writer_type: AvroType) -> None:
        """See ``GateEngine.learn``."""
        try:
            program = compile_program(writer_type, self._spec)
        except NotCompilable:
            return
        own_judge = judge(program.rules, program.identity)
        self._programs[schema_id] = _Compiled(
            program,
            walker(program),
            mapper(program, self._spec),
            own_judge,
            writer(program.state),
            writer(program.scope),
        )

    def decide(self, records: Records, desk: Desk, lanes: LaneBook) -> Tally:
        """See ``GateEngine.decide``."""
        tally = Tally()
        entries = desk.entries()
        for record in records:
            if record.value is None:
                tally.tombstones += 1
                continue
            try:
                outputs = self._decide_one(record, record.value, entries)
            except _Stop as stopped:
                lanes.extend(desk.stop(record, stopped.stop, stopped.last))
            except Exception:  # noqa: BLE001 - what is not plain, or a defect of ours: the reference tells which
                lanes.extend(desk.refer(record))
            else:
                tally.accepted += 1
                lanes.extend(outputs)
        return tally

    def _decide_one(
        self, record: KafkaRecord, value: bytes, entries: Sequence[Collection[bytes]]
    ) -> list[OutputRecord]:
        if len(value) < 5 or value[0] != 0 or len(value) > self._spec.most_bytes:
            raise Unclear
        if not 0 <= record.timestamp_ms < _MOST_TIMESTAMP:
            raise Unclear
        if record.key is not None and any(record.key in remembered for remembered in entries):
            raise Unclear
        compiled = self._programs.get(SchemaId(int.from_bytes(value[1:5], "big")))
        if compiled is None:
            raise Unclear
        incarnation = self._incarnation(record)
        operation, before, after, source = compiled.walk(value, 5)
        row = before if operation == "d" else after
        if row is None or operation not in _OPERATIONS or (operation == "d" and after is not None):
            raise Unclear
        commit, source_ms = _position(source, operation)
        place = _Place(record, incarnation, commit, source_ms, _record_id(compiled.program, row))
        return self._decide_change(compiled, operation, before, row, place)

    def _incarnation(self, record: KafkaRecord) -> int:
        headers, known = self._met
        if record.headers == headers:
            return known
        found = 0
        for name, value in record.headers:
            if name == self._spec.release_header:
                raise Unclear
            if name == self._spec.incarnation_header:
                found = int(value) if value.isdigit() and len(value) <= 18 else 0
        self._met = record.headers, found or self._spec.incarnation
        return self._met[1]

    def _decide_change(
        self, compiled: _Compiled, operation: str, before: Any, row: Any, place: _Place
    ) -> list[OutputRecord]:
        """The order of the stages is that of services/gate/line.py."""
        old_key, old_items = None, None
        if operation in "ud" and before is not None:
            old_key, old_items = self._before(compiled, before, place)
        try:
            items = self._items(compiled, row)
            key, number = self._identity(compiled.program, items, place.record.timestamp_ms)
            marks = [] if operation == "d" else self._assess(compiled, items, number, place)
        except _Halt as halted:
            last = NOTHING_KNOWN if old_key is None else Known(True, EntityKey(old_key, RecordId(place.id)))
            raise _Stop(halted.stop, Known(True, None) if operation == "c" else last) from None
        if operation == "d":
            return self._deletion(compiled, place, key, None if self._spec.key_only_before else items)
        return self._kept(compiled, operation, place, (key, items, marks), (old_key, old_items), row)

    def _before(self, compiled: _Compiled, before: Any, place: _Place) -> tuple[str | None, Any]:
        timestamp_ms = place.record.timestamp_ms
        try:
            if self._spec.key_only_before:
                value = before[compiled.program.identity_slot]
                if value is OTHER:
                    raise Unclear
                return self._key_of(value, None, timestamp_ms)[0], None
            items = self._items(compiled, before)
            return self._identity(compiled.program, items, timestamp_ms)[0], items
        except _Halt:
            return None, None

    def _items(self, compiled: _Compiled, row: Sequence[Any]) -> list[Any]:
        try:
            return compiled.items(row)
        except Failed as failed:
            stops = self._answers.unavailable if failed.unavailable else self._answers.unconvertible
            raise _Halt(stops[failed.place]) from None

    def _identity(self, program: GateProgram, items: list[Any], timestamp_ms: int) -> tuple[str, str | None]:
        country = None if program.country < 0 else items[program.country]
        return self._key_of(items[program.identity], country, timestamp_ms)

    def _key_of(self, value: Any, country: Any, timestamp_ms: int) -> tuple[str, str | None]:
        """The key of a valid identity, and the number where it is a resident's."""
        kind = self._spec.identity_kind
        if kind is IdentityKind.RESIDENT_ID and type(value) is str and value:
            if is_resident(value, (timestamp_ms // 1_000 + 28_800) // 86_400):
                return f"resident_id:{value}", value
            verdict = check(kind, value, civil_day(timestamp_ms))
            if verdict.reason is not None:
                raise _Halt(self._answers.identity_invalid[REASONS.index(verdict.reason)])
            return f"resident_id:{verdict.value}", verdict.value
        if kind is IdentityKind.CREDIT_CODE and type(value) is str and is_credit_code(value):
            return f"credit_code:{value}", None
        found = self._answers.identity(value, country, timestamp_ms)
        if isinstance(found, Stopped):
            raise _Halt(found)
        return found, None

    def _assess(self, compiled: _Compiled, items: list[Any], number: str | None, place: _Place) -> list[int]:
        recorded = place.record.timestamp_ms
        today = (recorded // 1_000 + 28_800) // 86_400
        asked = compiled.judge(items, recorded, place.source_ms, today, number)
        if not asked:
            return asked
        names = {item.name: value for item, value in zip(self._spec.items, items, strict=True)}
        stops, marks = [], []
        for at in asked:
            step = compiled.program.rules[at]
            found = self._answers.finding(step, names, recorded, place.source_ms)
            if found and step.stops:
                stops.append((step, found))
            elif found:
                marks.append(at)
        if stops:
            raise _Halt(self._answers.quality(stops))
        return marks

    def _kept(
        self,
        compiled: _Compiled,
        operation: str,
        place: _Place,
        new: tuple[str, Any, list[int]],
        old: tuple[str | None, Any],
        row: Any,
    ) -> list[OutputRecord]:
        key, items, marks = new
        old_key, old_items = old
        withdrawn: list[OutputRecord] = []
        known, scope = operation == "c", None
        if operation == "u" and old_key is not None:
            if old_key != key:
                if self._spec.not_ours and old_items is not None:
                    raise Unclear
                known, withdrawn = True, self._deletion(compiled, place, old_key, old_items)
            elif old_items is not None:
                known, scope = True, old_items
        state = self._canonical(compiled, _OPERATIONS[operation], place, key, items, known, scope, marks)
        return [*withdrawn, state, *self._claims(compiled.program, place, key, row)]

    def _deletion(self, compiled: _Compiled, place: _Place, key: str, items: Any) -> list[OutputRecord]:
        last = self._canonical(compiled, 2, place, key, items, items is not None, items, [])
        return [last, OutputRecord(last.topic, last.partition, last.key, None)]

    def _canonical(
        self,
        compiled: _Compiled,
        operation: int,
        place: _Place,
        key: str,
        items: Any,
        known: bool,
        scope: Any,
        marks: list[int],
    ) -> OutputRecord:
        record = place.record
        offset = long_form(record.offset)
        named = [self._marks[mark] for mark in marks]
        parts = [
            self._heads[operation],
            again(place.incarnation),
            again(place.commit),
            offset,
            again(place.source_ms),
            self._raw_topic,
            again(record.partition),
            offset,
            self._version,
            *([long_form(len(named)), *named] if named else []),
            b"\x00\x01" if known else b"\x00\x00",
            b"\x00" if scope is None else b"\x02" + compiled.scope(scope),
            b"\x00" if items is None else b"\x02" + compiled.state(items),
        ]
        identity, record_id = key.encode(), place.id.encode()
        key_form = self._key_frame + size(len(identity)) + identity + size(len(record_id)) + record_id
        head = int.from_bytes(hashlib.sha256(identity).digest()[:8], "big")
        return OutputRecord(
            self._spec.canonical_topic, head % self._spec.partitions, key_form, b"".join(parts)
        )

    def _claims(self, program: GateProgram, place: _Place, key: str, row: Any) -> list[OutputRecord]:
        found = []
        for at, slot in enumerate(program.foreign_slots):
            value = None if slot < 0 else row[slot]
            if value is OTHER:
                raise Unclear
            if value is not None:
                claimed = json.dumps(value, ensure_ascii=False, default=str)
                found.append(self._claim(self._claim_heads[at], place.record, key, claimed))
        return found

    def _claim(self, head: bytes, record: KafkaRecord, key: str, claimed: str) -> OutputRecord:
        numbers = map(long_form, (record.partition, record.offset, record.timestamp_ms))
        value = b"".join(
            (head, text_form(key), b"\x02", text_form(claimed), self._raw_topic, *numbers, self._version)
        )
        return OutputRecord(self._spec.claims.topic, 0, record.key, value)


class _Stop(_Halt):
    """The record is stopped, and what it tells of its key's last accepted state."""

    def __init__(self, stop: Stopped, last: Known) -> None:
        super().__init__(stop)
        self.last = last


def _position(source: Sequence[Any], operation: str) -> tuple[int, int]:
    """Commit position and source time of the plain forms (producers/debezium.py)."""
    time_ms, sequence, lsn = source
    if type(time_ms) is not int or not -_MOST_SOURCE_TIME <= time_ms <= _MOST_SOURCE_TIME:
        raise Unclear
    own = None
    if sequence is not None:
        both = _BOTH(sequence)
        if both is not None:
            return int(both[1]), time_ms
        parts = sequence.split('"')
        if len(parts) != 3 or (parts[0], parts[2]) != ("[null,", "]") or not _is_number(parts[1]):
            raise Unclear
        own = int(parts[1])
    if operation == "r":
        return 0, time_ms
    commit = lsn if type(lsn) is int and lsn >= 0 else own
    if commit is None:
        raise Unclear
    return commit, time_ms


def _is_number(text: str) -> bool:
    return len(text) <= 18 and text.isascii() and text.isdigit()


def _record_id(program: GateProgram, row: Sequence[Any]) -> str:
    parts = [_plain_text(row[slot]) for slot in program.key_slots]
    return parts[0] if len(parts) == 1 else json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _plain_text(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise Unclear
