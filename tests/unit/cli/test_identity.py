"""`govbus identity check`: exit codes, JSON answers against their schema, and lines that cannot be read."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from services.cli.identity import REMEDIES, answers, app
from topics.identity.kinds import IdentityKind, IdentityNote, IdentityReason

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/cli/identity-check.schema.json").read_text("utf-8"))
VALID = "11010519491231002X"
OLD = "440524188001010014"


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["check", *arguments], input=stdin)


def lines(result: Result) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for each in found:
        Draft202012Validator(SCHEMA).validate(each)
    return found


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("resident_id", VALID, 0),
        ("resident_id", "110105194912310021", 1),
        ("credit_code", "91350100M000100Y43", 0),
        ("credit_code", "91350100M000100Y4Z", 1),
        ("hk_macao_permit", "H12345678", 0),
        ("taiwan_permit", "1234567", 1),
    ],
)
def test_the_exit_code_is_the_verdict(kind: str, value: str, code: int) -> None:
    assert run("--kind", kind, value).exit_code == code
    assert run("--kind", kind, value, "--json").exit_code == code


@pytest.mark.parametrize("form", [["--json"], ["-o", "json"]])
def test_json_is_one_object_of_the_documented_shape(form: list[str]) -> None:
    result = run("--kind", "resident_id", " 11010519491231002ｘ", *form)
    assert lines(result) == [
        {
            "kind": "resident_id",
            "value": " 11010519491231002ｘ",
            "valid": True,
            "normalised": VALID,
            "reason": None,
        }
    ]


def test_a_person_reads_the_reason_its_remedy_and_the_notes() -> None:
    assert "CHECK_DIGIT: the last character" in run("--kind", "resident_id", "110105194912310021").stdout
    assert "OVER_130_YEARS" in run("--kind", "resident_id", OLD).stdout


@pytest.mark.parametrize("value", ["[/red]", "[bold]", "\x1b[31m", "\udc80"])
def test_what_was_typed_is_no_markup_and_no_control_sequence(value: str) -> None:
    result = run("--kind", "resident_id", value)
    assert (result.exit_code, "LENGTH" in result.stdout or "CHARACTERS" in result.stdout) == (1, True)
    assert "\x1b[31m" not in result.stdout


def test_notes_are_in_json_when_asked_for() -> None:
    (answer,) = lines(run("--kind", "resident_id", OLD, "--json", "--notes"))
    assert answer["notes"] == ["OVER_130_YEARS", "COUNTY_ABOLISHED"]


def test_a_passport_is_judged_by_its_issuing_country() -> None:
    assert run("--kind", "passport", "EI1234567", "--country", "CHN").exit_code == 1
    assert run("--kind", "passport", "EI1234567", "--country", "USA").exit_code == 0


def test_every_line_on_standard_input_is_answered_in_order() -> None:
    requests = [
        ('{"kind":"resident_id","value":"11010519491231002x"}', True, VALID, None),
        ('{"kind":"credit_code","value":"0"}', False, "0", "LENGTH"),
        ("not json", False, None, "UNREADABLE"),
        ("", False, None, "UNREADABLE"),
        ("[]", False, None, "UNREADABLE"),
        ("[" * 100_000, False, None, "UNREADABLE"),
        ("9" * 5_000, False, None, "UNREADABLE"),
        ('{"kind":"resident_id"}', False, None, "UNREADABLE"),
        ('{"kind":"resident_id","value":110105194912310021}', False, None, "UNREADABLE"),
        ('{"kind":["resident_id"],"value":"1"}', False, None, "UNREADABLE"),
        ('{"kind":"passport","value":"123456789","country":7}', False, None, "UNREADABLE"),
        ('{"kind":"driver","value":"1"}', False, None, "KIND_UNKNOWN"),
        ('{"kind":"resident_id","value":"\\ud800"}', False, "\ud800", "LENGTH"),
        ('{"kind":"passport","value":"123456789","country":"USA"}', True, "123456789", None),
    ]
    result = run("--stdin", stdin="\n".join(line for line, *_ in requests).encode())
    found = [(each["valid"], each["normalised"], each["reason"]) for each in lines(result)]
    assert found == [tuple(expected) for _, *expected in requests]
    assert result.exit_code == 0


def test_bytes_that_are_no_text_are_answered_and_the_next_line_goes_on() -> None:
    good = json.dumps({"kind": "resident_id", "value": VALID}).encode()
    found = lines(run("--stdin", stdin=b"\xff\xfe\n\xef\xbb\xbf" + good + b"\r\n"))
    assert [each["reason"] for each in found] == ["UNREADABLE", None]


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=5))
def test_any_bytes_get_one_answer_a_line(sent: list[bytes]) -> None:
    found = list(answers(sent, date(2026, 3, 1)))
    assert len(found) == len(sent)
    for each in found:
        Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(each)))


@pytest.mark.parametrize(
    "arguments",
    [[], ["--kind", "resident_id"], [VALID], ["--kind", "driver", VALID], ["--stdin", VALID]],
)
def test_a_command_that_says_too_little_or_too_much_is_a_usage_error(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_the_schema_lists_exactly_the_closed_codes() -> None:
    assert SCHEMA["properties"]["reason"]["enum"] == [None, *IdentityReason]
    assert SCHEMA["properties"]["notes"]["items"]["enum"] == list(IdentityNote)
    assert SCHEMA["then"]["properties"]["kind"]["enum"] == list(IdentityKind)
    assert REMEDIES.keys() == set(IdentityReason)
