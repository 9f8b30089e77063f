"""A run of an epoch by an injected clock: a stall is noticed, told and mended; acts are owed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from producers.connect_status import Health
from services.control.epochs import run
from services.control.epochs.acts import Step, What, act_of
from services.control.epochs.errors import ConfirmShrink, CorrectOrder, ScanStalled
from services.control.epochs.progress import Phase, Progress
from services.control.epochs.run import Ended, abort_epoch, start_epoch
from services.control.epochs.settings import EpochSettings
from services.control.epochs.state import EpochState, Newest, newest_epoch
from tests.support.memory_epochs import PERSONS, Hours, MemoryEpochBus, person
from tests.support.web import NOW

SETTINGS = EpochSettings()
SIGNAL = f"{PERSONS}.1"


@dataclass
class Bench:
    """A bus of which three rows are known, and what one who starts epochs sees."""

    bus: MemoryEpochBus
    hours: Hours = field(default_factory=Hours)
    told: list[Progress] = field(default_factory=list)
    owed: list[Step] = field(default_factory=list)

    def start(self, **more: Any) -> Ended:
        given = {"reason": "a lost slot", "by": "console:wang", "settings": SETTINGS, **more}
        clock, told, owe = self.hours.clock, self.told.append, self.owed.append
        given = {"clock": clock, "told": told, "owe": owe, **given}
        return start_epoch(None, PERSONS, **given)  # type: ignore[arg-type]

    def abort(self) -> Newest:
        return abort_epoch(None, PERSONS, by="console:wang", owe=self.owed.append)  # type: ignore[arg-type]

    @property
    def newest(self) -> Newest:
        return newest_epoch(self.bus.marked, self.bus.raw)

    @property
    def asked(self) -> list[str]:
        return [signal for kind, signal in self.bus.signals if kind == "execute-snapshot"]

    @property
    def acts(self) -> list[tuple[What, int]]:
        return [(step.what, step.number) for step in self.owed]

    def facts(self, what: What) -> Mapping[str, object]:
        return next(step.facts for step in self.owed if step.what is what)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    bus = MemoryEpochBus()
    for row in (1, 2, 3):
        bus.change("c", row, person(row))
    monkeypatch.setattr(run, "open_epochs", lambda *_: (bus, bus.policy))
    return Bench(bus)


def test_a_snapshot_that_does_not_begin_is_asked_for_again_and_then_told_as_stalled(bench: Bench) -> None:
    bench.bus.answers, bench.bus.health = False, Health.FAILED
    begun = bench.hours.seconds
    with pytest.raises(ScanStalled, match="has not got on for 300 s; the connector is FAILED") as stalled:
        bench.start()
    waited = bench.hours.seconds - begun
    assert SETTINGS.stalled_after_s <= waited <= SETTINGS.stalled_after_s + 2 * SETTINGS.look_s
    again = int(SETTINGS.stalled_after_s / SETTINGS.ask_again_s)
    assert bench.asked in ([SIGNAL] * again, [SIGNAL] * (again - 1)), "one signal, so that it is one scan"
    assert {each.phase for each in bench.told} == {Phase.ASKED}
    assert "`govbus logs connect` says why, then start again, it goes on" in stalled.value.remedy
    assert bench.newest.state is EpochState.OPEN


def test_the_same_order_goes_on_with_a_stalled_epoch_once_its_connector_is_well(bench: Bench) -> None:
    bench.bus.answers = False
    with pytest.raises(ScanStalled):
        bench.start()
    bench.bus.answers, asked = True, len(bench.asked)
    ended = bench.start()
    assert bench.asked[asked:] == [SIGNAL], "it is asked again"
    assert (ended.number, ended.rows_scanned, ended.swept, ended.records) == (1, 3, 0, 3)
    assert bench.acts == [(What.BEGUN, 1), (What.ENDED, 1)]


def test_a_stalled_epoch_is_given_up_and_begun_anew(bench: Bench) -> None:
    bench.bus.answers = False
    with pytest.raises(ScanStalled):
        bench.start()
    assert bench.abort().state is EpochState.ABORTED
    assert bench.bus.signals[-1] == ("stop-snapshot", f"stop.{SIGNAL}")
    bench.bus.answers = True
    assert bench.start().number == 2
    assert bench.acts == [(What.BEGUN, 1), (What.ABORTED, 1), (What.BEGUN, 2), (What.ENDED, 2)]
    with pytest.raises(CorrectOrder, match="no epoch"):
        bench.abort()


def test_rows_that_stay_away_are_noticed_after_a_while_and_scanned_again(bench: Bench) -> None:
    bench.bus.lost = {2}
    begun = bench.hours.seconds
    ended = bench.start()
    waited = bench.hours.seconds - begun
    assert SETTINGS.late_after_s <= waited <= SETTINGS.late_after_s + 4 * SETTINGS.look_s
    assert bench.asked == [SIGNAL, f"{SIGNAL}.2"]
    assert (ended.keys_seen, ended.swept) == (3, 0)


def test_the_act_of_the_end_says_what_its_marker_says(bench: Bench) -> None:
    del bench.bus.rows[2], bench.bus.rows[3]
    with pytest.raises(ConfirmShrink):
        bench.start()
    assert bench.acts == [(What.BEGUN, 1)]
    ended = bench.start(confirm_shrink=True)
    assert bench.acts == [(What.BEGUN, 1), (What.CONFIRMED, 1), (What.ENDED, 1)]
    assert bench.facts(What.CONFIRMED) == {"unseen": 2, "candidates": 3}
    end = bench.bus.marked[-1]
    assert bench.facts(What.ENDED) == {**end["counts"], "digest": end["digest"]}
    assert (end["kind"], ended.digest, ended.swept) == ("END", end["digest"], 2)
    assert bench.bus.standing() == {1}


def test_nothing_goes_where_its_confirmation_cannot_be_owed(bench: Bench) -> None:
    def refuse(step: Step) -> None:
        if step.what is What.CONFIRMED:
            raise RuntimeError("the ledger is away")

    bench.bus.rows.clear()
    with pytest.raises(RuntimeError, match="away"):
        bench.start(confirm_shrink=True, owe=refuse)
    assert bench.bus.standing() == {1, 2, 3}
    assert bench.newest.is_open


def test_an_act_names_who_and_no_row(bench: Bench) -> None:
    bench.start(where=("id=1",))
    acts = [act_of(step, "control", NOW) for step in bench.owed]
    assert [each.what for each in acts] == ["snapshot.begun", "snapshot.ended"]
    assert {(each.who, each.kind, each.object) for each in acts} == {("control", "resource", PERSONS)}
    assert acts[0].facts == {"number": 1, "filtered": True, "initial": False}
