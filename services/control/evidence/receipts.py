"""Receipts of an embedded stack's deliveries: from the index of the trace, the ledger and its checkpoints."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.control.evidence.ledger_log import LedgerLog
from services.control.evidence.stating import (
    Again,
    Decide,
    Indexed,
    Known,
    NothingToProve,
    canonical_of,
    covering,
    stated,
    with_acquired,
)
from services.control.store.database import ControlDatabase
from services.control.store.trace import reading, writing
from services.control.store.trace.reading import DeliveryFound
from services.control.store.trace.writing import TraceState
from services.evidence.checkpoints import Sealing, Signed
from services.evidence.entries import ACTS, DELIVERY, Entry, Place
from services.evidence.faults import Faulty
from services.evidence.making import LedgerDiffers, NothingSealed
from services.evidence.receipt_making import EVERYTHING, receipt_of
from services.evidence.sealed import Sealed
from services.ledger.blocks import block_from
from services.ledger.coordinates import Coordinate
from services.ledger.counts import Place as TopicPlace
from services.ledger.disputed import again
from services.ledger.lookup import SKEW_MS, Lookup, RecordMissing
from topics.delivery import NotADelivery
from topics.event import GrantId, TopicName
from topics.trace import NotTraceable, change_of, read_handed

_AT_ONCE: Final = 20_000
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Receipts:
    """Makes receipts."""

    database: ControlDatabase
    lookup: Lookup
    ledger: LedgerLog
    log: Sequence[Sealed]
    witnesses: Sequence[Signed]
    sealing: Callable[[int], Sealing]
    now_ms: int
    shown: frozenset[str] = EVERYTHING
    """The topics of the log whose entries the receipts show."""

    def of_delivery(self, grant: GrantId, partition: int, offset: int) -> bytes:
        """The receipt of one record of a grant's topic.

        Raises:
            RecordMissing: it does not stand there any more; ask by the raw record that it came from.
            NothingToProve, IndexBehind, NothingSealed, LedgerDiffers: as in their modules.
        """
        record = self.lookup.record(Coordinate(self._topic(grant), partition, offset))
        try:
            change = read_handed(record).change
        except (NotTraceable, NotADelivery) as error:
            raise NothingToProve(str(error)) from error
        known, rows = self._known(change, partition, record.value is None, self._resource(grant))
        only = [each for each in rows if (each.topic, each.offset) == (record.topic, offset)]
        if not only:
            raise NothingToProve(f"the index of the trace does not know {record.coordinates} yet")
        return self._made(known, only[0])

    def of_record(self, raw: Coordinate, *, withdrawn: bool = False) -> bytes:
        """The receipt of a provider's record, with what became of it under every grant.

        Args:
            raw: where the provider's change stands.
            withdrawn: whether the record is meant that a correction of the identity withdrew.

        Raises:
            NothingToProve, IndexBehind, NothingSealed, LedgerDiffers: as in their modules.
        """
        known, _ = self._known(change_of(*raw), None, withdrawn, None)
        return self._made(known, None)

    def _known(
        self, change: int, partition: int | None, withdrawn: bool, resource: str | None
    ) -> tuple[Known, Sequence[DeliveryFound]]:
        with self.database.reading() as connection:
            # Before the rows: what it says of the index holds for the rows that are read then.
            indexed = _indexed(writing.state(connection))
            records = reading.of_changes(connection, [change])
            rows = reading.deliveries(connection, [change], _MOST)
        one = canonical_of(records, withdrawn=withdrawn, partition=partition, resource=resource)
        return Known(one, rows, indexed), rows

    def _made(self, known: Known, only: DeliveryFound | None) -> bytes:
        if not self.log:
            raise NothingSealed("there is no checkpoint yet")
        begin = (known.canonical if only is None else only).at_ms - SKEW_MS
        end = None if only is None else only.at_ms + SKEW_MS
        blocks = list(covering(self._entries(DELIVERY, begin, end), known.about))
        asked = stated(known, blocks, self._decide(known), only)
        written = [row.at_ms for row in known.deliveries]
        if written and any(each.at for each in asked.deliveries):
            asked = with_acquired(asked, self._entries(ACTS, min(written) - SKEW_MS, None))
        sealing = self.sealing(max(self.now_ms, self.log[-1].signed.checkpoint.time_ms))
        try:
            return receipt_of(self.log, self.ledger, self.witnesses, asked, self.now_ms, sealing, self.shown)
        except Faulty as found:
            # What is sealed does not bear out what it counts: whoever makes receipts has found something.
            raise LedgerDiffers(str(found)) from found

    def _decide(self, known: Known) -> Decide:
        at = Coordinate(TopicName(known.canonical.topic), known.canonical.partition, known.canonical.offset)

        def decide(entry: Entry, grant: str) -> Again | None:
            block = block_from(entry.value or {}, str(entry), entry.timestamp_ms, intake=False)
            found = (again(self.lookup, block, at) or {}).get(GrantId(grant))
            if found is None:
                return None
            return Again(found.kind.value, "" if found.withheld is None else found.withheld.value)

        return decide

    def _entries(self, topic: str, from_ms: int, until_ms: int | None) -> Iterator[Entry]:
        """What is sealed of a topic of the ledger in that stretch of time, each partition in order."""
        sealed: Mapping[Place, int] = self.log[-1].ends
        reader = self.ledger.reader
        for place in sorted(each for each in sealed if each.topic == topic):
            at = TopicPlace(TopicName(place.topic), place.partition)
            start, end = reader.offset_at(at, max(from_ms, 0)), sealed[place]
            if until_ms is not None:
                end = min(end, reader.offset_at(at, until_ms))
            for first in range(start, end, _AT_ONCE):
                portion = {place: min(first + _AT_ONCE, end)}
                yield from sorted(
                    self.ledger.between({place: first}, portion), key=lambda entry: entry.offset
                )

    def _topic(self, grant: GrantId) -> TopicName:
        policies = self.lookup.policies
        for version in sorted(policies, reverse=True):
            entry = policies[version].grants.get(grant)
            if entry is not None:
                return entry.grant.topic
        raise RecordMissing(f"no policy version names a grant {grant}")

    def _resource(self, grant: GrantId) -> str:
        return ".".join(self._topic(grant).split(".")[2:-1])


def _indexed(state: TraceState | None) -> Indexed:
    if state is None:
        return Indexed()
    return Indexed(_ms(state.complete_until), _ms(state.incomplete_before))


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
