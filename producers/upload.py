"""Reads JSON lines and CSV as records of a resource: one at a time, strictly; a bad line stops no other."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, TextIO

from producers.publication import DELETE, UPSERT
from producers.publisher import Publisher, PublishResult, RecordRefused
from producers.text_values import from_cell, from_json
from producers.validation import ItemProblem

OPERATION: Final = "_operation"
VERSION: Final = "_version"
PREVIOUS_IDENTITY: Final = "_previous_identity"
RESERVED: Final = (OPERATION, VERSION, PREVIOUS_IDENTITY)
"""Columns beside the items; no item begins with an underscore."""

LONGEST_LINE: Final = 1_048_576
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_UNDECODED: Final = range(0xDC80, 0xDD00)


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the file; ``line`` is where it ends, counted from 1."""

    line: int
    record: Mapping[str, Any]
    operation: str = UPSERT
    version: int | None = None
    previous_identity: str | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was not published, and why; no message repeats a value."""

    line: int
    problems: tuple[ItemProblem, ...]


class CorrectFile(ValueError):  # noqa: N818 - the caller corrects the file
    """The file as a whole cannot be read: correct it as the message says."""


def read_json_lines(file: BinaryIO, item_schema: Mapping[str, Any]) -> Iterator[Row | BadLine]:
    """Read one JSON object per line, UTF-8; empty lines are skipped."""
    types = _types(item_schema)
    for number, line in enumerate(_lines(file), start=1):
        if line is None:
            yield _bad(number, f"is longer than {LONGEST_LINE} bytes")
            continue
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            values = (
                json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant) if text else None
            )
        except UnicodeDecodeError:
            yield _bad(number, "is not UTF-8")
        except (ValueError, RecursionError) as error:
            yield _bad(number, f"is not JSON: {_without_values(error)}")
        else:
            if text:
                yield _json_row(number, values, types)


def read_csv(
    file: BinaryIO, item_schema: Mapping[str, Any], encoding: str = "utf-8-sig"
) -> Iterator[Row | BadLine]:
    """Read a table with a heading line of item names; Excel's Chinese CSV needs encoding ``gb18030``.

    Raises:
        CorrectFile: the heading is missing, names an unknown item, or one twice.
    """
    text = io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="")
    try:
        yield from _csv_rows(text, _types(item_schema))
    finally:
        # The file is the caller's to close.
        if not file.closed:
            text.detach()


def upload(
    publisher: Publisher,
    rows: Iterable[Row | BadLine],
    version: int,
    refused: Callable[[BadLine], None],
    progress: Callable[[int], None] = lambda _line: None,
) -> PublishResult:
    """Publish every good row and report every bad one.

    Args:
        publisher: an open publisher.
        rows: from a reader.
        version: for rows that do not give their own.
        refused: takes each row that was not published.
        progress: takes the line that was reached.
    """
    for row in rows:
        if isinstance(row, BadLine):
            refused(row)
        else:
            try:
                _publish(publisher, row, version)
            except RecordRefused as error:
                refused(BadLine(row.line, error.problems))
        progress(row.line)
    result = publisher.flush()
    for failure in result.failures:
        refused(_bad(int(str(failure.reference)), f"the brokers did not take it: {failure.reason}"))
    return result


class RefusedReport:
    """Writes what was refused as CSV that a spreadsheet opens without running anything in it."""

    def __init__(self, target: TextIO) -> None:
        self._writer = csv.writer(target)
        self._writer.writerow(["line", "item", "problem"])
        self.lines = 0

    def add(self, bad: BadLine) -> None:
        """Write one refused line, a row for each problem."""
        self.lines += 1
        for problem in bad.problems:
            self._writer.writerow([bad.line, formula_safe(problem.item), formula_safe(problem.message)])


def formula_safe(text: str) -> str:
    """Text that a spreadsheet shows and does not compute (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _publish(publisher: Publisher, row: Row, version: int) -> None:
    used = version if row.version is None else row.version
    if row.operation == DELETE:
        publisher.delete(row.record, used, reference=row.line)
    else:
        publisher.publish(row.record, used, row.previous_identity, reference=row.line)


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Lines of a file; None for one that is too long, which is skipped to its end."""
    while line := file.readline(LONGEST_LINE):
        if line.endswith(b"\n") or len(line) < LONGEST_LINE:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        yield None


def _csv_rows(text: TextIO, types: Mapping[str, Any]) -> Iterator[Row | BadLine]:
    reader = csv.reader(text, strict=True)
    heading = _heading(reader, types)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _bad(reader.line_num, f"is not CSV: {error}")
            continue
        if cells:
            yield _csv_row(reader.line_num, heading, cells, types)


def _types(item_schema: Mapping[str, Any]) -> dict[str, Any]:
    return {field["name"]: field["type"] for field in item_schema["fields"]}


def _heading(reader: Iterator[list[str]], types: Mapping[str, Any]) -> list[str]:
    try:
        heading = [cell.strip() for cell in next(reader)]
    except StopIteration:
        raise CorrectFile("the file is empty: its first line must name the items") from None
    except csv.Error as error:
        raise CorrectFile(f"the first line is not CSV: {error}") from error
    doubled = sorted({name for name in heading if heading.count(name) > 1})
    unknown = [name for name in heading if name not in types and name not in RESERVED]
    if doubled or unknown:
        what = f"names twice: {', '.join(doubled)}" if doubled else f"names no item: {', '.join(unknown)}"
        raise CorrectFile(f"the first line {what}. Items are: {', '.join(types)}")
    return heading


def _json_row(line: int, values: object, types: Mapping[str, Any]) -> Row | BadLine:
    if not isinstance(values, dict):
        return _bad(line, "is not a JSON object")
    return _row(line, values, from_json, types)


def _csv_row(line: int, heading: list[str], cells: list[str], types: Mapping[str, Any]) -> Row | BadLine:
    if len(cells) != len(heading):
        return _bad(line, f"has {len(cells)} cells, the first line has {len(heading)}")
    undecoded = [name for name, cell in zip(heading, cells, strict=True) if _is_undecoded(cell)]
    if undecoded:
        return BadLine(line, tuple(ItemProblem(name, "is not in the file's encoding") for name in undecoded))
    values = dict(zip(heading, cells, strict=True))
    reserved: dict[str, Any] = {name: values.pop(name) or None for name in RESERVED if name in values}
    return _row(line, {**values, **reserved}, from_cell, types)


def _row(
    line: int,
    values: dict[str, Any],
    read: Callable[[Any, Any], Any],
    types: Mapping[str, Any],
) -> Row | BadLine:
    problems: list[ItemProblem] = []
    record: dict[str, Any] = {}
    for name, value in values.items():
        if name in RESERVED:
            continue
        try:
            record[name] = read(value, types[name]) if name in types else value
        except ValueError as error:
            problems.append(ItemProblem(name, str(error)))
    operation, version = values.get(OPERATION) or UPSERT, _version(values.get(VERSION))
    if operation not in (UPSERT, DELETE):
        problems.append(ItemProblem(OPERATION, f"is neither {UPSERT} nor {DELETE}"))
    if version is not None and version < 0:
        problems.append(ItemProblem(VERSION, "is not a whole number from 0"))
    if problems:
        return BadLine(line, tuple(problems))
    previous = values.get(PREVIOUS_IDENTITY)
    return Row(line, record, str(operation), version, None if previous is None else str(previous))


def _version(value: object) -> int | None:
    """The version, None if none is given, and -1 for what is none."""
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value < 2**63:
        return value
    return -1


def _bad(line: int, message: str) -> BadLine:
    return BadLine(line, (ItemProblem("", message),))


def _is_undecoded(cell: str) -> bool:
    return any(ord(character) in _UNDECODED for character in cell)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("an item is given twice")
    return values


def _no_constant(_name: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def _without_values(error: BaseException) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return str(error) if isinstance(error, ValueError) else "nested too deep"
