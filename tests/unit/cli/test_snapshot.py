"""`govbus snapshot`: what it answers, and that whoever is stopped is told what to do."""

from pathlib import Path
from typing import Any

import pytest

from producers.connect_status import Health
from services.cli import bus, snapshot
from services.cli.output import ExitCode
from services.control.epochs.errors import (
    AbortFirst,
    ConfirmShrink,
    CorrectOrder,
    ScanFailed,
    ScanStalled,
    StartAgain,
)
from services.control.epochs.progress import Phase, Progress
from services.control.epochs.run import Ended
from services.control.epochs.state import EpochState, Newest
from tests.unit.cli.called import Govbus, shape
from topics.event import ProviderId, ResourceId

PERSONS, POLICE = ResourceId("population.person.v1"), ProviderId("police")


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A stack of which every part runs; what an epoch does is the test's."""
    monkeypatch.setenv("GOVBUS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(bus, "require", lambda *_: None)
    monkeypatch.setattr(snapshot, "access_of", lambda _: None)
    return monkeypatch


def test_a_whole_epoch_answers_in_the_documented_shape_and_shows_its_phases(
    govbus: Govbus, running: pytest.MonkeyPatch
) -> None:
    def whole(*_: Any, told: Any, **asked: Any) -> Ended:
        for phase in (Phase.ASKED, Phase.SCANNING, Phase.SWEEPING):
            told(Progress(PERSONS, 3, phase, 5, 10))
        assert (asked["reason"], asked["confirm_shrink"]) == ("a lost slot", True)
        return Ended(PERSONS, 3, 10, 10, 11, 1, 10, "ab")

    running.setattr(snapshot, "start_epoch", whole)
    ended = govbus("snapshot", "start", PERSONS, "--reason", "a lost slot", "--confirm-shrink", "--json")
    assert ended.code == 0, ended.err
    assert list(shape("snapshot-start").iter_errors(ended.answer)) == []
    assert "scanning done" in ended.err


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (CorrectOrder("no applied resource is called x"), ExitCode.USAGE, "govbus snapshot status"),
        (AbortFirst(PERSONS, "an epoch is open"), ExitCode.REFUSED, f"govbus snapshot abort {PERSONS}"),
        (ConfirmShrink(PERSONS, 30, 100, 10.0), ExitCode.NEGATIVE, "--confirm-shrink"),
        (ScanStalled(PERSONS, POLICE, 300, Health.FAILED), ExitCode.PENDING, "govbus logs connect"),
        (ScanFailed(PERSONS, POLICE, "ABORTED"), ExitCode.NEGATIVE, "govbus apply --recapture police"),
        (
            StartAgain(PERSONS, "the gate does not get on"),
            ExitCode.PENDING,
            f"govbus snapshot start {PERSONS}",
        ),
    ],
)
def test_what_ends_it_early_is_told_with_what_to_do(
    govbus: Govbus, running: pytest.MonkeyPatch, error: Exception, code: ExitCode, told: str
) -> None:
    def stopped(*_: Any, **__: Any) -> Ended:
        raise error

    running.setattr(snapshot, "start_epoch", stopped)
    ended = govbus("snapshot", "start", PERSONS)
    assert ended.code == code
    assert told in ended.err.replace("\n", " ")


@pytest.mark.parametrize("which", ["status", "abort"])
def test_how_an_epoch_stands_has_one_shape(govbus: Govbus, running: pytest.MonkeyPatch, which: str) -> None:
    newest = Newest(
        2, EpochState.ABORTED, 5, {}, ("id=1",), "why", "console:a", False, 6, "aborted by a", {"x": 1}
    )
    running.setattr(snapshot, "epoch_status", lambda *_: newest)
    running.setattr(snapshot, "abort_epoch", lambda *_, **__: newest)
    ended = govbus("snapshot", which, PERSONS, "--json")
    assert ended.code == 0, ended.err
    assert list(shape("snapshot-status").iter_errors(ended.answer)) == []
    assert (ended.answer["state"], ended.answer["where"]) == ("aborted", ["id=1"])


@pytest.mark.parametrize(
    ("state", "where", "go_on"),
    [
        (EpochState.OPEN, (), f"govbus snapshot start {PERSONS}"),
        (EpochState.WAITING, ("id=1",), f"govbus snapshot start {PERSONS} --where=id=1 --confirm-shrink"),
        (EpochState.ENDED, (), None),
        (EpochState.NONE, (), None),
    ],
)
def test_what_goes_on_with_an_open_epoch_is_named_with_its_filter(
    govbus: Govbus,
    running: pytest.MonkeyPatch,
    state: EpochState,
    where: tuple[str, ...],
    go_on: str | None,
) -> None:
    running.setattr(snapshot, "epoch_status", lambda *_: Newest(1, state, where=where))
    assert govbus("snapshot", "status", PERSONS, "--json").answer["go_on"] == go_on
