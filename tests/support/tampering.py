"""Ways to tamper with a bundle of evidence, each by somebody with other means; every one changes something.

- whoever got hold of the file changes its bytes, or its content and the digests, and cannot sign;
- a former holder of the key signs with the one that was replaced, also with an older date;
- whoever can sign bundles today changes what is inside them;
- whoever holds every key rewrites history from some point on, or restores an older log.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from services.evidence import canonical
from services.evidence.bundle import (
    CHECKPOINTS,
    CONSISTENCY,
    ENTRIES,
    FILES,
    POLICIES,
    Manifest,
    opened,
    sealed,
)
from services.evidence.checkpoints import Sealing, signed, signed_from
from services.evidence.entries import Entry
from services.evidence.sealed import Sealed
from tests.support.evidence import (
    HOUR,
    NEW,
    OLD,
    ROTATED,
    SEGMENTS,
    act,
    altered,
    bundle,
    intake,
    log_of,
    topics_of,
    trust_in,
)

Files = dict[str, bytes]
Tampering = Callable[[bytes, Random], bytes]


def flipped(content: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :]


def cut_off(content: bytes, chance: Random) -> bytes:
    return content[: chance.randrange(len(content))]


def with_bytes(content: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.randbytes(chance.choice((1, 7, 512, 1024))) + content[at:]


def without_bytes(content: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + content[at + chance.choice((1, 7, 512)) :]


def with_blocks_swapped(content: bytes, chance: Random) -> bytes:
    blocks = [content[at : at + 512] for at in range(0, len(content), 512)]
    one, other = chance.sample(range(len(blocks)), 2)
    blocks[one], blocks[other] = blocks[other], blocks[one]
    return b"".join(blocks)


def _lines(files: Files, name: str) -> list[bytes]:
    return files[name].splitlines()


def _put(files: Files, name: str, lines: Sequence[bytes]) -> None:
    files[name] = b"".join(line + b"\n" for line in lines)


def line_deleted(files: Files, chance: Random, name: str = ENTRIES) -> None:
    lines = _lines(files, name)
    del lines[chance.randrange(len(lines))]
    _put(files, name, lines)


def line_repeated(files: Files, chance: Random) -> None:
    lines = _lines(files, ENTRIES)
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    _put(files, ENTRIES, lines)


def line_invented(files: Files, chance: Random) -> None:
    lines = _lines(files, ENTRIES)
    model = canonical.decode(chance.choice(lines))
    model["offset"] += chance.randrange(1, 5)
    lines.insert(chance.randrange(len(lines) + 1), canonical.encode(model))
    _put(files, ENTRIES, lines)


def lines_swapped(files: Files, chance: Random) -> None:
    name = chance.choice((ENTRIES, CHECKPOINTS))
    lines = _lines(files, name)
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    _put(files, name, lines)


def entry_edited(files: Files, chance: Random) -> None:
    _edited(files, ENTRIES, chance)


def policy_edited(files: Files, chance: Random) -> None:
    _edited(files, POLICIES, chance)


def policy_deleted(files: Files, chance: Random) -> None:
    line_deleted(files, chance, POLICIES)


def proof_edited(files: Files, chance: Random) -> None:
    _edited(files, CONSISTENCY, chance)


def proof_deleted(files: Files, chance: Random) -> None:
    line_deleted(files, chance, CONSISTENCY)


def checkpoint_edited(files: Files, chance: Random) -> None:
    """A value is changed and the old signature stays."""
    _edited(files, CHECKPOINTS, chance)


def checkpoint_deleted(files: Files, chance: Random) -> None:
    line_deleted(files, chance, CHECKPOINTS)


def checkpoint_signed_with_the_old_key(files: Files, chance: Random) -> None:
    """Something else is said and signed by a key that was replaced; for some its time is put back too."""
    lines = _lines(files, CHECKPOINTS)
    at = chance.randrange(len(lines))
    one = signed_from(lines[at]).checkpoint
    # The log's beginning may be said by the old key: it sealed it. It then says another root.
    said = replace(one, root=chance.randbytes(32).hex(), key=OLD.key)
    if one.time_ms >= ROTATED and chance.random() < 0.5:
        said = replace(said, time_ms=ROTATED - 1 - chance.randrange(HOUR))
    lines[at] = signed(said, OLD.signer).text()
    _put(files, CHECKPOINTS, lines)


def _edited(files: Files, name: str, chance: Random) -> None:
    lines = _lines(files, name)
    at = chance.randrange(len(lines))
    value = canonical.decode(lines[at])
    holders = list(_leaves(value))
    holder, key = chance.choice(holders)
    holder[key] = _other(holder[key], chance)
    lines[at] = canonical.encode(value)
    _put(files, name, lines)


def _leaves(value: Any) -> Any:
    """Every place in a value that holds a text, number, truth value or null."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(inside):
        if isinstance(inner, dict | list):
            yield from _leaves(inner)
        else:
            yield value, key


