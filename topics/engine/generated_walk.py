"""Python made of a gate program: functions that walk an envelope, map its row to items and write items.

The text is generated from numbers and from places in lists alone; no name or value of a definition gets
into it. What a generated function does not expect raises ``Unclear``: the record is for the reference.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from topics.engine.gate_forms import long_form
from topics.engine.gate_program import COMPLEX, EnvelopeStep, FieldStep, GateProgram, Role, Target
from topics.engine.gate_spec import GateSpec
from topics.engine.generated_fields import moves, number_expression
from topics.engine.generated_support import number_of
from topics.engine.skip import Code, Unsound, skip
from topics.resource import Conversion

Walked = tuple[str, tuple[Any, ...] | None, tuple[Any, ...] | None, tuple[Any, ...]]
"""Operation, the slots before and after, and ts_ms, sequence, lsn."""


class Unclear(Exception):  # noqa: N818 - named after what the record is
    """The record is not of the plain kind that the generated code decides."""


class Other:
    """Stands for a nested value, an enum, a fixed: never judged here."""


OTHER: Final = Other()
_ENVELOPE_DEPTH: Final = 1
SIZES: Final = tuple(long_form(number) for number in range(4096))


def size(length: int) -> bytes:
    """A length as Avro writes it."""
    return SIZES[length] if length < len(SIZES) else long_form(length)


def walker(program: GateProgram) -> Callable[[bytes, int], Walked]:
    """A function of (bytes, where the datum begins); raises for whatever is unsound.

    What is ordinary is walked over quickly, and whatever that does not expect once more field by field.
    """
    known: dict[str, Any] = {**moves(()), "numbers": program.numbers, "number_of": number_of}
    lines = [*_walk(program, "", known), *_walk(program, "slowly_", None)]
    lines += ["def walker(d, at):", "    try:", "        return walk(d, at)"]
    lines += ["    except UNCOMMON:", "        return slowly_walk(d, at)"]
    known["UNCOMMON"] = (AttributeError, IndexError, TypeError, ValueError, Unclear, Unsound)
    return _made("walker", lines, known)


def _walk(program: GateProgram, how: str, quick: dict[str, Any] | None) -> Iterator[str]:
    """Functions for a row, the source block and the envelope; ``quick`` takes what quick ones look into."""
    # The row is a branch of a union: one deeper than the source block.
    parts = (
        ("row", program.row, program.slots, _ENVELOPE_DEPTH + 2),
        ("source", program.source, 3, _ENVELOPE_DEPTH + 1),
    )
    for name, steps, slots, depth in parts:
        yield f"def {how}{name}(d, at):"
        # The source block may lack some of its three.
        yield "    v0 = v1 = v2 = None"
        yield from _indented(_fields(steps, f"{name}_", quick, depth))
        yield f"    return at, ({_values(slots)})"
    yield f"def {how}walk(d, at):"
    yield "    before = after = None"
    for skipped, found in groupby(program.envelope, lambda step: step.role is Role.SKIPPED):
        envelope = list(found)
        if skipped:
            passed = [
                FieldStep(each.program, each.code, each.null_branch, each.value_branch) for each in envelope
            ]
            prefix = f"envelope{envelope[0].program}_"
            yield from _indented(_fields(passed, prefix, quick, _ENVELOPE_DEPTH))
        else:
            for step in envelope:
                yield from _indented(_told(step, how))
    yield "    if at != len(d): raise Unclear"
    yield "    return op, before, after, found"


def _told(step: EnvelopeStep, how: str) -> list[str]:
    """A field of the envelope that tells something."""
    if step.role is Role.SOURCE:
        return [f"at, found = {how}source(d, at)"]
    if step.role is Role.OPERATION:
        return _text("op")
    name = "before" if step.role is Role.BEFORE else "after"
    return [
        *_number("n"),
        f"if n == {step.value_branch}: at, {name} = {how}row(d, at)",
        f"elif n != {step.null_branch}: raise Unclear",
    ]


def writer(targets: Sequence[Target]) -> Callable[[Sequence[Any]], bytes]:
    """A function from items to their bytes; raises Unclear for one that is not of its type."""
    lines, parts = ["def write(items):"], [f"w{place}" for place in range(len(targets))]
    for part, target in zip(parts, targets, strict=True):
        lines += _indented(_written(target, part))
    lines.append(f"    return join(({''.join(part + ', ' for part in parts)}))")
    return _made("write", lines, {"join": b"".join, **_SIZED})


def mapper(program: GateProgram, spec: GateSpec) -> Callable[[Sequence[Any]], list[Any]]:
    """A function from a row's slots to its items; raises Failed for an item that cannot be made."""
    known: dict[str, Any] = {"U": spec.unavailable, "B": spec.unavailable.encode(), "number": _NUMBER}
    codes = {step.slot: step.code for step in program.row}
    lines = ["def items(row):"]
    for place, item in enumerate(spec.items):
        slot = program.item_slots[place]
        lines.append(f"    i{place} = v = row[{slot}]")
        lines += _indented(_item(place, item.conversion, codes[slot]))
        known[f"convert{place}"] = item.convert
    listed = ", ".join(f"i{place}" for place in range(len(spec.items)))
    return _made("items", [*lines, f"    return [{listed}]"], known)


