"""Rounds of the watch against a Connect and a database that are played here."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from producers.connect_errors import ConnectUnavailable
from producers.connect_status import ConnectorStatus, Health, TaskStatus
from producers.connector import INCARNATION_SETTING
from producers.slots import SlotReport
from services.watch import app
from services.watch.app import Reach, Watch
from services.watch.settings import WatchSettings
from services.watch.web import StatusServer

CONFIG = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "db",
    "database.dbname": "police",
    "database.user": "capture",
    "database.password": "x",
    "slot.name": "govbus_police",
}


class PlayedConnect:
    """One connector whose only task is in the state that the test sets."""

    def __init__(self) -> None:
        self.state = "RUNNING"
        self.silent = False
        self.restarts = 0
        self.present = True
        self.readable = True
        self.position: int | None = None
        self.stops = 0
        self.incarnation = 1
        self.name = "capture.police"

    def names(self) -> list[str]:
        if self.silent:
            raise ConnectUnavailable("gave up")
        return [self.name] if self.present else []

    def config(self, name: str) -> dict[str, str]:
        if not self.readable:
            raise ConnectUnavailable("gave up")
        return CONFIG | {INCARNATION_SETTING: str(self.incarnation)}

    def status(self, name: str) -> ConnectorStatus:
        return ConnectorStatus(name, "RUNNING", "w", (TaskStatus(0, self.state, "w", "boom\nat x"),))

    def offsets_at_once(self, name: str) -> list[dict[str, Any]]:
        if self.position is None:
            return []
        return [{"partition": {"server": "raw.police"}, "offset": {"lsn": self.position}}]

    def health(self, name: str) -> Health:
        return Health.STOPPED if self.stops else Health.RUNNING

    def stop(self, name: str) -> None:
        self.stops += 1

    def restart_failed_tasks(self, name: str) -> None:
        self.restarts += 1

    def restart(self, name: str) -> None:
        self.restarts += 1


class PlayedConnection:
    def close(self) -> None:
        return


class Scene:
    """A watch with its log, its clock and what it looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, memory: Path) -> None:
        self.now = 0.0
        self.connect = PlayedConnect()
        self.slots: list[SlotReport] | None = []
        self.system = "7/1"
        self.lines: list[tuple[str, str, dict[str, Any]]] = []
        monkeypatch.setattr(app, "open_source", lambda _source: self._open())
        monkeypatch.setattr(app, "slot_report", lambda _connection: self.slots)
        monkeypatch.setattr(app, "system_of", lambda _connection: self.system)
        self.memory = memory
        self.watch = self.new_watch()

    def new_watch(self) -> Watch:
        """A watch as a start of the process makes it."""
        reach = Reach(self.connect, Path("secrets"), memory=self.memory)  # type: ignore[arg-type]
        settings = WatchSettings(alarm_after=2, first_wait_s=2.0)
        return Watch(reach, settings, self._log, lambda: self.now)

    def round(self, at: float) -> list[tuple[str, str]]:
        """Make a round and return what was newly logged."""
        self.now = at
        self.lines.clear()
        self.watch.round()
        return [(level, event) for level, event, _ in self.lines]

    def _open(self) -> PlayedConnection:
        if self.slots is None:
            raise psycopg2.OperationalError("down")
        return PlayedConnection()

    def _log(self, level: str, event: str, **fields: Any) -> None:
        self.lines.append((level, event, fields))


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    return Scene(monkeypatch, tmp_path / "watch" / "continuity.json")


def test_a_failed_task_is_restarted_with_back_off_and_at_last_alarmed(scene: Scene) -> None:
    assert scene.round(0) == []
    scene.connect.state = "FAILED"
    assert scene.round(3) == [("warning", "connector-restarted")]
    assert scene.round(4) == []
    assert scene.round(6) == [("warning", "connector-restarted")]
    assert scene.round(9) == [("alarm", "connector-failed")]
    scene.connect.state = "RUNNING"
    assert scene.round(12) == [("info", "connector-failed-over")]
    assert scene.connect.restarts == 2
    assert scene.watch.status()["restarts"] == 2
    assert scene.watch.status()["alarms_raised"]["connector-failed"] == 1


