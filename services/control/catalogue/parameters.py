"""What an authority accepts in its catalogue: the values that differ from place to place (A15)."""

from dataclasses import dataclass
from typing import Final

from services.control.catalogue.vocabulary import BASIC_LIBRARIES, THEMES, BasisLevel, Library

NATIONAL_LEVELS: Final = frozenset(
    {BasisLevel.LAW, BasisLevel.ADMINISTRATIVE_REGULATION, BasisLevel.CENTRAL_POLICY}
)
"""Laws, administrative regulations and policy of the central authorities and the State Council."""


@dataclass(frozen=True, slots=True)
class CatalogueRules:
    """The parameters of the checks; the defaults are the narrowest that the regulations name."""

    denial_levels: frozenset[BasisLevel] = NATIONAL_LEVELS
    """Levels of basis that suffice for 不予共享 (C5)."""
    condition_levels: frozenset[BasisLevel] = NATIONAL_LEVELS
    """Levels of basis that suffice for 有条件共享."""
    condition_needs_basis: bool = True
    """Whether 有条件共享 needs a basis at all (C6)."""
    basic: tuple[Library, ...] = BASIC_LIBRARIES
    """The basic libraries (C14)."""
    themes: tuple[Library, ...] = THEMES
    """The themes (C15)."""
    revisions_filed: bool = False
    """Whether a revision is registered under the number of its filing only (A2-07)."""
