"""What deciding again needs beside the records: policy versions, disputes by number, schemas by id."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.registry import SchemaNotFound
from services.ledger.decode import Decoder, SchemaSource
from services.ledger.evidence import read_policies
from services.ledger.reader import TopicReader, in_order, read_whole
from topics.disputes import DisputeChange, Disputes, Folding, RefuseChange, change_from
from topics.event import SchemaId
from topics.names import DISPUTES
from topics.policy import Policy

_KEPT: Final = 4
"""Numbers of disputes of which the fold is kept: chains go through them in order."""


class SecretMissing(Exception):  # noqa: N818 - named after what to provide
    """A version of the master secret is not here, and without it nothing can be delivered again."""


@dataclass(slots=True)
class Known:
    """All of it, read once; ``secret`` gives one version of the master secret."""

    reader: TopicReader
    registry: SchemaSource
    secret: Callable[[int], bytes] = field(repr=False)
    decoder: Decoder = field(init=False)
    _policies: dict[int, Policy] | None = None
    _changes: list[DisputeChange] | None = None
    _folded: dict[int, Disputes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.decoder = Decoder(self.registry)

    @property
    def policies(self) -> Mapping[int, Policy]:
        """Every policy version that there was."""
        if self._policies is None:
            self._policies = read_policies(self.reader, self.decoder)
        return self._policies

    def newest(self) -> Policy:
        """The policy version of now.

        Raises:
            LookupError: there is none.
        """
        if not self.policies:
            raise LookupError("there is no policy yet")
        return self.policies[max(self.policies)]

    def disputes(self, number: int) -> Disputes:
        """The disputes that were open after so many changes.

        Raises:
            LookupError: the topic holds fewer.
        """
        if number not in self._folded:
            folding = Folding()
            for change in self._all_changes():
                if folding.number < number:
                    folding.take(change)
            if folding.number != number:
                raise LookupError(f"the topic of disputes ends before change {number}")
            while len(self._folded) >= _KEPT:
                self._folded.pop(next(iter(self._folded)))
            self._folded[number] = folding.disputes()
        return self._folded[number]

    def open_disputes(self) -> Disputes:
        """The disputes that are open after all changes that the topic holds."""
        return self.disputes(len(self._all_changes()))

    def schemas(self, ids: Iterable[SchemaId]) -> dict[SchemaId, Any]:
        """The schemas of these ids; one that the registry does not know is absent, as live."""
        found: dict[SchemaId, Any] = {}
        for schema_id in ids:
            try:
                found[schema_id] = dict(self.registry.schema(schema_id))
            except SchemaNotFound:
                continue
        return found

    def secrets(self, policies: Iterable[Policy]) -> dict[int, bytes]:
        """The master secrets that these versions use, and those of their disputes."""
        versions = {entry.key_version for policy in policies for entry in policy.grants.values()}
        contested = {change.contested for change in self._all_changes()}
        versions |= {each.key_version for each in contested if each is not None}
        return {version: self.secret(version) for version in sorted(versions or {1})}

    def _all_changes(self) -> list[DisputeChange]:
        """Those that were taken, in order; what no reader could take, nobody knew."""
        if self._changes is None:
            folding, taken = Folding(), []
            for record in in_order(read_whole(self.reader, DISPUTES)):
                try:
                    change = change_from(self.decoder.value(record) or {})
                    folding.take(change)
                except RefuseChange:
                    continue
                taken.append(change)
            self._changes = taken
        return self._changes