_NUMBER: Final = re.compile("[0-9A-Z]*").fullmatch


class Failed(Exception):  # noqa: N818 - named after the item
    """An item cannot be made: its place, and whether the source did not send it."""

    def __init__(self, place: int, unavailable: bool) -> None:
        super().__init__()
        self.place, self.unavailable = place, unavailable


def _item(place: int, conversion: Conversion, code: int) -> list[str]:
    if code not in (Code.STRING, Code.BYTES, Code.INT, Code.LONG, Code.BOOLEAN):
        return ["if v is OTHER: raise Unclear", *_convert(place, conversion, code)]
    lines = []
    if code in (Code.STRING, Code.BYTES):
        lines.append(f"if v == {'U' if code == Code.STRING else 'B'}: raise Failed({place}, True)")
    return [*lines, *_convert(place, conversion, code)]


def _convert(place: int, conversion: Conversion, code: int) -> list[str]:
    if conversion is Conversion.NONE:
        return []
    if conversion is Conversion.TRIM and code == Code.STRING:
        return [f"if v is not None: i{place} = v.strip()"]
    call = [
        f"try: i{place} = convert{place}(v)",
        f"except ValueError: raise Failed({place}, False) from None",
    ]
    if conversion is Conversion.NORMALISE and code == Code.STRING:
        return ["if v is not None and number(v) is None:", *_indented(call)]
    return call


def _made(name: str, lines: list[str], more: dict[str, Any]) -> Callable[..., Any]:
    known = {
        "skip": skip,
        "long_at": long_at,
        "Unclear": Unclear,
        "OTHER": OTHER,
        "Failed": Failed,
        "size": size,
        "long_form": long_form,
        **more,
    }
    exec("\n".join(lines), known)  # noqa: S102 - the text consists of numbers and of the words above
    made: Callable[..., Any] = known[name]
    return made


def _values(count: int) -> str:
    return "".join(f"v{slot}, " for slot in range(count))


def _indented(lines: Sequence[str], by: int = 1) -> list[str]:
    return ["    " * by + line for line in lines]


def _fields(steps: Sequence[FieldStep], prefix: str, quick: dict[str, Any] | None, depth: int) -> list[str]:
    """Lines that read fields, so deep in the value, into their slots; quick ones raise for the unordinary."""
    lines: list[str] = []
    for way, found in groupby(steps, _way if quick is not None else lambda _step: ""):
        group = list(found)
        if way == "numbers" and quick is not None:
            name = f"{prefix}{len(quick)}"
            lines += _quick_numbers(group, name)
            quick[name] = re.compile(b"".join(map(_group, group))).match
        elif way == "skipped texts":
            lines += ["start = at", *map(_behind_text, group), "d[start:at].decode()"]
        elif way == "text":
            for step in group:
                lines += _quick_slot(step)
        else:
            for step in group:
                lines += _field(step, f"v{step.slot}" if step.slot >= 0 else None, depth)
    return lines


def _way(step: FieldStep) -> str:
    """Which neighbouring fields are walked over together, and how."""
    if step.code in (Code.INT, Code.LONG):
        return "numbers"
    if step.code != Code.STRING:
        return ""
    return "text" if step.slot >= 0 else "skipped texts"


def _group(step: FieldStep) -> bytes:
    """The expression of a number; of one that is asked for, a group has the bytes, or None for null."""
    expression = number_expression(Code(step.code))
    expression = b"(%b)" % expression if step.slot >= 0 else expression
    if step.null_branch < 0:
        return expression
    return rb"(?:\x%02x|\x%02x%b)" % (2 * step.null_branch, 2 * step.value_branch, expression)


def _quick_numbers(steps: Sequence[FieldStep], name: str) -> list[str]:
    slots = [f"v{step.slot}" for step in steps if step.slot >= 0]
    lines = [f"match = {name}(d, at)", "at = match.end()"]
    if slots:
        lines += [f"{', '.join(slots)}, = match.groups()"]
        lines += [f"if {slot} is not None: {slot} = number_of({slot})" for slot in slots]
    return lines


def _behind_text(step: FieldStep) -> str:
    if step.null_branch < 0:
        return "at += TEXT0[d[at]]"
    null, value = 2 * step.null_branch, 2 * step.value_branch
    return f"at += TEXT1[d[at + 1]] if d[at] == {value} else NULL{null}[d[at]]"


