"""Writes the Python source of a fan-out for one writer's schema: no loop over fields, few calls.

Names in the source: ``v`` the value, ``k`` the key, ``at`` the position, ``s<i>`` and ``p<i>`` where field i
of state and previous begins, ``r<i>`` whether predicate i holds, ``b<i>`` the bytes of projection i.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, groupby

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
    Walk,
)
from topics.engine.skip import Code

_NUMBERS = (Code.INT, Code.LONG)
_INT_BYTES = 4
_LONG_BYTES = 9


def source_of(plan: CompiledFanout, spec: FanoutSpec, *, keys: bool = True, headers: bool = True) -> str:
    """The source of ``run``; without keys or headers for measurements only."""
    return "\n".join(_Source(plan, spec, keys, headers).lines()) + "\n"


class _Source:
    """Writes line by line."""

    def __init__(self, plan: CompiledFanout, spec: FanoutSpec, keys: bool, headers: bool) -> None:
        self._plan, self._spec, self._keys, self._headers = plan, spec, keys, headers
        self._shared = Counter(grant.projection for grant in plan.grants)

    def lines(self) -> Iterator[str]:
        grants = self._plan.grants
        yield "def run(records, copying, before, windows, puts, withheld, ask):"
        yield "    unsound = asked = 0"
        for grant in grants:
            i = grant.index
            yield f"    from{i}, until{i}, start{i} = windows[{i}]"
            yield f"    put{i}, refuse{i} = puts[{i}], withheld[{i}]"
            yield f"    delivered{i} = entombed{i} = outside{i} = internal{i} = 0"
        yield "    for record in records:"
        yield "        v, k = record.value, record.key"
        yield "        try:"
        yield from _indented(3, self._walk())
        yield "        except Irregular:"
        yield "            ask(record, None)"
        yield "            asked += 1"
        yield "            continue"
        yield "        except (Unsound, IndexError, ValueError, TypeError):"
        yield "            unsound += 1"
        yield "            continue"
        yield from _indented(2, self._decide())
        counts = "".join(
            f"({g.index}, delivered{g.index}, entombed{g.index}, outside{g.index}, internal{g.index}), "
            for g in grants
        )
        yield f"    return unsound, asked, ({counts})"

    def _walk(self) -> Iterator[str]:
        yield from _ENVELOPE
        yield from self._record("previous", "p", self._plan.previous)
        yield from self._record("state", "s", self._plan.state)
        yield "if at != len(v): raise Unsound(TRAILING, at)"
        yield "if not state and op != DELETE: raise Irregular"
        yield from _KEY

    def _record(self, name: str, prefix: str, walks: tuple[Walk, ...]) -> Iterator[str]:
        yield f"{name} = v[at]"
        yield f"if {name} > 2 or {name} == 1: raise wrong_branch(v, at)"
        yield "at += 1"
        yield f"if {name}:"
        for first, end in number_runs(walks):
            slow = chain.from_iterable(_field(f"{prefix}{at}", walks[at]) for at in range(first, end))
            if end - first < 2:
                yield from _indented(1, slow)
            else:
                starts = "".join(f"({prefix}{at}, at), " for at in range(first, end))
                yield f"    found = numbers_{prefix}{first}(v, at)"
                yield f"    if found: _, {starts}= found.regs"
                yield "    else:"
                yield from _indented(2, slow)
        yield f"    {prefix}{len(walks)} = at"

    def _decide(self) -> Iterator[str]:
        yield "ts, offset = record.timestamp_ms, record.offset"
        if self._headers:
            yield "head = head_of(op, raw_topic, raw_partition, raw_offset, source_time, position)"
            yield "marked = marks_of(marks) if marks else b''"
        if self._keys and any(not self._spec.grants[g.index].canonical_key for g in self._plan.grants):
            yield "entity = with_length(identity) + with_length(record_id)"
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
        yield from _indented(2, self._deliver(grant))
        yield f"    elif (key in before) if copying else {self._owes(grant)}:"
        yield from _indented(2, self._entomb(i))
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
            yield from _indented(1, self._projected(number, ops))
            yield f"    b{number} = False if {' or '.join(fails) or 'False'} else {_join(number, ops)}"
            value, fails = f"value_frame{i} + b{number}", [f"b{number} is False"]
        else:
            yield from self._projected(number, ops)
            value = _join(number, ops, f"value_frame{i}")
        if self._headers:
            fails += ["head is None", "marked is None"]
        if fails:
            yield f"if {' or '.join(fails)}: internal{i} += 1"
            yield "else:"
        yield from _indented(1 if fails else 0, self._put(i, value))

    def _put(self, i: int, value: str) -> Iterator[str]:
        headers = f"(head + grant_marked{i} + marked + content if marked else head + grant_plain{i})"
        yield f"put{i}((key, {value}, {headers if self._headers else 'b' + repr('')}))"
        yield f"delivered{i} += 1"
        yield "if copying: before.add(key)"

    def _projected(self, number: int, ops: tuple[Op, ...]) -> Iterator[str]:
        for at, op in enumerate(ops):
            if isinstance(op, Convert):
                yield f"c{number}_{at} = change{number}_{at}(v[s{op.field}:s{op.field + 1}])"

    def _entomb(self, i: int) -> Iterator[str]:
        if self._headers:
            yield "last = head_of(DELETE, raw_topic, raw_partition, raw_offset, source_time, position)"
            yield f"if last is None: internal{i} += 1"
            yield "else:"
        yield (
            f"    put{i}((key, None, last + grant_marked{i}))"
            if self._headers
            else f"put{i}((key, None, b''))"
        )
        yield from _indented(
            1 if self._headers else 0, (f"entombed{i} += 1", "if copying: before.discard(key)")
        )


def number_runs(walks: tuple[Walk, ...]) -> Iterator[tuple[int, int]]:
    """Where runs of numbers begin and end; every other field is a run of its own."""
    for is_number, found in groupby(range(len(walks)), lambda at: walks[at].code in _NUMBERS):
        places = list(found)
        if is_number:
            yield places[0], places[-1] + 1
        else:
            yield from ((at, at + 1) for at in places)


def number_pattern(walks: tuple[Walk, ...]) -> bytes:
    """A regular expression for ordinary numbers in their shortest form, one group each.

    What it does not match (null included where there is none) the code for single fields judges.
    """
    return b"".join(b"(" + _number_pattern(walk) + b")" for walk in walks)


def _number_pattern(walk: Walk) -> bytes:
    more = _INT_BYTES if walk.code is Code.INT else _LONG_BYTES
    number = rb"(?:[\x00-\x7f]|[\x80-\xff]{1,%d}[\x01-\x7f])" % (more - 1)
    if walk.null < 0:
        return number
    return rb"\x%02x|\x%02x%b" % (2 * walk.null, 2 - 2 * walk.null, number)


def _join(number: int, ops: tuple[Op, ...], frame: str = "") -> str:
    parts = [frame] if frame else []
    for at, op in enumerate(ops):
        match op:
            case Copy():
                parts.append(f"v[s{op.first}:s{op.end}]")
            case Constant():
                parts.append(repr(op.data))
            case Convert():
                parts.append(f"c{number}_{at}")
    return f"join(({', '.join(parts)},))" if len(parts) > 2 else " + ".join(parts) or "b''"


def _holds(number: int, predicate: Predicate) -> str:
    prefix = "s" if predicate.in_state else "p"
    return f"v[{prefix}{predicate.field}:{prefix}{predicate.field + 1}] in values{number}"


def _field(start: str, walk: Walk) -> Iterator[str]:
    yield f"{start} = at"
    if walk.place >= 0:
        yield f"at = behind_nested(program, {walk.place}, v, at)"
    elif walk.null < 0:
        yield from _value(walk)
    else:
        yield "branch = v[at]"
        yield "at += 1"
        yield f"if branch == {2 - 2 * walk.null}:"
        yield from _indented(1, _value(walk))
        yield f"elif branch != {2 * walk.null}: raise wrong_branch(v, at - 1)"


def _value(walk: Walk) -> Iterator[str]:
    match walk.code:
        case Code.STRING | Code.BYTES:
            yield from _LENGTH
            text = walk.code is Code.STRING
            yield "at += n"
            if text:
                yield "if not v[at - n : at].isascii(): v[at - n : at].decode()"
        case Code.INT | Code.LONG:
            limit, slow = (_INT_BYTES, "int") if walk.code is Code.INT else (_LONG_BYTES, "long")
            yield "n = at"
            yield "while v[at] > 127: at += 1"
            yield "at += 1"
            yield f"if at - n > 1 and (v[at - 1] == 0 or at - n > {limit}): at = behind_{slow}(v, n)"
        case Code.BOOLEAN:
            yield "if v[at] > 1: raise Unsound(NOT_BOOLEAN, at)"
            yield "at += 1"
        case Code.ENUM:
            yield f"at = behind_enum(v, at, {walk.size})"
        case Code.FLOAT:
            yield "at = behind_float(v, at)"
        case Code.DOUBLE:
            yield "at += 8"
        case Code.FIXED:
            yield f"at += {walk.size}"
        case _:
            yield "pass"


def _indented(depth: int, lines: Iterable[str]) -> Iterator[str]:
    return ("    " * depth + line for line in lines)


_LENGTH = (
    "n = v[at]",
    "at += 1",
    "if n > 127: n, at = length_at(v, at - 1)",
    "elif n & 1: raise Unsound(NEGATIVE_LENGTH, at - 1)",
    "else: n >>= 1",
)


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
    "position = (generation, incarnation, commit, ordinal)",
    *_LENGTH,
    "raw_topic = v[at : at + n]",
    "if not raw_topic.isascii(): raw_topic.decode()",
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
)
_KEY = (
    "if k[0] or len(k) < 5: raise Unsound(TRUNCATED, 0)",
    "v, at, own = k, 5, v",
    *_LENGTH,
    "identity = v[at : at + n]",
    "at += n",
    *_LENGTH,
    "record_id = v[at : at + n]",
    "if at + n != len(v): raise Unsound(TRAILING, at)",
    "if not v[5:].isascii(): identity.decode(), record_id.decode()",
    "v = own",
)
