"""No command shows persons unless told, and telling is recorded."""

import pytest

from services.cli.output import ExitCode
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import ADDRESS, NAME, NUMBER, PERSON, STOPPED, Govbus, shape


@pytest.mark.parametrize(
    "arguments",
    [
        ["quarantine", "list"],
        ["quarantine", "show", STOPPED],
        ["claims", "list"],
        ["conflicts", "list", "--resource", "population.person.v1"],
        ["conflicts", "items"],
        ["tail", "raw.police.public.person", "-o", "beginning", "-e"],
        ["tail", "resource.population.person.v1", "-o", "beginning", "-e"],
        ["tail", "sub.health.population.person.v1.health-persons-gusu", "-o", "beginning", "-e"],
        ["tail", "claims.social_security", "-o", "beginning", "-e"],
        ["tail", "quarantine.police", "-o", "beginning", "-e"],
        ["tail", "ledger.intake", "-o", "beginning", "-e"],
        ["explain", "raw.police.public.person:0:0"],
        ["audit", "balance"],
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.requirement("A11-13")
def test_no_command_shows_persons_unless_told(govbus: Govbus, arguments: list[str], form: list[str]) -> None:
    ended = govbus(*arguments, *form)
    assert ended.code == ExitCode.OK, ended.err
    shown = ended.out + ended.err
    assert shown
    for secret in (NAME, ADDRESS, NUMBER, NAME.encode().hex(), NUMBER.encode().hex()):
        assert secret not in shown


def test_masking_leaves_what_is_declared_harmless(govbus: Govbus) -> None:
    line = govbus("tail", "resource.population.person.v1", "-o", "beginning", "-e", "--json").answer
    assert line["value"]["state"]["household_district"] == "320508"
    assert line["value"]["state"]["name"] == "***"
    assert line["value"]["raw_offset"] == 0


@pytest.mark.requirement("A11-02")
@pytest.mark.parametrize(
    ("arguments", "of"),
    [
        (["quarantine", "show", STOPPED], STOPPED),
        (["tail", "resource.population.person.v1", "-o", "beginning", "-e"], "resource.population.person.v1"),
        (["claims", "list", "--provider", "social_security"], "claims.social_security"),
    ],
)
def test_revealing_shows_values_and_is_recorded_with_actor_and_reason(
    govbus: Govbus, city: MemoryCity, arguments: list[str], of: str
) -> None:
    ended = govbus(*arguments, "--reveal", "--why", "case 7", "--json")
    assert ended.code == ExitCode.OK, ended.err
    assert NAME in ended.out
    assert "is not in the ledger" in ended.err, "the note is the record where no database serves"
    [record] = city.written
    assert record.value is None
    assert dict(record.headers) == {
        "govbus_disposition": b"revealed",
        "govbus_of": of.encode(),
        "govbus_actor": b"console:wang",
        "govbus_reason": b"case 7",
    }


def test_conflict_names_its_rows_and_the_identity_only_when_revealed_which_is_recorded(
    govbus: Govbus, city: MemoryCity
) -> None:
    city.change("c", after={**PERSON, "id": 3})
    city.pump()
    [masked] = govbus("conflicts", "list", "--json").answer["conflicts"]
    assert masked["identity"] == "***"
    assert [side["record_id"] for side in masked["records"]] == ["1", "3"]
    assert city.written == []
    ended = govbus("conflicts", "list", "--reveal", "--why", "case 7", "--json")
    assert ended.answer["conflicts"][0]["identity"] == f"resident_id:{NUMBER}"
    assert list(shape("conflicts-list").iter_errors(ended.answer)) == []
    [record] = city.written
    assert dict(record.headers)["govbus_of"] == b"resource.population.person.v1"
    assert NUMBER not in govbus("conflicts", "list").out


@pytest.mark.parametrize("why", [[], ["--why", " "]])
def test_revealing_without_a_reason_shows_nothing(govbus: Govbus, city: MemoryCity, why: list[str]) -> None:
    ended = govbus("quarantine", "show", STOPPED, "--reveal", *why)
    assert ended.code == ExitCode.USAGE
    assert "--why" in ended.err
    assert NAME not in ended.out
    assert city.written == []


def test_topic_that_nobody_answers_for_is_not_revealed(govbus: Govbus, city: MemoryCity) -> None:
    city.memory.add("strange", 0, b"k", b"v")
    ended = govbus("tail", "strange", "-o", "beginning", "-e", "--reveal", "--why", "case 7")
    assert ended.code == ExitCode.REFUSED
    assert ended.out == ""