def test_a_slot_whose_connector_only_seems_to_run_is_alarmed(scene: Scene) -> None:
    scene.slots = [SlotReport("govbus_police", "police", False, "reserved", 10, 10, None)]
    assert scene.round(0) == []
    assert scene.round(14) == []
    assert scene.round(15) == [("alarm", "slot-unread")]
    scene.slots = [SlotReport("govbus_police", "police", True, "reserved", 10, 10, None)]
    assert scene.round(18) == [("info", "slot-unread-over")]


def test_a_slot_of_a_deleted_connector_becomes_an_orphan(scene: Scene) -> None:
    scene.slots = [SlotReport("govbus_police", "police", False, "reserved", 10, 10, None)]
    scene.round(0)
    scene.connect.present = False
    assert scene.round(3) == [("alarm", "slot-orphaned")]


def test_while_connect_is_silent_no_slot_counts_as_orphaned(scene: Scene) -> None:
    scene.slots = [SlotReport("govbus_police", "police", False, "reserved", 10, 10, None)]
    scene.round(0)
    scene.connect.silent = True
    assert scene.round(3) == [("alarm", "connect-silent")]


def test_a_slot_of_a_connector_that_cannot_be_read_is_no_orphan(scene: Scene) -> None:
    scene.slots = [SlotReport("govbus_police", "police", False, "reserved", 10, 10, None)]
    scene.round(0)
    scene.connect.readable = False
    assert scene.round(3) == [("warning", "connector-unreadable")]


def test_a_connector_that_no_worker_runs_is_alarmed_restarted_and_in_the_end_says_what_to_do(
    scene: Scene,
) -> None:
    scene.connect.state = "UNASSIGNED"
    assert scene.round(0) == []
    assert scene.round(59) == []
    assert scene.round(60) == [("warning", "connector-restarted"), ("alarm", "connector-idle")]
    assert "wait" in scene.watch.status()["alarms"][0]["remedy"]
    assert scene.round(90) == [("warning", "connector-restarted")]
    assert scene.round(150) == [("warning", "connector-restarted")]
    (alarm,) = scene.watch.status()["alarms"]
    assert (
        "no worker has run it for 150 s: capture.police task 0 is UNASSIGNED; 2 restarts did not help"
        in alarm["detail"]
    )
    assert "govbus down and govbus up" in alarm["remedy"]
    scene.connect.state = "RUNNING"
    assert scene.round(153) == [("info", "connector-idle-over")]


def test_a_database_that_is_down_is_alarmed_and_the_rounds_go_on(scene: Scene) -> None:
    scene.slots = None
    assert scene.round(0) == [("alarm", "database-silent")]
    scene.slots = []
    assert scene.round(3) == [("info", "database-silent-over")]


def test_an_invalidated_slot_is_a_gap(scene: Scene) -> None:
    scene.slots = [SlotReport("govbus_police", "police", False, "lost", None, None, None)]
    assert scene.round(0) == [("alarm", "slot-gap")]
    (alarm,) = scene.watch.status()["alarms"]
    assert "lost" in alarm["detail"]


def read_slot(confirmed: int, *, active: bool = True) -> SlotReport:
    return SlotReport("govbus_police", "police", active, "reserved", 10, 10, None, confirmed)


@pytest.mark.requirement("A5-08")
def test_a_capture_on_another_timeline_is_stopped_and_alarmed_until_it_is_taken_anew(scene: Scene) -> None:
    scene.connect.position, scene.slots = 100, [read_slot(90)]
    assert scene.round(0) == []
    scene.system = "7/2"
    assert scene.round(3) == [("warning", "capture-stopped"), ("alarm", "capture-fenced")]
    (alarm,) = scene.watch.status()["alarms"]
    assert "timeline 1, the server is on 2" in alarm["detail"]
    assert alarm["remedy"].endswith("govbus apply --recapture police")
    scene.system = "7/1"
    assert scene.round(6) == [], "what was seen once is not taken back"
    scene.connect.incarnation, scene.system = 2, "7/2"
    assert scene.round(9) == [("info", "capture-fenced-over")]
    assert scene.connect.stops == 1