def _quick_slot(step: FieldStep) -> list[str]:
    slot, text = (
        f"v{step.slot}",
        ["n = at + TEXT0[d[at]]", f"v{step.slot} = d[at + 1 : n].decode()", "at = n"],
    )
    if step.null_branch < 0:
        return text
    return [
        f"if d[at] == {2 * step.value_branch}:",
        "    n = at + TEXT1[d[at + 1]]",
        f"    {slot} = d[at + 2 : n].decode()",
        "    at = n",
        "else:",
        f"    at += NULL{2 * step.null_branch}[d[at]]",
        f"    {slot} = None",
    ]


def _field(step: FieldStep, name: str | None, depth: int) -> list[str]:
    """Lines that read one field into a name, or that only move behind it."""
    if step.null_branch < 0:
        return _simple(step, name) if step.code != COMPLEX else _complex(step, name, depth)
    inner = _simple(step, name) if step.code != COMPLEX else ["at = start", *_complex(step, name, depth)]
    return [
        "start = at",
        *_number("n"),
        f"if n == {step.null_branch}: {name or 'n'} = None",
        f"elif n == {step.value_branch}:",
        *_indented(inner),
        "else: raise Unclear",
    ]


def _complex(step: FieldStep, name: str | None, depth: int) -> list[str]:
    return [f"at = skip(numbers, {step.program}, d, at, {depth})", *([f"{name} = OTHER"] if name else [])]


def _simple(step: FieldStep, name: str | None) -> list[str]:
    match step.code:
        case Code.STRING:
            return _text(name or "n")
        case Code.BYTES:
            return [*_length(), f"{name or 'n'} = d[at:at + n]", "at += n"]
        case Code.INT:
            return [
                *_number(name or "n"),
                f"if not -2147483648 <= {name or 'n'} <= 2147483647: raise Unclear",
            ]
        case Code.LONG:
            return _number(name) if name else _passed()
        case Code.BOOLEAN:
            return ["n = d[at]", "at += 1", "if n > 1: raise Unclear", f"{name or 'n'} = n == 1"]
        case _:
            # Numbers with a point are for the reference: their text and their rules are long to tell.
            return [f"at += {4 if step.code == Code.FLOAT else 8}", f"{name or 'n'} = OTHER"]


def _number(name: str) -> list[str]:
    return [
        "n = d[at]",
        f"if n > 127: {name}, at = long_at(d, at)",
        "else:",
        f"    {name} = (n >> 1) ^ -(n & 1)",
        "    at += 1",
    ]


def _passed() -> list[str]:
    """Move behind a number; one of ten bytes, which may be too long, is for the reference."""
    return ["start = at", "while d[at] > 127: at += 1", "at += 1", "if at - start > 9: raise Unclear"]


def long_at(data: bytes, at: int) -> tuple[int, int]:
    """A number of two to nine bytes, and the place behind it."""
    number, shift = data[at] & 0x7F, 7
    while True:
        at += 1
        byte = data[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 56:
            raise Unclear
    return (number >> 1) ^ -(number & 1), at + 1


def _length() -> list[str]:
    return [*_number("n"), "if n < 0: raise Unclear"]


def _text(name: str) -> list[str]:
    return [
        *_length(),
        f"{name} = d[at:at + n].decode()" if name != "n" else "d[at:at + n].decode()",
        "at += n",
    ]


def _written(target: Target, part: str) -> list[str]:
    value = "None" if target.item < 0 else f"items[{target.item}]"
    prefix = b"" if target.value_branch < 0 else long_form(target.value_branch)
    null = "raise Unclear" if target.null_branch < 0 else f"{part} = {long_form(target.null_branch)!r}"
    return [f"v = {value}", *_written_value(target.code, part, prefix), f"elif v is None: {null}", _ELSE]


_ELSE: Final = "else: raise Unclear"
_SIZED: Final = {
    f"SIZED{prefix.hex()}": tuple(prefix + SIZES[length] for length in range(256))
    for prefix in (b"", b"\x00", b"\x02")
}


def _written_value(code: int, part: str, prefix: bytes) -> list[str]:
    """The bytes of a value that is there, if it is of its type."""
    if code in (Code.STRING, Code.BYTES):
        sized = f"SIZED{prefix.hex()}[len(v)] + v if len(v) < 256 else {prefix!r} + size(len(v)) + v"
        is_text = code == Code.STRING
        return [
            f"if type(v) is {'str' if is_text else 'bytes'}:",
            *(["    v = v.encode()"] if is_text else []),
            f"    {part} = {sized}",
        ]
    if code == Code.BOOLEAN:
        return ["if type(v) is bool:", f"    {part} = {prefix!r} + (b'\\x01' if v else b'\\x00')"]
    if code in (Code.INT, Code.LONG):
        limit = 2 ** (31 if code == Code.INT else 63)
        return [f"if type(v) is int and {-limit} <= v < {limit}:", f"    {part} = {prefix!r} + long_form(v)"]
    return ["if False: pass"]
