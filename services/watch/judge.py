"""What is worth an alarm: connectors that restarts do not help, slots that lose changes or may; pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from producers.provider_setup import literal
from producers.restarter import Did, Look
from producers.slots import SlotReport
from services.watch.safe_text import safe_line

#: Apicurio's refusal of a schema, in a task's trace: it names the subject, which is the topic's.
_REFUSED_SCHEMA: Final = re.compile(r"Incompatible artifact: (?P<topic>[\w.-]+)-value\b")


class AlarmKind(StrEnum):
    """Every kind of alarm; each is counted apart."""

    CONNECTOR_FAILED = "connector-failed"
    CONNECTOR_IDLE = "connector-idle"
    CONNECT_SILENT = "connect-silent"
    DATABASE_SILENT = "database-silent"
    CAPTURE_FENCED = "capture-fenced"
    SLOT_GAP = "slot-gap"
    SLOT_IN_DANGER = "slot-in-danger"
    SLOT_LAG = "slot-lag"
    SLOT_UNREAD = "slot-unread"
    SLOT_ORPHANED = "slot-orphaned"
    PROCESS_CRASHED = "process-crashed"


@dataclass(frozen=True, slots=True, order=True)
class Alarm:
    """Something that a person must know: it stays raised until it is seen to be well again."""

    kind: AlarmKind
    subject: str
    detail: str = ""
    remedy: str = ""

    @property
    def key(self) -> tuple[AlarmKind, str]:
        """What makes two alarms the same, whatever their numbers say meanwhile."""
        return self.kind, self.subject


def connector_alarms(looks: Iterable[Look]) -> Iterator[Alarm]:
    """Alarms about connectors after one look at each."""
    for look in looks:
        if look.idle_s:
            yield _idle(look)
        elif look.alarm:
            detail = f"{look.alarm} restarts did not help: {safe_line(look.detail)}"
            yield Alarm(AlarmKind.CONNECTOR_FAILED, look.name, detail, remedy_of(look.detail))
        if look.did is Did.NO_ANSWER:
            yield Alarm(AlarmKind.CONNECT_SILENT, look.name, safe_line(look.detail), "govbus up")


def remedy_of(trace: str) -> str:
    """What mends a failed task, where its trace tells; else where to look."""
    refused = _REFUSED_SCHEMA.search(trace)
    if refused is None:
        return "govbus logs connect, mend the cause; restarts go on by themselves"
    command = f"govbus accept-schema {refused['topic']}"
    return f"a column has another type than readers can follow; agree on it with the provider, then {command}"


def _idle(look: Look) -> Alarm:
    """No worker runs it: restarts are tried, and where they do not help the worker itself hangs."""
    detail = f"no worker has run it for {look.idle_s:.0f} s: {safe_line(look.detail)}"
    if not look.alarm:
        return Alarm(AlarmKind.CONNECTOR_IDLE, look.name, detail, "wait: it is being restarted by itself")
    remedy = (
        "govbus doctor: does it name a transaction that nobody ends? If not, govbus down and govbus up "
        "start Connect's worker anew and lose nothing"
    )
    return Alarm(AlarmKind.CONNECTOR_IDLE, look.name, f"{detail}; {look.alarm} restarts did not help", remedy)


def slot_alarms(
    server: str,
    slots: Iterable[SlotReport],
    wanted: Collection[str] | None,
    lag_limit: int,
    unread: Mapping[str, float] | None = None,
    unread_limit_s: float = 15.0,
) -> Iterator[Alarm]:
    """Alarms about the slots of one database server.

    Args:
        server: for people, ``host:port``.
        slots: every slot of the bus there.
        wanted: the slots that connectors name; None where that is not known now, and then none is an orphan.
        lag_limit: bytes of log not confirmed by a slot's reader.
        unread: slot → seconds since which nobody reads it. A task that tries to reach its database for ever
            says that it runs, so this is the only sign of it.
        unread_limit_s: so long may a connector take to come back.
    """
    for slot in slots:
        subject = f"{server} {slot.name}"
        drop = f"SELECT pg_drop_replication_slot({literal(slot.name)});"
        if slot.is_gap:
            detail = "the slot was invalidated: changes between its position and now are lost"
            remedy = "tell the provider and the authority, then govbus apply --recapture PROVIDER"
            yield Alarm(AlarmKind.SLOT_GAP, subject, detail, remedy)
        elif wanted is not None and slot.name not in wanted and not slot.active:
            detail = f"no connector reads it, and it holds back {slot.retained_bytes} bytes of log"
            yield Alarm(AlarmKind.SLOT_ORPHANED, subject, detail, drop)
        elif slot.is_in_danger:
            detail = f"its log may be removed at the next checkpoint; {slot.lag_bytes} bytes behind"
            yield Alarm(
                AlarmKind.SLOT_IN_DANGER, subject, detail, "govbus logs connect: why does nobody read it?"
            )
        elif slot.lag_bytes is not None and slot.lag_bytes >= lag_limit:
            detail = f"{slot.lag_bytes} bytes behind, {lag_limit} are allowed"
            yield Alarm(AlarmKind.SLOT_LAG, subject, detail, "govbus logs connect: why is it slow?")
        elif (unread or {}).get(slot.name, 0.0) >= unread_limit_s:
            detail = f"its connector has not read it for {unread_limit_s:.0f} s, whatever state it shows"
            yield Alarm(AlarmKind.SLOT_UNREAD, subject, detail, "govbus doctor; govbus logs connect")
