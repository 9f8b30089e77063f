"""Lifts a hold: each grant that it gives back is filled by an epoch and only then delivers and is readable.

The epoch writes the state of now and tombstones whatever left the grant's rows or was deleted meanwhile. A
resumption that is killed is carried on by the next one; a suspension in between is stronger.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from confluent_kafka.admin import AdminClient

from services.control.access import Access
from services.control.acknowledgements import settle
from services.control.acls import create_acls, delete_acls
from services.control.fill import Epoch, WaitForOperator
from services.control.policy_document import freed, with_active_grant, with_filling, without_hold
from services.control.policy_topic import PolicyWriter
from services.control.quiet import groups_to_settle
from services.control.rights import grant_denials, grant_rights
from services.control.settings import ApplySettings
from services.control.suspension.bus import NoPolicyYet
from services.control.suspension.finish import close_held
from services.control.suspension.journal import Journal
from services.control.suspension.kafka_bus import KafkaBus
from services.control.suspension.resumption import Resumption
from services.control.suspension.suspend import Order, Say, hold_on
from services.control.transitions import Move, Transition
from services.control.validity import official_day
from topics.event import GrantId
from topics.grants.declaration import GrantState
from topics.policy import Policy

_REASON: Final = "resumed, was suspended"


class NotSuspended(Exception):  # noqa: N818 - says what is the matter
    """No suspension of just that is in force: there is nothing to lift."""


class SuspensionUnfinished(Exception):  # noqa: N818 - says what is the matter
    """The suspension was interrupted and has no cut yet: finish it by ordering it again, then resume."""


@dataclass(slots=True)
class Resume:
    """Carries out resumptions on one running bus."""

    access: Access
    admin: AdminClient
    settings: ApplySettings
    journal: Journal
    clock_ms: Callable[[], int]
    say: Say
    confirmed_shrinks: Collection[str] = ()
    """Grants whose epoch may remove more of what the consumer holds than the guard allows."""
    _policy: Policy | None = field(default=None)
    _writer: PolicyWriter | None = field(default=None)
    _epochs: dict[GrantId, Epoch] = field(default_factory=dict)

    def order(self, order: Order, new_id: str, unfinished: Collection[str] = ()) -> Resumption:
        """Resume what was suspended by an order with that scope and name.

        ``unfinished`` are the ids of suspensions that were interrupted.

        Raises:
            NotSuspended: there is none.
            SuspensionUnfinished: its suspension has no cut yet.
            EpochInterrupted: run it again, it begins a new epoch.
        """
        begun = self._begun(order)
        if begun is not None:
            done = self.carry_on(begun)
            if hold_on(self._bus().policy(), order.scope, order.name) is None:
                return done
        # What was begun belonged to an earlier suspension of the same.
        return self.carry_on(self._new(order, new_id, unfinished))

    def carry_on(self, wanted: Resumption) -> Resumption:
        """Do what is not done yet; a grant that another hold covers meanwhile is left alone."""
        wanted = replace(wanted, waiting={})
        self._policy = before = self._bus().policy()
        lifts = wanted.hold in before.holds
        without = without_hold(before, wanted.hold) if lifts else before
        grants = freed(without, wanted.grants) if lifts else _begun_epochs(before, wanted.grants)
        if lifts or grants:
            wanted = self._begin(wanted, without, grants)
            self._settle(grants, before)
            wanted = self._fill(wanted, grants)
        if wanted.waiting:
            self._open_reading(wanted.filled)
            return wanted
        return self._finish(wanted)

    def _begun(self, order: Order) -> Resumption | None:
        saved = [self.journal.load(key) for key in sorted(self.journal.keys())]
        found = [Resumption.from_json(one) for one in saved if one is not None]
        same = [one for one in found if not one.is_complete and _is_of(one, order)]
        return same[0] if same else None

    def _new(self, order: Order, new_id: str, unfinished: Collection[str]) -> Resumption:
        policy = self._bus().policy()
        hold = hold_on(policy, order.scope, order.name)
        if hold is None:
            raise NotSuspended(f"{order.scope.value} {order.name}".strip())
        if hold.id in unfinished:
            raise SuspensionUnfinished(hold.id)
        return self._saved(
            Resumption(
                new_id,
                hold.id,
                order.scope,
                order.name,
                order.by,
                order.reason,
                self.clock_ms(),
                hold.grants,
            )
        )

    def _begin(self, wanted: Resumption, without: Policy, grants: list[GrantId]) -> Resumption:
        """Fence earlier copiers, write BEGIN, then the version without the hold, in which they are filled."""
        self._writer = self._bus().take_policy(self._known())
        coming = with_filling(without, grants, self.clock_ms())
        entries = [coming.grants[grant] for grant in grants]
        # The copier is one of the writers that a suspension forbids.
        delete_acls(self.admin, {acl for entry in entries for acl in grant_denials(entry.grant)})
        self._epochs = {grant: self._epoch(grant) for grant in grants}
        for entry in entries:
            self._epochs[entry.grant.id].begin(entry, coming)
        self._write(coming)
        lifted = wanted.lifted_version or coming.version
        return self._saved(replace(wanted, lifted_version=lifted))

    def _epoch(self, grant: GrantId) -> Epoch:
        move = Transition(grant, Move.FILL, _REASON)
        confirmed = grant in self.confirmed_shrinks
        return Epoch(self.access, self.admin, self.settings, move, confirmed, self.clock_ms())

    def _settle(self, grants: Iterable[GrantId], before: Policy) -> None:
        groups = groups_to_settle(grants, before, self._known())
        lease_s = self.settings.epoch_lease_s
        settle(self.access, self.admin, groups, self._known().version, lease_s, self.say)

    def _fill(self, wanted: Resumption, grants: Iterable[GrantId]) -> Resumption:
        filling = self._known()
        for grant in grants:
            self.say(f"filling {grant}")
            try:
                ends, counts = self._epochs[grant].fill(filling)
            except WaitForOperator as waiting:
                self.say(f"{grant} waits: {waiting}")
                wanted = self._saved(replace(wanted, waiting={**wanted.waiting, grant: str(waiting)}))
                continue
            self._write(with_active_grant(self._known(), grant, ends, self.clock_ms()))
            wanted = self._saved(wanted.with_filled(grant, counts))
        return wanted

    def _finish(self, wanted: Resumption) -> Resumption:
        """Departments read again what delivers; then the ledger is told."""
        self._open_reading(wanted.grants)
        if not wanted.finished_ms:
            wanted = self._saved(replace(wanted, finished_ms=self.clock_ms()))
        self._bus().record(wanted.act())
        return self._saved(replace(wanted, recorded=True))

    def _open_reading(self, grants: Iterable[GrantId]) -> None:
        """Whoever suspends at this very moment wins: what is held afterwards is closed again."""
        day, policy = official_day(self.clock_ms()), self._bus().policy()
        entries = [policy.grants[grant].grant for grant in grants if grant in policy.grants]
        open_now = [grant for grant in entries if grant.state is GrantState.ACTIVE]
        create_acls(self.admin, {acl for grant in open_now for acl in grant_rights(grant, day)})
        close_held(self.access, self.admin)

    def _bus(self) -> KafkaBus:
        return KafkaBus(self.access, self.admin, self.settings)

    def _known(self) -> Policy:
        """The newest version that this run knows.

        Raises:
            NoPolicyYet: it has read none.
        """
        if self._policy is None:
            raise NoPolicyYet("no policy was read")
        return self._policy

    def _write(self, coming: Policy) -> None:
        if self._writer is None:
            self._writer = self._bus().take_policy(self._known())
        self._policy = self._writer.write(coming, self._known())

    def _saved(self, wanted: Resumption) -> Resumption:
        self.journal.save(wanted.id, wanted.saved())
        return wanted


def _begun_epochs(policy: Policy, grants: Iterable[GrantId]) -> list[GrantId]:
    """Of these grants those whose epoch was begun and did not end."""
    wanted = set(grants)
    return sorted(
        grant
        for grant, entry in policy.grants.items()
        if grant in wanted and entry.grant.state is GrantState.FILLING
    )


def _is_of(found: Resumption, order: Order) -> bool:
    return (found.scope, found.name) == (order.scope, order.name)
