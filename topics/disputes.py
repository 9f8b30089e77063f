"""Disputed records: reported as wrong and not decided yet, known by keyed hashes and never by name.

A dispute holds a keyed hash of the record's canonical key and of each value that is disputed. One rule tells
whether a version of the record still says what is disputed: the fan-out marks those that do, the control
plane takes the first one that does not for the correction. So a corrected version carries no mark, whoever
learns of it first. (Requirement A9-06; docs/adr/0040-disputed-records-are-marked-at-the-fan-out.md)
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from topics.event import Record, ResourceId
from topics.grants.keys import joined

WHOLE: Final = "*"
"""Said in place of items where the record as a whole is disputed."""
MOST_OPEN: Final = 10_000
"""Disputes that may be open at once: an instance of the fan-out holds them all, about a kilobyte each."""
MOST_ITEMS: Final = 100
HASH_LENGTH: Final = 32
"""Hexadecimal characters: 128 bits."""

_ITEM: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_HASH: Final = re.compile(rf"[0-9a-f]{{{HASH_LENGTH}}}")
_ID: Final = re.compile(r"[!-~]{1,60}")


class RefuseChange(ValueError):  # noqa: N818 - named after what its catcher does
    """The change does not follow what is known, or has not its form: go on with the disputes as they were."""


class DisputeKeyMissing(Exception):  # noqa: N818 - named after what to provide
    """A dispute names a version of the master secret that is not here: provide it."""


@dataclass(frozen=True, slots=True)
class Contested:
    """One record of one resource, and which of its values are disputed."""

    resource: ResourceId
    partition: int
    """Of the canonical topic; it comes from the identity and never changes."""
    record: str
    """Keyed hash of the canonical key."""
    values: tuple[tuple[str, str], ...] = ()
    """Each disputed item with the keyed hash of its value; none where the record as a whole is disputed."""
    key_version: int = 1
    """Version of the master secret that the hashes are made with."""


class Act(StrEnum):
    """What a change does with a dispute."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class DisputeChange:
    """One record of the topic of disputes: immutable, and numbered without gaps by its one writer."""

    number: int
    act: Act
    dispute: str
    """The dispute's own id; it says nothing about the record."""
    contested: Contested | None = None
    """Given with OPEN."""


@dataclass(frozen=True, slots=True)
class Disputes:
    """The disputes that are open after so many changes: the same number always means the same disputes."""

    number: int = 0
    open: Mapping[str, Contested] = field(default_factory=lambda: MappingProxyType({}))


def dispute_key(master: bytes, version: int) -> bytes:
    """The key of all hashes of disputes, derived from that version of the master secret."""
    return hmac.new(master, joined("dispute-key", str(version)), hashlib.sha256).digest()


def record_hash(key: bytes, resource: ResourceId, canonical_key: bytes) -> str:
    """The hash of a record: of its canonical key's Avro bytes, without the schema id before them."""
    return _hashed(key, _record_prefix(resource) + canonical_key)


def value_hash(key: bytes, record: str, item: str, value: object) -> str:
    """The hash of one item's value, bound to its record: equal values of two records do not look alike."""
    return _hashed(key, joined("dispute-value", record, item, _plain(value)))


def _record_prefix(resource: ResourceId) -> bytes:
    return joined("dispute-record", resource)


def _hashed(key: bytes, text: bytes) -> str:
    return hmac.digest(key, text, "sha256").hex()[:HASH_LENGTH]


def contested_values(
    key: bytes, record: str, items: Iterable[str], state: Record
) -> tuple[tuple[str, str], ...]:
    """What these items say in one state, as hashes; in the order of their names."""
    return tuple((item, value_hash(key, record, item, state.get(item))) for item in sorted(set(items)))


def standing(contested: Contested, state: Record | None, key: bytes) -> tuple[str, ...]:
    """The disputed items of which the state still says what is disputed; ``WHOLE`` stands for the record.

    A value that cannot be read in the policy's items cannot be told from the disputed one and counts as such.
    """
    if state is None:
        return ()
    if not contested.values:
        return (WHOLE,)
    return tuple(item for item, said in contested.values if _says(contested, state, key, item, said))


def _says(contested: Contested, state: Record, key: bytes, item: str, said: str) -> bool:
    try:
        value = state.get(item)
    except Exception:  # noqa: BLE001 - see ``standing``; a mark must never keep a record from its readers
        return True
    return value_hash(key, contested.record, item, value) == said


