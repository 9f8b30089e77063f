"""A capture that lost changes is stopped; one that is captured anew in the middle of a round runs."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from producers.connect_status import Health
from producers.connector import INCARNATION_SETTING
from producers.slots import SlotReport
from services.watch.fence import Fence
from services.watch.sources import CaptureSource

NAME, SYSTEM = "capture.police", "7/1"
SOURCE = CaptureSource(NAME, "db", 5432, "police", "govbus_police", "govbus_police", "u", "p", incarnation=3)


@dataclass
class Connect:
    """Connect with one capture that is running; somebody may capture it anew at a step of the fence."""

    anew_at: str | None = None
    incarnation: int = 3
    health_now: Health = Health.RUNNING
    asked: list[str] = field(default_factory=list)

    def _step(self, step: str) -> None:
        self.asked.append(step)
        if step == self.anew_at:
            self.incarnation, self.health_now = 4, Health.RUNNING

    def offsets_at_once(self, name: str) -> list[dict[str, Any]]:
        self._step("offsets")
        return [{"offset": {"lsn": 1000}}]

    def health(self, name: str) -> Health:
        self._step("health")
        return self.health_now

    def config(self, name: str) -> dict[str, str]:
        self._step("config")
        return {INCARNATION_SETTING: str(self.incarnation)}

    def stop(self, name: str) -> None:
        self._step("stop")
        self.health_now = Health.STOPPED

    def resume(self, name: str) -> None:
        self._step("resume")
        self.health_now = Health.RUNNING


SLOT = SlotReport("govbus_police", "police", True, "reserved", 10, 10, None, 900)


def look(connect: Connect) -> list[str]:
    """A look at a capture whose slot is gone since the one before; the kinds of its alarms."""
    fence = Fence(connect, None, lambda *_, **__: None)
    anew_at, connect.anew_at = connect.anew_at, None
    assert alarms(fence, SLOT) == []
    connect.asked.clear()
    connect.anew_at = anew_at
    return alarms(fence)


def alarms(fence: Fence, *slots: SlotReport) -> list[str]:
    return [alarm.kind.value for alarm in fence.look(SOURCE, SYSTEM, {slot.name: slot for slot in slots})]


def test_a_capture_with_a_position_and_without_its_slot_is_stopped() -> None:
    connect = Connect()
    assert look(connect) == ["capture-fenced"]
    assert connect.health_now is Health.STOPPED


def test_one_that_begins_after_the_slots_were_read_is_no_capture_without_a_slot() -> None:
    connect = Connect()
    fence = Fence(connect, None, lambda *_, **__: None)
    assert alarms(fence) == []
    assert alarms(fence, SLOT) == []
    assert "stop" not in connect.asked
    # Where it is gone, one look more tells.
    assert alarms(fence) == ["capture-fenced"]


def test_one_that_stands_still_already_is_left_alone() -> None:
    connect = Connect(health_now=Health.STOPPED)
    assert look(connect) == ["capture-fenced"]
    assert "stop" not in connect.asked


@pytest.mark.parametrize("step", ["offsets", "health", "config", "stop"])
def test_one_that_is_captured_anew_in_the_middle_of_the_look_runs(step: str) -> None:
    connect = Connect(anew_at=step)
    look(connect)
    assert connect.incarnation == 4
    assert connect.health_now is Health.RUNNING
