"""Whom a replay is about, as a keyed hash: it names nobody without the master secret."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from services.ledger.replay.scope import Scope
from services.ledger.replay.what_is_known import Known
from topics.disputes import dispute_key
from topics.engine.reference import Undecodable
from topics.event import KafkaRecord
from topics.grants.keys import joined

_VERSION: Final = 1
"""Of the master secret: a replay must find its subject again after the secret was renewed."""


def subject_hash(master: bytes, identity: str) -> str:
    """The keyed hash of a canonical identity, in hexadecimal.

    Args:
        master: version 1 of the master secret.
        identity: kind and number, as canonical keys have it.
    """
    key = dispute_key(master, _VERSION)
    return hmac.new(key, joined("replay-subject", identity), hashlib.sha256).hexdigest()[:32]


def concerning(known: Known, scope: Scope) -> Callable[[KafkaRecord], bool]:
    """Whether a canonical record is about the subject of a scope; all are, where it names none."""
    if scope.subject is None:
        return lambda _: True
    master, wanted = known.secret(_VERSION), scope.subject

    def concerns(record: KafkaRecord) -> bool:
        try:
            key = known.decoder.key(record) or {}
        except Undecodable:
            return False
        return hmac.compare_digest(subject_hash(master, str(key.get("identity", ""))), wanted)

    return concerns
