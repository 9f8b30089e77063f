"""What a receipt holds: what became of one canonical record, under one grant or all, with proofs.

A bundle proves that nothing is missing in a stretch of the log; a receipt proves single entries and shows
nothing of others. It has the bundle's archive form and signature, under names of its own. A receipt for a
department may name entries that are not all its business: it shows the digests of these, and states what
they say (ADR 91).
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.evidence import canonical
from services.evidence.archive import packed, unpacked
from services.evidence.bundle import (
    CONSISTENCY,
    Consistency,
    PolicyProof,
    consistency_from,
    consistency_text,
    lines,
    parsed,
    proof_from,
    proof_text,
)
from services.evidence.checkpoints import Sealing, Signed, signed_from
from services.evidence.closed import ClosedProof, closed_from, closed_text
from services.evidence.faults import Fault, Faulty

FORMAT: Final = "govbus-receipt/1"
CLOSED: Final = "govbus-receipt/2"
"""Of a receipt that shows some of its entries by their digests only."""
RECEIPT: Final = "receipt.json"
CHECKPOINT: Final = "checkpoint.jsonl"
PROOFS: Final = "proofs.jsonl"
FILES: Final = (CHECKPOINT, CONSISTENCY, PROOFS)
_LAST_MS: Final = 253_402_300_799_999
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")
_NAMES: Final = frozenset({"about", "deliveries", "files", "format", "key", "log", "made_ms", "whole"})
_ABOUT: Final = frozenset({"offset", "partition", "resource", "topic"})
_DELIVERY: Final = frozenset({"acquired", "at", "block", "generation", "grant", "outcome", "reason"})
_ACQUIRED: Final = frozenset({"act", "committed", "group"})
_TERMS: Final = frozenset({"consumer", "legal_basis", "policy", "policy_version", "purpose", "written_ms"})


@dataclass(frozen=True, slots=True)
class About:
    """The canonical record."""

    topic: str
    partition: int
    offset: int
    resource: str


@dataclass(frozen=True, slots=True)
class Acquired:
    """A group of the consumer had committed past the delivery when the act was written."""

    group: str
    committed: int
    act: str
    """Where the act stands: ``ledger.acts:0:17``."""
    seen_ms: int | None = None
    """When it was written; None where the receipt shows all its entries, and the act says so itself."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What block and policy say of a delivery, stated for whoever is not shown them."""

    consumer: str
    purpose: str
    legal_basis: str
    policy_version: int
    policy: str
    """Where the policy version stands: ``policy:0:3``."""
    written_ms: int


@dataclass(frozen=True, slots=True)
class Stated:
    """What became of the record under one generation of a grant."""

    grant: str
    generation: int
    outcome: str
    """``delivered``, ``tombstoned`` or ``withheld``."""
    reason: str
    """Why it was withheld; empty where it was not, or where nobody can tell any more."""
    at: str
    """Where the consumer's record stands; empty where there is none."""
    block: str
    """Where the decision block stands: ``ledger.delivery:2:17``."""
    acquired: tuple[Acquired, ...] = ()
    terms: Terms | None = None
    """None where the receipt shows all its entries."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the receipt says; the proofs follow it."""

    log: str
    about: About
    deliveries: tuple[Stated, ...]
    whole: bool
    """Whether it names every grant of the resource, and not one only."""
    made_ms: int
    key: str
    files: Mapping[str, str]
    closed: bool = False
    """Whether some of its entries are shown by their digests only."""

    @property
    def format(self) -> str:
        """How its form is called."""
        return CLOSED if self.closed else FORMAT

    def message(self) -> bytes:
        """What its signature is over."""
        return self.format.encode() + b"\x00" + canonical.encode(_body(self))


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the receipt rests on."""

    checkpoint: Signed
    consistency: Sequence[Consistency]
    entries: Sequence[PolicyProof]
    """Policy versions, decision blocks and acts, each with its place in the checkpoint's log."""
    closed: Sequence[ClosedProof] = ()
    """Those of which only the digest is shown."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is to be stated."""

    about: About
    deliveries: Sequence[Stated]
    whole: bool
    made_ms: int


def made(statement: Statement, proofs: Proofs, sealing: Sealing) -> bytes:
    """The receipt's bytes, signed by that key."""
    files = {
        CHECKPOINT: lines([proofs.checkpoint.text()]),
        CONSISTENCY: lines(consistency_text(each) for each in proofs.consistency),
        PROOFS: lines([*map(proof_text, proofs.entries), *map(closed_text, proofs.closed)]),
    }
    receipt = Receipt(
        log=proofs.checkpoint.checkpoint.log,
        about=statement.about,
        deliveries=tuple(statement.deliveries),
        whole=statement.whole,
        made_ms=statement.made_ms,
        key=sealing.key,
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        closed=bool(proofs.closed),
    )
    return sealed(receipt, files, sealing)


def sealed(receipt: Receipt, files: Mapping[str, bytes], sealing: Sealing) -> bytes:
    """Sign the receipt and pack it before the files."""
    signature = sealing.signer.sign(receipt.message()).hex()
    text = canonical.encode({"receipt": _body(receipt), "signature": signature})
    return packed({RECEIPT: text, **{name: files[name] for name in FILES}})


