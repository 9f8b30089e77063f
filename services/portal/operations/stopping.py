"""What the form of an order asks for before it is given: a reason, and the name of what is meant."""

from services.api.uses.stopping import Meant
from topics.grants.hold import LONGEST_REASON


def order_problems(wanted: Meant, reason: str, typed: str) -> tuple[str, ...]:
    """Which fields of the form keep the order from being carried out."""
    found = []
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        found.append("reason")
    if typed.strip() != wanted.typed:
        found.append("confirm")
    return tuple(found)
