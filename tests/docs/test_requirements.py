"""docs/requirements.md and the marks of the tests agree, and the tool finds where they do not."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.control.clocks.policy_keys import KEYS
from tests.support.requirements import (
    DOCUMENT,
    ROOT,
    TESTS,
    Carrier,
    Requirement,
    as_json,
    as_table,
    carried_by_id,
    carriers_in,
    disagreements,
    main,
    read_source,
    requirements_of,
    sorting,
)

ROWS = requirements_of(DOCUMENT.read_text(encoding="utf-8"))
READ = carriers_in(TESTS, ROOT)
ROW = Requirement("A1-01", "S0§2", "do it", "tested", "so")


def test_documents_and_tests_agree() -> None:
    assert [*READ.problems, *disagreements(ROWS, READ.carriers)] == []


def test_every_table_of_the_regulations_is_whole_and_in_order() -> None:
    ids = [each.id for each in ROWS]
    assert ids == sorted(ids, key=sorting)
    counts = [sum(each.startswith(f"A{table}-") for each in ids) for table in range(1, 13)]
    assert counts == [17, 17, 11, 14, 9, 11, 7, 8, 9, 8, 13, 8]
    assert [each for each in ids if each[0] == "C"] == [f"C{number}" for number in range(1, 21)]


def test_every_requirement_that_a_policy_key_is_about_is_known() -> None:
    assert {rule for key in KEYS.values() for rule in key.rules} <= {each.id for each in ROWS}


def test_a_mark_belongs_to_the_test_the_class_or_the_file_that_it_stands_on() -> None:
    source = """
import pytest
pytestmark = [pytest.mark.stack, pytest.mark.requirement("A1-01")]

@pytest.mark.requirement("A1-02", "A1-03")
def test_one():
    pass

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.requirement("A1-04"))])
async def test_two(x):
    pass

@pytest.mark.requirement("A1-05")
class TestThree:
    @pytest.mark.requirement("A1-06")
    def test_four(self):
        text = 'pytest.mark.requirement("A1-07")'
"""
    read = read_source(source, "tests/test_it.py")
    assert read.problems == ()
    assert [(each.id, each.test) for each in read.carriers] == [
        ("A1-01", "tests/test_it.py"),
        ("A1-02", "tests/test_it.py::test_one"),
        ("A1-03", "tests/test_it.py::test_one"),
        ("A1-04", "tests/test_it.py::test_two"),
        ("A1-06", "tests/test_it.py::TestThree::test_four"),
        ("A1-05", "tests/test_it.py::TestThree"),
    ]


@pytest.mark.parametrize(
    ("source", "file", "problem"),
    [
        ("@pytest.mark.requirement(ID)\ndef test_one(): pass", "test_it.py", "write out the ids"),
        ("@pytest.mark.requirement(*IDS)\ndef test_one(): pass", "test_it.py", "write out the ids"),
        ("@pytest.mark.requirement()\ndef test_one(): pass", "test_it.py", "write out the ids"),
        ('@pytest.mark.requirement("A1-01")\ndef helper(): pass', "test_it.py", "no test"),
        ('@pytest.mark.requirement("A1-01")\nclass Helper: pass', "test_it.py", "no test"),
        ('pytestmark = pytest.mark.requirement("A1-01")', "support.py", "no test"),
    ],
)
def test_a_mark_that_proves_nothing_is_a_problem(source: str, file: str, problem: str) -> None:
    read = read_source(source, file)
    assert read.carriers == ()
    (found,) = read.problems
    assert problem in found


@pytest.mark.parametrize(
    ("rows", "carried", "said"),
    [
        ([ROW], ["A1-01"], []),
        ([ROW], ["A1-01", "A9-99"], ["A9-99: the document does not know it; carried by t"]),
        ([ROW], [], ["A1-01: tested, and no test carries it"]),
        ([ROW, ROW], ["A1-01"], ["A1-01: stands in the document 2 times"]),
        ([Requirement("A1-01", "S", "x", "partly", "y")], [], ["A1-01: partly, and no test carries it"]),
        ([Requirement("A1-01", "S", "x", "not yet", "y")], [], []),
        ([Requirement("A1-01", "S", "x", "not yet", "y")], ["A1-01"], ["A1-01: not yet, and carried by t"]),
        (
            [Requirement("A1-01", "S", "x", "done", "y")],
            ["A1-01"],
            ["A1-01: 'done' is no state; say one of tested, partly, not yet"],
        ),
        (
            [Requirement("A1-01", "S", "x", "not yet", "")],
            [],
            ["A1-01: source, what is asked and how, or why not, are all needed"],
        ),
    ],
)
def test_document_and_tests_are_compared_both_ways(
    rows: list[Requirement], carried: list[str], said: list[str]
) -> None:
    assert list(disagreements(rows, [Carrier(id_, "t") for id_ in carried])) == said


def test_a_row_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="A1-01: a row has 5 cells, this one 4"):
        requirements_of("| A1-01 | S0 | asked | tested |")


def test_the_table_shows_each_id_with_its_state_and_where_its_tests_are() -> None:
    tests = carried_by_id(
        [Carrier("A1-01", "tests/a.py::test_one"), Carrier("A1-01", "tests/a.py::test_two")]
    )
    shown = as_table([ROW, Requirement("A1-02", "S0", "x", "not yet", "y")], tests).splitlines()
    assert shown == [
        "id      state    tests  where",
        "A1-01   tested       2  a.py (2)",
        "A1-02   not yet      0",
        "2 requirements: 1 tested, 0 partly, 1 not yet",
    ]
    assert json.loads(as_json([ROW], tests))[0]["tests"] == ["tests/a.py::test_one", "tests/a.py::test_two"]


def test_the_command_prints_every_id_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:-1]]
    assert printed == [each.id for each in ROWS]
    assert main(["--json"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == printed


class Marked:
    """What the hook of a test run asks an item for."""

    nodeid = "tests/test_it.py::test_one"
    path = Path("tests/test_it.py")

    def __init__(self, *ids: str) -> None:
        self.ids = ids

    def iter_markers(self, _name: str) -> list[pytest.Mark]:
        marks = pytest.mark
        return [marks.requirement(*self.ids).mark]


def test_a_test_run_refuses_an_id_that_nobody_knows(request: pytest.FixtureRequest) -> None:
    known_items: list[Any] = [Marked("A5-02"), Marked("A1-08", "C7")]
    loaded = request.config.pluginmanager.get_plugins()
    (plugin,) = (each for each in loaded if getattr(each, "__file__", "") == str(TESTS / "conftest.py"))
    plugin.pytest_collection_modifyitems(known_items)
    with pytest.raises(pytest.UsageError, match=r"tests/test_it\.py::test_one names \['A1-99'\]"):
        plugin.pytest_collection_modifyitems([*known_items, Marked("A1-01", "A1-99")])
