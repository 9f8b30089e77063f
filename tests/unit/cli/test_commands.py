"""Every command answers in its documented shape and ends with its documented code."""

import json
from pathlib import Path

import jsonschema
import pytest

from schemas.registry import RegistryUnavailable
from services.cli.output import CommandFailed, ExitCode, failure, run
from services.ledger.counts import Place
from services.ledger.reader import KafkaUnavailable, ReadRefused
from services.ledger.showing import start_offset
from services.stack.errors import CorrectSetting, StartStack
from tests.support.memory_bus import MemoryCity, MemoryReader
from tests.unit.cli.called import (
    PERSON,
    SHAPES,
    STOPPED,
    Govbus,
    shape,
)
from topics.event import TopicName


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("audit-balance", ["audit", "balance", "--json"], 0),
        ("audit-digests", ["audit", "digests", "--json"], 0),
        ("explain", ["explain", "raw.police.public.person:0:0", "--json"], 0),
        ("explain", ["explain", STOPPED, "-o", "json"], 0),
        ("explain", ["explain", "quarantine.police:0:0", "--json"], 0),
        ("quarantine-list", ["quarantine", "list", "--json"], 0),
        ("quarantine-show", ["quarantine", "show", STOPPED, "--json"], 0),
        ("quarantine-show", ["quarantine", "show", STOPPED, "--reveal", "--why", "case 7", "--json"], 0),
        ("quarantine-work", ["quarantine", "release", STOPPED, "--dry-run", "--json"], 0),
        ("quarantine-work", ["quarantine", "release", STOPPED, "--why", "mended", "--json"], 4),
        ("quarantine-work", ["quarantine", "discard", "--all", "--why", "test rows", "--json"], 0),
        ("claims-list", ["claims", "list", "--json"], 0),
        ("claims-list", ["claims", "list", "--reveal", "--why", "case 7", "--json"], 0),
        ("conflicts-list", ["conflicts", "list", "--json"], 0),
        ("conflicts-list", ["conflicts", "list", "--reveal", "--why", "case 7", "--json"], 0),
        ("conflicts-items", ["conflicts", "items", "--json"], 0),
        ("conflicts-items", ["conflicts", "items", "--reveal", "--why", "case 7", "--json"], 0),
        ("conflicts-items", ["conflicts", "items", "--undecided", "--pairs", "0", "--json"], 0),
        ("tail", ["tail", "resource.population.person.v1", "-o", "beginning", "-e", "--json"], 0),
        ("tail", ["tail", "quarantine.police", "-o", "-20", "-e", "--json"], 0),
        ("tail", ["tail", "quarantine.police", "-o", "-20", "-e", "--output", "json"], 0),
    ],
)
def test_last_line_is_one_object_of_the_documented_shape(
    govbus: Govbus, name: str, arguments: list[str], code: int
) -> None:
    ended = govbus(*arguments)
    assert ended.code == code, ended.err
    assert list(shape(name).iter_errors(ended.answer)) == []
    assert ended.out.endswith("}\n")


