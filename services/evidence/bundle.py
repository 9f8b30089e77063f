"""What a bundle holds, file by file, and its signed manifest; docs/auditor.md shows the layout."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.evidence import canonical
from services.evidence.archive import packed, unpacked
from services.evidence.checkpoints import Sealing, Signed, signed_from
from services.evidence.faults import Fault, Faulty
from services.evidence.hashing import HASH_BYTES

FORMAT: Final = "govbus-evidence/1"
_CONTEXT: Final = b"govbus-evidence/1\x00"
MANIFEST: Final = "manifest.json"
CHECKPOINTS: Final = "checkpoints.jsonl"
CONSISTENCY: Final = "consistency.jsonl"
POLICIES: Final = "policies.jsonl"
ENTRIES: Final = "entries.jsonl"
FILES: Final = (CHECKPOINTS, CONSISTENCY, POLICIES, ENTRIES)
_NAMES: Final = frozenset({"base", "files", "format", "from_ms", "key", "last", "log", "made_ms", "to_ms"})
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the bundle says of itself."""

    log: str
    from_ms: int
    """The stretch of time that was asked for; the bundle covers it with whole checkpoints."""
    to_ms: int
    base: int
    """Number of the checkpoint after which its entries begin; 0 for the beginning of the log."""
    last: int
    """Number of the checkpoint up to which they go."""
    made_ms: int
    key: str
    files: Mapping[str, str]
    """SHA-256 of each other file, hexadecimal."""

    def message(self) -> bytes:
        """What its signature is over."""
        return _CONTEXT + canonical.encode(_body(self))


@dataclass(frozen=True, slots=True)
class Consistency:
    """The proof that the log of size ``new`` begins with the log of size ``old``."""

    old: int
    new: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PolicyProof:
    """An entry, such as a policy version's, and the proof that it stands at ``index`` of the log."""

    index: int
    text: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything but the manifest."""

    checkpoints: Sequence[Signed]
    """The base, if there is one, and each after it up to the last."""
    consistency: Sequence[Consistency]
    policies: Sequence[PolicyProof]
    entries: Sequence[bytes]
    """The text of every entry between base and last, in the order of the log."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the manifest says that does not follow from the contents; times in milliseconds."""

    from_ms: int
    to_ms: int
    base: int
    made_ms: int


def made(contents: Contents, asked: Asked, sealing: Sealing) -> bytes:
    """The bundle's bytes, with a manifest signed by that key."""
    files = {
        CHECKPOINTS: lines(each.text() for each in contents.checkpoints),
        CONSISTENCY: lines(consistency_text(each) for each in contents.consistency),
        POLICIES: lines(proof_text(each) for each in contents.policies),
        ENTRIES: lines(contents.entries),
    }
    last = contents.checkpoints[-1].checkpoint
    manifest = Manifest(
        log=last.log,
        from_ms=asked.from_ms,
        to_ms=asked.to_ms,
        base=asked.base,
        last=last.number,
        made_ms=asked.made_ms,
        key=sealing.key,
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )
    return sealed(manifest, files, sealing)


def sealed(manifest: Manifest, files: Mapping[str, bytes], sealing: Sealing) -> bytes:
    """Sign the manifest and pack it before the files."""
    signature = sealing.signer.sign(manifest.message()).hex()
    text = canonical.encode({"manifest": _body(manifest), "signature": signature})
    return packed({MANIFEST: text, **{name: files[name] for name in FILES}})


