"""Holds topics against the floor: what is kept too briefly, what is raised, what is refused; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from services.control.desired import AUDIT_DAYS, DAY_MS
from services.control.difference import Refusal
from services.control.retention.floor import Floor, is_protected
from services.control.state import DesiredState, Topic
from topics.event import ResourceId
from topics.policy import Policy
from topics.resource import Resource

FOREVER: Final = -1
TIME: Final = "retention.ms"
SIZE: Final = "retention.bytes"
POLICY: Final = "cleanup.policy"


@dataclass(frozen=True, slots=True)
class Short:
    """A setting by which a topic forgets evidence too early."""

    topic: str
    setting: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.topic} has {self.setting}={self.found}"


@dataclass(frozen=True, slots=True)
class Kept:
    """What should be with the floor, and what is to be said about it."""

    desired: DesiredState
    notes: tuple[str, ...] = ()


def days_kept(topic: Topic) -> int | None:
    """For how many whole days a topic keeps a record; None for ever."""
    retention = int(topic.configs.get(TIME, FOREVER))
    return None if retention == FOREVER else retention // DAY_MS


def too_short(topics: Mapping[str, Topic], floor: Floor) -> list[Short]:
    """Settings of protected topics that keep less than the floor, with values that are safe to set.

    A size, or compaction, forgets at no certain time, so neither is allowed on a topic of evidence.
    """
    return [each for name in sorted(topics) if is_protected(name) for each in _short(topics[name], floor)]


def kept(desired: DesiredState, live: Mapping[str, Topic], floor: Floor) -> Kept:
    """Raise each protected topic to the floor; while the floor is unknown, none below what it has now."""
    raised: dict[str, Topic] = {}
    notes: list[str] = []
    for name, topic in desired.topics.items():
        least = _least(live.get(name), floor) if is_protected(name) else 0
        wanted = int(topic.configs.get(TIME, FOREVER))
        if wanted == FOREVER or (least != FOREVER and wanted >= least):
            continue
        raised[name] = replace(topic, configs={**topic.configs, TIME: str(least)})
        notes.append(f"{name} is kept {_in_words(least)}, not {_in_words(wanted)}: {floor.because}")
    return Kept(replace(desired, topics={**desired.topics, **raised}), tuple(notes))


def kept_topics(topics: Iterable[Topic], floor: Floor) -> list[Topic]:
    """New topics, raised to the floor."""
    return [_raised(topic, floor) for topic in topics]


def shortened(
    resources: Mapping[ResourceId, Resource], policy: Policy | None, floor: Floor
) -> Iterator[Refusal]:
    """Resources that are declared to be kept for less than before, and less than the floor.

    What was declared before a stricter pack was adopted is no shortening: it is raised, and noted.
    """
    for id_, resource in sorted(resources.items()):
        before = None if policy is None else policy.resources.get(id_)
        if before is None or resource.retention_days >= before.resource.retention_days:
            continue
        least = floor.days if floor.known else before.resource.retention_days
        if resource.retention_days < least:
            reason = (
                f"is not to be kept for {resource.retention_days} days instead of "
                f"{before.resource.retention_days}: at least {least} by {floor.because}"
            )
            yield Refusal(str(id_), reason)


def _least(live: Topic | None, floor: Floor) -> int:
    """Milliseconds below which a topic must not go."""
    now = int(live.configs.get(TIME, 0)) if live is not None else 0
    if floor.known:
        return floor.days * DAY_MS
    return FOREVER if now == FOREVER else max(now, floor.days * DAY_MS)


def _short(topic: Topic, floor: Floor) -> Iterator[Short]:
    found = topic.configs.get(TIME, str(FOREVER))
    if int(found) != FOREVER and int(found) < floor.days * DAY_MS:
        yield Short(topic.name, TIME, found, str(max(floor.days, AUDIT_DAYS) * DAY_MS))
    size = topic.configs.get(SIZE, str(FOREVER))
    if int(size) != FOREVER:
        yield Short(topic.name, SIZE, size, str(FOREVER))
    policy = topic.configs.get(POLICY, "delete")
    if policy != "delete":
        yield Short(topic.name, POLICY, policy, "delete")


def _raised(topic: Topic, floor: Floor) -> Topic:
    wanted = int(topic.configs.get(TIME, FOREVER))
    least = floor.days * DAY_MS
    if not is_protected(topic.name) or wanted == FOREVER or wanted >= least:
        return topic
    return replace(topic, configs={**topic.configs, TIME: str(least)})


def _in_words(ms: int) -> str:
    return "for ever" if ms == FOREVER else f"{ms // DAY_MS} days"
