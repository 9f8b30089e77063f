"""The fan-out as Python source, made and compiled once per plan: what runs where no C compiler was."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Any, Final

from topics.engine import generated_support as support
from topics.engine.choose import Implementation
from topics.engine.fanout import Before, Decided, FanoutSpec, GrantCount, GrantSpec, Reference, remember
from topics.engine.fanout_compile import compile_fanout, fallbacks
from topics.engine.fanout_headers import HeaderParts, grant_part, header_parts
from topics.engine.fanout_items import NotCompiled, encoded_long, encoded_text
from topics.engine.fanout_plan import CompiledFanout, Convert
from topics.engine.generated_fields import moves, number_patterns
from topics.engine.generated_source import cut_of, source_of
from topics.engine.generated_values import change
from topics.engine.lanes import Digest, headers_form, headers_from_form
from topics.engine.records import Records
from topics.engine.schema import AvroType
from topics.engine.skip import Fault, Unsound
from topics.event import GrantId, KafkaRecord, Operation, OutputRecord, SchemaId, TopicName, WithheldReason
from topics.grants.declaration import GrantState
from topics.grants.keys import PSEUDONYM_LENGTH
from topics.wire import PREFIX_LENGTH, NotFramed, frame, split

_NEVER: Final = 2**63
_ALWAYS: Final = -(2**63)
_PSEUDONYM_LENGTH: Final = encoded_long(PSEUDONYM_LENGTH)
_TIME_LENGTH: Final = (24).to_bytes(4, "big")
_NULL: Final = b"\xff"
_AT_ONCE: Final = 1_000
"""Of so many records the bytes are put together for a digest."""

Run = Callable[..., tuple[int, int, tuple[tuple[int, int, int, int, int], ...]]]
Put = Callable[[Any], None]


class PartsLane:
    """A lane of keys, values and headers in digest form; records are made only when they are asked for.

    Three lists of bytes: tuples of three would be looked through again and again by the garbage collector.
    """

    def __init__(self, topic: TopicName, partition: int) -> None:
        self.topic, self.partition = topic, partition
        self.keys: list[bytes | None] = []
        self.values: list[bytes | None] = []
        self.headers: list[bytes] = []

    def __len__(self) -> int:
        """How many records."""
        return len(self.keys)

    def __iter__(self) -> Iterator[OutputRecord]:
        """The records, in order."""
        for key, value, headers in zip(self.keys, self.values, self.headers, strict=True):
            yield OutputRecord(self.topic, self.partition, key, value, headers_from_form(headers))

    def append(self, record: OutputRecord) -> None:
        """Put one more behind the others."""
        self.keys.append(record.key)
        self.values.append(record.value)
        self.headers.append(headers_form(record.headers))

    @property
    def puts(self) -> tuple[Put, Put, Put]:
        """What takes the key, the value and the headers of one more record."""
        return self.keys.append, self.values.append, self.headers.append

    def digest(self) -> str:
        """See ``topics.engine.lanes.Lane.digest``."""
        found = hashlib.sha256()
        self.feed(found)
        return found.hexdigest()

    def feed(self, digest: Digest) -> None:
        """See ``topics.engine.lanes.Lane.feed``."""
        length_of = support.length_of
        for first in range(0, len(self), _AT_ONCE):
            columns = (each[first : first + _AT_ONCE] for each in (self.keys, self.values, self.headers))
            pieces: list[bytes] = []
            for part in chain.from_iterable(zip(*columns, strict=True)):
                pieces += (_NULL,) if part is None else (length_of(part), part)
            digest.update(b"".join(pieces))


@dataclass(slots=True)
class _Batch:
    """What the grants got out of the batch so far."""

    counts: tuple[GrantCount, ...]
    lanes: tuple[PartsLane, ...]
    before: Before | None
    canonical: int = 0
    asked: int = 0
    windows: list[tuple[int, int, int]] = field(default_factory=list)


class GeneratedFanout:
    """See ``topics.engine.fanout.FanoutEngine``."""

    implementation = Implementation.GENERATED

    def __init__(
        self, spec: FanoutSpec, reference: Reference, *, keys: bool = True, headers: bool = True
    ) -> None:
        self._spec, self._reference, self._keys, self._headers = spec, reference, keys, headers
        self._runs: dict[SchemaId, tuple[AvroType, Run | None, bool]] = {}
        """Per writer's schema: its function, and whether the reference is asked about every record."""

    def fallbacks(self, writer: AvroType) -> Mapping[GrantId, str]:
        """See ``topics.engine.fanout.FanoutEngine.fallbacks``."""
        return fallbacks(self._spec, writer)

    def learn(self, schema_id: SchemaId, writer: AvroType) -> bool:
        """See ``topics.engine.fanout.FanoutEngine.learn``."""
        return self._known(schema_id, writer)[1]

    def decide(
        self, records: Records, writers: Mapping[SchemaId, AvroType], before: Before | None = None
    ) -> Decided:
        """See ``topics.engine.fanout.FanoutEngine.decide``."""
        grants = self._spec.grants
        batch = _Batch(
            tuple(GrantCount(grant.grant, grant.generation) for grant in grants),
            tuple(PartsLane(grant.topic, records.partition) for grant in grants),
            before,
            windows=[_window(grant, records.partition, copying=before is not None) for grant in grants],
        )
        for prefix, found in groupby(records, _prefix):
            if prefix is not None:
                self._decide(list(found), prefix, writers, batch)
        lanes = tuple(filter(len, batch.lanes))
        return Decided(batch.canonical, len(records) - batch.canonical, batch.counts, lanes, batch.asked)

    def _decide(
        self, records: list[KafkaRecord], prefix: bytes, writers: Mapping[SchemaId, AvroType], batch: _Batch
    ) -> None:
        """Decide a run of records of one writer's schema."""
        batch.canonical += len(records)
        schema_id = _schema_id(prefix)
        writer = None if schema_id is None else writers.get(schema_id)
        if schema_id is None or writer is None:
            _withhold(batch, len(records))
            return
        run, _ = self._known(schema_id, writer)
        if run is None:
            for record in records:
                self._ask(batch, record, None)
            batch.asked += len(records)
            return
        self._count(batch, run(*self._arguments(records, batch)))

    def _arguments(self, records: list[KafkaRecord], batch: _Batch) -> tuple[Any, ...]:
        return (
            records,
            batch.before is not None,
            batch.before,
            batch.windows,
            [lane.puts for lane in batch.lanes],
            [count.withheld for count in batch.counts],
            lambda record, rest: self._ask(batch, record, rest),
        )

    def _count(self, batch: _Batch, counted: tuple[int, int, tuple[tuple[int, ...], ...]]) -> None:
        unsound, asked, grants = counted
        batch.asked += asked
        _withhold(batch, unsound)
        for index, delivered, entombed, outside, internal in grants:
            count = batch.counts[index]
            count.delivered += delivered
            count.tombstoned += entombed
            _add(count, WithheldReason.OUTSIDE_ROWS, outside)
            _add(count, WithheldReason.INTERNAL, internal)

    def _ask(self, batch: _Batch, record: KafkaRecord, rest: tuple[int, ...] | None) -> None:
        """Let the reference decide, for these grants or for all."""
        outcomes = self._reference(record, batch.before)
        for index in range(len(batch.counts)) if rest is None else rest:
            output = outcomes[index].output
            batch.counts[index].note(outcomes[index])
            if output is not None:
                batch.lanes[index].append(output)
                remember(output, batch.before)

    def _known(self, schema_id: SchemaId, writer: AvroType) -> tuple[Run | None, bool]:
        known = self._runs.get(schema_id)
        if known is None or known[0] is not writer:
            known = self._runs[schema_id] = (writer, *self._generated(writer))
        return known[1:]

    def _generated(self, writer: AvroType) -> tuple[Run | None, bool]:
        """The function for a writer's schema, None where it is no canonical envelope; see ``learn``."""
        try:
            plan = compile_fanout(self._spec, writer)
        except NotCompiled:
            return None, True
        source = source_of(plan, self._spec, keys=self._keys, headers=self._headers)
        names = _names(plan, self._spec)
        # The source is made of numbers and of our own words; what comes from outside stands in ``names``.
        exec(compile(source, f"<fan-out of {self._spec.resource}>", "exec"), names)  # noqa: S102
        run: Run = names["run"]
        return run, bool(plan.rest)


