"""What an auditor trusts before he looks at a bundle: public keys with their validity, a witness' checkpoint.

The file comes to him on another way than the bundle does, and none inside a bundle is ever read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from services.evidence import canonical
from services.evidence.checkpoints import Signed, signed_from
from services.evidence.faults import Fault, Faulty
from services.evidence.signing import key_id, suite

FORMAT: Final = "govbus-trust/1"


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and when it signed; times in milliseconds, the end excluded and None while it signs."""

    suite: str
    public: bytes
    from_ms: int
    to_ms: int | None = None

    @property
    def id(self) -> str:
        """Its name, which follows from it."""
        return key_id(self.suite, self.public)

    def signs_at(self, time_ms: int) -> bool:
        """Whether a signature of that time may be its."""
        return self.from_ms <= time_ms and (self.to_ms is None or time_ms < self.to_ms)


class Holder(StrEnum):
    """Who held the trust file's checkpoint when it was written, by the word of whoever wrote it."""

    OUTSIDE = "outside"
    """A witness outside the bus."""
    LOG = "log"
    """Nobody but the log itself: it is the newest one that the bus had, and proves no more than a key."""


@dataclass(frozen=True, slots=True)
class Trust:
    """One log, its keys and the newest checkpoint that a witness holds."""

    log: str
    keys: tuple[Key, ...]
    witness: Signed
    holder: Holder | None = None
    """None where the file does not say."""

    def key(self, name: str) -> Key | None:
        """The key of that name."""
        return next((key for key in self.keys if key.id == name), None)

    def check(self, name: str, signature: str, message: bytes, time_ms: int, where: str) -> None:
        """Raise what is wrong about a signature.

        Raises:
            Faulty: the key is unknown, was not valid then, or did not sign that.
            AlgorithmMissing: its suite is not there.
        """
        key = self.key(name)
        if key is None:
            raise Faulty(Fault.KEY_UNKNOWN, where, f"the trust file has no key {name}")
        if not key.signs_at(time_ms):
            raise Faulty(
                Fault.KEY_NOT_VALID, where, f"key {name} signed nothing at {time_ms}: {_validity(key)}"
            )
        if not suite(key.suite).is_signed(key.public, bytes.fromhex(signature), message):
            raise Faulty(Fault.SIGNATURE_WRONG, where, f"key {name} did not sign this")


def trust_text(trust: Trust) -> bytes:
    """The file, as canonical JSON with a line end."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "log": trust.log,
        "keys": [
            {"suite": key.suite, "public": key.public.hex(), "from_ms": key.from_ms, "to_ms": key.to_ms}
            for key in trust.keys
        ],
        "witness": canonical.decode(trust.witness.text()),
    }
    if trust.holder is not None:
        document["holder"] = trust.holder.value
    return canonical.encode(document) + b"\n"


def trust_from(text: bytes) -> Trust:
    """Read a trust file.

    Raises:
        Faulty: it is none.
    """
    try:
        return _trust(canonical.decode(text.removesuffix(b"\n")))
    except (KeyError, TypeError, ValueError) as error:
        raise Faulty(Fault.TRUST_MALFORMED, "trust file", str(error)) from error


def _trust(found: Mapping[str, Any]) -> Trust:
    if found["format"] != FORMAT:
        raise ValueError(f"format {found['format']}")
    return Trust(
        log=str(found["log"]),
        keys=tuple(_key(entry) for entry in found["keys"]),
        witness=signed_from(canonical.encode(found["witness"])),
        holder=Holder(found["holder"]) if "holder" in found else None,
    )


def _key(entry: Any) -> Key:
    until = entry["to_ms"]
    if type(entry["from_ms"]) is not int or not (until is None or type(until) is int):
        raise ValueError("the validity of a key is in whole milliseconds")
    return Key(str(entry["suite"]), bytes.fromhex(entry["public"]), entry["from_ms"], until)


def _validity(key: Key) -> str:
    return f"valid from {key.from_ms} to {'now' if key.to_ms is None else key.to_ms}"
