"""One epoch of one grant: begin, copy, sweep, end; whoever runs it again begins a new one."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from confluent_kafka.admin import AdminClient

from services.control.access import Access
from services.control.copier import CopyLine, copy
from services.control.copy_transactions import CopyTransactions, EpochInterrupted
from services.control.disputes_topic import read_disputes
from services.control.epoch_markers import GUARDED, Marker, MarkerKind, read_markers, still_unguarded
from services.control.kafka_topics import (
    TransactionStaysOpen,
    delete_topics,
    end_offsets,
    settled_ends,
    topic_names,
)
from services.control.reading import read_whole, whole_reader
from services.control.settings import ApplySettings
from services.control.sweep import Sweep, shrinks_too_much
from services.control.transitions import Transition
from topics import names
from topics.engine.choose import VARIABLE, choose
from topics.event import GrantId, OutputRecord
from topics.policy import GrantPolicy, Policy

_SWEEP_AT_ONCE = 5_000


class WaitForOperator(Exception):  # noqa: N818 - named after what happens
    """The sweep would remove too much; nothing was removed, the grant stays closed until it is confirmed."""


@dataclass(slots=True)
class Epoch:
    """One grant's epoch under way."""

    access: Access
    admin: AdminClient
    settings: ApplySettings
    transition: Transition
    confirmed: bool
    """Whether the operator has said that a large shrink is meant."""
    now_ms: int
    _transactions: CopyTransactions | None = None
    _unguarded: bool = field(default=False)

    @property
    def grant(self) -> GrantId:
        """The grant that is filled."""
        return self.transition.grant

    def begin(self, entry: GrantPolicy, coming: Policy) -> None:
        """Fence every earlier copier of the grant and write BEGIN, before the policy says FILLING.

        What was redelivered to separate topics goes with it.
        """
        topic = names.epochs(self.grant)
        end = end_offsets(self.admin, topic, names.EPOCHS_PARTITIONS, stable=True)[0]
        markers = read_markers(self.access, self.grant, end)
        self._unguarded = not self.transition.guarded or still_unguarded(markers)
        marker = self._marker(entry, coming, MarkerKind.BEGIN, self.transition.reason)
        marker = _with(marker, counts={GUARDED: int(not self._unguarded)})
        self._open().write([marker.output(coming.control_schemas.epoch_marker)])
        if entry.generation > 1:
            self._remove_redelivered(entry)

    def _remove_redelivered(self, entry: GrantPolicy) -> None:
        """No sweep reaches a separate topic, and what it holds may be outside the grant from now on."""
        prefix = names.redelivered_prefix(entry.grant.topic)
        delete_topics(self.admin, [name for name in topic_names(self.admin) if name.startswith(prefix)])

    def fill(self, policy: Policy) -> tuple[dict[int, int], dict[str, int]]:
        """Copy and sweep; return where the fan-out goes on per partition, and what was counted.

        Raises:
            WaitForOperator: the sweep waits; nothing was removed.
            EpochInterrupted: a transaction failed, or another one stays open; run apply again.
        """
        entry = policy.grants[self.grant]
        resource = policy.resources[entry.grant.resource].resource
        ends = end_offsets(self.admin, resource.canonical_topic, resource.partitions, stable=True)
        line = self._line(policy, entry)
        copy(self.access, line, self._usable(), ends, self.settings.batch_records)
        counts = self._sweep(line, ends)
        return ends, counts

    def _line(self, policy: Policy, entry: GrantPolicy) -> CopyLine:
        """The copier's decisions; what is disputed when the copy begins is marked in all of it."""
        disputes = read_disputes(
            self.access.kafka_config("copier"), self.admin, "copier.disputes", policy
        ).disputes()
        versions = {entry.key_version, *(each.key_version for each in disputes.open.values())}
        secrets = {version: self.access.master_secret(version) for version in versions}
        engine = choose(os.environ.get(VARIABLE))
        return CopyLine(policy, entry, secrets, self.now_ms, implementation=engine, disputes=disputes)

    def _sweep(self, line: CopyLine, ends: Mapping[int, int]) -> dict[str, int]:
        """Opening a new producer fences the copier: from here on nobody copies for this epoch."""
        transactions = self._open()
        grant, policy = line.entry.grant, line.policy
        grant_ends = self._settled_ends(grant.topic, len(ends))
        sweeps = self._read_held(line, grant_ends)
        unseen = sum(len(sweep.unseen) for sweep in sweeps.values())
        held = sum(sweep.held_before for sweep in sweeps.values())
        schema_id = policy.control_schemas.epoch_marker
        if self._must_wait(unseen, held):
            detail = f"{unseen} of {held} records would go; confirm it, or correct the definitions"
            transactions.write(
                [self._marker(line.entry, policy, MarkerKind.WAITING, detail).output(schema_id)]
            )
            raise WaitForOperator(detail)
        canonical = policy.resources[grant.resource].resource.canonical_topic
        for partition, sweep in sorted(sweeps.items()):
            tombstones = sweep.tombstones(grant.topic, partition, policy.version)
            for first in range(0, len(tombstones), _SWEEP_AT_ONCE):
                some = tombstones[first : first + _SWEEP_AT_ONCE]
                transactions.write([*some, line.sweep_block(canonical, partition, some)])
        counts = {**line.tally, "swept": unseen, "held_before": held}
        transactions.write(self._ending(line, ends, sweeps, counts))
        return counts | {"records": sum(sweep.kept()[0] for sweep in sweeps.values())}

    def _settled_ends(self, topic: str, partitions: int) -> dict[int, int]:
        """An open transaction would hide what the copier wrote behind it, and the sweep would remove that."""
        try:
            return settled_ends(self.admin, topic, partitions, self.settings.cut_timeout_s)
        except TransactionStaysOpen as error:
            raise EpochInterrupted(str(error)) from error

    def _must_wait(self, unseen: int, held: int) -> bool:
        if self._unguarded or self.confirmed:
            return False
        return shrinks_too_much(unseen, held, self.settings.shrink_percent)

    def _read_held(self, line: CopyLine, grant_ends: Mapping[int, int]) -> dict[int, Sweep]:
        grant = line.entry.grant
        sweeps = {partition: Sweep(grant.id, line.entry.generation) for partition in grant_ends}
        reader = whole_reader(self.access.kafka_config("copier"), line.group)
        try:
            for records in read_whole(reader, grant.topic, grant_ends, self.settings.batch_records):
                for record in records:
                    sweeps[record.partition].read([record])
        finally:
            reader.close()
        return sweeps

    def _ending(
        self,
        line: CopyLine,
        ends: Mapping[int, int],
        sweeps: Mapping[int, Sweep],
        counts: Mapping[str, int],
    ) -> list[OutputRecord]:
        """SWEPT says what was removed, END what the topic holds now; both in one transaction."""
        entry, policy = line.entry, line.policy
        canonical = policy.resources[entry.grant.resource].resource.canonical_topic
        kept = {partition: sweep.kept() for partition, sweep in sweeps.items()}
        digest = hashlib.sha256("".join(kept[partition][1] for partition in sorted(kept)).encode())
        offsets = {(str(canonical), partition): end for partition, end in ends.items()}
        swept = _with(
            self._marker(entry, policy, MarkerKind.SWEPT, ""),
            counts={"swept": counts["swept"]},
            offsets=offsets,
        )
        end = _with(
            self._marker(entry, policy, MarkerKind.END, self.transition.reason),
            counts={**counts, "records": sum(count for count, _ in kept.values())},
            offsets=offsets,
            digest=digest.hexdigest(),
        )
        schema_id = policy.control_schemas.epoch_marker
        return [swept.output(schema_id), end.output(schema_id)]

    def _marker(self, entry: GrantPolicy, policy: Policy, kind: MarkerKind, detail: str) -> Marker:
        return Marker(self.grant, entry.generation, kind, policy.version, self.now_ms, detail=detail)

    def _open(self) -> CopyTransactions:
        transactional_id = names.copier_transactional_id(self.grant)
        self._transactions = CopyTransactions(self.access.kafka_config("copier"), transactional_id)
        return self._transactions

    def _usable(self) -> CopyTransactions:
        return self._transactions or self._open()


def _with(
    marker: Marker,
    *,
    counts: Mapping[str, int],
    offsets: Mapping[tuple[str, int], int] | None = None,
    digest: str = "",
) -> Marker:
    return Marker(
        marker.grant,
        marker.generation,
        marker.kind,
        marker.policy_version,
        marker.timestamp_ms,
        offsets or {},
        counts,
        digest,
        marker.detail,
    )