def _prefix(record: KafkaRecord) -> bytes | None:
    return None if record.value is None else record.value[:PREFIX_LENGTH]


def _schema_id(prefix: bytes) -> SchemaId | None:
    try:
        return split(prefix)[0]
    except NotFramed:
        return None


def _withhold(batch: _Batch, records: int) -> None:
    for count in batch.counts:
        _add(count, WithheldReason.INTERNAL, records)


def _add(count: GrantCount, reason: WithheldReason, records: int) -> None:
    if records:
        count.withheld[reason] += records


def _window(grant: GrantSpec, partition: int, *, copying: bool) -> tuple[int, int, int]:
    """From and until which time, and from which offset the grant covers records of this partition."""
    open_states = (GrantState.ACTIVE, GrantState.FILLING) if copying else (GrantState.ACTIVE,)
    if grant.state not in open_states:
        return _NEVER, _NEVER, _NEVER
    start = _ALWAYS if copying else grant.starts_at.get(partition, 0)
    return grant.valid_from_ms, grant.valid_until_ms, start


def _names(plan: CompiledFanout, spec: FanoutSpec) -> dict[str, Any]:
    """Everything that the source refers to."""
    parts = header_parts(spec.resource)
    names: dict[str, Any] = {
        **_SUPPORT,
        "program": plan.program,
        "content": parts.content,
        "head_of": _head_of(parts),
        "marks_of": lambda marks: _marks(parts.marks_name, support.joined(marks)),
    }
    names |= moves((*plan.previous, *plan.state))
    for prefix, walks, cut in zip("ps", (plan.previous, plan.state), cut_of(plan), strict=True):
        for name, pattern in number_patterns(prefix, walks, cut).items():
            names[name] = re.compile(pattern).match
    for number, predicate in enumerate(plan.predicates):
        names[f"values{number}"] = predicate.allowed
    for number, ops in enumerate(plan.projections):
        for at, op in enumerate(ops):
            if isinstance(op, Convert):
                names[f"change{number}_{at}"] = change(op)
    for planned in plan.grants:
        i, grant = planned.index, spec.grants[planned.index]
        own = grant_part(grant.grant, grant.generation, spec.policy_version)
        length = b"" if grant.canonical_key else _PSEUDONYM_LENGTH
        names |= {
            f"grant{i}": grant,
            f"key_frame{i}": frame(grant.key_schema_id, length),
            f"value_frame{i}": frame(grant.value_schema_id, b""),
            f"pseudonym{i}": support.pseudonyms(grant.secret_key),
            f"grant_marked{i}": own,
            f"grant_plain{i}": own + parts.content,
        }
    return names


