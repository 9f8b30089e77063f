"""Withdraws grants so that it can be proven: rights, policy, answers, writers, then the cut and a receipt.

The order is what makes the proof. The consumer's right goes first. A processor leaves the grant out from a
version on and says from which offset; only then may the broker refuse its writes, because a refused record
would fail a whole transaction of other grants. Whoever did not answer has its open transaction ended, and the
cut is where the topic ends once no transaction is open on it any more.
"""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from confluent_kafka.admin import AdminClient

from services.control.access import Access
from services.control.acknowledgements import Acknowledgements, Answers, fence
from services.control.acls import create_acls, delete_acls
from services.control.credentials import write_owner_only
from services.control.kafka_topics import TransactionStaysOpen, settled_ends
from services.control.live import receipts_path
from services.control.rights import grant_denials, reading_rights
from services.control.settings import ApplySettings
from services.control.transitions import receipt_name
from topics.grants.declaration import Grant
from topics.names import canonical, copier_transactional_id, fanout_group
from topics.policy import GrantPolicy, Policy

OUTSIDE: Final = (
    "What the consumer's client had already fetched before its right was removed is outside the bus: it may "
    "still hand those records to its application. No record after the cut can be read."
)


class WithdrawalStuck(Exception):  # noqa: N818 - says what is the matter
    """A transaction stays open on a withdrawn topic; run apply again, it goes on from here."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Runs fact by fact for all grants that are withdrawn together."""

    access: Access
    admin: AdminClient
    settings: ApplySettings

    def remove_readers(self, grants: Iterable[Grant]) -> int:
        """Take each consumer's rights to read under the grant; return the time in ms since 1970."""
        given = (reading_rights(grant.consumer, grant.topic, grant.id) for grant in grants)
        delete_acls(self.admin, {acl for acls in given for acl in acls})
        return time.time_ns() // 1_000_000

    def complete(self, entries: Sequence[GrantPolicy], policy: Policy, removed_ms: int) -> dict[str, str]:
        """Everything after the policy version is written; return the receipt's path per grant.

        Raises:
            WithdrawalStuck: the cut could not be made in time.
        """
        groups = sorted({fanout_group(entry.grant.group) for entry in entries})
        answers = self._answers(groups, policy)
        for entry in entries:
            create_acls(self.admin, grant_denials(entry.grant))
        fence(self.access, answers.silent)
        fence(self.access, [copier_transactional_id(entry.grant.id) for entry in entries])
        found: dict[str, str] = {}
        for entry in entries:
            partitions = self._partitions(entry, policy)
            cut = self._cut(entry.grant, partitions)
            receipt = _receipt(entry, policy, removed_ms, answers, cut)
            found[entry.grant.id] = str(_write(self.access.home, receipt_name(entry), receipt))
        return found

    def _answers(self, groups: list[str], policy: Policy) -> Answers:
        reader = Acknowledgements(self.access)
        try:
            return reader.wait(self.admin, groups, policy.version, self.settings.revocation_lease_s)
        finally:
            reader.close()

    def _partitions(self, entry: GrantPolicy, policy: Policy) -> int:
        resource = policy.resources.get(entry.grant.resource)
        if resource is not None:
            return resource.resource.partitions
        topics = self.admin.list_topics(entry.grant.topic, timeout=15).topics
        return len(topics[entry.grant.topic].partitions)

    def _cut(self, grant: Grant, partitions: int) -> dict[int, int]:
        """The end of the topic once every transaction on it has ended."""
        try:
            return settled_ends(self.admin, grant.topic, partitions, self.settings.cut_timeout_s)
        except TransactionStaysOpen as error:
            raise WithdrawalStuck(str(error)) from error


def _receipt(
    entry: GrantPolicy, policy: Policy, removed_ms: int, answers: Answers, cut: dict[int, int]
) -> dict[str, Any]:
    grant = policy.grants[entry.grant.id].grant
    group = fanout_group(grant.group)
    source = canonical(grant.resource)
    mine = [ack.as_json(source) for ack in answers.acknowledged.values() if ack.group == group]
    return {
        "grant": grant.id,
        "consumer": grant.consumer,
        "resource": grant.resource,
        "topic": grant.topic,
        "state": grant.state.value,
        "generation": entry.generation,
        "policy_version": policy.version,
        "read_removed_ms": removed_ms,
        "acknowledgements": sorted(mine, key=lambda ack: str(ack["instance"])),
        "fenced": [instance for instance in answers.silent if instance.startswith(f"{group}.")],
        "cut": {str(partition): offset for partition, offset in sorted(cut.items())},
        "cut_ms": time.time_ns() // 1_000_000,
        "outside": OUTSIDE,
    }


def _write(home: Path, name: str, receipt: dict[str, Any]) -> Path:
    path = receipts_path(home) / f"{name}.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_owner_only(path, json.dumps(receipt, ensure_ascii=False, indent=2) + "\n")
    return path
