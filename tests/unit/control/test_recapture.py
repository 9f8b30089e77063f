"""A capture forgets where it stands only once its connector has really stopped."""

from typing import Any

import pytest

from producers.connect_client import ConnectClient
from producers.connect_errors import ConnectorNotFound, ConnectRefused
from producers.connect_status import ConnectorStatus, TaskStatus
from services.control import recapture
from services.control.access import CaptureSource
from services.control.recapture import CaptureDoesNotStop, forget
from topics.event import ProviderId

POLICE = ProviderId("police")
SOURCE = CaptureSource("127.0.0.1", 5432, "police", "capture_police", "secret")


class SlowConnect(ConnectClient):
    """Needs some looks until the tasks have ended, and some more until it lets the position go."""

    def __init__(self, looks: int, refusals: int, exists: bool = True) -> None:
        self.looks, self.refusals, self.exists = looks, refusals, exists
        self.calls: list[str] = []

    def stop(self, name: str) -> None:
        if not self.exists:
            raise ConnectorNotFound(name)
        self.calls.append("stop")

    def status(self, name: str) -> ConnectorStatus:
        self.looks -= 1
        tasks = (TaskStatus(0, "RUNNING", "w"),) if self.looks >= 0 else ()
        return ConnectorStatus(name, "STOPPED", "w", tasks)

    def reset_offsets(self, name: str) -> None:
        assert self.looks < 0, "a task still runs"
        self.refusals -= 1
        if self.refusals >= 0:
            raise ConnectRefused("the tasks have not ended everywhere", 400)
        self.calls.append("reset")

    def offsets(self, name: str) -> list[dict[str, Any]]:
        return [] if "reset" in self.calls else [{"offset": {"lsn": 1}}]


class Clock:
    """Moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(recapture, "_drop_lost_slot", lambda _source, slot: found.append(slot))
    return found


def test_the_position_goes_after_the_tasks_and_the_slot_last(dropped: list[str]) -> None:
    client, clock = SlowConnect(looks=3, refusals=2), Clock()
    forget(client, POLICE, SOURCE, clock.sleep, lambda: clock.now)
    assert client.calls == ["stop", "reset"]
    assert dropped == ["govbus_police"]


def test_without_a_connector_only_the_slot_is_looked_at(dropped: list[str]) -> None:
    clock = Clock()
    forget(SlowConnect(0, 0, exists=False), POLICE, SOURCE, clock.sleep, lambda: clock.now)
    assert dropped == ["govbus_police"]


@pytest.mark.parametrize(("looks", "refusals"), [(10_000, 0), (0, 10_000)])
def test_what_does_not_stop_is_told_and_nothing_more_is_done(
    looks: int, refusals: int, dropped: list[str]
) -> None:
    client, clock = SlowConnect(looks, refusals), Clock()
    with pytest.raises(CaptureDoesNotStop):
        forget(client, POLICE, SOURCE, clock.sleep, lambda: clock.now)
    assert clock.now < 70
    assert dropped == []
