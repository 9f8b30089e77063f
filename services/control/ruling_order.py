"""Carries the authority's decision on who owns an item to the bus: schemas, one policy version, the ledger.

The version holds the ruling and what the resources say since: one without the other is never in force. What
the resources say is what an apply of the same definitions would make of the same rulings.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from services.control.acknowledgements import Answers
from services.control.cases.words import Problem
from services.control.definitions import Definitions
from services.control.grant_source import breaking_changes, grants_in_force
from services.control.ownership.decided import Given
from services.control.ownership.ruling import OwnershipChange, ruled
from services.control.policy_document import resource_entry, with_ruling
from services.control.ruled_definitions import changed, known_of, with_rulings
from services.control.store.outbox import answering
from services.control.suspension.acts import Act
from topics.canonical import schema_text
from topics.event import GrantId, ResourceId, SchemaId
from topics.grants.declaration import GrantState
from topics.names import GATE_GROUP
from topics.ownership import LONGEST_BASIS, ItemRuling, in_force
from topics.policy import Policy, ResourcePolicy
from topics.resource import Resource

WORD: Final = "ownership.rule"
"""What a ruling is called in the ledger."""
KIND: Final = "item"


class RulingOvertaken(Exception):  # noqa: N818 - says what is the matter
    """A later ruling on the same column stands in the policy already."""


class DefinitionsDiffer(Exception):  # noqa: N818 - says what is the matter
    """What is declared is not what is in force, so nobody can tell what the ruling would change."""


class PolicyMoved(Exception):  # noqa: N818 - says what is the matter
    """Somebody has changed what the ruling is about since it was looked at; begin again."""


class RulingBus(Protocol):
    """What of the running bus a ruling needs; each of these may be repeated."""

    def policy(self) -> Policy:
        """The newest version."""
        ...

    def schema_ids(self, resource: Resource, item_schema: dict[str, Any]) -> tuple[SchemaId, SchemaId]:
        """Register the schemas of a resource's canonical keys and values, and return their ids."""
        ...

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        """Write what follows the newest version, and return it."""
        ...

    def record(self, act: Act) -> None:
        """Write the act into the ledger, once for its id."""
        ...

    def members(self, groups: Collection[str]) -> set[str]:
        """The instances that are members of the groups now."""
        ...

    def answers(self, groups: Collection[str], version: int, members: Iterable[str]) -> Answers:
        """Wait, at most a lease, until all members of now or before apply the version."""
        ...


@dataclass(frozen=True, slots=True)
class Affected:
    """What a ruling changes of what is in force: nothing where the owner is confirmed who owns it now."""

    resources: Mapping[ResourceId, Resource]
    item_schemas: Mapping[ResourceId, dict[str, Any]]
    losing: tuple[GrantId, ...] = ()
    """Grants that show the item of the old owner: it will be empty there."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a ruling came to: as it stands in the policy."""

    ruling: ItemRuling
    affected: Affected


def affected_by(
    given: Given, definitions: Definitions, policy: Policy | None
) -> Affected | tuple[Problem, ...]:
    """What a ruling would change under all others that are in force, or everything that is against it.

    Args:
        given: the ruling; it may stand in the policy already.
        definitions: what is declared, as no ruling has changed it.
        policy: the policy in force; None where it is not known, and then nothing is said of readers.
    """
    if len(given.basis) > LONGEST_BASIS:
        return (
            Problem(
                "BASIS_TOO_LONG", "basis", "the basis is too long", f"say it in {LONGEST_BASIS} characters"
            ),
        )
    rulings = list(policy.rulings.values()) if policy else []
    declared = replace(definitions, grants=_grants(definitions, policy))
    base = with_rulings(declared, [each for each in rulings if each.about != given.about]).definitions
    change = ruled(given.ruling, known_of(base))
    if not isinstance(change, OwnershipChange):
        return change
    after = changed(base, change)
    before = _without(given, declared, rulings)
    differing = {id_: each for id_, each in after.resources.items() if before.resources.get(id_) != each}
    against = tuple(_against(after, policy, differing))
    schemas = {id_: after.item_schemas[id_] for id_ in differing}
    return against or Affected(differing, schemas, change.losing)


