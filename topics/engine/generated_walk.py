"""Python made of a gate program: functions that walk an envelope, map its row to items and write items.

The text is generated from numbers and from places in lists alone; no name or value of a definition gets
into it. What a generated function does not expect raises ``Unclear``: the record is for the reference.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from topics.engine.gate_forms import long_form
from topics.engine.gate_program import COMPLEX, FieldStep, GateProgram, Role, Target
from topics.engine.gate_spec import GateSpec
from topics.engine.skip import Code, skip
from topics.resource import Conversion

Walked = tuple[str, tuple[Any, ...] | None, tuple[Any, ...] | None, tuple[Any, ...]]
"""Operation, the slots before and after, and ts_ms, sequence, lsn."""


class Unclear(Exception):  # noqa: N818 - named after what the record is
    """The record is not of the plain kind that the generated code decides."""


class Other:
    """Stands for a nested value, an enum, a fixed: never judged here."""


OTHER: Final = Other()
SIZES: Final = tuple(long_form(number) for number in range(4096))


def size(length: int) -> bytes:
    """A length as Avro writes it."""
    return SIZES[length] if length < len(SIZES) else long_form(length)


def walker(program: GateProgram) -> Callable[[bytes, int], Walked]:
    """A function of (bytes, where the datum begins); raises for whatever is unsound."""
    lines = ["def row(d, at):", *_record(program.row), f"    return at, ({_values(program.slots)})"]
    lines += ["def source(d, at):", *_record(program.source), f"    return at, ({_values(3)})"]
    lines += ["def walk(d, at):", "    before = after = None"]
    for step in program.envelope:
        match step.role:
            case Role.SKIPPED:
                skipped = FieldStep(step.program, step.code, step.null_branch, step.value_branch)
                lines += _indented(_field(skipped, None))
            case Role.SOURCE:
                lines.append("    at, found = source(d, at)")
            case Role.OPERATION:
                lines += _indented(_text("op"))
            case _:
                name = "before" if step.role is Role.BEFORE else "after"
                lines += _indented(_number("n"))
                lines.append(f"    if n == {step.value_branch}: at, {name} = row(d, at)")
                lines.append(f"    elif n != {step.null_branch}: raise Unclear")
    lines += ["    if at != len(d): raise Unclear", "    return op, before, after, found"]
    return _made("walk", lines, {"numbers": program.numbers})


def writer(targets: Sequence[Target]) -> Callable[[Sequence[Any]], bytes]:
    """A function from items to their bytes; raises Unclear for one that is not of its type."""
    lines = ["def write(items):", "    parts = []", "    put = parts.append"]
    for target in targets:
        lines += _indented(_written(target))
    return _made("write", [*lines, "    return b''.join(parts)"], {})


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


def _indented(lines: list[str], by: int = 1) -> list[str]:
    return ["    " * by + line for line in lines]


def _record(steps: Sequence[FieldStep]) -> list[str]:
    # The source block may lack some of its three.
    lines = ["v0 = v1 = v2 = None"]
    for step in steps:
        lines += _field(step, f"v{step.slot}" if step.slot >= 0 else None)
    return _indented(lines)


def _field(step: FieldStep, name: str | None) -> list[str]:
    """Lines that read one field into a name, or that only move behind it."""
    if step.null_branch < 0:
        return _simple(step, name) if step.code != COMPLEX else _complex(step, name)
    inner = _simple(step, name) if step.code != COMPLEX else ["at = start", *_complex(step, name)]
    return [
        "start = at",
        *_number("n"),
        f"if n == {step.null_branch}: {name or 'n'} = None",
        f"elif n == {step.value_branch}:",
        *_indented(inner),
        "else: raise Unclear",
    ]


def _complex(step: FieldStep, name: str | None) -> list[str]:
    return [f"at = skip(numbers, {step.program}, d, at, 2)", *([f"{name} = OTHER"] if name else [])]


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


def _written(target: Target) -> list[str]:
    value = "None" if target.item < 0 else f"items[{target.item}]"
    null = "raise Unclear" if target.null_branch < 0 else f"put({long_form(target.null_branch)!r})"
    prefix = b"" if target.value_branch < 0 else long_form(target.value_branch)
    lines = [f"v = {value}", f"if v is None: {null}"]
    match target.code:
        case Code.STRING:
            lines += ["elif type(v) is str:", "    v = v.encode()", f"    put({prefix!r} + size(len(v)) + v)"]
        case Code.BYTES:
            lines += ["elif type(v) is bytes:", f"    put({prefix!r} + size(len(v)) + v)"]
        case Code.BOOLEAN:
            lines += ["elif type(v) is bool:", f"    put({prefix!r} + (b'\\x01' if v else b'\\x00'))"]
        case Code.INT | Code.LONG:
            bits = 31 if target.code == Code.INT else 63
            lines += [
                f"elif type(v) is int and {-(2**bits)} <= v < {2**bits}:",
                f"    put({prefix!r} + long_form(v))",
            ]
    return [*lines, "else: raise Unclear"]