def _other(value: Any, chance: Random) -> Any:
    if isinstance(value, int):
        return value + chance.choice((-1, 1, 1000))
    if isinstance(value, str) and value:
        at = chance.randrange(len(value))
        return (
            value[:at]
            + chance.choice([each for each in "0123456789ab" if each != value[at]])
            + value[at + 1 :]
        )
    return "x"


def sealed_again(content: bytes, change: Callable[[Files], None], sealing: Sealing, **said: Any) -> bytes:
    """Change the content, compute the digests anew and sign the manifest."""
    manifest, _, files = opened(content)
    change(files)
    digests: Mapping[str, str] = {name: hashlib.sha256(files[name]).hexdigest() for name in FILES}
    told: Manifest = replace(manifest, files=digests, key=sealing.key, **said)
    return sealed(told, files, sealing)


def rewritten(chance: Random) -> tuple[list[Sealed], list[list[Entry]]]:
    """History from some point on as who has every key would like it: the log, and its entries."""
    segments = [list(each) for each in SEGMENTS]
    at = chance.randrange(len(segments))
    place = chance.randrange(len(segments[at]))
    one, number = segments[at][place], chance.randrange(10**9)
    kind = chance.randrange(4)
    if kind == 0:
        segments[at][place] = altered(one, invented=number)
    elif kind == 1:
        del segments[at][place]
    elif kind == 2:
        # Between two records there is room where a transaction's marker stood.
        segments[at].insert(place, replace(altered(one, invented=number), offset=one.offset + 1))
    else:
        segments.insert(max(1, at), [intake(2 * number, 0, 1, partition=3)])
    return log_of(segments), segments


def forked(chance: Random) -> bytes:
    """A bundle of a rewritten history, every signature of it good."""
    log, segments = rewritten(chance)
    return bundle(log, topics_of(segments), trust_in(log), hours=(-1, 9))


def rolled_back(chance: Random) -> bytes:
    """A bundle of an older copy of the log, or of one that went on otherwise; asked for are all hours."""
    kept = chance.randrange(1, len(SEGMENTS))
    segments = [list(each) for each in SEGMENTS[:kept]]
    for number in range(chance.randrange(0, 4)):
        segments.append([act(40 + 10_000_000 * number + 2 * chance.randrange(10**6))])
    log = log_of(segments)
    return bundle(log, topics_of(segments), trust_in(log), hours=(-1, 9))


def by_nobody(change: Callable[[Files, Random], None]) -> Tampering:
    """Content and digests are changed; the signature of the manifest stays."""

    def tamper(content: bytes, chance: Random) -> bytes:
        manifest, signature, files = opened(content)
        change(files, chance)
        digests = {name: hashlib.sha256(files[name]).hexdigest() for name in FILES}
        forger = _Copied(signature)
        return sealed(replace(manifest, files=digests), files, Sealing(manifest.key, forger))

    return tamper


def by_the_old_key(change: Callable[[Files, Random], None]) -> Tampering:
    """The manifest is signed by the key that was replaced, today or dated back to when it was in use."""

    def tamper(content: bytes, chance: Random) -> bytes:
        dated = {} if chance.random() < 0.5 else {"made_ms": ROTATED - 1}
        return sealed_again(content, lambda files: change(files, chance), OLD, **dated)

    return tamper


def by_an_insider(change: Callable[[Files, Random], None]) -> Tampering:
    """The manifest is signed by today's key: only what was sealed before speaks against it."""
    return lambda content, chance: sealed_again(content, lambda files: change(files, chance), NEW)


class _Copied:
    """Has no key, and puts a signature of something else."""

    def __init__(self, signature: str) -> None:
        self.public = b""
        self._signature = bytes.fromhex(signature)

    def sign(self, message: bytes) -> bytes:
        return self._signature
