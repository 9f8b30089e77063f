"""Who applies which policy version: waits for fan-out instances, and ends the work of the silent."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from services.control.access import Access
from services.control.framing import decode
from topics import names

_TIMEOUT_S: Final = 15.0
_POLL_S: Final = 0.05
_FENCE_TIMEOUT_S: Final = 30.0
_COORDINATOR_MOVES: Final = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)


class NameEachInstance(Exception):  # noqa: N818 - named after what to do
    """A group's member has no instance id: nobody could end its transaction. Start it as documented."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """From which offsets on one instance applies one policy version."""

    group: str
    instance: str
    version: int
    applied_ms: int
    positions: tuple[tuple[str, int, int], ...]
    """Topic, partition, first offset decided under the version."""

    def as_json(self, topic: str) -> dict[str, Any]:
        """For receipts: what it says about one canonical topic."""
        positions = [{"topic": t, "partition": p, "offset": o} for t, p, o in self.positions if t == topic]
        return {
            "instance": self.instance,
            "version": self.version,
            "applied_ms": self.applied_ms,
            "positions": positions,
        }


@dataclass(slots=True)
class Answers:
    """Who has answered for a version and who of the members seen meanwhile has not."""

    acknowledged: dict[str, Acknowledgement] = field(default_factory=dict)
    silent: tuple[str, ...] = ()


def live_instances(admin: AdminClient, groups: Iterable[str]) -> set[str]:
    """The instance ids of the groups' members, which are their transactional ids too.

    Raises:
        NameEachInstance: a member has none.
    """
    wanted = sorted(groups)
    if not wanted:
        return set()
    found = set()
    for group, description in _described(admin, wanted).items():
        for member in description.members:
            if not member.group_instance_id:
                raise NameEachInstance(f"group {group}: member {member.client_id} has no instance id")
            found.add(member.group_instance_id)
    return found


def _described(admin: AdminClient, groups: list[str]) -> dict[str, Any]:
    """The groups; on a broker that has just started their coordinator may still be loading."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        asked = admin.describe_consumer_groups(groups, request_timeout=_TIMEOUT_S)
        try:
            return {group: answer.result() for group, answer in asked.items()}
        except KafkaException as error:
            if error.args[0].code() not in _COORDINATOR_MOVES or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)


class Acknowledgements:
    """Reads policy-acks from its beginning; an instance never goes back to a lower version."""

    def __init__(self, access: Access) -> None:
        self._newest: dict[str, Acknowledgement] = {}
        self._consumer = Consumer(
            {
                **access.kafka_config("apply"),
                "group.id": "apply.acknowledgements",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            }
        )
        self._consumer.assign([TopicPartition(names.POLICY_ACKNOWLEDGEMENTS, 0, 0)])

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def wait(
        self,
        admin: AdminClient,
        groups: Iterable[str],
        version: int,
        lease_s: float,
        members: Iterable[str] = (),
    ) -> Answers:
        """Wait, at most a lease, until every instance of the groups applies the version or a later.

        Whoever was a member at any look counts: an instance that froze leaves the group when its session
        ends, and its transaction may still be open. So does who is named as a member of before.
        """
        groups = list(groups)
        seen = set(members)
        deadline = time.monotonic() + lease_s
        while True:
            seen |= live_instances(admin, groups)
            silent = sorted(seen - self._up_to(version).keys())
            if not silent or time.monotonic() >= deadline:
                mine = {key: ack for key, ack in self._up_to(version).items() if ack.group in groups}
                return Answers(mine, tuple(silent))
            self._read()

    def _up_to(self, version: int) -> dict[str, Acknowledgement]:
        return {key: found for key, found in self._newest.items() if found.version >= version}

    def _read(self) -> None:
        for message in self._consumer.consume(500, _POLL_S):
            error = message.error()
            if error is not None:
                if not error.retriable() and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                continue
            found = _acknowledgement(decode("PolicyAcknowledgement", message.value() or b""))
            known = self._newest.get(found.instance)
            if known is None or known.version <= found.version:
                self._newest[found.instance] = found


def _acknowledgement(record: Mapping[str, Any]) -> Acknowledgement:
    return Acknowledgement(
        record["group"],
        record["instance"],
        record["version"],
        record["applied_ms"],
        tuple((place["topic"], place["partition"], place["offset"]) for place in record["positions"]),
    )


def fence(access: Access, instances: Iterable[str]) -> None:
    """Take over each transactional id: its open transaction is aborted, its owner can never commit.

    Raises:
        KafkaException: the broker did not do it in time.
    """
    for instance in instances:
        config = {**access.kafka_config("apply"), "transactional.id": instance}
        Producer(config).init_transactions(_FENCE_TIMEOUT_S)


def settle(
    access: Access,
    admin: AdminClient,
    groups: Iterable[str],
    version: int,
    lease_s: float,
    say: Callable[[str], None],
) -> None:
    """Wait until every instance of the groups applies the version; take over those that do not answer."""
    reader = Acknowledgements(access)
    try:
        answers = reader.wait(admin, groups, version, lease_s)
    finally:
        reader.close()
    if answers.silent:
        say(f"no answer from {', '.join(answers.silent)}: their transactions are ended")
        fence(access, answers.silent)
