"""One round of the watch after the other: processes, connectors, slots, then what is new about alarms."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import psycopg2
import psycopg2.extensions

from producers.connect_client import ConnectClient
from producers.connect_errors import ConnectError, ConnectorNotFound
from producers.connector import CONNECTOR_PREFIX
from producers.restarter import Did, Look, Restarter
from producers.slots import SlotReport, slot_report, system_of
from services.stack.again import Ended
from services.watch.alarms import AlarmBook
from services.watch.fence import Fence
from services.watch.judge import Alarm, AlarmKind, connector_alarms, slot_alarms
from services.watch.keeper import Keeper, Processes
from services.watch.safe_text import safe_line
from services.watch.settings import WatchSettings
from services.watch.sources import CaptureSource, CorrectReference, is_capture, open_source, source_of

Server = tuple[str, int]
Connection = psycopg2.extensions.connection
Log = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Reach:
    """What the watch asks.

    Args:
        connect: the Connect client; it should give up soon.
        secrets: Connect's folder of secrets.
        servers: database servers that are asked even when no connector reads from them.
        memory: file in which the continuity fence remembers; None where it must not outlive the process.
        processes: those of the bus, started again if they crash; None where somebody else keeps them.
    """

    connect: ConnectClient
    secrets: Path
    servers: Mapping[Server, Callable[[], Connection]] = field(default_factory=dict)
    memory: Path | None = None
    processes: Processes | None = None


class Watch:
    """Restarts what failed and alarms; ``round`` is called again and again by one thread."""

    def __init__(
        self, reach: Reach, settings: WatchSettings, log: Log, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reach = reach
        self._settings = settings
        self._log = log
        self._clock = clock
        self._restarter = Restarter(reach.connect, settings.restarts, clock)
        self._fence = Fence(reach.connect, reach.memory, log)
        self._keeper = Keeper(reach.processes, settings.restarts, clock) if reach.processes else None
        self._book = AlarmBook()
        self._sources: dict[str, CaptureSource] | None = None
        self._servers = dict(reach.servers)
        self._lock = Lock()
        self._rounds = 0
        self._restarts = 0
        self._started_again = 0
        self._ended: float | None = None
        self._looks: list[Look] = []
        self._slots: dict[str, list[SlotReport]] = {}
        self._unread_since: dict[tuple[str, str], float] = {}

    def round(self) -> None:
        """Look at everything once."""
        seen = [*self._processes(), *self._connectors(), *self._databases()]
        with self._lock:
            turn = self._book.turn(seen)
        for alarm in turn.raised:
            self._log(
                "alarm", alarm.kind.value, subject=alarm.subject, detail=alarm.detail, remedy=alarm.remedy
            )
        for alarm in turn.cleared:
            self._log("info", f"{alarm.kind.value}-over", subject=alarm.subject)
        with self._lock:
            self._rounds += 1
            self._ended = self._clock()

    def status(self) -> dict[str, Any]:
        """The shape of ``/status``; may be asked by any thread while a round goes on."""
        with self._lock:
            age = None if self._ended is None else round(self._clock() - self._ended, 3)
            return {
                "rounds": self._rounds,
                "last_round_age_s": age,
                "restarts": self._restarts,
                "processes_started_again": self._started_again,
                "connectors": [
                    {"name": look.name, "did": look.did.value, "detail": safe_line(look.detail)}
                    for look in self._looks
                ],
                "slots": [
                    {
                        "server": server,
                        "slot": slot.name,
                        "active": slot.active,
                        "wal_status": slot.wal_status,
                    }
                    | {"lag_bytes": slot.lag_bytes, "retained_bytes": slot.retained_bytes}
                    for server, slots in sorted(self._slots.items())
                    for slot in slots
                ],
                "captures": [
                    {"connector": name, "incarnation": standing.incarnation, "system": standing.system}
                    | {"position": standing.position, "broken": standing.broken}
                    for name, standing in sorted(self._fence.standings.items())
                ],
                "alarms": [
                    {"kind": alarm.kind.value, "subject": alarm.subject, "detail": alarm.detail}
                    | {"remedy": alarm.remedy}
                    for alarm in sorted(self._book.standing.values())
                ],
                "alarms_raised": {kind.value: self._book.raised[kind] for kind in AlarmKind},
            }

    def is_alive(self) -> bool:
        """Whether rounds are being made; a round that hangs for long shows here."""
        with self._lock:
            return (
                self._ended is not None and self._clock() - self._ended < 10 * self._settings.interval_s + 60
            )

    def _processes(self) -> Iterator[Alarm]:
        if self._keeper is None:
            return
        try:
            found = self._keeper.look()
        except OSError as error:
            # Whoever started one as another user: connectors and slots are looked at all the same.
            remedy = "start and stop processes as the user that the watch runs as"
            yield Alarm(AlarmKind.PROCESS_CRASHED, "processes", type(error).__name__, remedy)
            return
        for tried in found:
            if tried.ended is Ended.STARTED:
                self._log("warning", "process-started-again", subject=tried.name, starts=tried.starts)
                with self._lock:
                    self._started_again += 1
            elif tried.ended is Ended.FAILED:
                self._log("warning", "process-not-started", subject=tried.name, starts=tried.starts)
        yield from self._keeper.alarms()

    def _connectors(self) -> Iterator[Alarm]:
        try:
            names = self._reach.connect.names()
        except ConnectError as error:
            yield Alarm(AlarmKind.CONNECT_SILENT, "connect", safe_line(str(error)), "govbus up")
            return
        looks = self._restarter.look(names)
        with self._lock:
            self._looks = looks
            self._restarts += sum(look.did is Did.RESTARTED for look in looks)
        for look in looks:
            if look.did is Did.RESTARTED:
                self._log("warning", "connector-restarted", subject=look.name, detail=safe_line(look.detail))
        yield from connector_alarms(looks)
        found = self._captures(names)
        self._sources = found
        self._servers |= {
            source.server: lambda source=source: open_source(source)  # type: ignore[misc]
            for source in (found or {}).values()
            if source.server not in self._reach.servers
        }

    def _captures(self, names: Iterable[str]) -> dict[str, CaptureSource] | None:
        """Connector → what it captures; None where one cannot be read: its slot is no orphan for that."""
        found, whole = {}, True
        for name in names:
            try:
                # Other captures of a shared Connect are not ours to judge: of their slots nothing is read.
                if not name.startswith(CONNECTOR_PREFIX):
                    continue
                config = self._reach.connect.config(name)
                if is_capture(config):
                    found[name] = source_of(name, config, self._reach.secrets)
            except ConnectorNotFound:
                continue
            except (ConnectError, CorrectReference) as error:
                self._log("warning", "connector-unreadable", subject=name, detail=safe_line(str(error)))
                whole = False
        return found if whole else None

    def _databases(self) -> Iterator[Alarm]:
        wanted = None if self._sources is None else {source.slot for source in self._sources.values()}
        found: dict[str, list[SlotReport]] = {}
        for (host, port), connect in self._servers.items():
            server = f"{host}:{port}"
            try:
                with closing(connect()) as connection:
                    found[server] = slot_report(connection)
                    system = system_of(connection)
            except psycopg2.Error as error:
                yield Alarm(
                    AlarmKind.DATABASE_SILENT, server, type(error).__name__, "start the database server"
                )
                for source in self._read_from((host, port)):
                    yield from self._fence.silent(source)
                continue
            slots = {slot.name: slot for slot in found[server]}
            for source in self._read_from((host, port)):
                yield from self._fence.look(source, system, slots)
            yield from slot_alarms(
                server,
                found[server],
                wanted,
                self._settings.lag_alarm_bytes,
                self._unread_for(server, found[server]),
                self._settings.unread_alarm_s,
            )
        with self._lock:
            self._slots = found

    def _read_from(self, server: Server) -> list[CaptureSource]:
        return [source for source in (self._sources or {}).values() if source.server == server]

    def _unread_for(self, server: str, slots: Iterable[SlotReport]) -> dict[str, float]:
        """Slot → seconds since this watch first saw it without a reader."""
        now, unread = self._clock(), {}
        for slot in slots:
            if slot.active:
                self._unread_since.pop((server, slot.name), None)
            else:
                unread[slot.name] = now - self._unread_since.setdefault((server, slot.name), now)
        return unread