def is_receipt(archive: bytes) -> bool:
    """Whether the archive begins as a receipt does, and not as a bundle."""
    return archive.startswith(RECEIPT.encode() + b"\x00")


def opened(archive: bytes) -> tuple[Receipt, str, dict[str, bytes]]:
    """The receipt, its signature and the files as they are; nothing is verified yet.

    Raises:
        Faulty: it is no receipt.
    """
    files = unpacked(archive, (RECEIPT, *FILES))
    try:
        found = canonical.decode(files.pop(RECEIPT))
        receipt, signature = _signed(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Faulty(Fault.BUNDLE_MALFORMED, RECEIPT, str(error)) from error
    return receipt, signature, files


def proofs_of(receipt: Receipt, files: Mapping[str, bytes]) -> Proofs:
    """What the files hold; nothing of it is verified yet.

    Raises:
        Faulty: a line is not what it should be.
    """
    checkpoints: list[Signed] = parsed(files, CHECKPOINT, signed_from)
    if len(checkpoints) != 1:
        raise Faulty(Fault.BUNDLE_MALFORMED, CHECKPOINT, "a receipt has one checkpoint")
    found = parsed(files, PROOFS, _either if receipt.closed else proof_from)
    return Proofs(
        checkpoint=checkpoints[0],
        consistency=parsed(files, CONSISTENCY, consistency_from),
        entries=[each for each in found if isinstance(each, PolicyProof)],
        closed=[each for each in found if isinstance(each, ClosedProof)],
    )


def _either(line: bytes) -> PolicyProof | ClosedProof:
    return proof_from(line) if "entry" in canonical.decode(line) else closed_from(line)


def _body(receipt: Receipt) -> dict[str, Any]:
    found = asdict(receipt)
    closed = found.pop("closed")
    found["deliveries"] = [_written(each, closed=closed) for each in found["deliveries"]]
    return {"format": receipt.format, **found, "files": dict(receipt.files)}


def _written(delivery: Mapping[str, Any], *, closed: bool) -> dict[str, Any]:
    """A delivery as it is signed: what only a closed receipt states stands in no other."""
    left_out = set() if closed else {"terms", "seen_ms"}
    acquired = [{name: each[name] for name in each.keys() - left_out} for each in delivery["acquired"]]
    return {**{name: delivery[name] for name in delivery.keys() - left_out}, "acquired": acquired}


def _signed(found: Mapping[str, Any]) -> tuple[Receipt, str]:
    signature = _text(found["signature"])
    if set(found) != {"receipt", "signature"} or not _HEX.fullmatch(signature):
        raise ValueError("not the names of a receipt, or no signature")
    return _receipt(found["receipt"]), signature


def _receipt(body: Mapping[str, Any]) -> Receipt:
    if set(body) != _NAMES or body["format"] not in (FORMAT, CLOSED) or set(body["files"]) != set(FILES):
        raise ValueError("not the names of a receipt")
    if type(body["made_ms"]) is not int or type(body["whole"]) is not bool:
        raise ValueError("a receipt says when it was made, and whether it is whole")
    closed = body["format"] == CLOSED
    return Receipt(
        log=_text(body["log"]),
        about=_about(body["about"]),
        deliveries=tuple(_stated(each, closed=closed) for each in body["deliveries"]),
        whole=body["whole"],
        made_ms=_moment(body["made_ms"]),
        key=_text(body["key"]),
        files={name: _text(digest) for name, digest in body["files"].items()},
        closed=closed,
    )


def _about(found: Mapping[str, Any]) -> About:
    _named(found, _ABOUT)
    return About(
        _text(found["topic"]), _whole(found["partition"]), _whole(found["offset"]), _text(found["resource"])
    )


def _stated(found: Mapping[str, Any], *, closed: bool) -> Stated:
    _named(found, _DELIVERY | {"terms"} if closed else _DELIVERY)
    texts = {name: _text(found[name]) for name in ("grant", "outcome", "reason", "at", "block")}
    return Stated(
        generation=_whole(found["generation"]),
        acquired=tuple(_acquired(each, closed=closed) for each in found["acquired"]),
        terms=_terms(found["terms"]) if closed else None,
        **texts,
    )


def _acquired(found: Mapping[str, Any], *, closed: bool) -> Acquired:
    _named(found, _ACQUIRED | {"seen_ms"} if closed else _ACQUIRED)
    seen_ms = _moment(found["seen_ms"]) if closed else None
    return Acquired(_text(found["group"]), _whole(found["committed"]), _text(found["act"]), seen_ms)


def _terms(found: Mapping[str, Any]) -> Terms:
    _named(found, _TERMS)
    texts = {name: _text(found[name]) for name in ("consumer", "purpose", "legal_basis", "policy")}
    version, written_ms = _whole(found["policy_version"]), _moment(found["written_ms"])
    return Terms(policy_version=version, written_ms=written_ms, **texts)


def _named(found: Mapping[str, Any], names: Iterable[str]) -> None:
    if set(found) != set(names):
        raise ValueError("a part of the receipt has other names")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _moment(value: Any) -> int:
    """A time in milliseconds that a calendar knows."""
    if _whole(value) > _LAST_MS:
        raise ValueError("a time of a receipt lies before the year 10000")
    return int(value)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("numbers of a receipt are whole and not negative")
    return value
