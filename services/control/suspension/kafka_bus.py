"""The running bus as a suspension sees it: Kafka alone, because that must not wait for anything else."""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka.admin import AdminClient

from schemas.load import control_schema
from schemas.registry import SchemaRegistry
from services.control.access import Access
from services.control.acknowledgements import Acknowledgements, Answers, fence, live_instances
from services.control.acls import create_acls, remove_readers
from services.control.credentials import write_owner_only
from services.control.desired import control_subject
from services.control.kafka_topics import TransactionStaysOpen, settled_ends
from services.control.live import receipts_path
from services.control.policy_topic import (
    AnotherApplyRuns,
    PolicyUnreadable,
    PolicyWriter,
    newest_policy,
    newest_with_schema,
    require_unchanged,
)
from services.control.revoke import WithdrawalStuck
from services.control.rights import grant_denials
from services.control.settings import ApplySettings
from services.control.suspension.acts import Act, append_act
from services.control.suspension.bus import NoPolicyYet
from services.control.suspension.receipt import HeldGrant
from topics.event import SchemaId, TopicName
from topics.grants.declaration import Grant
from topics.policy import GrantPolicy, Policy

_ATTEMPTS: Final = 5
_TIMEOUT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class KafkaBus:
    """See ``services.control.suspension.bus.Bus``."""

    access: Access
    admin: AdminClient
    settings: ApplySettings

    def policy(self) -> Policy:
        """The newest version."""
        found = newest_policy(self.access.kafka_config("admin"))
        if found is None:
            raise NoPolicyYet("nothing was applied yet")
        return found

    def remove_readers(self, topics: Collection[TopicName]) -> None:
        """Take every right to read that names one of these topics, whoever has it."""
        remove_readers(self.admin, topics)

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        """Take the policy over, read it, and write what follows; begin again where somebody takes it in turn.

        Raises:
            AnotherApplyRuns: somebody took it each time.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return self._write_once(change)
            except AnotherApplyRuns:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _write_once(self, change: Callable[[Policy], Policy]) -> Policy:
        writer = self._opened()
        newest = self.policy()
        coming = change(newest)
        return newest if coming is newest else writer.write(coming, newest)

    def take_policy(self, known: Policy) -> PolicyWriter:
        """Become the one writer of policy, who knows the newest version.

        Raises:
            AnotherApplyRuns: somebody has written since.
        """
        writer = self._opened()
        require_unchanged(self.access.kafka_config("admin"), known)
        return writer

    def _opened(self) -> PolicyWriter:
        return PolicyWriter(self.access.kafka_config("apply"), self._schema_id())

    def _schema_id(self) -> SchemaId:
        """Of the newest version; the registry is asked only where that was written by another release."""
        try:
            return newest_with_schema(self.access.kafka_config("admin"))[1]
        except PolicyUnreadable:
            registry = SchemaRegistry(self.access.registry_credentials("apply"))
            return registry.register(control_subject("PolicyVersion"), control_schema("PolicyVersion"))

    def partitions(self, entry: GrantPolicy, policy: Policy) -> int:
        """How many partitions the grant's topic has."""
        resource = policy.resources.get(entry.grant.resource)
        if resource is not None:
            return resource.resource.partitions
        topics = self.admin.list_topics(entry.grant.topic, timeout=_TIMEOUT_S).topics
        return len(topics[entry.grant.topic].partitions)

    def members(self, groups: Collection[str]) -> set[str]:
        """The instances that are members of the groups now."""
        return live_instances(self.admin, groups)

    def answers(self, groups: Collection[str], version: int, members: Iterable[str]) -> Answers:
        """Wait, at most a lease, until all members of now or before apply the version."""
        reader = Acknowledgements(self.access)
        try:
            lease_s = self.settings.revocation_lease_s
            return reader.wait(self.admin, groups, version, lease_s, members)
        finally:
            reader.close()

    def deny_writers(self, grants: Iterable[Grant]) -> None:
        """Let the broker refuse every writer of the grants' topics."""
        create_acls(self.admin, {acl for grant in grants for acl in grant_denials(grant)})

    def fence(self, transactional_ids: Iterable[str]) -> None:
        """Take over these ids."""
        fence(self.access, transactional_ids)

    def cut(self, held: HeldGrant) -> dict[int, int]:
        """The end of each partition once no transaction is open on it."""
        try:
            return settled_ends(self.admin, held.topic, held.partitions, self.settings.cut_timeout_s)
        except TransactionStaysOpen as error:
            raise WithdrawalStuck(str(error)) from error

    def record(self, act: Act) -> None:
        """Write the act into the ledger, once for its id."""
        config = self.access.kafka_config("apply")
        append_act(self.admin, config, config, self.policy().control_schemas.control_act, act)

    def keep_receipt(self, name: str, receipt: dict[str, object]) -> str:
        """Keep it in the folder of receipts; one that is there is the first proof and stays."""
        path = receipts_path(self.access.home) / f"{name}.json"
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            text: Any = json.dumps(receipt, ensure_ascii=False, indent=2)
            write_owner_only(path, f"{text}\n")
        return str(path)
