"""Ids of suspensions and resumptions: readable, in the order of their time, never the same twice."""

from datetime import UTC, datetime


def new_id(prefix: str, now_ms: int, chance: bytes) -> str:
    """``s-20261126-101500-123-9f3a6c`` from ``s``, the time in ms since 1970 and three random bytes."""
    seconds, milliseconds = divmod(now_ms, 1000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{prefix}-{moment:%Y%m%d-%H%M%S}-{milliseconds:03d}-{chance.hex()}"
