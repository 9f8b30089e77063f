"""Releases and discards say what became of each event, and write nothing that they need not."""

import pytest

from services.cli import bus
from services.cli.output import ExitCode
from services.ledger.quarantine import read_quarantine
from services.ledger.quarantine_work import release_all
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import PERSON, STOPPED, Govbus
from topics.event import ProviderId


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
    assert (event["state"], event["actor"], event["why"]) == ("discarded", "console:wang", "a test row")


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
