"""Carries out the authority's decision on who owns an item: policy, ledger, then what the resources say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from services.control.cases.words import Problem
from services.control.definitions import Definitions
from services.control.ownership.ruling import OwnershipChange, Ruling, claimed_item, ruled
from services.control.policy_document import with_ruling
from services.control.ruled_definitions import changed, known_of, ruled_by, with_rulings
from services.control.suspension.acts import Act
from topics.event import GrantId, ResourceId
from topics.ownership import LONGEST_BASIS, ItemRuling, in_force
from topics.policy import Policy
from topics.resource import Resource

WORD: Final = "ownership.rule"
"""What a ruling is called in the ledger."""
KIND: Final = "item"


class RulingBus(Protocol):
    """What of the running bus a ruling needs; see ``services.control.suspension.kafka_bus.KafkaBus``."""

    def policy(self) -> Policy:
        """The newest version."""
        ...

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        """Write what follows the newest version, and return it."""
        ...

    def record(self, act: Act) -> None:
        """Write the act into the ledger, once for its id."""
        ...


@dataclass(frozen=True, slots=True)
class Affected:
    """What a ruling changes of what is in force."""

    resources: Mapping[ResourceId, Resource]
    losing: tuple[GrantId, ...]
    """Grants that show the item of the old owner: it will be empty there."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a ruling came to."""

    ruling: ItemRuling
    affected: "Affected"
    policy_version: int
    again: bool
    """Whether the same had been decided before: then it was carried on where it was."""

    def as_json(self) -> dict[str, Any]:
        """The shape that docs/cli/conflicts-decide.schema.json describes."""
        providers = sorted({resource.provider for resource in self.affected.resources.values()})
        return {
            "ruling": self.ruling.model_dump(mode="json"),
            "resources": sorted(self.affected.resources),
            "losing": list(self.affected.losing),
            "providers": providers,
            "policy_version": self.policy_version,
            "again": self.again,
        }


@dataclass(frozen=True, slots=True)
class RulingOrder:
    """Decides on one conflict; the same order may be given again, and goes on where it was interrupted."""

    bus: RulingBus
    definitions: Definitions
    apply: Callable[[], int]
    """Makes of the rulings what the resources say, and returns the policy version; ends by an exception."""
    clock_ms: Callable[[], int]
    account: str
    """Who stands in the ledger."""

    def decide(self, ruling: Ruling, id_: str) -> Decided | tuple[Problem, ...]:
        """Carry it out, or say everything that is against it; then nothing changes.

        Args:
            ruling: the decision.
            id_: its id, if it is a new one.
        """
        policy = self.bus.policy()
        affected = self._checked(ruling, policy)
        if not isinstance(affected, Affected):
            return affected
        standing = _standing(ruling, policy)
        written = standing or self._written(self._item_ruling(ruling, id_))
        self.bus.record(self._act(ruling, written, affected))
        return Decided(written, affected, self.apply(), again=standing is not None)

    def _checked(self, ruling: Ruling, policy: Policy) -> Affected | tuple[Problem, ...]:
        """The change against the definitions as all other rulings leave them."""
        about = (ruling.claimant, ruling.column)
        others = [each for each in policy.rulings.values() if each.about != about]
        definitions = with_rulings(self.definitions, others).definitions
        if len(ruling.basis) > LONGEST_BASIS:
            remedy = f"say it in {LONGEST_BASIS} characters"
            return (Problem("BASIS_TOO_LONG", "basis", "the basis is too long", remedy),)
        change = ruled(ruling, known_of(definitions))
        if not isinstance(change, OwnershipChange):
            return change
        after = changed(definitions, change)
        found = after.in_place_changes(policy)
        against = tuple(
            Problem("DEFINITION_BREAKS", f"{id_}: {each.field}", each.problem, each.remedy)
            for id_, each in found
        )
        before = ruled_by(policy, self.definitions).definitions.resources
        differing = {id_: each for id_, each in after.resources.items() if before.get(id_) != each}
        return against or Affected(differing, change.losing)

    def _item_ruling(self, ruling: Ruling, id_: str) -> ItemRuling:
        claimed = claimed_item(ruling.claimant, ruling.column, known_of(self.definitions))
        if claimed is None:
            raise LookupError("a ruling without problems is about something that is claimed")
        _, foreign = claimed
        return ItemRuling(
            id=id_,
            claimant=ruling.claimant,
            column=ruling.column,
            owner=foreign.resource,
            item=foreign.item,
            decision=ruling.decision,
            basis=ruling.basis,
            decided_ms=self.clock_ms(),
            since_version=1,
        )

    def _written(self, ruling: ItemRuling) -> ItemRuling:
        coming = self.bus.write(lambda newest: with_ruling(newest, ruling, self.clock_ms()))
        return coming.rulings[ruling.id]

    def _act(self, ruling: Ruling, written: ItemRuling, affected: Affected) -> Act:
        document = {
            "ruling": written.model_dump(mode="json"),
            "department": ruling.who.department,
            "for": ruling.who.person,
            "resources": sorted(affected.resources),
            "losing": list(affected.losing),
        }
        return Act(
            id=written.id,
            who=self.account,
            what=WORD,
            kind=KIND,
            object=f"{written.owner}.{written.item}",
            timestamp_ms=written.decided_ms,
            reason=ruling.text,
            document=document,
        )


def _standing(ruling: Ruling, policy: Policy) -> ItemRuling | None:
    """The same decision, if it is the latest on that column."""
    about = (ruling.claimant, ruling.column)
    latest = [each for each in in_force(policy.rulings.values()) if each.about == about]
    same = [each for each in latest if (each.decision, each.basis) == (ruling.decision, ruling.basis)]
    return same[0] if same else None
