"""Every command answers in its documented shape, ends with its documented code, and hides persons."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from schemas.registry import RegistryUnavailable
from services.cli import bus
from services.cli.main import app
from services.cli.output import CommandFailed, ExitCode, failure, run
from services.cli.quarantine_work import release_all
from services.cli.tail import start_offset
from services.ledger.counts import Place
from services.ledger.quarantine import read_quarantine
from services.ledger.reader import KafkaUnavailable, ReadRefused
from services.stack.errors import CorrectSetting, StartStack
from tests.support.memory_bus import MemoryCity, MemoryReader
from topics.event import ProviderId, TopicName

SHAPES = Path(__file__).parents[3] / "docs" / "cli"
NAME, ADDRESS, NUMBER = "王小明", "平江路1号", "11010519491231002X"
PERSON = {
    "id": 1,
    "id_number": NUMBER,
    "name": NAME,
    "birth_date": (date(1949, 12, 31) - date(1970, 1, 1)).days,
    "sex": "2",
    "address": ADDRESS,
    "household_district": "320508",
    "updated_at": 1_790_000_000_000,
}
ENROLMENT = {
    "id": 7,
    "id_number": NUMBER,
    "name": NAME,
    "address": "别处",
    "insurance_type": "310",
    "enrolled_on": 18_000,
    "monthly_base": "5000.00",
    "status": "1",
    "updated_at": 1_790_000_000_000,
}
STOPPED = "raw.police.public.person:0:1"


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


Govbus = Callable[..., Ended]


@pytest.fixture
def city() -> MemoryCity:
    found = MemoryCity()
    found.change("c", after=PERSON)
    found.change("c", after={**PERSON, "id": 2, "id_number": None})
    found.change("c", after=ENROLMENT, enrolment=True)
    found.pump()
    return found


@pytest.fixture
def govbus(city: MemoryCity, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Govbus:
    @contextmanager
    def open_bus(timeout_s: float = 0) -> Iterator[bus.Bus]:
        yield bus.Bus(city.lookup, city)

    monkeypatch.setattr(bus, "open_bus", open_bus)
    monkeypatch.setattr(bus, "actor", lambda: "wang")

    def call(*arguments: str) -> Ended:
        code = run(lambda: app(list(arguments)))
        return Ended(code, *capsys.readouterr())

    return call


def shape(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SHAPES / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("audit-balance", ["audit", "balance", "--json"], 0),
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
        ("tail", ["tail", "resource.population.person.v1", "-o", "beginning", "-e", "--json"], 0),
        ("tail", ["tail", "quarantine.police", "-o", "-20", "-e", "--json"], 0),
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["quarantine", "list"],
        ["quarantine", "show", STOPPED],
        ["claims", "list"],
        ["conflicts", "list", "--resource", "population.person.v1"],
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
    [record] = city.written
    assert record.value is None
    assert dict(record.headers) == {
        "govbus_disposition": b"revealed",
        "govbus_of": of.encode(),
        "govbus_actor": b"wang",
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


def test_unknown_resource_is_told_with_those_that_there_are(govbus: Govbus) -> None:
    ended = govbus("conflicts", "list", "--resource", "population.nobody.v1")
    assert ended.code == ExitCode.USAGE
    assert "population.person.v1" in ended.err


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


def test_release_of_what_is_still_wrong_is_stopped_again_and_says_so(govbus: Govbus) -> None:
    ended = govbus("quarantine", "release", STOPPED, "--why", "try", "--json")
    assert ended.code == ExitCode.REFUSED
    [event] = ended.answer["events"]
    assert (event["outcome"], event["reason"]) == ("stopped", "IDENTITY_MISSING")
    assert event["at"] == "raw.police.public.person:0:2"


def test_release_after_a_newer_change_is_refused_and_writes_nothing(govbus: Govbus, city: MemoryCity) -> None:
    city.change("u", None, {**PERSON, "id": 2})
    city.pump()
    for extra in (["--dry-run"], ["--why", "try"]):
        ended = govbus("quarantine", "release", STOPPED, *extra, "--json")
        assert ended.code == ExitCode.REFUSED
        assert ended.answer["events"][0]["reason"] == "NOTHING_PENDING"
    assert city.written == []


def test_dry_run_writes_nothing(govbus: Govbus, city: MemoryCity) -> None:
    for action in ("release", "discard"):
        ended = govbus("quarantine", action, "--all", "--dry-run", "--json")
        assert ended.code == ExitCode.OK
        assert ended.answer["events"][0]["outcome"] == f"would-{action}"
    assert city.written == []


def test_discarded_event_is_open_no_more(govbus: Govbus) -> None:
    assert govbus("quarantine", "discard", STOPPED, "--why", "a test row").code == ExitCode.OK
    assert govbus("quarantine", "list", "--json").answer["total"] == 0
    [event] = govbus("quarantine", "list", "--state", "all", "--json").answer["events"]
    assert (event["state"], event["actor"], event["why"]) == ("discarded", "wang", "a test row")


def test_release_that_the_gate_does_not_decide_in_time_is_pending(city: MemoryCity) -> None:
    city.gate_runs = False
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    chosen = [(ProviderId("police"), entry) for entry in read_quarantine(city.lookup, ProviderId("police"))]
    [worked] = release_all(
        bus.Bus(city.lookup, city), chosen, "wang", "try", 5.0, dry_run=False, clock=lambda: now[0], wait=wait
    )
    assert (worked.outcome, worked.ok) == ("pending", False)
    assert now[0] == pytest.approx(5.0)
    released, done = city.written
    assert released.topic == "raw.police.public.person"
    assert dict(done.headers)["govbus_disposition"] == b"releasing"
    [entry] = read_quarantine(city.lookup, ProviderId("police"))
    assert entry.state == "releasing"


def test_release_that_nobody_waited_for_is_not_written_again_but_its_outcome_is_noted(
    city: MemoryCity, govbus: Govbus
) -> None:
    city.gate_runs = False
    assert govbus("quarantine", "release", STOPPED, "--why", "x", "--deadline", "0").code == ExitCode.REFUSED
    city.gate_runs = True
    city.pump()
    ended = govbus("quarantine", "release", STOPPED, "--why", "again", "--json")
    assert ended.answer["events"][0]["outcome"] == "stopped"
    assert [str(record.topic) for record in city.written].count("raw.police.public.person") == 1
    states = {
        event["raw"]: event["state"]
        for event in govbus("quarantine", "list", "--state", "all", "--json").answer["events"]
    }
    assert states == {STOPPED: "stopped-again", "raw.police.public.person:0:2": "open"}


def test_release_that_the_gate_supersedes_is_listed_as_superseded_and_never_as_released(
    city: MemoryCity, govbus: Govbus
) -> None:
    """The newer change comes between the command's question and the gate's decision."""
    provider = ProviderId("police")
    [entry] = read_quarantine(city.lookup, provider)
    city.gate_runs = False
    city.change("u", None, {**PERSON, "id": 2})
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        city.gate_runs = True
        city.pump()

    opened = bus.Bus(city.lookup, city)
    [worked] = release_all(
        opened, [(provider, entry)], "wang", "try", 5.0, dry_run=False, clock=lambda: 0.0, wait=wait
    )
    assert (worked.outcome, worked.reason, worked.ok) == ("superseded", "NOTHING_PENDING", False)
    assert waited
    [event] = govbus("quarantine", "list", "--state", "all", "--json").answer["events"]
    assert event["state"] == "superseded"
    assert govbus("quarantine", "list", "--state", "released", "--json").answer["total"] == 0


@pytest.mark.parametrize("arguments", [[], [STOPPED, "--all"]])
def test_release_needs_either_coordinates_or_all(govbus: Govbus, arguments: list[str]) -> None:
    assert govbus("quarantine", "release", *arguments, "--why", "x").code == ExitCode.USAGE


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


def test_unexpected_error_is_not_swallowed() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(broken)
