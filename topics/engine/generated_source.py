"""Writes the Python source of a fan-out for one writer's schema: no loop over fields, few calls.

Names in the source: ``v`` the value, ``k`` the key, ``at`` the position, ``s<i>`` and ``p<i>`` the bytes of a
segment of state and previous that begins with field i, ``r<i>`` whether predicate i holds, ``b<i>`` the bytes
of projection i. ``run`` reads ordinary records itself and leaves the others to ``walk``.
"""

from collections import Counter
from collections.abc import Iterator

from topics.engine.fanout import FanoutSpec
from topics.engine.fanout_plan import (
    NEVER,
    CompiledFanout,
    Constant,
    Convert,
    Copy,
    GrantPlan,
    Op,
    Predicate,
)
from topics.engine.generated_fields import (
    LENGTH,
    Segment,
    indented,
    needed_ranges,
    quick_record,
    segments,
    slow_record,
)

NOTHING = "b''"
_NUMBERS_OF_HEAD = (
    "generation",
    "incarnation",
    "commit",
    "ordinal",
    "source_time",
    "raw_partition",
    "raw_offset",
)


def cut_of(plan: CompiledFanout) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """The segments of previous and state."""
    return (
        segments(plan.previous, needed_ranges(plan, in_state=False)),
        segments(plan.state, needed_ranges(plan, in_state=True)),
    )


def source_of(plan: CompiledFanout, spec: FanoutSpec, *, keys: bool = True, headers: bool = True) -> str:
    """The source of ``walk`` and ``run``; without keys or headers for measurements only."""
    source = _Source(plan, spec, keys, headers)
    return "\n".join((*source.walk(), *source.run())) + "\n"


