"""The words of a replay: what it is for, how a block fares, and what a stretch comes to."""

from enum import StrEnum


class Purpose(StrEnum):
    """What a replay is for."""

    AUDIT = "audit"
    """Decide again under the policy of then and compare with the ledger; writes nothing."""
    WHAT_IF = "what-if"
    """Decide again under another policy and list what would be different; writes nothing."""
    REDELIVER = "redeliver"
    """Deliver again, as far as it is authorised today."""


class Fate(StrEnum):
    """How one decision block fared when it was decided again."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    NOT_RETAINED = "not-retained"
    """Records that it counted are kept no more: nothing can be said of it."""
    NOT_TOLD = "not-told"
    """It came out otherwise, but what it depended on is kept no more or was never recorded."""


class Verdict(StrEnum):
    """What the whole stretch comes to."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    INCOMPLETE = "incomplete"
    """Nothing differs, and not everything could be decided again."""
    EMPTY = "empty"
    """No block lies in the scope."""
