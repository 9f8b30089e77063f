"""Python source that walks over the fields of a record, twice: what is ordinary quickly, and whatever comes.

Ordinary are numbers in their shortest form and texts of less than 64 bytes. Neighbouring numbers are found by
one regular expression. Of neighbouring texts each takes a look into a table, and all are known to be UTF-8
together: between them stand lengths and branches, which are ASCII. What else there is raises, and is walked
over field by field, which tells what it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby, pairwise
from typing import Final

from topics.engine.fanout_plan import CompiledFanout, Convert, Copy, Walk
from topics.engine.skip import Code

_INT_BYTES: Final = 4
_LONG_BYTES: Final = 9
_ONE_BYTE: Final = 64
"""So many lengths, and so many indexes, take a single byte."""

Moves = tuple[int | None, ...]
"""What each byte moves the position by; None where it is not ordinary."""


class Kind(IntEnum):
    """What neighbouring fields have in common."""

    NUMBERS = 0
    TEXTS = 1
    OTHER = 2


@dataclass(frozen=True, slots=True)
class Segment:
    """Fields of one kind that are always needed together: from the first to before the end."""

    first: int
    end: int
    kind: Kind
    needed: bool

    def named(self, prefix: str) -> str:
        """The name of its bytes."""
        return f"{prefix}{self.first}"


def segments(walks: Sequence[Walk], needed: Iterable[tuple[int, int]]) -> tuple[Segment, ...]:
    """A record's fields, cut where a needed range begins or ends and where the kind changes."""
    ranges, kinds = list(needed), [_kind(walk) for walk in walks]
    cuts = {0, len(walks), *(place for pair in ranges for place in pair)}
    cuts |= {place for place in range(1, len(walks)) if kinds[place] is not kinds[place - 1]}
    ordered = sorted(cuts)
    return tuple(
        Segment(first, end, kinds[first], any(low <= first and end <= high for low, high in ranges))
        for first, end in pairwise(ordered)
    )


def needed_ranges(plan: CompiledFanout, *, in_state: bool) -> set[tuple[int, int]]:
    """The ranges of fields that predicates look at and, of the state, those that projections take."""
    found = {(each.field, each.field + 1) for each in plan.predicates if each.in_state is in_state}
    for op in (op for ops in plan.projections for op in ops) if in_state else ():
        match op:
            case Copy():
                found.add((op.first, op.end))
            case Convert():
                found.add((op.field, op.field + 1))
    return found


def _kind(walk: Walk) -> Kind:
    if walk.place >= 0:
        return Kind.OTHER
    if walk.code in (Code.INT, Code.LONG):
        return Kind.NUMBERS
    short = walk.code is Code.ENUM and walk.size <= _ONE_BYTE
    return Kind.TEXTS if short or walk.code in (Code.STRING, Code.BOOLEAN, Code.NULL) else Kind.OTHER


def indented(depth: int, lines: Iterable[str]) -> Iterator[str]:
    """The lines, deeper by so many blocks."""
    return ("    " * depth + line for line in lines)


# -- what is ordinary -----------------------------------------------------------------------------


def quick_record(prefix: str, walks: Sequence[Walk], cut: Sequence[Segment]) -> Iterator[str]:
    """Lines that move ``at`` behind the record, with the bytes of what is needed; they raise for the rest."""
    for kind, found in groupby(cut, lambda segment: segment.kind):
        group = list(found)
        match kind:
            case Kind.NUMBERS:
                yield from _quick_numbers(prefix, group)
            case Kind.TEXTS:
                yield from _quick_texts(prefix, walks, group)
            case _:
                yield from _quick_others(prefix, walks, group)


def number_patterns(prefix: str, walks: Sequence[Walk], cut: Sequence[Segment]) -> Mapping[str, bytes]:
    """The regular expressions of the record's runs of numbers; a group for each needed segment."""
    found = {}
    for kind, run in groupby(cut, lambda segment: segment.kind):
        group = list(run)
        if kind is Kind.NUMBERS:
            found[f"numbers_{group[0].named(prefix)}"] = b"".join(
                b"(%b%b)" % (b"" if each.needed else b"?:", _numbers(walks[each.first : each.end]))
                for each in group
            )
    return found


def _numbers(walks: Sequence[Walk]) -> bytes:
    return b"".join(b"(?:" + _number_pattern(walk) + b")" for walk in walks)


def number_expression(code: Code) -> bytes:
    """The expression of an ordinary number: in its shortest form, and surely within its bits."""
    more = _INT_BYTES if code is Code.INT else _LONG_BYTES
    return rb"(?:[\x00-\x7f]|[\x80-\xff]{1,%d}[\x01-\x7f])" % (more - 1)


