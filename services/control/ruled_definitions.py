"""Definitions as the rulings leave them: an item has the owner that was decided, not the declared one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from services.control.definitions import Definitions
from services.control.difference import Refusal
from services.control.held_grants import held_grants
from services.control.ownership.ruling import Known, OwnershipChange, handed_over
from topics.ownership import Decision, ItemRuling, in_force
from topics.policy import Policy
from topics.quality.rules import CodeList


@dataclass(frozen=True, slots=True)
class RuledDefinitions:
    """What is in force of what is declared, and why a ruling cannot be carried out on it."""

    definitions: Definitions
    refusals: tuple[Refusal, ...] = ()


def with_rulings(definitions: Definitions, rulings: Iterable[ItemRuling]) -> RuledDefinitions:
    """Carry out the latest ruling on each item, the oldest first.

    What the definitions say by now themselves is left as it is. A ruling that they contradict is refused, so
    that no file takes an item back from whom the authority gave it to.
    """
    refusals: list[Refusal] = []
    for ruling in in_force(rulings):
        if ruling.decision is not Decision.TRANSFER or _is_moot(ruling, definitions):
            continue
        found = handed_over(ruling.claimant, ruling.column, known_of(definitions))
        if isinstance(found, OwnershipChange):
            definitions = changed(definitions, found)
        else:
            why = "; ".join(f"{problem.what} ({problem.remedy})" for problem in found)
            refusals.append(Refusal(ruling.claimant, f"the ruling {ruling.id} cannot be carried out: {why}"))
    return RuledDefinitions(definitions, tuple(refusals))


def known_of(definitions: Definitions) -> Known:
    """What a ruling needs to know of the definitions."""
    return Known(
        resources=definitions.resources,
        item_schemas=definitions.item_schemas,
        providers=definitions.providers,
        grants=definitions.grants,
        code_lists=tuple(
            CodeList(name, version, frozenset(codes))
            for (name, _, version), codes in (
                (key.partition("@"), codes) for key, codes in definitions.code_lists.items()
            )
        ),
    )


def changed(definitions: Definitions, change: OwnershipChange) -> Definitions:
    """The definitions with what a ruling says otherwise."""
    return replace(
        definitions,
        resources={**definitions.resources, **change.resources},
        item_schemas={**definitions.item_schemas, **change.item_schemas},
    )


def _is_moot(ruling: ItemRuling, definitions: Definitions) -> bool:
    """Whether the definitions say the same by now, or the claimant's resource is no more."""
    claimant, owner = definitions.resources.get(ruling.claimant), definitions.resources.get(ruling.owner)
    if claimant is None:
        return True
    own = {item.name: item for item in claimant.items}.get(ruling.item)
    is_own = own is not None and own.source_column == ruling.column and own.owner in (None, claimant.provider)
    left = None if owner is None else {item.name: item for item in owner.items}.get(ruling.item)
    return is_own and (left is None or left.owner == claimant.provider)


def ruled_by(policy: Policy | None, definitions: Definitions) -> RuledDefinitions:
    """The definitions as the rulings of the policy in force leave them."""
    return with_rulings(definitions, policy.rulings.values() if policy else ())


def standing_orders(policy: Policy | None) -> Iterator[str]:
    """What holds whatever the definitions say: suspensions, and items that a ruling gave to another owner."""
    yield from held_grants(policy)
    for ruling in in_force(policy.rulings.values()) if policy else ():
        if ruling.decision is Decision.TRANSFER:
            yield f"{ruling.item} of {ruling.owner} belongs to {ruling.claimant} by the ruling {ruling.id}"
