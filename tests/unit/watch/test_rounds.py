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
from producers.connect_status import ConnectorStatus, TaskStatus
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

    def names(self) -> list[str]:
        if self.silent:
            raise ConnectUnavailable("gave up")
        return ["capture.police"] if self.present else []

    def config(self, name: str) -> dict[str, str]:
        if not self.readable:
            raise ConnectUnavailable("gave up")
        return CONFIG

    def status(self, name: str) -> ConnectorStatus:
        return ConnectorStatus(name, "RUNNING", "w", (TaskStatus(0, self.state, "w", "boom\nat x"),))

    def restart_failed_tasks(self, name: str) -> None:
        self.restarts += 1

    def restart(self, name: str) -> None:
        self.restarts += 1


class PlayedConnection:
    def close(self) -> None:
        return


class Scene:
    """A watch with its log, its clock and what it looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.connect = PlayedConnect()
        self.slots: list[SlotReport] | None = []
        self.lines: list[tuple[str, str, dict[str, Any]]] = []
        monkeypatch.setattr(app, "open_source", lambda _source: self._open())
        monkeypatch.setattr(app, "slot_report", lambda _connection: self.slots)
        reach = Reach(self.connect, Path("secrets"))  # type: ignore[arg-type]
        settings = WatchSettings(alarm_after=2, first_wait_s=2.0)
        self.watch = Watch(reach, settings, self._log, lambda: self.now)

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
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


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
