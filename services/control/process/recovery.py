"""Recovers captures that the fence stopped because their slot was lost: anew, swept by epochs, on the record.

Once for each gap. What a recovery has begun is gone on with by whoever has the next turn; where it cannot go
on without an operator it begins nothing again, and says what he is to do until it is done.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.control.connectors import recapture_command
from services.control.desk.following import SYSTEM
from services.control.epochs.acts import Step, act_of
from services.control.epochs.errors import AbortFirst, ConfirmShrink, CorrectOrder, ScanFailed
from services.control.gaps import CaptureFacts
from services.control.process.loops import NotYet
from services.control.recovery.bus import RecoveryBus, tables_of
from services.control.recovery.rules import (
    KIND,
    REST,
    Proof,
    Recovery,
    begun,
    ended,
    lost_slot,
    may_begin,
    newest_recovery,
    proof_of,
)
from services.control.store.database import ControlDatabase, Task
from services.control.store.outbox import Act, acts_on, append
from services.control.store.provisioning.turns import Lane, turn
from topics.event import ProviderId, ResourceId
from topics.policy import Policy

_LOG: Final = logging.getLogger(__name__)
_BUSY: Final = "the bus is being changed: the capture is taken anew after that"


class RecoveryWaits(Exception):  # noqa: N818 - says what is the matter
    """A capture with a gap needs an operator; the text says what to run."""


@dataclass(slots=True)
class RecoveryTurn:
    """Takes turns; of several processes one looks at a time."""

    database: ControlDatabase
    bus: RecoveryBus
    policy: Callable[[], Policy | None]
    """The newest policy."""
    now: Callable[[], datetime]
    _seen: set[ProviderId] = field(default_factory=set)
    """Who had a gap at the last turn: the first sight of one may be a moment of something else."""

    def turn(self) -> bool:
        """Look at every capture; returns whether anything was done.

        Raises:
            NotYet: there is no policy, or something that is under way must end first.
            RecoveryWaits: a capture needs an operator; the others had their turn.
        """
        with self.database.alone(Task.RECOVERY) as ours:
            if not ours:
                return False
            policy = self.policy()
            if policy is None:
                raise NotYet("there is no policy yet: `govbus apply` writes it")
            return self._all(policy)

    def _all(self, policy: Policy) -> bool:
        worked, troubles = False, list[Exception]()
        for provider, facts in self.bus.captures(policy).items():
            try:
                worked |= self._one(provider, policy, facts)
            except Exception as error:  # noqa: BLE001 - the others have their turn all the same
                troubles.append(error)
        if troubles:
            raise min(troubles, key=lambda each: isinstance(each, NotYet))
        return worked

    def _one(self, provider: ProviderId, policy: Policy, facts: CaptureFacts) -> bool:
        last = self._recovery(provider)
        stands = policy.providers[provider].incarnation
        # An operator who captured it anew meanwhile has taken the matter over.
        if last is not None and last.is_open and stands <= last.incarnation:
            self._go_on(provider, policy, facts, last)
            return True
        why = lost_slot(facts, policy.providers[provider].system)
        if why is None:
            self._seen.discard(provider)
            return False
        if provider not in self._seen:
            self._seen.add(provider)
            return False
        self._begin(provider, stands, why, last)
        self._seen.discard(provider)
        return True

    def _begin(self, provider: ProviderId, stands: int, why: str, last: Recovery | None) -> None:
        """Put it on the record; the next turn takes the first step."""
        writes = self.bus.incarnation(provider)
        if writes != stands:
            raise NotYet(f"{provider} is being captured anew: if that was interrupted, `govbus apply`")
        now = self.now()
        if not may_begin(last, now):
            raise RecoveryWaits(
                f"the capture of {provider} has a gap again within {REST.days * 24} h of its last recovery "
                f"({why}): find out who does that, then {_by_hand(provider)}"
            )
        self._record(begun(provider, stands + 1, why, SYSTEM.person, now))
        _LOG.warning("recovery of %s begins, as incarnation %d: %s", provider, stands + 1, why)

    def _go_on(self, provider: ProviderId, policy: Policy, facts: CaptureFacts, recovery: Recovery) -> None:
        policy = self._anew(provider, policy, facts, recovery)
        reason = f"recovery as incarnation {recovery.incarnation}: {recovery.why}"
        for resource in tables_of(policy, provider):
            self._prove(resource, recovery, reason)
        swept = sum(self._swept(policy, provider))
        self._record(ended(provider, recovery, swept, SYSTEM.person, self.now()))
        _LOG.info("recovery of %s has ended: %d records withdrawn", provider, swept)

    def _anew(self, provider: ProviderId, policy: Policy, facts: CaptureFacts, recovery: Recovery) -> Policy:
        """The capture runs under the new incarnation; each step that was done already is left out."""
        known = self.bus.incarnation(provider) == recovery.incarnation
        if (
            known
            and not facts.waits_for_start
            and policy.providers[provider].incarnation == recovery.incarnation
        ):
            return policy
        if facts.source is None or facts.has_offsets is None:
            raise NotYet(f"the database of {provider} or Connect does not answer: its recovery waits")
        with turn(self.database, Lane.PROVIDING) as free:
            if not free:
                raise NotYet(_BUSY)
            policy = self.bus.raise_incarnation(provider, recovery.incarnation, facts.source.system)
            problems = self.bus.take_anew(provider, policy, facts)
        if problems:
            what = "; ".join(each["what"] for each in problems)
            raise RecoveryWaits(
                f"{provider} cannot be captured anew: {what}; then {recapture_command(provider)}"
            )
        return policy

    def _prove(self, resource: ResourceId, recovery: Recovery, reason: str) -> None:
        """Run the resource's epoch unless it has ended; one that was given up is not begun again."""
        match proof_of(newest := self.bus.newest_epoch(resource), recovery):
            case Proof.WHOLE:
                return
            case Proof.WAITS:
                raise RecoveryWaits(f"{resource}: {newest.detail}: {_confirm(resource)}")
            case Proof.GIVEN_UP:
                start = f"`govbus snapshot start {resource}`"
                raise RecoveryWaits(f"{resource}: its epoch was given up ({newest.detail}): {start}")
            case Proof.MISSING:
                since_ms = int(recovery.begun.timestamp() * 1000)
                if not self.bus.has_read(resource, since_ms):
                    raise NotYet(f"{resource}: the connector has not read the table yet")
        try:
            _LOG.info("%s: %s", resource, self.bus.prove(resource, reason, SYSTEM.person, self._owe))
        except ConfirmShrink as error:
            raise RecoveryWaits(f"{resource}: {error}: {_confirm(resource)}") from error
        except (ScanFailed, CorrectOrder) as error:
            raise RecoveryWaits(f"{resource}: {error}: `govbus snapshot start {resource}`") from error
        except AbortFirst as error:
            raise NotYet(str(error)) from error

    def _swept(self, policy: Policy, provider: ProviderId) -> Iterator[int]:
        for resource in tables_of(policy, provider):
            yield self.bus.newest_epoch(resource).counts.get("swept", 0)

    def _recovery(self, provider: ProviderId) -> Recovery | None:
        with self.database.reading() as connection:
            return newest_recovery(acts_on(connection, KIND, provider))

    def _owe(self, step: Step) -> None:
        self._record(act_of(step, SYSTEM.person, self.now()))

    def _record(self, act: Act) -> None:
        with self.database.begin() as connection:
            append(connection, act)


def _by_hand(provider: ProviderId) -> str:
    return f"`{recapture_command(provider)}` and `govbus snapshot start` of its resources"


def _confirm(resource: ResourceId) -> str:
    start = f"govbus snapshot start {resource} --confirm-shrink"
    return f"`{start}` if they are meant to go, else `govbus snapshot abort {resource}`"
