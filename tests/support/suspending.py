"""A bus in memory for suspensions: what it is asked is remembered, and it can be killed anywhere."""

from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from services.control.acknowledgements import Acknowledgement, Answers
from services.control.suspension.acts import Act
from services.control.suspension.receipt import HeldGrant
from services.control.suspension.suspend import Order, Suspend
from tests.support.policy import sample_policy
from topics.event import TopicName
from topics.grants.declaration import Grant
from topics.grants.hold import HoldScope
from topics.policy import GrantPolicy, Policy

HEALTH = "health-persons-gusu"
EDUCATION = "education-persons"
INSTANCE = "fanout.default.0"
ORDER = Order(HoldScope.GRANT, HEALTH, "operator-7", "data found on a market")


class Killed(BaseException):
    """The process ends here, as by kill -9: nobody catches it."""


@dataclass
class MemoryJournal:
    """What survives a kill; ``kill_after`` says after how many more writes the process ends."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    kill_after: int | None = None

    def save(self, key: str, document: Mapping[str, Any]) -> None:
        self.documents[key] = deepcopy(dict(document))
        if self.kill_after is not None:
            self.kill_after -= 1
            if self.kill_after == 0:
                raise Killed

    def load(self, key: str) -> dict[str, Any] | None:
        return deepcopy(self.documents.get(key))

    def keys(self) -> list[str]:
        return sorted(self.documents)


@dataclass
class MemoryBus:
    """The broker and its policy; ``calls`` is what was asked, in order."""

    now: Policy = field(default_factory=sample_policy)
    readable: set[TopicName] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    fenced: list[str] = field(default_factory=list)
    acts: dict[str, Act] = field(default_factory=dict)
    receipts: dict[str, dict[str, object]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    silent: tuple[str, ...] = ()
    kill_at: int | None = None
    """The process ends after so many calls, that one done."""

    def __post_init__(self) -> None:
        self.readable = {entry.grant.topic for entry in self.now.grants.values()}

    def policy(self) -> Policy:
        self._called("policy")
        return self.now

    def remove_readers(self, topics: Collection[TopicName]) -> None:
        self.readable -= set(topics)
        self._called("remove_readers")

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        self.now = change(self.now)
        self._called("write")
        return self.now

    def partitions(self, entry: GrantPolicy, policy: Policy) -> int:
        return policy.resources[entry.grant.resource].resource.partitions

    def members(self, groups: Collection[str]) -> set[str]:
        self._called("members")
        return {f"{group}.0" for group in groups}

    def answers(self, groups: Collection[str], version: int, members: Iterable[str]) -> Answers:
        self._called("answers")
        answered = sorted(set(members) - set(self.silent))
        return Answers(
            {
                name: Acknowledgement(
                    name.rpartition(".")[0], name, version, 1_000, (("resource.population.person.v1", 0, 7),)
                )
                for name in answered
            },
            self.silent,
        )

    def deny_writers(self, grants: Iterable[Grant]) -> None:
        self.denied |= {grant.id for grant in grants}
        self._called("deny_writers")

    def fence(self, transactional_ids: Iterable[str]) -> None:
        self.fenced += transactional_ids
        self._called("fence")

    def cut(self, held: HeldGrant) -> dict[int, int]:
        self._called("cut")
        return {partition: 10 + partition for partition in range(held.partitions)}

    def record(self, act: Act) -> None:
        self.acts.setdefault(act.id, act)
        self._called("record")

    def keep_receipt(self, name: str, receipt: dict[str, object]) -> str:
        self.receipts.setdefault(name, receipt)
        self._called("keep_receipt")
        return name

    def _called(self, what: str) -> None:
        self.calls.append(what)
        if self.kill_at is not None and len(self.calls) == self.kill_at:
            raise Killed


def suspending(bus: MemoryBus, journal: MemoryJournal, first_ms: int = 1_000) -> Suspend:
    """A suspension whose clock goes on by one millisecond at each look."""
    ticks = iter(range(first_ms, first_ms + 10_000))
    return Suspend(bus, journal, lambda: next(ticks), lambda _text: None)
