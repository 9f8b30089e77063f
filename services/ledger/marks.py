"""The marks that a decision block was decided with, made again from the topic of disputes."""

from contextlib import suppress

from services.ledger.blocks import Block
from services.ledger.lookup import Lookup
from services.ledger.reader import in_order, read_whole
from topics.delivery import NotADelivery, read_delivery
from topics.disputes import (
    DisputeKeyMissing,
    DisputeMarks,
    Disputes,
    Folding,
    RefuseChange,
    change_from,
)
from topics.event import KafkaRecord, OutputRecord
from topics.names import DISPUTES


def disputes_at(lookup: Lookup, number: int) -> Disputes | None:
    """The disputes that were open after that change; None where the topic does not hold it."""
    found = Folding()
    for record in in_order(read_whole(lookup.reader, DISPUTES)) if number else ():
        value = lookup.value(record)
        # What does not follow was not taken by the processors either.
        with suppress(RefuseChange):
            found.take(change_from(value or {}))
        if found.number == number:
            break
    return found.disputes() if found.number == number else None


def marks_of(lookup: Lookup, block: Block) -> DisputeMarks | None:
    """What the block's processor marked; None where it cannot be made again here.

    The hashes are keyed: who has not the master secret sees what was delivered, and cannot prove that it had
    to be so.
    """
    disputes = disputes_at(lookup, block.disputes)
    if disputes is None or (disputes.open and lookup.dispute_keys is None):
        return None
    try:
        return DisputeMarks(disputes, lookup.dispute_keys or _none)
    except DisputeKeyMissing:
        return None


def disputed_in(record: KafkaRecord | OutputRecord | None) -> tuple[str, ...] | None:
    """The disputed items that a delivery names; None where there is no delivery."""
    try:
        return None if record is None else read_delivery(record.headers).disputed
    except NotADelivery:
        return None


def _none(version: int) -> bytes:
    raise DisputeKeyMissing(f"nobody gave version {version} of the master secret")