def test_what_the_fence_compares_with_outlives_the_watch(scene: Scene) -> None:
    scene.connect.position, scene.slots = 100, [read_slot(90)]
    scene.round(0)
    scene.watch, scene.system = scene.new_watch(), "8/1"
    assert scene.round(3) == [("warning", "capture-stopped"), ("alarm", "capture-fenced")]
    scene.watch, scene.slots = scene.new_watch(), None
    assert ("alarm", "capture-fenced") in scene.round(6), "also while its database does not answer"
    assert scene.connect.stops == 1
    assert scene.memory.stat().st_mode & 0o777 == 0o600


def test_a_slot_that_was_made_again_behind_the_capture_is_fenced(scene: Scene) -> None:
    scene.connect.position, scene.slots = 100, [read_slot(90)]
    scene.round(0)
    scene.slots = [read_slot(101, active=False)]
    assert scene.round(3) == [("warning", "capture-stopped"), ("alarm", "capture-fenced")]


def test_a_capture_of_somebody_else_on_the_same_connect_is_never_stopped(scene: Scene) -> None:
    scene.connect.name, scene.connect.position, scene.slots = "their_capture", 100, []
    assert scene.round(0) == scene.round(3) == []
    assert scene.connect.stops == 0


def test_a_capture_that_is_being_taken_anew_is_not_stopped_again(scene: Scene) -> None:
    scene.connect.position, scene.slots = 100, [read_slot(90)]
    scene.round(0)
    scene.slots = []
    assert scene.round(3) == [("warning", "capture-stopped"), ("alarm", "capture-fenced")]
    scene.connect.stops, scene.connect.position = 0, None
    assert scene.round(6) == []
    assert scene.connect.stops == 0


def test_a_capture_that_begins_in_the_middle_of_a_round_runs(scene: Scene) -> None:
    """The slots of a server are read once a round, before the positions of its captures."""
    scene.connect.position, scene.slots = 100, []
    assert scene.round(0) == []
    scene.slots = [read_slot(100)]
    assert scene.round(3) == []
    assert scene.connect.stops == 0


def test_while_connect_cannot_tell_positions_nothing_is_judged(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_name: str) -> list[dict[str, Any]]:
        raise ConnectUnavailable("gave up")

    monkeypatch.setattr(scene.connect, "offsets_at_once", silent)
    assert scene.round(0) == []
    assert scene.watch.status()["captures"] == []


def test_a_memory_that_cannot_be_read_is_kept_told_and_begun_anew(scene: Scene) -> None:
    scene.memory.parent.mkdir()
    scene.memory.write_text("{half")
    scene.watch = scene.new_watch()
    assert [(level, event) for level, event, _ in scene.lines] == [("alarm", "fence-forgot")]
    assert scene.memory.with_suffix(".unreadable").read_text() == "{half"
    scene.connect.position, scene.slots = 100, [read_slot(90)]
    assert scene.round(0) == []
    assert [each["connector"] for each in scene.watch.status()["captures"]] == ["capture.police"]


@pytest.fixture
def server(scene: Scene) -> Iterator[StatusServer]:
    started = StatusServer(0, scene.watch.status, scene.watch.is_alive)
    started.start()
    yield started
    started.stop()


def asked(server: StatusServer, path: str) -> tuple[int, dict[str, Any]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_it_is_ready_only_while_rounds_are_made(scene: Scene, server: StatusServer) -> None:
    assert asked(server, "/readyz") == (503, {"ready": False})
    scene.round(0)
    assert asked(server, "/readyz") == (200, {"ready": True})
    assert asked(server, "/status")[1]["rounds"] == 1
    assert asked(server, "/else")[0] == 404
    scene.now = 1000.0
    assert asked(server, "/status")[0] == 503


def test_settings_come_from_the_environment_whole_or_not_at_all() -> None:
    assert WatchSettings.from_environment({"GOVBUS_WATCH_PORT": "1234"}).port == 1234
    assert WatchSettings.from_environment({}).port == 28090
    with pytest.raises(ValueError, match="GOVBUS_WATCH_CONNECT_URL"):
        WatchSettings.from_environment({"GOVBUS_WATCH_CONNECT_URL": "http://connect:8083"})