class _Source:
    """Writes line by line."""

    def __init__(self, plan: CompiledFanout, spec: FanoutSpec, keys: bool, headers: bool) -> None:
        self._plan, self._spec, self._headers = plan, spec, headers
        self._keys = keys
        self._pseudonyms = keys and any(not spec.grants[each.index].canonical_key for each in plan.grants)
        self._shared = Counter(grant.projection for grant in plan.grants)
        self._previous, self._state = cut_of(plan)

    @property
    def _read(self) -> str:
        """The names of what is read of a record."""
        names = ["op", "known", "previous", "marks"]
        names += ["topic", *_NUMBERS_OF_HEAD] if self._headers else []
        names += ["entity"] if self._pseudonyms else []
        names += [each.named("p") for each in self._previous if each.needed]
        names += [each.named("s") for each in self._state if each.needed]
        return ", ".join(names)

    def walk(self) -> Iterator[str]:
        """Whatever record it is, field by field."""
        yield "def walk(v, k):"
        for prefix, cut in (("p", self._previous), ("s", self._state)):
            for each in cut:
                if each.needed:
                    yield f"    {each.named(prefix)} = b''"
        yield from indented(1, _ENVELOPE)
        yield "    at += 1"
        yield "    if previous:"
        yield from indented(2, slow_record("p", self._plan.previous, self._previous))
        yield "    state = v[at]"
        yield "    if state > 2 or state == 1: raise wrong_branch(v, at)"
        yield "    at += 1"
        yield "    if state:"
        yield from indented(2, slow_record("s", self._plan.state, self._state))
        yield "    if at != len(v): raise Unsound(TRAILING, at)"
        yield "    if not state and op != DELETE: raise Irregular"
        yield from indented(1, _KEY)
        if self._pseudonyms:
            yield "    entity = with_length(identity) + with_length(record_id)"
        yield f"    return {self._read}"

    def run(self) -> Iterator[str]:
        """The records of a batch, one after the other."""
        grants = self._plan.grants
        yield "def run(records, copying, before, windows, puts, withheld, ask):"
        yield "    unsound = asked = 0"
        yield "    told = None"
        for grant in grants:
            i = grant.index
            yield f"    from{i}, until{i}, start{i} = windows[{i}]"
            yield f"    put_key{i}, put_value{i}, put_headers{i} = puts[{i}]"
            yield f"    refuse{i} = withheld[{i}]"
            yield f"    delivered{i} = entombed{i} = outside{i} = internal{i} = 0"
        yield "    for record in records:"
        yield "        v, k = record.value, record.key"
        yield "        try:"
        yield from indented(3, self._quickly())
        yield "        except UNCOMMON:"
        yield "            told = None"
        yield "            try:"
        yield f"                {self._read} = walk(v, k)"
        yield "            except Irregular:"
        yield "                ask(record, None)"
        yield "                asked += 1"
        yield "                continue"
        yield "            except (Unsound, IndexError, ValueError, TypeError):"
        yield "                unsound += 1"
        yield "                continue"
        yield from indented(2, self._decide())
        counts = "".join(
            f"({g.index}, delivered{g.index}, entombed{g.index}, outside{g.index}, internal{g.index}), "
            for g in grants
        )
        yield f"    return unsound, asked, ({counts})"

    def _quickly(self) -> Iterator[str]:
        """An ordinary record."""
        position = ", ".join(_NUMBERS_OF_HEAD[:5])
        if self._headers:
            yield "found = envelope(v, 5)"
            yield f"op, {position}, raw_topic, raw_partition, raw_offset = found.groups()"
        else:
            yield "found = envelope_alone(v, 5)"
            yield "op, raw_topic = found.groups()"
        yield "op, at, marks = operation_of[op], found.end(), None"
        yield "if raw_topic != told:"
        yield "    topic = raw_topic[1:]"
        yield "    topic.decode()"
        yield "    told = raw_topic"
        yield "known = v[at]"
        yield "previous = v[at + 1]"
        yield "at += 2"
        yield "if known > 1: raise Irregular"
        yield "if previous:"
        yield "    if previous != 2: raise Irregular"
        yield from indented(1, quick_record("p", self._plan.previous, self._previous))
        yield "if v[at] != 2: raise Irregular"
        yield "at += 1"
        yield from quick_record("s", self._plan.state, self._state)
        yield "if at != len(v) or k[0]: raise Irregular"
        yield "at = 5 + TEXT0[k[5]]"
        yield "if at + TEXT0[k[at]] != len(k): raise Irregular"
        yield "if not k.isascii(): k[5:].decode()"
        if self._pseudonyms:
            yield "entity = FOUR[k[5]] + k[6:at] + FOUR[k[at]] + k[at + 1 :]"

    def _decide(self) -> Iterator[str]:
        yield "ts, offset = record.timestamp_ms, record.offset"
        if self._headers:
            yield f"head = head_of(op, topic, {', '.join(_NUMBERS_OF_HEAD)})"
            yield "marked = marks_of(marks) if marks else b''"
        for number, uses in self._shared.items():
            if uses > 1:
                yield f"b{number} = None"
        yield "if op != DELETE:"
        yield "    pass"
        for number, predicate in enumerate(self._plan.predicates):
            if predicate.in_state:
                yield f"    r{number} = {_holds(number, predicate)}"
        for grant in self._plan.grants:
            yield from self._grant(grant)
        if self._plan.rest:
            yield f"ask(record, {tuple(index for index, _reason in self._plan.rest)!r})"
            yield "asked += 1"

    def _grant(self, grant: GrantPlan) -> Iterator[str]:
        i = grant.index
        yield f"if from{i} <= ts < until{i} and offset >= start{i}:"
        yield f"    {self._key(i)}"
        inside = " and ".join(["op != DELETE", *(f"r{number}" for number in grant.inside)])
        if NEVER in grant.inside:
            inside = "False"
        yield f"    if {inside}:"
        yield from indented(2, self._deliver(grant))
        yield f"    elif (key in before) if copying else {self._owes(grant)}:"
        yield from indented(2, self._entomb(i))
        yield "    else:"
        yield f"        outside{i} += 1"
        yield "else:"
        yield f"    refuse{i}[refused(grant{i}, ts, copying=copying)] += 1"

    def _key(self, i: int) -> str:
        if self._spec.grants[i].canonical_key:
            return f"key = key_frame{i} + k[5:]"
        return f"key = key_frame{i} + pseudonym{i}(entity)" if self._keys else "key = k"

    def _owes(self, grant: GrantPlan) -> str:
        if grant.before is None:
            return "(not known or previous)"
        told = [f"({_holds(number, self._plan.predicates[number])})" for number in grant.before]
        return f"(not known or ({' and '.join(['previous', *told])}))"

    def _deliver(self, grant: GrantPlan) -> Iterator[str]:
        i, number = grant.index, grant.projection
        ops = self._plan.projections[number]
        fails = [f"c{number}_{at} is None" for at, op in enumerate(ops) if isinstance(op, Convert)]
        if self._shared[number] > 1:
            yield f"if b{number} is None:"
            yield from indented(1, self._projected(number, ops))
            yield f"    b{number} = False if {' or '.join(fails) or 'False'} else {self._join(number, ops)}"
            value, fails = f"value_frame{i} + b{number}", [f"b{number} is False"]
        else:
            yield from self._projected(number, ops)
            value = self._join(number, ops, f"value_frame{i}")
        if self._headers:
            fails += ["head is None", "marked is None"]
        if fails:
            yield f"if {' or '.join(fails)}: internal{i} += 1"
            yield "else:"
        yield from indented(1 if fails else 0, self._put(i, value))

    def _put(self, i: int, value: str) -> Iterator[str]:
        headers = f"(head + grant_marked{i} + marked + content if marked else head + grant_plain{i})"
        yield f"put_key{i}(key)"
        yield f"put_value{i}({value})"
        yield f"put_headers{i}({headers if self._headers else NOTHING})"
        yield f"delivered{i} += 1"
        yield "if copying: before.add(key)"

    def _projected(self, number: int, ops: tuple[Op, ...]) -> Iterator[str]:
        for at, op in enumerate(ops):
            if isinstance(op, Convert):
                yield f"c{number}_{at} = change{number}_{at}(s{op.field})"

    def _join(self, number: int, ops: tuple[Op, ...], frame: str = "") -> str:
        parts = [frame] if frame else []
        for at, op in enumerate(ops):
            match op:
                case Copy():
                    parts += [each.named("s") for each in self._state if op.first <= each.first < op.end]
                case Constant():
                    parts.append(repr(op.data))
                case Convert():
                    parts.append(f"c{number}_{at}")
        return f"join(({', '.join(parts)},))" if len(parts) > 2 else " + ".join(parts) or "b''"

    def _entomb(self, i: int) -> Iterator[str]:
        if self._headers:
            yield f"last = head_of(DELETE, topic, {', '.join(_NUMBERS_OF_HEAD)})"
            yield f"if last is None: internal{i} += 1"
            yield "else:"
        headers = f"last + grant_marked{i}" if self._headers else NOTHING
        lines = (f"put_key{i}(key)", f"put_value{i}(None)", f"put_headers{i}({headers})", f"entombed{i} += 1")
        yield from indented(1 if self._headers else 0, (*lines, "if copying: before.discard(key)"))


