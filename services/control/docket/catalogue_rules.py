"""What a policy accepts in the catalogue: bases, libraries, themes, filings (C5, C6, C14, C15, A2-07)."""

from typing import Final

from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.vocabulary import BasisLevel, Library
from services.control.docket.bound import Bound

DENIAL: Final = "basis.deny.allowed_levels"
CONDITION: Final = "basis.conditional.required"
BASIC: Final = "taxonomy.basic"
THEMES: Final = "taxonomy.theme"
FILING: Final = "catalog.update.filing"
_REQUIRED: Final = "required"


def catalogue_rules(policy: Bound | None, otherwise: CatalogueRules) -> CatalogueRules:
    """The parameters of the catalogue's checks as a policy sets them.

    Levels that suffice for not sharing suffice for sharing on condition, too, where it needs a basis at all.

    Args:
        policy: the policy; None where none is adopted.
        otherwise: what counts for each key that no pack of the policy gives.
    """
    if policy is None:
        return otherwise
    levels = frozenset(map(BasisLevel, _words(policy, DENIAL)))
    return CatalogueRules(
        denial_levels=levels or otherwise.denial_levels,
        condition_levels=levels or otherwise.condition_levels,
        condition_needs_basis=_required(policy, CONDITION, otherwise.condition_needs_basis),
        basic=tuple(map(Library, _words(policy, BASIC))) or otherwise.basic,
        themes=tuple(map(Library, _words(policy, THEMES))) or otherwise.themes,
        revisions_filed=_required(policy, FILING, otherwise.revisions_filed),
    )


def _required(policy: Bound, key: str, otherwise: bool) -> bool:
    decided = policy.decide(key, {})
    return decided[0].given.content == _REQUIRED if decided else otherwise


def _words(policy: Bound, key: str) -> tuple[str, ...]:
    decided = policy.decide(key, {})
    content = decided[0].given.content if decided else ()
    return content if isinstance(content, tuple) else ()
