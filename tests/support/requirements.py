"""Which requirements the documents name and which tests carry their ids; compares both, reads, runs nothing.

``python -m tests.support.requirements`` prints the table of ids and tests, ``--json`` the same as JSON; it
ends with 1 if document and tests disagree.
"""

import argparse
import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = ROOT / "docs" / "requirements.md"
TESTS: Final = ROOT / "tests"
MARK: Final = "pytest.mark.requirement"

_ROW: Final = re.compile(r"^\| (?P<id>(?:A\d+-\d\d|C\d+)) \|(?P<rest>.*)\|$", re.MULTILINE)
_CELLS: Final = 4
"""After the id: source, what is asked, state, how and what is missing."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Owner = ast.Module | ast.ClassDef | _Function


class State(StrEnum):
    """How far a requirement is answered."""

    TESTED = "tested"
    PARTLY = "partly"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of the document."""

    id: str
    source: str
    asked: str
    state: str
    how: str


@dataclass(frozen=True, slots=True)
class Carrier:
    """A test, or a file of tests, that carries an id."""

    id: str
    test: str
    """``file`` or ``file::test``."""


@dataclass(frozen=True, slots=True)
class Read:
    """What the tests' source says."""

    carriers: tuple[Carrier, ...]
    problems: tuple[str, ...]


def requirements_of(text: str) -> tuple[Requirement, ...]:
    """The rows of the document, in its order.

    Raises:
        ValueError: a row has another number of cells.
    """
    found = []
    for row in _ROW.finditer(text):
        cells = [cell.strip() for cell in row["rest"].split("|")]
        if len(cells) != _CELLS:
            raise ValueError(f"{row['id']}: a row has {_CELLS + 1} cells, this one {len(cells) + 1}")
        found.append(Requirement(row["id"], *cells))
    return tuple(found)


def carriers_in(tests: Path, root: Path) -> Read:
    """Every mark in the tests below a folder, by reading their source."""
    carriers: list[Carrier] = []
    problems: list[str] = []
    for path in sorted(tests.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "requirement" in source:
            found = read_source(source, path.relative_to(root).as_posix())
            carriers.extend(found.carriers)
            problems.extend(found.problems)
    return Read(tuple(carriers), tuple(problems))


def read_source(source: str, file: str) -> Read:
    """The marks of one file: each belongs to the test, class or file that it stands on."""
    tree = ast.parse(source)
    carriers: list[Carrier] = []
    problems: list[str] = []
    for owner, name, mark in _marks(tree, tree, ""):
        test = f"{file}::{name}" if name else file
        ids = [each.value for each in mark.args if isinstance(each, ast.Constant)]
        if not mark.args or mark.keywords or len(ids) != len(mark.args):
            problems.append(f"{test}: line {mark.lineno}: write out the ids of the mark")
        elif not _is_test(owner, Path(file).name):
            problems.append(f"{test}: line {mark.lineno}: the mark stands on something that is no test")
        else:
            carriers.extend(Carrier(str(id_), test) for id_ in ids)
    return Read(tuple(carriers), tuple(problems))


def disagreements(requirements: Sequence[Requirement], carriers: Iterable[Carrier]) -> Iterator[str]:
    """Everything in which document and tests contradict each other, and rows that say too little."""
    tests = carried_by_id(carriers)
    known = Counter(each.id for each in requirements)
    yield from (f"{id_}: stands in the document {count} times" for id_, count in known.items() if count > 1)
    for id_ in sorted(tests.keys() - known.keys(), key=sorting):
        yield f"{id_}: the document does not know it; carried by {', '.join(tests[id_])}"
    for each in requirements:
        yield from _of_row(each, tests.get(each.id, ()))


def carried_by_id(carriers: Iterable[Carrier]) -> dict[str, tuple[str, ...]]:
    """The tests that carry each id."""
    found: dict[str, list[str]] = {}
    for each in carriers:
        found.setdefault(each.id, []).append(each.test)
    return {id_: tuple(sorted(set(tests))) for id_, tests in found.items()}


def sorting(id_: str) -> tuple[str, list[int]]:
    """Ids in the order of their numbers: A2 before A10."""
    return id_[0], [int(number) for number in re.findall(r"\d+", id_)]


def as_table(requirements: Sequence[Requirement], tests: Mapping[str, Sequence[str]]) -> str:
    """The table for people: id, state, number of tests, and in which files they stand."""
    lines = [f"{'id':<7} {'state':<8} {'tests':>5}  where"]
    for each in requirements:
        own = tests.get(each.id, ())
        files = Counter(test.partition("::")[0].removeprefix("tests/") for test in own)
        where = ", ".join(f"{file} ({count})" if count > 1 else file for file, count in files.items())
        lines.append(f"{each.id:<7} {each.state:<8} {len(own):>5}  {where}".rstrip())
    states = Counter(each.state for each in requirements)
    counted = ", ".join(f"{states[state]} {state}" for state in State)
    return "\n".join([*lines, f"{len(requirements)} requirements: {counted}"])


def as_json(requirements: Sequence[Requirement], tests: Mapping[str, Sequence[str]]) -> str:
    """The same for programs: one object per id with its tests."""
    rows = [{**asdict(each), "tests": list(tests.get(each.id, ()))} for each in requirements]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and every disagreement; 1 if there is any."""
    parser = argparse.ArgumentParser(description="Which tests carry which requirements.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_wanted = as_json if parser.parse_args(arguments).json else as_table
    requirements = requirements_of(DOCUMENT.read_text(encoding="utf-8"))
    read = carriers_in(TESTS, ROOT)
    sys.stdout.write(as_wanted(requirements, carried_by_id(read.carriers)) + "\n")
    wrong = [*read.problems, *disagreements(requirements, read.carriers)]
    sys.stderr.writelines(f"{each}\n" for each in wrong)
    return 1 if wrong else 0


def _marks(node: ast.AST, owner: _Owner, name: str) -> Iterator[tuple[_Owner, str, ast.Call]]:
    """Each mark with the innermost test, class or module that it belongs to."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and ast.unparse(child.func) == MARK:
            yield owner, name, child
        elif isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _marks(child, child, f"{name}::{child.name}" if name else child.name)
        else:
            yield from _marks(child, owner, name)


def _is_test(owner: _Owner, file: str) -> bool:
    if isinstance(owner, ast.Module):
        return file.startswith("test_")
    return owner.name.startswith("Test" if isinstance(owner, ast.ClassDef) else "test_")


def _of_row(row: Requirement, tests: Sequence[str]) -> Iterator[str]:
    if row.state not in list(State):
        yield f"{row.id}: {row.state!r} is no state; say one of {', '.join(State)}"
    elif row.state == State.NOT_YET and tests:
        yield f"{row.id}: not yet, and carried by {', '.join(tests)}"
    elif row.state != State.NOT_YET and not tests:
        yield f"{row.id}: {row.state}, and no test carries it"
    if not row.source or not row.asked or not row.how:
        yield f"{row.id}: source, what is asked and how, or why not, are all needed"


if __name__ == "__main__":
    sys.exit(main())
