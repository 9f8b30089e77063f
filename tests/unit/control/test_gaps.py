"""When a capture has lost changes, and which incarnation its provider has after it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from producers.connect_client import ConnectClient
from producers.connect_errors import ConnectUnavailable
from producers.connect_status import Health
from producers.slots import SlotReport
from services.control import gaps
from services.control.access import CaptureSource
from services.control.comparison import compare_offline
from services.control.connectors import Captures
from services.control.definitions import load_definitions, packaged_definitions
from services.control.gaps import (
    CaptureFacts,
    SourceFacts,
    find_gaps,
    gap,
    impossible,
    read_captures,
    with_incarnations,
)
from services.control.policy_document import next_policy
from tests.support.access import access
from topics.event import ProviderId, SchemaId
from topics.policy import Policy

CITY = load_definitions(packaged_definitions())
POLICE = ProviderId("police")
SYSTEM = "7500000000000000001/1"


def slot(status: str | None = "reserved", retained: int | None = 100) -> SlotReport:
    return SlotReport("govbus_police", "police", True, status, retained, retained, None)


def facts(**changes: Any) -> CaptureFacts:
    """A capture that runs well, with changes."""
    source = SourceFacts(changes.pop("system", SYSTEM), changes.pop("slot", slot()))
    return CaptureFacts(**{"has_offsets": True, "source": source, **changes})


@pytest.mark.parametrize(
    ("found", "recorded", "expected"),
    [
        pytest.param(facts(), SYSTEM, None, id="well"),
        pytest.param(facts(), None, None, id="never recorded"),
        pytest.param(facts(slot=slot("unreserved")), SYSTEM, None, id="in danger is not lost"),
        pytest.param(facts(slot=slot("lost", None)), SYSTEM, "invalidated", id="lost"),
        pytest.param(
            facts(slot=slot("lost", None), has_offsets=False), None, "invalidated", id="lost, no offsets"
        ),
        pytest.param(facts(slot=None), SYSTEM, "slot is gone", id="slot gone"),
        pytest.param(facts(slot=None, has_offsets=False), SYSTEM, None, id="never captured"),
        pytest.param(facts(slot=None, has_offsets=None), SYSTEM, None, id="Connect does not answer"),
        pytest.param(facts(system="7500000000000000001/2"), SYSTEM, "1/2", id="another timeline"),
        pytest.param(facts(system="8/1"), SYSTEM, "8/1", id="another server"),
        pytest.param(
            facts(system="8/1", has_offsets=False), SYSTEM, None, id="another server, never captured"
        ),
        pytest.param(
            facts(slot=replace(slot(), active=False, confirmed=11), position=10),
            SYSTEM,
            "made again or advanced",
            id="the slot begins after what was published",
        ),
        pytest.param(
            facts(slot=replace(slot(), active=False, confirmed=10), position=10), SYSTEM, None, id="no jump"
        ),
        pytest.param(facts(source=None), SYSTEM, None, id="the database does not answer"),
    ],
)
def test_a_gap_is_seen_where_a_begun_capture_cannot_go_on_without_one(
    found: CaptureFacts, recorded: str | None, expected: str | None
) -> None:
    reason = gap(found, recorded)
    assert (reason is None) if expected is None else (reason is not None and expected in reason)


def policy(incarnation: int = 1, system: str | None = SYSTEM) -> Policy:
    """The first version of the city, with this of the police."""
    comparison = compare_offline(CITY)
    ids = dict.fromkeys(comparison.desired.subjects, SchemaId(1))
    written = next_policy(comparison.declared, comparison.moves, ids, None, 0)
    police = written.providers[POLICE].model_copy(update={"incarnation": incarnation, "system": system})
    return written.model_copy(update={"providers": {**written.providers, POLICE: police}})


@pytest.mark.parametrize(
    ("declared", "live", "recaptured", "expected"),
    [
        (1, None, False, 1),
        (3, None, False, 3),
        (1, 2, False, 2),
        (5, 2, False, 5),
        (1, 2, True, 3),
        (5, 2, True, 6),
    ],
)
def test_an_incarnation_never_falls_and_rises_with_a_recapture(
    declared: int, live: int | None, recaptured: bool, expected: int
) -> None:
    providers = {POLICE: CITY.providers[POLICE].model_copy(update={"incarnation": declared})}
    before = None if live is None else policy(live)
    found = with_incarnations(providers, before, {POLICE: facts()}, [POLICE] if recaptured else [])
    assert found[POLICE].incarnation == expected


@pytest.mark.parametrize(
    ("found", "recorded", "recaptured", "expected"),
    [
        pytest.param(facts(), None, False, SYSTEM, id="recorded with the first look"),
        pytest.param(facts(system="8/1"), SYSTEM, False, SYSTEM, id="kept while there is a gap"),
        pytest.param(facts(system="8/1"), SYSTEM, True, "8/1", id="new with a recapture"),
        pytest.param(facts(system="8/1", has_offsets=False), SYSTEM, False, "8/1", id="not begun yet"),
        pytest.param(facts(system="8/1", has_offsets=None), SYSTEM, False, SYSTEM, id="Connect is silent"),
        pytest.param(facts(source=None), SYSTEM, False, SYSTEM, id="the database is silent"),
    ],
)
def test_the_system_is_recorded_when_a_capture_begins_and_never_papers_over_a_gap(
    found: CaptureFacts, recorded: str | None, recaptured: bool, expected: str
) -> None:
    again = with_incarnations(
        CITY.providers, policy(1, recorded), {POLICE: found}, [POLICE] if recaptured else []
    )
    assert again[POLICE].system == expected


def test_a_provider_with_a_gap_keeps_its_connector_as_it_is_and_is_told_what_to_run() -> None:
    lost = find_gaps({POLICE: facts(slot=None)}, policy())
    other = ProviderId("market_regulation")
    captures = Captures(
        {"capture.police": {}, "capture.market_regulation": {}},
        {"capture.police": POLICE, "capture.market_regulation": other},
    ).without(lost)
    assert set(captures.configs) == {"capture.market_regulation"}
    assert "govbus apply --recapture police" in captures.notes[0]


@pytest.mark.parametrize(
    ("found", "possible"),
    [
        (facts(slot=None), True),
        (facts(has_offsets=False), True),
        (facts(source=None), False),
        (facts(has_offsets=None), False),
        (None, False),
    ],
)
def test_a_recapture_is_refused_before_anything_is_done_where_it_cannot_be_carried_through(
    found: CaptureFacts | None, possible: bool
) -> None:
    assert (impossible(found) is None) is possible


class DownConnect(ConnectClient):
    """Never answers, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def offsets(self, name: str) -> list[dict[str, Any]]:
        self.asked += 1
        raise ConnectUnavailable(name)

    def close(self) -> None:
        """Nothing is open."""


