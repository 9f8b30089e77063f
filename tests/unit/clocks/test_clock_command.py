"""`govbus clock`: due dates one by one and by lines, packs, and exit codes; answers against their schemas."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from services.cli.clock import answers
from services.cli.main import app
from services.cli.output import run
from services.control.clocks.calendar_file import china, written
from services.control.clocks.policy_keys import KEYS
from tests.unit.cli.called import Ended, shape
from tests.unit.clocks.notices import notice_of_2027

COMMANDS = typer.main.get_command(app)
REPLY = "clocks.subscription.provider_reply"
Clock = Callable[..., Ended]


@pytest.fixture
def clock(capsys: pytest.CaptureFixture[str]) -> Clock:
    def call(*arguments: str) -> Ended:
        code = run(lambda: COMMANDS(["clock", *arguments]))
        return Ended(code, *capsys.readouterr())

    return call


def lines(*given: bytes) -> tuple[int, list[dict[str, Any]]]:
    """What the command answers to these lines, each against the schema."""
    result = CliRunner().invoke(
        app, ["clock", "due", "--stdin"], input=b"".join(each + b"\n" for each in given)
    )
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for each in found:
        shape("clock-due").validate(each)
    return result.exit_code, found


def asked(start: object, working_days: object) -> bytes:
    return json.dumps({"start": start, "working_days": working_days}).encode()


def test_a_due_date_is_one_object_of_the_documented_shape(clock: Clock) -> None:
    ended = clock("due", "--start", "2026-09-18", "--working-days", "10", "--json")
    shape("clock-due").validate(ended.answer)
    assert (ended.code, ended.answer) == (
        0,
        {
            "start": "2026-09-18",
            "working_days": 10,
            "due": "2026-10-09",
            "provisional": False,
            "waits_for": None,
        },
    )


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (9, "final"),
        (10, "the notice for 2027 may still move it"),
        (13, "provisional: the holidays of 2027 are not there yet"),
    ],
)
def test_a_person_reads_how_final_the_date_is(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, count: int, told: str
) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    ended = clock("due", "--start", "2026-12-15", "--working-days", str(count))
    assert ended.code == 0
    assert told in ended.out


def test_an_instant_counts_as_its_day_in_beijing(clock: Clock) -> None:
    late = clock("due", "--start", "2025-07-13T16:00:00Z", "--working-days", "5", "--json")
    assert (late.answer["start"], late.answer["due"]) == ("2025-07-13T16:00:00Z", "2025-07-21")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--start", "2026-09-18"], "give --start and --working-days"),
        (["--working-days", "5"], "give --start and --working-days"),
        (["--stdin", "--start", "2026-09-18"], "leave both out"),
        (["--start", "2026-9-18", "--working-days", "5"], "write a day as 2026-09-18"),
        (["--start", "20260918", "--working-days", "5"], "time zone"),
        (["--start", "2026-02-30", "--working-days", "5"], "is no day"),
        (["--start", "2026-09-18T10:00:00", "--working-days", "5"], "time zone"),
        (["--start", "0202-09-18", "--working-days", "5"], "out of reach"),
        (["--start", "2026-09-18", "--working-days", "-1"], "give 0 to 10000"),
        (["--start", "2026-09-18", "--working-days", "10001"], "give 0 to 10000"),
        (
            ["--start", "2026-09-18", "--working-days", "5", "--year-file", "/nowhere/2027.csv"],
            "cannot be read",
        ),
    ],
)
def test_a_question_that_cannot_be_answered_ends_with_2_and_says_what_to_do(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = clock("due", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_lines_are_answered_one_by_one() -> None:
    code, found = lines(asked("2025-09-26", 5), asked("2026-12-15", 13))
    assert (code, found) == (
        0,
        [
            {"start": "2025-09-26", "working_days": 5, "due": "2025-10-10", "provisional": False},
            {"start": "2026-12-15", "working_days": 13, "due": "2027-01-04", "provisional": True},
        ],
    )


@pytest.mark.parametrize(
    ("line", "field", "start", "working_days"),
    [
        (b"", "start", None, None),
        (b"{", "start", None, None),
        (b"[]", "start", None, None),
        (b"\xff", "start", None, None),
        (b"[" * 100_000, "start", None, None),
        (b'{"working_days": 5}', "start", None, 5),
        (asked(20260918, 5), "start", 20260918, 5),
        (asked("yesterday", 5), "start", "yesterday", 5),
        (asked("9999-12-31T23:59:59-12:00", 5), "start", "9999-12-31T23:59:59-12:00", 5),
        (asked("\ud800", 5), "start", "\ud800", 5),
        (asked("2026-09-18", "5"), "working_days", "2026-09-18", "5"),
        (asked("2026-09-18", 5.0), "working_days", "2026-09-18", None),
        (asked("2026-09-18", True), "working_days", "2026-09-18", None),
        (asked("2026-09-18", None), "working_days", "2026-09-18", None),
        (asked("2026-09-18", -1), "working_days", "2026-09-18", -1),
        (asked("2026-09-18", 10**30), "working_days", "2026-09-18", 10**30),
    ],
)
def test_one_bad_line_gives_an_error_object_and_the_rest_goes_on(
    line: bytes, field: str, start: object, working_days: object
) -> None:
    code, (before, bad, after) = lines(asked("2025-09-26", 5), line, asked("2025-09-26", 5))
    assert code == 1
    assert (
        before
        == after
        == {
            "start": "2025-09-26",
            "working_days": 5,
            "due": "2025-10-10",
            "provisional": False,
        }
    )
    assert (bad["start"], bad["working_days"], bad["due"], bad["provisional"]) == (
        start,
        working_days,
        None,
        None,
    )
    assert bad["error"]["field"] == field
    assert bad["error"]["problem"]
    assert bad["error"]["remedy"]


@given(st.lists(st.binary(max_size=40) | st.builds(asked, st.text(max_size=12), st.integers()), max_size=5))
def test_whatever_stands_in_a_line_it_has_one_answer(given_lines: list[bytes]) -> None:
    found = list(answers(given_lines, china()))
    assert len(found) == len(given_lines)
    for each in found:
        shape("clock-due").validate(each)


def test_a_year_that_govbus_does_not_know_yet_comes_from_a_file(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "2027.csv"
    path.write_text(written(notice_of_2027()), "utf-8")
    question = ["due", "--start", "2026-12-15", "--working-days", "13", "--json", "--year-file", str(path)]
    answer = clock(*question).answer
    assert (answer["due"], answer["provisional"], answer["waits_for"]) == ("2027-01-05", False, None)
    path.write_text(written(notice_of_2027()) + "2027-13-01,holiday,,2027\n", "utf-8")
    ended = clock(*question)
    assert ended.code == 2
    assert "is no date" in ended.err
    assert "the name is missing" in ended.err


def test_packs_and_keys_are_listed(clock: Clock) -> None:
    ended = clock("packs", "list", "--json")
    shape("clock-packs-list").validate(ended.answer)
    assert {each["key"] for each in ended.answer["keys"]} == set(KEYS)
    national = next(each for each in ended.answer["packs"] if each["id"] == "national-2025")
    assert (national["level"], national["effective_from"], national["unverified"]) == (
        "national",
        "2025-08-01",
        4,
    )
    assert "yanjin-2019" in clock("packs", "list").out


def test_a_value_is_explained_by_document_and_article_and_what_it_was_chosen_over(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs = ["--pack", "national-2025", "--pack", "yanjin-2019"]
    ended = clock("packs", "explain", REPLY, *packs, "--on", "2026-01-05", "--json")
    shape("clock-packs-explain").validate(ended.answer)
    (decided,) = ended.answer["decided"]
    assert (decided["value"], decided["article"], decided["verified"]) == ("5 working days", "三(二)", True)
    assert [(each["pack"], each["verified"], each["why"]) for each in decided["over"]] == [
        ("national-2025", False, "it is less strict")
    ]
    assert len(ended.answer["digest"]) == 64
    monkeypatch.setenv("COLUMNS", "250")
    shown = clock("packs", "explain", REPLY, *packs, "--on", "2025-07-31").out
    assert "延津县通知（延“放管服”办〔2019〕6号） 三(二)" in shown
    assert "national-2025 counts from 2025-08-01 on" in shown


def test_the_facts_of_a_case_choose_among_stages_and_without_them_each_is_explained(clock: Clock) -> None:
    question = ["packs", "explain", REPLY, "--pack", "province-sample-2024", "--json"]
    every = clock(*question).answer["decided"]
    assert [(each["stage"], each["facts"], each["value"]) for each in every] == [
        ("precheck", {}, "2 working days"),
        ("precheck", {"on_platform": "yes"}, "2 working days"),
        ("reply", {"on_platform": "yes"}, "5 working days"),
        ("precheck", {"on_platform": "no"}, "2 working days"),
        ("reply", {"on_platform": "no"}, "10 working days"),
    ]
    one = clock(*question, "--fact", "on_platform=no").answer["decided"]
    assert [(each["stage"], each["value"]) for each in one] == [
        ("precheck", "2 working days"),
        ("reply", "10 working days"),
    ]


def test_a_key_that_no_pack_gives_a_value_for_is_an_answer_of_no(clock: Clock) -> None:
    ended = clock("packs", "explain", "clocks.catalog.review", "--pack", "yanjin-2019", "--json")
    shape("clock-packs-explain").validate(ended.answer)
    assert (ended.code, ended.answer["decided"]) == (1, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no.such.key", "--pack", "yanjin-2019"], "there is no key no.such.key"),
        ([REPLY, "--pack", "nowhere"], "there is no pack nowhere"),
        ([REPLY, "--pack", "yanjin-2019", "--pack", "county-template-2021"], "name one pack of each level"),
        ([REPLY, "--pack", "yanjin-2019", "--fact", "on_platform"], "write it as NAME=VALUE"),
        ([REPLY, "--pack", "yanjin-2019", "--packs", "/nowhere"], "holds no packs"),
    ],
)
def test_what_cannot_be_explained_ends_with_2_and_says_what_to_do(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = clock("packs", "explain", *arguments, "--json")
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_packs_of_an_own_folder_are_read_instead(clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        """
id: own
titles: {zh: 自有, en: own}
level: county
version: 3
standing: sample
effective_from: null
documents: {rules: 自有规定}
values:
  clocks.catalog.review:
    source: {document: rules, article: 第九条}
    stages: [{name: review, obliged: authority, starts_on: update_received, working_days: 2}]
""",
        "utf-8",
    )
    folder = ["--packs", str(tmp_path), "--json"]
    assert [each["id"] for each in clock("packs", "list", *folder).answer["packs"]] == ["own"]
    (decided,) = clock("packs", "explain", "clocks.catalog.review", "--pack", "own", *folder).answer[
        "decided"
    ]
    assert (decided["value"], decided["article"], decided["place"]) == (
        "2 working days",
        "第九条",
        "own.yaml:12",
    )


def test_the_schemas_refuse_what_is_no_answer() -> None:
    refused: list[tuple[str, dict[str, Any]]] = [
        ("clock-due", {"start": "2025-09-26", "working_days": 5, "due": None, "provisional": None}),
        ("clock-due", {"start": "2025-09-26", "working_days": 5, "due": "2025-10-10", "provisional": None}),
        ("clock-packs-list", {"packs": []}),
    ]
    for name, answer in refused:
        validator: Draft202012Validator = shape(name)
        assert not validator.is_valid(answer)