def _holds(number: int, predicate: Predicate) -> str:
    return f"{'s' if predicate.in_state else 'p'}{predicate.field} in values{number}"


def _longs(*names: str) -> tuple[str, ...]:
    """Numbers of the envelope as bytes, in any sound form; headers decode them."""
    return (
        f"found = longs{len(names)}(v, at)",
        "if found:",
        f"    {', '.join(names)}, = found.groups()",
        "    at = found.end()",
        "else:",
        *(f"    {name}, at = long_bytes(v, at)" for name in names),
    )


_ENVELOPE = (
    "op = operations.get(v[5:12])",
    "if op is None:",
    "    if v[5] > 127: length_at(v, 5)",
    "    if v[5:10] != read: raise Unsound(WRONG_BRANCH, 5)",
    "    op, at = READ, 10",
    "else: at = 12",
    *_longs("generation", "incarnation", "commit", "ordinal", "source_time"),
    *LENGTH,
    "topic = v[at : at + n]",
    "if not topic.isascii(): topic.decode()",
    "at += n",
    "n = at",
    *_longs("raw_partition", "raw_offset", "policy_version"),
    "if len(raw_partition) > 4: behind_int(v, n)",
    "marks = v[at]",
    "if marks: marks, at = marks_at(v, at)",
    "else: at += 1",
    "known = v[at]",
    "if known > 1: raise Unsound(NOT_BOOLEAN, at)",
    "at += 1",
    "previous = v[at]",
    "if previous > 2 or previous == 1: raise wrong_branch(v, at)",
)
_KEY = (
    "if k[0] or len(k) < 5: raise Unsound(TRUNCATED, 0)",
    "v, at = k, 5",
    *LENGTH,
    "identity = v[at : at + n]",
    "at += n",
    *LENGTH,
    "record_id = v[at : at + n]",
    "if at + n != len(v): raise Unsound(TRAILING, at)",
    "if not v[5:].isascii(): identity.decode(), record_id.decode()",
)