def opened(archive: bytes) -> tuple[Manifest, str, dict[str, bytes]]:
    """The manifest, its signature and the other files as they are; nothing is verified yet.

    Raises:
        Faulty: it is no bundle.
    """
    files = unpacked(archive, (MANIFEST, *FILES))
    try:
        manifest, signature = _signed(canonical.decode(files.pop(MANIFEST)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Faulty(Fault.BUNDLE_MALFORMED, MANIFEST, str(error)) from error
    return manifest, signature, files


def contents_of(files: Mapping[str, bytes]) -> Contents:
    """What the files hold; nothing of it is verified yet.

    Raises:
        Faulty: a line is not what it should be.
    """
    return Contents(
        checkpoints=parsed(files, CHECKPOINTS, signed_from),
        consistency=parsed(files, CONSISTENCY, consistency_from),
        policies=parsed(files, POLICIES, proof_from),
        entries=parsed(files, ENTRIES, bytes),
    )


def parsed(files: Mapping[str, bytes], name: str, parse: Any) -> list[Any]:
    """Each line of a file, parsed.

    Raises:
        Faulty: a line is not what it should be.
    """
    found_lines = files[name].split(b"\n")
    if found_lines.pop():
        raise Faulty(Fault.BUNDLE_MALFORMED, name, "the last line has no end")
    found = []
    for number, line in enumerate(found_lines, 1):
        try:
            found.append(parse(line))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise Faulty(Fault.BUNDLE_MALFORMED, f"{name} line {number}", str(error)) from error
    return found


def lines(texts: Iterable[bytes]) -> bytes:
    """The texts, each with its line end."""
    return b"".join(text + b"\n" for text in texts)


def _body(manifest: Manifest) -> dict[str, Any]:
    return {"format": FORMAT, **asdict(manifest), "files": dict(manifest.files)}


def _signed(found: Mapping[str, Any]) -> tuple[Manifest, str]:
    signature = str(found["signature"])
    if set(found) != {"manifest", "signature"} or not _HEX.fullmatch(signature):
        raise ValueError("not the names of a manifest, or no signature")
    return _manifest(found["manifest"]), signature


def _manifest(body: Mapping[str, Any]) -> Manifest:
    if set(body) != _NAMES or body["format"] != FORMAT or set(body["files"]) != set(FILES):
        raise ValueError("not the names of a manifest")
    numbers = [body[name] for name in ("from_ms", "to_ms", "base", "last", "made_ms")]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("numbers of a manifest are whole and not negative")
    return Manifest(
        log=str(body["log"]),
        from_ms=body["from_ms"],
        to_ms=body["to_ms"],
        base=body["base"],
        last=body["last"],
        made_ms=body["made_ms"],
        key=str(body["key"]),
        files={name: str(digest) for name, digest in body["files"].items()},
    )


def consistency_text(proof: Consistency) -> bytes:
    """The line of a proof of consistency."""
    return canonical.encode({"old": proof.old, "new": proof.new, "path": _written(proof.path)})


def consistency_from(line: bytes) -> Consistency:
    """The proof that a line holds.

    Raises:
        KeyError, TypeError, ValueError: it holds none.
    """
    found = canonical.decode(line)
    if set(found) != {"old", "new", "path"} or type(found["old"]) is not int or type(found["new"]) is not int:
        raise ValueError("a proof of consistency names two sizes and a path")
    return Consistency(found["old"], found["new"], _path(found["path"]))


def proof_text(proof: PolicyProof) -> bytes:
    """The line of an entry with its proof of inclusion."""
    entry = canonical.decode(proof.text)
    return canonical.encode({"entry": entry, "index": proof.index, "path": _written(proof.path)})


def proof_from(line: bytes) -> PolicyProof:
    """The entry and its proof that a line holds.

    Raises:
        KeyError, TypeError, ValueError: it holds none.
    """
    found = canonical.decode(line)
    if set(found) != {"entry", "index", "path"} or type(found["index"]) is not int:
        raise ValueError("a policy comes with its index and a path")
    return PolicyProof(found["index"], canonical.encode(found["entry"]), _path(found["path"]))


def _written(path: Iterable[bytes]) -> list[str]:
    return [step.hex() for step in path]


def _path(steps: Any) -> tuple[bytes, ...]:
    if not isinstance(steps, list) or not all(
        isinstance(each, str) and len(each) == 2 * HASH_BYTES and _HEX.fullmatch(each) for each in steps
    ):
        raise ValueError("a path is a list of digests")
    return tuple(bytes.fromhex(step) for step in steps)
