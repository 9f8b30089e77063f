"""Alarms as they are really raised, one of each kind at least: by the watch, over drift, over retention."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from producers.connect_status import Health
from producers.connector import INCARNATION_SETTING
from producers.restarter import Did, Look, RestartPolicy
from producers.slots import SlotReport
from services.control.process import drift
from services.control.process.collecting.connectors import alarm_documents
from services.control.provisioning.drift import Finding
from services.control.provisioning.drift import Kind as DriftKind
from services.control.provisioning.repairing import Repaired
from services.stack.again import Ended
from services.stack.python_process import OwnProcess
from services.watch.fence import Fence
from services.watch.judge import Alarm, AlarmKind, connector_alarms, slot_alarms
from services.watch.keeper import Keeper
from services.watch.sources import CaptureSource

_REFUSED: Final = "Incompatible artifact: raw.police.public.person-value [AVRO], num of incompatible: 1"
_LOOKS: Final = (
    Look("capture.police", Did.RESTARTED, alarm=3, detail=_REFUSED),
    Look("sink.health", Did.RESTARTED, alarm=3, detail="org.postgresql.util.PSQLException"),
    Look("capture.market", Did.RESTARTED, idle_s=90.0, detail="no worker"),
    Look("capture.tax", Did.RESTARTED, idle_s=900.0, alarm=5, detail="no worker"),
    Look("capture.social_security", Did.NO_ANSWER, detail="nobody answers"),
)
_WHOLE: Final = SlotReport("govbus_police", "police", True, "reserved", 1_000, 1_000, None, 5)


class _Gone:
    """Connect with one capture whose slot is gone."""

    def offsets_at_once(self, _name: str) -> list[dict[str, Any]]:
        """Where it stands."""
        return [{"offset": {"lsn": 1000}}]

    def health(self, _name: str) -> Health:
        """It is stopped already."""
        return Health.STOPPED

    def config(self, _name: str) -> dict[str, str]:
        """As it was."""
        return {INCARNATION_SETTING: "3"}

    def stop(self, _name: str) -> None:
        """Nothing more."""

    def resume(self, _name: str) -> None:
        """Nothing more."""


class _Crashing:
    """A gate that never lives for long."""

    def standing(self) -> list[OwnProcess]:
        """It never does."""
        return [OwnProcess("gate.0", lives=False)]

    def start_again(self, name: str) -> Ended:
        """In vain."""
        return Ended.STARTED


def _crashing() -> Iterator[Alarm]:
    moments = iter(range(0, 10_000, 10))
    keeper = Keeper(_Crashing(), RestartPolicy(), lambda: float(next(moments)))
    for _ in range(10):
        keeper.look()
    return keeper.alarms()


def watched() -> dict[str, dict[str, Any]]:
    """The snapshot of the watch's alarms."""
    found = [*connector_alarms(_LOOKS), *_of_slots(), *_fenced()]
    found.append(Alarm(AlarmKind.DATABASE_SILENT, "db:5432", "OperationalError", "start the database server"))
    found += _crashing()
    assert {each.kind for each in found} == set(AlarmKind), "one of each kind at least"
    return alarm_documents(
        {"kind": each.kind.value, "subject": each.subject, "detail": each.detail, "remedy": each.remedy}
        for each in found
    )


def drifted(now: datetime) -> dict[str, dict[str, Any]]:
    """The snapshot of drift: half of it mended."""
    found = tuple(
        Finding(kind, f"health-{kind.value}", f"the bus says so of {kind.value}") for kind in DriftKind
    )
    left = tuple((each, "the worker is busy") for each in found[::2])
    return dict(drift._documents(Repaired(found, done=found[1::2], left=left), now))


def retained(now: datetime) -> dict[str, dict[str, Any]]:
    """The snapshot of a topic of evidence whose retention was raised."""
    found = {"raised_at": now.isoformat(), "found": "retention.ms 1000", "remedy": "find out who changed it"}
    return {"ledger.intake": found}


def _of_slots() -> Iterator[Alarm]:
    slots = (
        SlotReport("govbus_lost", "police", False, "lost", None, None, None),
        SlotReport("govbus_orphan", "police", False, "reserved", 9, 9, None, 5),
        SlotReport("govbus_danger", "police", True, "unreserved", 9, 9, None, 5),
        SlotReport("govbus_lag", "police", True, "reserved", 9_000, 9_000, None, 5),
        _WHOLE,
    )
    wanted = {each.name for each in slots} - {"govbus_orphan"}
    yield from slot_alarms("db:5432", slots, wanted, lag_limit=5_000, unread={"govbus_police": 60.0})


def _fenced() -> Iterator[Alarm]:
    source = CaptureSource(
        "capture.police", "db", 5432, "police", "govbus_police", "govbus_police", "u", "p", incarnation=3
    )
    fence = Fence(_Gone(), None, lambda *_, **__: None)
    # A first look takes a missing slot for one that is being made.
    assert list(fence.look(source, "7/1", {})) == []
    yield from fence.look(source, "7/1", {})
