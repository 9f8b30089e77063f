"""Keys whose last change was stopped: what is remembered of them, and what that means for the next change.

One entry per raw key, kept in a small compacted topic and written in the same transaction as the decision.
It answers two questions without a store of all states: which canonical key the next accepted change must
withdraw, and whether a release would put an older record over a newer one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from topics.event import EntityKey, RecordId


@dataclass(frozen=True, slots=True)
class StoppedEntry:
    """A raw key with at least one stopped change since its last accepted one."""

    last_accepted_known: bool
    last_accepted: EntityKey | None
    """Canonical key of the last accepted change; None where there was none (or it is not known)."""
    first_stopped: int
    """Raw offset of the first change stopped since."""
    last_stopped: int

    def record(self) -> dict[str, object]:
        """The entry as the record that StoppedKey.avsc describes."""
        key = self.last_accepted
        return {
            "last_accepted_known": self.last_accepted_known,
            "last_identity": key.identity if key else None,
            "last_record_id": key.record_id if key else None,
            "first_stopped": self.first_stopped,
            "last_stopped": self.last_stopped,
        }


def entry_from_record(record: Mapping[str, object]) -> StoppedEntry:
    """The inverse of ``StoppedEntry.record``."""
    identity, record_id = record["last_identity"], record["last_record_id"]
    key = None if identity is None else EntityKey(str(identity), RecordId(str(record_id)))
    return StoppedEntry(
        last_accepted_known=bool(record["last_accepted_known"]),
        last_accepted=key,
        first_stopped=int(str(record["first_stopped"])),
        last_stopped=int(str(record["last_stopped"])),
    )


@dataclass(frozen=True, slots=True)
class LastAccepted:
    """What the change that is being stopped tells about its key's last accepted state."""

    known: bool
    key: EntityKey | None


def after_stop(entry: StoppedEntry | None, offset: int, last: LastAccepted) -> StoppedEntry:
    """The entry once a change at ``offset`` has been stopped; an older entry keeps its first offset."""
    if entry is None:
        return StoppedEntry(last.known, last.key, offset, offset)
    return StoppedEntry(
        entry.last_accepted_known, entry.last_accepted, entry.first_stopped, max(entry.last_stopped, offset)
    )


def after_release(entry: StoppedEntry, released: int, accepted: EntityKey | None) -> StoppedEntry | None:
    """The entry once the release of ``released`` is accepted: gone, unless newer changes are stopped."""
    if released >= entry.last_stopped:
        return None
    return StoppedEntry(True, accepted, released + 1, entry.last_stopped)
