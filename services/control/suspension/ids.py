"""Ids of suspensions and resumptions: readable, in the order of their time, never the same twice."""

from datetime import UTC, datetime
from typing import Final

from topics.grants.hold import Hold, HoldScope

CASE_HOLD: Final = "c"
"""What the ids of suspensions begin with that a case has ordered: only the case lifts them."""


def new_id(prefix: str, now_ms: int, chance: bytes) -> str:
    """``s-20261126-101500-123-9f3a6c`` from ``s``, the time in ms since 1970 and three random bytes."""
    seconds, milliseconds = divmod(now_ms, 1000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{prefix}-{moment:%Y%m%d-%H%M%S}-{milliseconds:03d}-{chance.hex()}"


def ordered_at(id_: str) -> datetime:
    """When an order was given, to the second, by its id.

    Raises:
        ValueError: the id is none of ``new_id``.
    """
    _, day, second, *_ = id_.split("-")
    return datetime.strptime(f"{day}{second}+0000", "%Y%m%d%H%M%S%z")


def is_of_case(hold: Hold) -> bool:
    """Whether the suspension was ordered by the case of the grant that it names."""
    return hold.scope is HoldScope.GRANT and hold.id.startswith(f"{CASE_HOLD}-")
