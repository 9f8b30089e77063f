"""What a resource holds of one source, and which of it a full volume did not see; pure.

A canonical key was *seen* if its newest record came of a raw record at or after the epoch's begin in that
raw partition: read by the snapshot or changed live, both count. A key whose row was only stopped meanwhile
counts as seen too; that is said of it by ``stopped``.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from topics.event import RecordId

DIGEST_BYTES: Final = 16
"""Of the digests that stand for keys: among 10⁹ keys two are alike with probability 10⁻²¹."""
_MODULUS: Final = 1 << 256
_PERCENT: Final = 100


def short(data: bytes) -> bytes:
    """What stands for a key in memory."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the newest canonical record of a key came from."""

    partition: int
    """Its raw partition."""
    offset: int
    incarnation: int
    commit: int


@dataclass(frozen=True, slots=True)
class Old:
    """A key that stands and that the epoch has not seen."""

    key: bytes
    """The canonical key, framed."""
    record: RecordId
    origin: Origin


@dataclass(slots=True)
class Holding:
    """Follows one canonical partition; takes the records of one raw topic in offset order.

    Of a key that was seen it keeps 16 bytes of digest and 32 of its value's; of one that was not, the key.
    """

    begins: Mapping[int, int]
    """Raw partition → first raw offset of the epoch."""
    _old: dict[bytes, Old] = field(default_factory=dict)
    _values: dict[bytes, bytes] = field(default_factory=dict)
    newest: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Raw partition → the newest incarnation and commit position that came of it."""

    def stands(self, key: bytes, record: RecordId, origin: Origin, value: bytes) -> None:
        """The key has this value now."""
        name = short(key)
        self._values[name] = hashlib.sha256(key + value).digest()
        if origin.offset < self.begins.get(origin.partition, 0):
            self._old[name] = Old(key, record, origin)
        else:
            self._old.pop(name, None)
        at = (origin.incarnation, origin.commit)
        self.newest[origin.partition] = max(at, self.newest.get(origin.partition, at))

    def gone(self, key: bytes) -> None:
        """The key was deleted or withdrawn."""
        name = short(key)
        self._values.pop(name, None)
        self._old.pop(name, None)

    def old(self) -> Iterable[Old]:
        """The keys that stand and were not seen."""
        return self._old.values()

    def __len__(self) -> int:
        return len(self._values)

    def digest(self) -> int:
        """The sum of the digests of key and value, modulo 2²⁵⁶: it does not depend on any order."""
        return sum(int.from_bytes(each, "big") for each in self._values.values()) % _MODULUS


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the sweep would do."""

    candidates: int
    """How many keys of the source, inside the filter, there are."""
    unseen: tuple[Old, ...]

    def waits(self, percent: float) -> bool:
        """Whether an operator must say that so much is meant to go."""
        return len(self.unseen) * _PERCENT > self.candidates * percent


def judged(
    holdings: Iterable[Holding],
    stopped: Callable[[RecordId], bool],
    covers: Callable[[RecordId], bool] | None,
) -> Verdict:
    """Which keys are to go: not seen, not stopped meanwhile, and inside the filter where there is one.

    Args:
        holdings: of every canonical partition.
        stopped: whether the last word about the row of a record id was a stopped change of the epoch.
        covers: the filter; None for the whole table, whose candidates are all keys.
    """
    found, candidates = [], 0
    for holding in holdings:
        old = [each for each in holding.old() if covers is None or covers(each.record)]
        found += [each for each in old if not stopped(each.record)]
        candidates += len(holding) if covers is None else len(old)
    return Verdict(candidates, tuple(sorted(found, key=lambda each: each.key)))


def whole_digest(holdings: Iterable[Holding]) -> str:
    """The digest of everything that stands, in hexadecimal."""
    return f"{sum(holding.digest() for holding in holdings) % _MODULUS:064x}"
