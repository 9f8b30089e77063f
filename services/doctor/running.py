"""Judges processes and consumer groups: what should run, and who has fallen too far behind; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.doctor.finding import Finding, failure, note, ok, warning
from services.stack.api import ComponentStatus, State
from topics.names import GATE_GROUP, fanout_group

_WATCH: Final = "watch"
_UP: Final = "govbus up"


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """Where one group stands in one partition; offsets.

    Args:
        group: the consumer group.
        topic: what it reads.
        partition: of the topic.
        committed: the first record that it has not taken.
        begin: the oldest record that is left.
        end: where the next record will be.
        safe_from: the first record younger than the topic's compaction lag; None where it is not compacted.
    """

    group: str
    topic: str
    partition: int
    committed: int
    begin: int
    end: int
    safe_from: int | None


def judge_components(statuses: Iterable[ComponentStatus]) -> list[Finding]:
    """One line for each process that belongs to the stack."""
    return [_component(status) for status in statuses]


def _component(status: ComponentStatus) -> Finding:
    if status.state is State.RUNNING:
        up = f"{status.uptime_s or 0:.0f} s, {status.memory_mb or 0:.0f} MB"
        return ok("process", f"{status.name} runs and answers ({up})")
    if status.state is State.UNHEALTHY:
        seen = f"{status.name} runs (pid {status.pid}) and does not answer as it should"
        return failure("process", seen, f"govbus logs {status.name}")
    if status.state is State.CRASHED:
        return failure("process", f"{status.name} crashed", f"govbus logs {status.name}; {_UP}")
    return failure("process", f"{status.name} is stopped", _UP)


def judge_expected(names: Iterable[str], fanout_groups: Iterable[str]) -> list[Finding]:
    """Processes that the policy needs and that nobody has started."""
    known = set(names)
    wanted = [GATE_GROUP, *(fanout_group(group) for group in sorted(fanout_groups))]
    missing = [name for name in wanted if not any(known_name.startswith(f"{name}.") for known_name in known)]
    missing += [] if _WATCH in known else [_WATCH]
    return [warning("process", f"{name} was not started", _UP) for name in missing]


def judge_watch(status: Mapping[str, Any]) -> list[Finding]:
    """What the watch says of itself: alarms that stand now."""
    alarms = status.get("alarms", [])
    restarts, again = status.get("restarts", 0), status.get("processes_started_again", 0)
    if not alarms:
        what = f"{restarts} restarts of connectors, {again} of processes since it started"
        return [ok("watch", f"no alarm stands; {what}")]
    return [
        failure("watch", f"{alarm['kind']} {alarm['subject']}: {alarm['detail']}", str(alarm["remedy"]))
        for alarm in alarms
    ]


def judge_groups(places: Iterable[GroupPlace]) -> list[Finding]:
    """A group behind the compaction lag, or behind the oldest record, has missed what is gone."""
    by_group: dict[str, list[GroupPlace]] = {}
    for place in places:
        by_group.setdefault(place.group, []).append(place)
    if not by_group:
        return [note("group", "no group has read anything yet")]
    return [finding for _, own in sorted(by_group.items()) for finding in _group(own)]


def _group(places: list[GroupPlace]) -> list[Finding]:
    findings = []
    for place in places:
        where = f"{place.group} at {place.topic}:{place.partition}:{place.committed}"
        if place.committed < place.begin:
            seen = f"{where}: the oldest record that is left is {place.begin}, those before are lost to it"
            findings.append(failure("group", seen, _refill(place)))
        elif place.safe_from is not None and place.committed < min(place.safe_from, place.end):
            seen = f"{where}: behind the compaction lag, so states between may be gone"
            findings.append(failure("group", seen, _refill(place)))
    behind = sum(max(place.end - place.committed, 0) for place in places)
    # Offsets do not tell records from the marks of transactions: who has read everything may be one behind.
    seen = f"at most {behind} records behind, marks of transactions included" if behind else "not behind"
    return findings or [ok("group", f"{places[0].group} is {seen}")]


def _refill(place: GroupPlace) -> str:
    """What brings a reader back to the whole state: of a grant, an epoch, as every resumed grant gets one."""
    if place.topic.startswith("sub."):
        grant = place.topic.rsplit(".", 1)[-1]
        return f"set state: suspended in grant {grant}; govbus apply; set it to active; govbus apply"
    return f"govbus logs {place.group}.0"
