"""An epoch that proves the connector's own snapshot proves what stands now, or is refused."""

from typing import Any

import pytest

from producers.connect_status import Health
from services.control.epoch_markers import Marker, MarkerKind
from services.control.epochs import run
from services.control.epochs.acts import Step
from services.control.epochs.errors import CorrectOrder, ScanFailed, ScanStalled
from services.control.epochs.run import Ended, start_epoch
from services.control.epochs.settings import EpochSettings
from services.control.epochs.state import EpochState, Newest, newest_epoch
from tests.support.memory_epochs import PERSONS, Hours, MemoryEpochBus, person


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> MemoryEpochBus:
    """Three rows, and no snapshot yet."""
    found = MemoryEpochBus(rows={row: person(row) for row in (1, 2, 3)})
    monkeypatch.setattr(run, "open_epochs", lambda *_: (found, found.policy))
    return found


def initial(bus: MemoryEpochBus, owed: list[Step] | None = None, **more: Any) -> Ended:
    settings = EpochSettings(shrink_percent=100.0)
    given = {"reason": "first", "by": "console:wang", "settings": settings, "clock": Hours().clock, **more}
    owe = (owed if owed is not None else []).append
    return start_epoch(None, PERSONS, initial=True, owe=owe, **given)  # type: ignore[arg-type]


def newest(bus: MemoryEpochBus) -> Newest:
    return newest_epoch(bus.marked, bus.raw)


def test_the_first_snapshot_is_proven_without_reading_the_table_again(bus: MemoryEpochBus) -> None:
    bus.takes_its_own_snapshot()
    ended = initial(bus)
    assert (ended.rows_scanned, ended.keys_seen, ended.swept, ended.records) == (3, 3, 0, 3)
    assert bus.signals == []


def test_a_row_that_was_deleted_while_no_slot_held_it_is_swept_after_a_capture_anew(
    bus: MemoryEpochBus,
) -> None:
    bus.takes_its_own_snapshot()
    del bus.rows[2]
    bus.captured_anew()
    assert bus.standing() == {1, 2, 3}
    ended = initial(bus)
    assert (ended.rows_scanned, ended.keys_seen, ended.swept, ended.records) == (2, 2, 1, 2)
    assert bus.standing() == {1, 3}


def test_it_begins_when_its_snapshot_began_so_that_a_later_mark_is_not_mended_by_it(
    bus: MemoryEpochBus,
) -> None:
    bus.takes_its_own_snapshot()
    began_ms = bus.told[0]["timestamp"]
    initial(bus)
    assert (newest(bus).begin_ms, newest(bus).state) == (began_ms, EpochState.ENDED)


def marked_incomplete(bus: MemoryEpochBus, offset: int) -> None:
    marker = Marker(PERSONS, 0, MarkerKind.BEGIN, 1, 1, {(bus.raw, 0): offset})
    bus.mark(marker)
    bus.marked[-1]["kind"] = "INCOMPLETE"


def stopped(bus: MemoryEpochBus) -> None:
    bus.health = Health.STOPPED


def begun_again(bus: MemoryEpochBus) -> None:
    bus.takes_its_own_snapshot()


def truncated(bus: MemoryEpochBus) -> None:
    marked_incomplete(bus, 2)


def waits_for_its_snapshot(bus: MemoryEpochBus) -> None:
    bus.incarnation = 2


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        (stopped, "does not run"),
        (begun_again, "begun more than once"),
        (truncated, "marked as incomplete since"),
        (waits_for_its_snapshot, "none as incarnation 2"),
    ],
)
def test_a_snapshot_that_proves_nothing_of_now_is_refused_with_what_to_do(
    bus: MemoryEpochBus, happened: Any, told: str
) -> None:
    bus.takes_its_own_snapshot()
    happened(bus)
    owed: list[Step] = []
    with pytest.raises(CorrectOrder, match=told) as refused:
        initial(bus, owed)
    assert f"`govbus snapshot start {PERSONS}` takes another" in str(refused.value)
    assert (newest(bus).state, owed) == (EpochState.NONE, [])


def test_a_mark_of_an_older_incarnation_is_what_a_capture_anew_mends(bus: MemoryEpochBus) -> None:
    bus.takes_its_own_snapshot()
    truncated(bus)
    bus.captured_anew()
    assert initial(bus).swept == 0


def test_a_snapshot_that_is_begun_anew_while_it_is_proven_ends_the_epoch_as_given_up(
    bus: MemoryEpochBus,
) -> None:
    bus.takes_its_own_snapshot(ends=False)
    with pytest.raises(ScanStalled):
        initial(bus)
    assert newest(bus).is_open
    bus.captured_anew()
    with pytest.raises(ScanFailed, match="begun its snapshot anew"):
        initial(bus)
    assert newest(bus).state is EpochState.ABORTED