def _number_pattern(walk: Walk) -> bytes:
    number = number_expression(walk.code)
    if walk.null < 0:
        return number
    return rb"\x%02x|\x%02x%b" % (2 * walk.null, 2 - 2 * walk.null, number)


def _quick_numbers(prefix: str, group: Sequence[Segment]) -> Iterator[str]:
    names = [each.named(prefix) for each in group if each.needed]
    match_at = f"numbers_{group[0].named(prefix)}(v, at)"
    if names:
        yield f"found = {match_at}"
        yield f"{', '.join(names)}, = found.groups()"
        yield "at = found.end()"
    else:
        yield f"at = {match_at}.end()"


def _quick_texts(prefix: str, walks: Sequence[Walk], group: Sequence[Segment]) -> Iterator[str]:
    begin = f"at_{group[0].named(prefix)}"
    for each in group:
        yield f"at_{each.named(prefix)} = at"
        for walk in walks[each.first : each.end]:
            yield from _moved(walk)
    for each, after in zip(group, [*group[1:], None], strict=True):
        if each.needed:
            end = f"at_{after.named(prefix)}" if after else "at"
            yield f"{each.named(prefix)} = v[at_{each.named(prefix)} : {end}]"
    if any(walks[at].code is Code.STRING for each in group for at in range(each.first, each.end)):
        yield f"v[{begin}:at].decode()"


def _quick_others(prefix: str, walks: Sequence[Walk], group: Sequence[Segment]) -> Iterator[str]:
    for each in group:
        yield "n = at"
        for walk in walks[each.first : each.end]:
            yield from _moved(walk)
        if each.needed:
            yield f"{each.named(prefix)} = v[n:at]"


def _moved(walk: Walk) -> Iterator[str]:
    """Move behind one field, its branch included."""
    if walk.place >= 0:
        yield f"at = behind_nested(program, {walk.place}, v, at)"
        return
    here, value = ("at", 0) if walk.null < 0 else ("at + 1", 1)
    match walk.code:
        case Code.STRING | Code.BYTES:
            move = f"TEXT{value}[v[{here}]]"
        case Code.BOOLEAN:
            move = f"INDEX2_{value}[v[{here}]]"
        case Code.ENUM if walk.size <= _ONE_BYTE:
            move = f"SYMBOL{walk.size}_{value}[v[{here}]]"
        case Code.ENUM:
            move = f"behind_enum(v, {here}, {walk.size}) - at"
        case Code.FLOAT:
            move = f"behind_float(v, {here}) - at"
        case _:
            move = str(value + {Code.DOUBLE: 8, Code.FIXED: walk.size}.get(walk.code, 0))
    if walk.null >= 0:
        move = f"({move}) if v[at] == {2 - 2 * walk.null} else NULL{2 * walk.null}[v[at]]"
    if move != "0":
        yield f"at += {move}"


def moves(walks: Iterable[Walk]) -> dict[str, Moves]:
    """The tables that quick lines look into."""
    found: dict[str, Moves] = {"NULL0": _table({0: 1}), "NULL2": _table({2: 1})}
    for value in (0, 1):
        found[f"TEXT{value}"] = _table({2 * length: value + 1 + length for length in range(_ONE_BYTE)})
        found[f"INDEX2_{value}"] = _table({0: value + 1, 1: value + 1})
        for size in {walk.size for walk in walks if walk.code is Code.ENUM and walk.size <= _ONE_BYTE}:
            found[f"SYMBOL{size}_{value}"] = _table({2 * index: value + 1 for index in range(size)})
    return found


def _table(known: Mapping[int, int]) -> Moves:
    return tuple(known.get(byte) for byte in range(256))


# -- whatever comes -------------------------------------------------------------------------------


def slow_record(prefix: str, walks: Sequence[Walk], cut: Sequence[Segment]) -> Iterator[str]:
    """The same for every record; what is unsound raises ``Unsound``, what is not plain ``Irregular``."""
    for at, walk in enumerate(walks):
        yield from _field(f"at_{prefix}{at}", walk)
    yield f"at_{prefix}{len(walks)} = at"
    for each in cut:
        if each.needed:
            yield f"{each.named(prefix)} = v[at_{each.named(prefix)} : at_{prefix}{each.end}]"


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
        yield from indented(1, _value(walk))
        yield f"elif branch != {2 * walk.null}: raise wrong_branch(v, at - 1)"


def _value(walk: Walk) -> Iterator[str]:
    match walk.code:
        case Code.STRING | Code.BYTES:
            yield from LENGTH
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


LENGTH: Final = (
    "n = v[at]",
    "at += 1",
    "if n > 127: n, at = length_at(v, at - 1)",
    "elif n & 1: raise Unsound(NEGATIVE_LENGTH, at - 1)",
    "else: n >>= 1",
)
