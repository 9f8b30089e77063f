"""Tells the ledger what departments have acquired: up to where their groups have committed.

Delivered means written for the consumer, acquired that a group of it has committed past it (A11-01). What a
group commits is its own word; the bus only says since when it stands. One act for each department and turn,
and only of what has moved forward.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from services.control.process.loops import NotYet
from services.control.store.database import ControlDatabase, Task
from services.control.store.outbox import Act, append_all
from services.control.store.trace.acquired import Moved, newest, note_moved
from services.ledger.counts import Place
from topics import names
from topics.event import ConsumerId, GrantId
from topics.policy import Policy

ACQUIRED: Final = "grants.acquired"
KIND: Final = "department"
_WHO: Final = "control"
_MOST_FACTS: Final = 1_000
"""Partitions that one act speaks of at most."""


class Groups(Protocol):
    """What is asked of the bus."""

    def policy(self) -> Policy | None:
        """The newest policy; None before the first."""
        ...

    def committed(self, wanted: Callable[[str], bool]) -> Mapping[str, Mapping[Place, int]]:
        """Group → partition → the offset that it reads next."""
        ...


@dataclass(frozen=True, slots=True)
class AcquiredTurn:
    """Takes turns; of several processes one looks at a time."""

    database: ControlDatabase
    groups: Groups
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Owe the ledger what moved since the last turn; there is never more to do at once.

        Raises:
            NotYet: nothing was applied yet.
        """
        with self.database.alone(Task.ACQUIRED) as ours:
            if ours:
                self._look()
        return False

    def _look(self) -> None:
        policy = self.groups.policy()
        if policy is None:
            raise NotYet("there is no policy yet: `govbus apply` writes it")
        # The time before the question: what is committed later is told the next time.
        moment = self.now()
        committed = self.groups.committed(lambda group: _reads(group, policy))
        seen = list(positions(policy, committed))
        with self.database.begin() as connection:
            known = newest(connection)
            moved = [each for each in seen if each.committed > known.get(each.key, 0)]
            append_all(connection, list(acts_of(moved, policy, moment)))
            note_moved(connection, moved, moment)


def positions(policy: Policy, committed: Mapping[str, Mapping[Place, int]]) -> Iterator[Moved]:
    """Where each group of each grant's department is in the grant's topic."""
    for grant, entry in sorted(policy.grants.items()):
        for group, places in sorted(committed.items()):
            if not belongs(group, entry.grant.consumer, grant):
                continue
            for place, offset in sorted(places.items()):
                if place.topic == entry.grant.topic:
                    yield Moved(str(grant), group, place.partition, offset)


def belongs(group: str, consumer: ConsumerId, grant: GrantId) -> bool:
    """Whether a department reads the grant in that group: its own ones, and the one of its sink."""
    return group in (consumer, names.sink_group(grant)) or group.startswith(f"{consumer}.")


def acts_of(moved: Iterable[Moved], policy: Policy, moment: datetime) -> Iterator[Act]:
    """One act for each department; a fact is ``<grant>/<partition>/<group>`` → the offset read next."""
    facts: dict[str, dict[str, int]] = {}
    for each in moved:
        consumer = str(policy.grants[GrantId(each.grant)].grant.consumer)
        facts.setdefault(consumer, {})[fact_name(each.grant, each.partition, each.group)] = each.committed
    for consumer, found in sorted(facts.items()):
        items = sorted(found.items())
        for at in range(0, len(items), _MOST_FACTS):
            some = dict(items[at : at + _MOST_FACTS])
            yield Act(_WHO, ACQUIRED, KIND, consumer, moment, facts=some)


def fact_name(grant: str, partition: int, group: str) -> str:
    """Neither grants nor partitions have a slash; what is behind the second one is the group."""
    return f"{grant}/{partition}/{group}"


def _reads(group: str, policy: Policy) -> bool:
    owner = group.partition(".")[0]
    return owner in policy.consumers or group.startswith(f"connect-{names.SINK_PREFIX}")