@dataclass(frozen=True, slots=True)
class RulingOrder:
    """Carries one ruling out; what is done already is found, and not done again."""

    bus: RulingBus
    definitions: Definitions
    clock_ms: Callable[[], int]

    def write(self, given: Given) -> Written | tuple[Problem, ...]:
        """Put it into policy and ledger, or say everything that is against it; then nothing changes.

        Raises:
            RulingOvertaken: a later one on the same column stands there.
            DefinitionsDiffer: what is declared is not what is in force.
            PolicyMoved: somebody changed it meanwhile.
        """
        policy = self.bus.policy()
        standing = policy.rulings.get(given.id)
        affected = affected_by(given, self.definitions, policy)
        if standing is None:
            if not isinstance(affected, Affected):
                return affected
            standing = self._written(given, affected, policy)
        found = affected if isinstance(affected, Affected) else Affected({}, {})
        self.bus.record(_act(given, standing, found))
        return Written(standing, found)

    def answers(self, version: int) -> Answers:
        """Wait, at most a lease, until every instance of the gate decides by the version."""
        return self.bus.answers([GATE_GROUP], version, self.bus.members([GATE_GROUP]))

    def _written(self, given: Given, affected: Affected, policy: Policy) -> ItemRuling:
        _require_newest(given, policy)
        self._require_declared(given, affected, policy)
        entries = dict(self._entries(affected, policy))

        def change(newest: Policy) -> Policy:
            if given.id in newest.rulings:
                return newest
            _require_newest(given, newest)
            again = affected_by(given, self.definitions, newest)
            if again != affected or any(
                newest.resources.get(key) != policy.resources[key] for key in entries
            ):
                raise PolicyMoved("the policy was changed at the same moment")
            return with_ruling(newest, given.item_ruling, self.clock_ms(), entries)

        return self.bus.write(change).rulings[given.id]

    def _require_declared(self, given: Given, affected: Affected, policy: Policy) -> None:
        """Each resource is in force as declared: else an apply would make something else of the ruling."""
        before = _without(given, self.definitions, list(policy.rulings.values()))
        for id_ in sorted(affected.resources):
            entry, declared = policy.resources.get(id_), before.resources.get(id_)
            if entry is None or declared is None:
                raise DefinitionsDiffer(f"{id_} is not in force")
            schema = schema_text(before.item_schemas[id_])
            if entry.resource != declared or entry.item_schema != schema:
                raise DefinitionsDiffer(f"{id_} is declared otherwise than it is in force")

    def _entries(self, affected: Affected, policy: Policy) -> Iterator[tuple[ResourceId, ResourcePolicy]]:
        for id_, resource in affected.resources.items():
            schema = affected.item_schemas[id_]
            ids = self.bus.schema_ids(resource, schema)
            yield id_, resource_entry(resource, schema, ids, policy.resources.get(id_))


def _grants(definitions: Definitions, policy: Policy | None) -> dict[GrantId, Any]:
    found = grants_in_force(definitions, policy)
    return {id_: grant for id_, grant in found.items() if grant.state is not GrantState.REVOKED}


def _without(given: Given, definitions: Definitions, rulings: list[ItemRuling]) -> Definitions:
    """What is in force before the ruling: with all others."""
    return with_rulings(definitions, [each for each in rulings if each.id != given.id]).definitions


def _against(
    after: Definitions, policy: Policy | None, differing: Mapping[ResourceId, Resource]
) -> Iterator[Problem]:
    for id_, each in after.in_place_changes(policy):
        if id_ in differing:
            yield Problem("DEFINITION_BREAKS", f"{id_}: {each.field}", each.problem, each.remedy)
    for refusal in breaking_changes(after, policy):
        if refusal.target in differing:
            remedy = "leave the item with its owner until the new version is there"
            yield Problem("DEFINITION_BREAKS", refusal.target, refusal.reason, remedy)


def _require_newest(given: Given, policy: Policy) -> None:
    mine = given.item_ruling
    for each in in_force(policy.rulings.values()):
        if each.about == mine.about and each.id != mine.id and each.decided_ms > mine.decided_ms:
            raise RulingOvertaken(f"overtaken by the ruling {each.id}")


def _act(given: Given, standing: ItemRuling, affected: Affected) -> Act:
    document = {
        "ruling": standing.model_dump(mode="json"),
        "department": given.department,
        "resources": sorted(affected.resources),
        "losing": list(affected.losing),
    }
    account, told = answering(given.by, given.recorder)
    return Act(
        id=standing.id,
        who=account,
        what=WORD,
        kind=KIND,
        object=f"{standing.owner}.{standing.item}",
        timestamp_ms=standing.decided_ms,
        reason=given.text,
        document=document | told,
    )
