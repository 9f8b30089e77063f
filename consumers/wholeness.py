"""Up to when a reader of a compacted topic has missed nothing, per partition.

Compaction removes a superseded record, and later a tombstone, without moving the topic's first offset, so an
offset alone cannot tell whether something went by unread. What can is time: each record is kept for the
compaction lag, so a reader that was whole less than that ago still is. The time travels with the committed
offset, as its metadata. All times are seconds since 1970.
"""

from typing import Final

from consumers.errors import FellBehind

REBUILD: Final = (
    ", so deletions may have been missed. Ask the operator for a new epoch of the grant and go "
    "on with resume_behind, or rebuild: empty your copy and its positions and read from the beginning with a "
    "new group"
)
_PREFIX: Final = "govbus-whole-as-of:"


class Wholeness:
    """When each partition's reader was whole last."""

    def __init__(self, allowed_outage_s: float) -> None:
        self._allowed_s = allowed_outage_s
        self._as_of: dict[int, float] = {}
        self._at_end: set[int] = set()

    def begin(self, partition: int, as_of: float) -> None:
        """Reading starts: now where nothing is held yet, or the time that the last reader left behind."""
        self._as_of[partition] = as_of
        self._at_end.discard(partition)

    def read(self, partition: int, appended_at: float) -> None:
        """A record was handled that was appended at that time; all before it was read."""
        self._as_of[partition] = max(self._as_of.get(partition, appended_at), appended_at)
        self._at_end.discard(partition)

    def at_end(self, partition: int) -> None:
        """There is nothing more to read now."""
        self._at_end.add(partition)

    def as_of(self, partition: int, now: float) -> float:
        """The latest moment at which the reader of the partition was whole."""
        return now if partition in self._at_end else self._as_of.get(partition, now)

    def check(self, topic: str, now: float) -> None:
        """Compare each partition with how long every record is kept.

        Raises:
            FellBehind: a partition's reader has been behind for longer.
        """
        for partition in self._as_of:
            behind_s = now - self.as_of(partition, now)
            if behind_s > self._allowed_s:
                raise FellBehind(
                    f"{topic}, partition {partition}: the reader was last complete {behind_s / 86400:.1f} "
                    f"days ago, and every record is kept for {self._allowed_s / 86400:.1f} days{REBUILD}"
                )

    def forget(self) -> None:
        """The partitions went to another reader."""
        self._as_of.clear()
        self._at_end.clear()


def as_metadata(as_of: float) -> str:
    """The text that is committed with an offset."""
    return f"{_PREFIX}{int(as_of * 1000)}"


def from_metadata(text: str | None) -> float | None:
    """The time in the text, or None where another client committed the offset."""
    if not text or not text.startswith(_PREFIX):
        return None
    digits = text.removeprefix(_PREFIX)
    return int(digits) / 1000 if digits.isascii() and digits.isdigit() else None