@pytest.mark.parametrize("path", sorted(SHAPES.glob("*.schema.json")), ids=lambda path: path.name)
def test_documented_shapes_are_valid_schemas(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


def test_balance_that_does_not_close_ends_with_one(govbus: Govbus, city: MemoryCity) -> None:
    place = next(place for place in city.memory.records if place.topic == "quarantine.police")
    city.memory.records[place].clear()
    ended = govbus("audit", "balance", "--json")
    assert ended.code == ExitCode.NEGATIVE
    assert ended.answer["closed"] is False
    assert list(shape("audit-balance").iter_errors(ended.answer)) == []
    assert {one["what"] for one in ended.answer["differences"]} == {"OUTPUT_COUNT", "QUARANTINE_COUNT"}


def test_topics_that_are_not_what_the_ledger_says_end_with_one(govbus: Govbus, city: MemoryCity) -> None:
    place = next(place for place in city.memory.records if place.topic == "quarantine.police")
    city.memory.records[place].clear()
    ended = govbus("audit", "digests", "--json")
    assert ended.code == ExitCode.NEGATIVE
    assert list(shape("audit-digests").iter_errors(ended.answer)) == []
    assert {(one["what"], one["topic"]) for one in ended.answer["differences"]} == {
        ("NOT_ON_TOPIC", "quarantine.police")
    }


@pytest.mark.parametrize(
    ("options", "code"), [([], ExitCode.OK), (["--settled"], ExitCode.PENDING), (["--settled", "--json"], 5)]
)
def test_balance_over_what_nobody_has_decided_says_so_and_is_no_success_where_it_must_be_settled(
    govbus: Govbus, city: MemoryCity, options: list[str], code: int
) -> None:
    city.change("c", after={**PERSON, "id": 3})
    city.change("c", after={**PERSON, "id": 4})
    ended = govbus("audit", "balance", *options)
    assert ended.code == code
    if "--json" in options:
        assert (ended.answer["closed"], ended.answer["complete"]) == (True, False)
        assert list(shape("audit-balance").iter_errors(ended.answer)) == []
    else:
        told = "2 records are pending: gate has yet to decide 2 of raw.police.public.person"
        assert ended.out.endswith(f"{told}\n")


def test_balance_with_nothing_pending_is_a_success_where_it_must_be_settled(govbus: Govbus) -> None:
    ended = govbus("audit", "balance", "--settled")
    assert ended.code == ExitCode.OK
    assert ended.out.endswith("the books close, and nothing is pending\n")


def test_balance_that_does_not_close_stays_a_no_where_records_are_pending_too(
    govbus: Govbus, city: MemoryCity
) -> None:
    city.change("c", after={**PERSON, "id": 3})
    place = next(place for place in city.memory.records if place.topic == "quarantine.police")
    city.memory.records[place].clear()
    ended = govbus("audit", "balance", "--settled")
    assert ended.code == ExitCode.NEGATIVE
    assert "DO NOT CLOSE" in ended.out
    assert "1 records are pending" in ended.out


def test_unknown_resource_is_told_with_those_that_there_are(govbus: Govbus) -> None:
    ended = govbus("conflicts", "list", "--resource", "population.nobody.v1")
    assert ended.code == ExitCode.USAGE
    assert "population.person.v1" in ended.err


@pytest.mark.parametrize(
    ("offset", "lines"), [("beginning", 1), ("end", 0), ("-1", 1), ("-20", 1), ("0", 1), ("1", 0), ("s@0", 1)]
)
def test_tail_begins_where_kcat_would(govbus: Govbus, offset: str, lines: int) -> None:
    ended = govbus("tail", "resource.population.person.v1", "-o", offset, "-e", "--json")
    assert (ended.code, len(ended.out.splitlines())) == (ExitCode.OK, lines)


@pytest.mark.parametrize(("count", "offset"), [(1, 11), (2, 10), (3, 4), (4, 0), (9, 0)])
def test_the_last_so_many_are_records_and_not_the_marks_of_transactions(count: int, offset: int) -> None:
    reader, place = MemoryReader(), Place(TopicName("sub.x"), 0)
    for skip in (0, 3, 5, 0):
        reader.add(place.topic, 0, b"k", b"v", skip=skip)
    reader.ends[place] += 1
    assert start_offset(reader, place, f"-{count}") == offset


def test_tail_says_that_how_to_print_is_another_option_there(govbus: Govbus) -> None:
    ended = govbus("tail", "ledger.intake", "-o", "json", "-e")
    assert ended.code == ExitCode.USAGE
    assert "--output" in ended.err


@pytest.mark.parametrize("offset", ["begin", "s@x", "--1", "1.5"])
def test_tail_refuses_an_offset_that_means_nothing(govbus: Govbus, offset: str) -> None:
    assert govbus("tail", "ledger.intake", f"--offset={offset}", "-e").code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["explain", "nonsense"], ExitCode.USAGE),
        (["explain", "raw.police.public.person:0:99"], ExitCode.NEGATIVE),
        (["explain", "ledger.intake:0:0"], ExitCode.NEGATIVE),
        (["explain", "raw.nobody:0:0"], ExitCode.USAGE),
        (["explain", "raw.police.public.person:7:0"], ExitCode.USAGE),
        (["tail", "raw.police.public.person", "-p", "7", "-e"], ExitCode.USAGE),
        (["quarantine", "list", "nobody"], ExitCode.USAGE),
        (["quarantine", "list", "--reason", "NO_SUCH"], ExitCode.USAGE),
        (["quarantine", "list", "--state", "closed"], ExitCode.USAGE),
        (["claims", "list", "--provider", "nobody"], ExitCode.USAGE),
        (["tail", "raw.nobody", "-e"], ExitCode.USAGE),
        (["quarantine", "show", "raw.police.public.person:0:0"], ExitCode.NEGATIVE),
        (["no-such-command"], ExitCode.USAGE),
    ],
)
def test_error_is_told_on_standard_error_with_its_code(
    govbus: Govbus, arguments: list[str], code: ExitCode
) -> None:
    ended = govbus(*arguments)
    assert ended.code == code
    assert ended.out == ""
    assert ended.err


def test_the_newest_claims_are_listed_and_all_are_counted(govbus: Govbus) -> None:
    everything = govbus("claims", "list", "--json").answer
    newest = govbus("claims", "list", "--limit", "1", "--json").answer
    assert (everything["total"], len(everything["claims"]), newest["total"]) == (2, 2, 2)
    assert newest["claims"] == everything["claims"][-1:]
    assert govbus("claims", "list", "--limit", "0", "--json").answer["claims"] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KafkaUnavailable("x"), ExitCode.UNAVAILABLE),
        (RegistryUnavailable("x"), ExitCode.UNAVAILABLE),
        (StartStack("x"), ExitCode.UNAVAILABLE),
        (CorrectSetting("x"), ExitCode.USAGE),
        (ReadRefused("x"), ExitCode.REFUSED),
    ],
)
def test_expected_errors_have_their_codes_and_say_what_to_do(error: Exception, code: ExitCode) -> None:
    told = failure(error)
    assert isinstance(told, CommandFailed)
    assert told.code == code
    assert told.remedy


def test_an_unexpected_error_is_shown_with_its_trace_and_is_no_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    assert int(run(broken)) == 70
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" in told.err
    assert "defect of govbus" in told.err