def test_a_connect_that_is_down_is_asked_once_and_no_gap_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = DownConnect()
    monkeypatch.setattr(gaps, "read_source", lambda _source, _slot: SourceFacts("8/1", None))
    source = CaptureSource("127.0.0.1", 5432, "police", "capture_police", "secret")
    reachable = replace(access(tmp_path), connect=lambda: connect, capture_source=lambda _name: source)
    found = read_captures(reachable, CITY.providers, CITY.resources)
    assert set(found) == {"police", "market_regulation", "social_security"}
    assert connect.asked == 1
    assert find_gaps(found, policy()) == {}


class BegunConnect(DownConnect):
    """Knows a position of every capture, none of which is stopped."""

    def offsets(self, name: str) -> list[dict[str, Any]]:
        return [{"partition": {}, "offset": {"lsn": 100}}]

    def health(self, name: str) -> Health:
        return Health.RUNNING


@pytest.mark.parametrize("is_made_meanwhile", [True, False])
def test_a_capture_that_begins_between_the_two_questions_has_lost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_made_meanwhile: bool
) -> None:
    looks: dict[str, int] = {}

    def read(_source: CaptureSource, name: str) -> SourceFacts:
        looks[name] = looks.get(name, 0) + 1
        return SourceFacts(SYSTEM, slot() if is_made_meanwhile and looks[name] > 1 else None)

    monkeypatch.setattr(gaps, "read_source", read)
    source = CaptureSource("127.0.0.1", 5432, "police", "capture_police", "secret")
    reachable = replace(access(tmp_path), connect=BegunConnect, capture_source=lambda _name: source)
    found = read_captures(reachable, CITY.providers, CITY.resources)
    assert set(looks.values()) == {2}
    assert bool(find_gaps(found, policy())) is not is_made_meanwhile