def _marks(name: bytes, joined: bytes | None) -> bytes | None:
    return None if joined is None else name + support.with_length(joined)


def _head_of(parts: HeaderParts) -> Callable[..., bytes | None]:
    kinds = tuple(parts.source + kind + _TIME_LENGTH for kind in parts.kinds)
    start, name, join = parts.start, parts.position_name, b"".join
    few, digits, time_of, with_length = support.few, support.digits, support.time_of, support.with_length

    def head_of(
        operation: int,
        topic: bytes,
        generation: bytes,
        incarnation: bytes,
        commit: bytes,
        ordinal: bytes,
        time: bytes,
        partition: bytes,
        offset: bytes,
    ) -> bytes | None:
        text = time_of(time)
        if text is None:
            return None
        at = digits(offset)
        last = at if ordinal == offset else digits(ordinal)
        place = with_length(b"%b/%b/%b" % (topic, few(partition), at))
        where = with_length(b"%b.%b.%b.%b" % (few(generation), few(incarnation), few(commit), last))
        return join((start, place, kinds[operation], text, name, where))

    return head_of


_SUPPORT: Final[dict[str, Any]] = {
    **{fault.name: fault for fault in Fault},
    "operations": {
        encoded_text(each.value): number
        for number, each in enumerate(Operation)
        if each is not Operation.READ
    },
    "read": encoded_text(Operation.READ.value),
    "operation_of": {encoded_text(each.value): number for number, each in enumerate(Operation)},
    "READ": list(Operation).index(Operation.READ),
    "DELETE": list(Operation).index(Operation.DELETE),
    "join": b"".join,
    "Unsound": Unsound,
    "FOUR": [(byte >> 1).to_bytes(4, "big") for byte in range(128)],
    "UNCOMMON": (support.Irregular, Unsound, AttributeError, IndexError, TypeError, ValueError),
    **{
        name: getattr(support, name)
        for name in (
            "Irregular",
            "behind_enum",
            "behind_float",
            "behind_int",
            "behind_long",
            "behind_nested",
            "envelope",
            "envelope_alone",
            "length_at",
            "long_bytes",
            "longs3",
            "longs5",
            "marks_at",
            "refused",
            "with_length",
            "wrong_branch",
        )
    },
}
