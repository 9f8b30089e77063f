"""Judges the ways in: connectors and their tasks, slots, heartbeats, the providers' databases; pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from producers.connect_status import ConnectorStatus, Health, health_of_state
from producers.connector import TableName, connector_name, publication_name, slot_name
from producers.preflight import Expectation, Level, PreflightFinding, TableExpectation
from producers.slots import SlotReport
from services.control.connectors import captured
from services.doctor.finding import Finding, failure, note, ok, warning
from services.watch.judge import AlarmKind, remedy_of, slot_alarms
from services.watch.safe_text import summary
from topics.event import ProviderId
from topics.resource import CapturedTable, Resource

LAG_WARNING_BYTES: Final = 256_000_000
#: In heartbeats: so many may be late before it is worth a word, and before it is a failure.
_HEARTBEATS_WARNING: Final = 6
_HEARTBEATS_FAILURE: Final = 24
_FATAL: Final = frozenset({AlarmKind.SLOT_GAP, AlarmKind.SLOT_IN_DANGER})
#: Slots are judged for whole servers, so preflight's view of them would say the same again.
_SAID_ELSEWHERE: Final = frozenset({"slot", "orphaned slot", "version"})
_LOGS: Final = "govbus logs connect"


@dataclass(frozen=True, slots=True)
class Captured:
    """One provider whose database is captured, and whether the way into it is set up."""

    provider: ProviderId
    has_secrets: bool

    @property
    def connector(self) -> str:
        """Its connector's name."""
        return connector_name(self.provider)


def judge_connectors(
    statuses: Iterable[ConnectorStatus], names: Collection[str], wanted: Iterable[Captured]
) -> list[Finding]:
    """Every connector with each of its tasks, and captures that are declared and not there."""
    findings = [finding for status in statuses for finding in _connector(status)]
    for capture in wanted:
        if capture.connector in names:
            continue
        seen = f"{capture.connector} does not exist: nothing is captured from {capture.provider}"
        if capture.has_secrets:
            findings.append(failure("connector", seen, "govbus apply"))
        else:
            findings.append(warning("connector", f"{seen}; no login for its database is set", "govbus apply"))
    return findings


def _connector(status: ConnectorStatus) -> Iterator[Finding]:
    """The connector's own state and its tasks': RUNNING with a failed task is not well."""
    running = [task for task in status.tasks if task.state == "RUNNING"]
    if status.health is Health.RUNNING:
        yield ok("connector", f"{status.name} runs, {len(running)} of {len(status.tasks)} tasks run")
        return
    parts = [("", status.state, status.trace)]
    parts += [(f" task {task.id}", task.state, task.trace) for task in status.tasks]
    for part, state, trace in parts:
        yield _part(status.name, part, state, trace)
    if not status.tasks and status.state == "RUNNING":
        yield warning("connector", f"{status.name} has no task yet", _LOGS)


def _part(name: str, part: str, state: str, trace: str | None) -> Finding:
    seen, health = f"{name}{part} is {state}", health_of_state(state)
    if health is Health.RUNNING:
        return ok("connector", seen)
    if state == "UNASSIGNED":
        # For a moment that is so after every start of the worker; the watch knows for how long it has been.
        seen = f"{seen}: no worker runs it, so nothing is captured"
        return failure("connector", seen, "wait a minute, then govbus doctor again: the watch restarts it")
    if health in {Health.FAILED, Health.MISSING}:
        remedy = remedy_of(trace) if trace else _LOGS
        return failure("connector", f"{seen}: {summary(trace) or 'it left no trace'}", remedy)
    return warning("connector", seen, _LOGS)


def judge_slots(
    server: str, slots: Iterable[SlotReport], wanted: Collection[str] | None, missing: Iterable[str] = ()
) -> list[Finding]:
    """The slots of one database server, and those that connectors name and that are not there."""
    found = list(slots)
    alarms = {alarm.subject: alarm for alarm in slot_alarms(server, found, wanted, LAG_WARNING_BYTES)}
    findings = []
    for slot in found:
        alarm = alarms.get(f"{server} {slot.name}")
        if alarm is not None:
            make = failure if alarm.kind in _FATAL else warning
            findings.append(make("slot", f"{alarm.subject}: {alarm.detail}", alarm.remedy))
        elif not slot.active:
            seen = f"{server} {slot.name}: nobody reads it now, {slot.lag_bytes} bytes behind"
            findings.append(warning("slot", seen, _LOGS))
        else:
            seen = f"{server} {slot.name}: {slot.wal_status}, {slot.lag_bytes} bytes behind"
            findings.append(ok("slot", seen))
    gone = [f"{server} {name}: a connector names it and it does not exist" for name in missing]
    return [*findings, *(failure("slot", seen, _LOGS) for seen in gone)]


def judge_heartbeat(connector: str, age_s: float | None, interval_s: float) -> Finding:
    """The age of a capture's newest heartbeat; None where there is none at all."""
    if age_s is None:
        return failure("heartbeat", f"{connector} has never sent one", _LOGS)
    seen = f"the last one of {connector} is {max(age_s, 0.0):.0f} s old, one is due every {interval_s:.0f} s"
    if age_s > _HEARTBEATS_FAILURE * interval_s:
        return failure("heartbeat", seen, _LOGS)
    if age_s > _HEARTBEATS_WARNING * interval_s:
        return warning("heartbeat", seen, _LOGS)
    return ok("heartbeat", seen)


def judge_preflight(provider: ProviderId, findings: Iterable[PreflightFinding]) -> list[Finding]:
    """Preflight's lines in the doctor's words; its good lines of one database are one line here."""
    kept = [each for each in findings if each.check not in _SAID_ELSEWHERE]
    well = [each for each in kept if each.level is Level.OK]
    result = [_preflight(provider, each) for each in kept if each.level is not Level.OK]
    if well:
        checks = ", ".join(dict.fromkeys(each.check for each in well))
        result.insert(0, ok("provider database", f"{provider}: well are {checks}"))
    return result


def _preflight(provider: ProviderId, found: PreflightFinding) -> Finding:
    make = failure if found.level is Level.REFUSE else warning
    return make(found.check, f"{provider}: {found.where}: {found.message}", found.remedy)


def expectation(provider: ProviderId, resources: Iterable[Resource]) -> Expectation:
    """What the definitions expect of a provider's database."""
    tables = tuple(_table(*pair) for pair in captured(provider, resources))
    return Expectation(publication_name(provider), slot_name(provider), tables)


def _table(resource: Resource, source: CapturedTable) -> TableExpectation:
    columns = [item.source_column for item in resource.items]
    columns += [foreign.column for foreign in resource.foreign_items]
    return TableExpectation(
        table=TableName(source.schema_name, source.table),
        primary_key=source.primary_key,
        identity_column=resource.item(resource.identity.item).source_column,
        columns=tuple(dict.fromkeys([*source.primary_key, *columns])),
    )


def judge_wal_level(server: str, wal_level: str) -> Finding:
    """The server's setting without which nothing can be captured."""
    if wal_level == "logical":
        return ok("wal_level", f"{server}: logical")
    remedy = "ALTER SYSTEM SET wal_level = 'logical';  -- then restart the server"
    return failure("wal_level", f"{server}: {wal_level}", remedy)


def judge_no_capture() -> Finding:
    """Nothing is declared to be captured."""
    return note("connector", "no definition captures a database")
