"""Published keys: what is remembered of the accepted version, and where another version of the key stands.

One entry per raw key of a published source, kept in a small compacted topic and written in the same
transaction as the decision (docs/adr/0014-published-versions.md). Only what was accepted is remembered, so a
stopped version neither blocks a newer one nor counts against an older one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.gate.stopped import StoppedEntry
from topics.event import Change, EntityKey, Operation, RecordId

_DIGEST_BYTES: Final = 12


class Standing(StrEnum):
    """Where a version stands beside the accepted one of its key."""

    NEWER = "newer"
    SENT_AGAIN = "sent-again"
    REUSED = "reused"
    """Another content under the accepted version's number."""
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class AcceptedVersion:
    """A published raw key of which a version was accepted."""

    resource_version: int
    """The N of the resource's ``v<N>``: what another one accepted stands in another canonical topic."""
    version: int
    content: bytes
    """See ``content_digest``."""
    last_accepted: EntityKey | None
    """Canonical key that stands; None where the accepted version was a delete."""
    last_accepted_known: bool = True
    """False only where a decision is made again: the ledger keeps no identities."""

    def standing_of(self, change: Change) -> Standing:
        """Where a change of this key stands; its commit position is the publisher's version."""
        version = change.position.commit
        if version != self.version:
            return Standing.NEWER if version > self.version else Standing.OLDER
        return Standing.SENT_AGAIN if content_digest(change) == self.content else Standing.REUSED

    def record(self) -> dict[str, object]:
        """The entry as the record that AcceptedVersion.avsc describes."""
        key = self.last_accepted
        return {
            "resource_version": self.resource_version,
            "version": self.version,
            "content": self.content,
            "last_identity": key.identity if key else None,
            "last_record_id": key.record_id if key else None,
        }


Remembered = StoppedEntry | AcceptedVersion
"""What is remembered of a raw key: of a captured one its stopped changes, of a published one its version."""


def version_from_record(record: Mapping[str, object]) -> AcceptedVersion:
    """The inverse of ``AcceptedVersion.record``."""
    identity, record_id, content = (record[name] for name in ("last_identity", "last_record_id", "content"))
    return AcceptedVersion(
        resource_version=int(str(record["resource_version"])),
        version=int(str(record["version"])),
        content=content if isinstance(content, bytes) else b"",
        last_accepted=None if identity is None else EntityKey(str(identity), RecordId(str(record_id))),
    )


def after_acceptance(change: Change, key: EntityKey | None, resource_version: int) -> AcceptedVersion:
    """The entry once the change is accepted; ``key`` is where its record stands, unless it is a delete."""
    standing = None if change.operation is Operation.DELETE else key
    return AcceptedVersion(resource_version, change.position.commit, content_digest(change), standing)


def content_digest(change: Change) -> bytes:
    """What two sendings of one version have in common: the operation and the items that are not null.

    A delete's record only names the row, so it does not count; neither does the time of occurrence. An item
    that a newer schema added as null changes nothing.
    """
    items = {} if change.operation is Operation.DELETE else change.after or {}
    given = {name: value for name, value in items.items() if value is not None}
    text = json.dumps([change.operation.value, given], sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]