def _plain(value: object) -> str:
    """One text per value; a whole number is the same in an item that has become one of fractions."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_other)


def _other(value: object) -> Any:
    return {"bytes": value.hex()} if isinstance(value, bytes) else {type(value).__name__: str(value)}


# --- the disputes that are open ---------------------------------------------------------------------------


class Folding:
    """The disputes while changes come: each is taken if it follows what was taken before it."""

    def __init__(self, before: Disputes | None = None) -> None:
        found = before or Disputes()
        self._number, self._open = found.number, dict(found.open)

    def take(self, change: DisputeChange) -> None:
        """Take one more change.

        Raises:
            RefuseChange: it does not follow the one before it, or has not its form; nothing was taken.
        """
        problem = next(change_problems(change, self._number, self._open), None)
        if problem is not None:
            raise RefuseChange(f"change {change.number} of the disputes: {problem}")
        self._number = change.number
        if change.contested is not None:
            self._open[change.dispute] = change.contested
        else:
            del self._open[change.dispute]

    @property
    def number(self) -> int:
        """The number of the last change that was taken."""
        return self._number

    def disputes(self) -> Disputes:
        """The disputes that are open now; later changes leave them as they are."""
        return Disputes(self._number, MappingProxyType(dict(self._open)))


def folded(changes: Iterable[DisputeChange], before: Disputes | None = None) -> Disputes:
    """The disputes after these changes.

    Raises:
        RefuseChange: one does not follow the one before it, or has not its form.
    """
    folding = Folding(before)
    for change in changes:
        folding.take(change)
    return folding.disputes()


def change_problems(change: DisputeChange, number: int, still_open: Mapping[str, Contested]) -> Iterator[str]:
    """Yield what is wrong with a change after change ``number``; the texts hold nothing personal."""
    if change.number != number + 1:
        yield f"it follows {number}, so its number is {number + 1}"
    if not _ID.fullmatch(change.dispute):
        yield "its dispute has no id of printable ASCII"
    if (change.act is Act.OPEN) != (change.contested is not None):
        yield "what is disputed is said where a dispute is opened, and nowhere else"
    if change.act is Act.CLOSE and change.dispute not in still_open:
        yield "its dispute is not open"
    if change.act is Act.OPEN and change.dispute in still_open:
        yield "its dispute is open already"
    if change.act is Act.OPEN and len(still_open) >= MOST_OPEN:
        yield f"{MOST_OPEN} disputes are open, and no more may be"
    if change.contested is not None:
        yield from contested_problems(change.contested)


def contested_problems(contested: Contested) -> Iterator[str]:
    """Yield what is wrong with the form of what is disputed."""
    items = [item for item, _ in contested.values]
    if not contested.resource or contested.partition < 0 or contested.key_version < 1:
        yield "resource, partition or key version is none"
    if not _HASH.fullmatch(contested.record) or not all(
        _HASH.fullmatch(said) for _, said in contested.values
    ):
        yield f"a hash is not {HASH_LENGTH} hexadecimal characters"
    if not all(_ITEM.fullmatch(item) for item in items):
        yield "an item has no name of an item"
    if len(set(items)) != len(items) or len(items) > MOST_ITEMS:
        yield f"items are named twice, or are more than {MOST_ITEMS}"


def change_record(change: DisputeChange) -> dict[str, Any]:
    """The change as the record that DisputeChange.avsc describes."""
    said = change.contested
    return {
        "number": change.number,
        "act": change.act.value,
        "dispute": change.dispute,
        "contested": None
        if said is None
        else {
            "resource": said.resource,
            "partition": said.partition,
            "record": said.record,
            "values": [{"item": item, "hash": hashed} for item, hashed in said.values],
            "key_version": said.key_version,
        },
    }


def change_from(record: Mapping[str, Any]) -> DisputeChange:
    """The change that a decoded record holds.

    Raises:
        RefuseChange: it is none.
    """
    try:
        said = record["contested"]
        contested = None if said is None else _contested(said)
        return DisputeChange(int(record["number"]), Act(record["act"]), str(record["dispute"]), contested)
    except (KeyError, TypeError, ValueError) as error:
        raise RefuseChange(f"a change of the disputes is malformed: {type(error).__name__}") from error


def _contested(said: Mapping[str, Any]) -> Contested:
    values = tuple((str(each["item"]), str(each["hash"])) for each in said["values"])
    return Contested(
        ResourceId(said["resource"]),
        int(said["partition"]),
        str(said["record"]),
        values,
        int(said["key_version"]),
    )


# --- compiled for deciding --------------------------------------------------------------------------------

_Place = tuple[ResourceId, int]


class _Keyed(NamedTuple):
    """The disputed records of a partition whose hashes are made with one key."""

    key: bytes
    prefix: bytes
    records: dict[str, list[Contested]]


class DisputeMarks:
    """The open disputes, compiled: which records of a partition are disputed, and which items of them."""

    def __init__(self, disputes: Disputes, key_of: Callable[[int], bytes]) -> None:
        """Compile.

        Args:
            disputes: those that are open.
            key_of: the key of disputes of a version of the master secret; raises DisputeKeyMissing.
        """
        self.number = disputes.number
        self._keys = {each.key_version: key_of(each.key_version) for each in disputes.open.values()}
        self._places: dict[_Place, dict[int, _Keyed]] = {}
        self._resources = frozenset(each.resource for each in disputes.open.values())
        for contested in disputes.open.values():
            versions = self._places.setdefault((contested.resource, contested.partition), {})
            version = contested.key_version
            keyed = _Keyed(self._keys[version], _record_prefix(contested.resource), {})
            versions.setdefault(version, keyed).records.setdefault(contested.record, []).append(contested)

    def about(self, resource: ResourceId) -> bool:
        """Whether any record of that resource is disputed."""
        return resource in self._resources

    def touches(self, resource: ResourceId, partition: int) -> bool:
        """Whether any record of that partition is disputed: where not, nothing more is to be asked."""
        return (resource, partition) in self._places

    def met(self, resource: ResourceId, partition: int, canonical_key: bytes) -> tuple[Contested, ...]:
        """The disputes of the record with that key, given as Avro bytes without the schema id."""
        found: list[Contested] = []
        for key, prefix, records in self._places.get((resource, partition), {}).values():
            found += records.get(_hashed(key, prefix + canonical_key), ())
        return tuple(found)

    def items(self, met: Iterable[Contested], state: Record | None) -> frozenset[str]:
        """The items of a state that are disputed; ``WHOLE`` where the record is as a whole."""
        return frozenset(item for each in met for item in standing(each, state, self._keys[each.key_version]))


def keys_from(master_secrets: Mapping[int, bytes]) -> Callable[[int], bytes]:
    """The key of disputes by version of the master secret, for ``DisputeMarks``."""

    def key_of(version: int) -> bytes:
        if version not in master_secrets:
            raise DisputeKeyMissing(f"a dispute needs version {version} of the master secret")
        return dispute_key(master_secrets[version], version)

    return key_of
