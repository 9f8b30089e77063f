"""What is wrong with how an entry is shared and opened: by default shared, narrower only with a basis."""

from collections.abc import Iterator
from typing import Final

from services.control.catalogue.entry import Entry, Sharing
from services.control.catalogue.fields import Field
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.problems import Problem, choices, named
from services.control.catalogue.rules import Rule
from services.control.catalogue.vocabulary import (
    MODES_OF_FORMAT,
    BasisLevel,
    OpenType,
    ShareMode,
    Use,
    word,
)
from topics.resource import ShareType

_OFF_PLATFORM: Final = frozenset({ShareMode.MAIL, ShareMode.MEDIUM})


def sharing_problems(entry: Entry, rules: CatalogueRules) -> Iterator[Problem]:
    """Yield what is wrong with type, condition, use, basis and mode (requirements A3-01 to A3-07)."""
    sharing = entry.sharing
    if entry.licensing and sharing.share_type is not ShareType.UNCONDITIONAL:
        # Requirement A3-05.
        yield Problem(Rule.LICENSING_NOT_UNCONDITIONAL, Field.SHARE_TYPE, word(sharing.share_type))
    if sharing.share_type is ShareType.UNCONDITIONAL:
        if sharing.condition:
            yield Problem(Rule.CONDITION_NEEDLESS, Field.SHARE_CONDITION, sharing.condition)
    else:
        yield from _narrower(sharing, rules)
    yield from _mode(entry)


def _narrower(sharing: Sharing, rules: CatalogueRules) -> Iterator[Problem]:
    conditional = sharing.share_type is ShareType.CONDITIONAL
    facts = named("type", sharing.share_type)
    if not sharing.condition:
        yield Problem(Rule.CONDITION_MISSING, Field.SHARE_CONDITION, facts=facts)
    if conditional and sharing.use is None:
        yield Problem(Rule.USE_MISSING, Field.SHARE_USE, facts=choices(Use))
    if conditional and not rules.condition_needs_basis:
        return
    if not sharing.basis:
        yield Problem(Rule.BASIS_MISSING, Field.BASIS, facts=facts)
    accepted = rules.condition_levels if conditional else rules.denial_levels
    if sharing.basis_level is None:
        yield Problem(Rule.BASIS_MISSING, Field.BASIS_LEVEL, facts=facts)
    elif sharing.basis_level not in accepted:
        known = choices(each for each in BasisLevel if each in accepted)
        value = word(sharing.basis_level)
        yield Problem(Rule.BASIS_LEVEL_TOO_LOW, Field.BASIS_LEVEL, value, facts={**facts, **known})


def _mode(entry: Entry) -> Iterator[Problem]:
    mode, kind = entry.sharing.mode, entry.form.format_class
    if mode is None:
        if entry.sharing.share_type is not ShareType.NOT_SHARED:
            yield Problem(Rule.MISSING, Field.SHARE_MODE)
    elif mode in _OFF_PLATFORM:
        # Requirement A1-10: all exchange between departments is on the platform.
        yield Problem(Rule.MODE_OFF_PLATFORM, Field.SHARE_MODE, word(mode))
    elif kind is not None and mode not in MODES_OF_FORMAT[kind]:
        known = choices(each for each in ShareMode if each in MODES_OF_FORMAT[kind])
        facts = {**named("format", kind), **known}
        yield Problem(Rule.MODE_DIFFERS, Field.SHARE_MODE, word(mode), facts=facts)


def opening_problems(entry: Entry, _rules: CatalogueRules) -> Iterator[Problem]:
    """Yield what is wrong with opening it to the public (requirements A10-02, A13)."""
    opening = entry.opening
    if opening.open_type is None:
        return
    value = word(opening.open_type)
    if entry.sharing.share_type is ShareType.NOT_SHARED and opening.open_type is not OpenType.NOT_OPEN:
        yield Problem(Rule.NOT_SHARED_BUT_OPEN, Field.OPEN_TYPE, value)
    if opening.open_type is OpenType.UNCONDITIONAL and opening.condition:
        yield Problem(Rule.OPEN_CONDITION_NEEDLESS, Field.OPEN_CONDITION, opening.condition)
    if opening.open_type is not OpenType.UNCONDITIONAL and not opening.condition:
        facts = named("type", opening.open_type)
        yield Problem(Rule.OPEN_CONDITION_MISSING, Field.OPEN_CONDITION, facts=facts)
