"""Takes a catch-up apart until the record that breaks it stands alone, as ``decisions`` does with batches."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from services.processor.contract import CatchUp
from services.processor.errors import ExitCode, StopInstance
from topics.engine.records import PartitionRecords, Records
from topics.event import KafkaRecord

_log = logging.getLogger(__name__)

_SHARE: Final = 80
"""Its square is more than a catch-up usually has: at the third attempt the record stands alone."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some records of a catch-up; pieces cover its offsets without a gap."""

    catch_up: CatchUp
    """With the offsets of this piece."""
    records: Records
    defect: str | None = None
    """Why its one record is stopped and not delivered."""


class Pieces:
    """Where one catch-up is to be cut, and which of its records are stopped."""

    def __init__(self) -> None:
        self._cuts: set[int] = set()
        self._apart: set[int] = set()
        self._stopped: dict[int, str] = {}

    def of(self, catch_up: CatchUp, found: Sequence[KafkaRecord]) -> Iterator[Piece]:
        """The records of the catch-up in pieces: one, as long as nothing broke."""
        cuts = {0, len(found)} | {number for number, each in enumerate(found) if each.offset in self._cuts}
        if self._apart:
            alone = [number for number, each in enumerate(found) if each.offset in self._apart]
            cuts |= {*alone, *(number + 1 for number in alone)}
        for first, end in pairwise(sorted(cuts)):
            part = replace(
                catch_up,
                from_offset=found[first].offset if first else catch_up.from_offset,
                to_offset=found[end].offset if end < len(found) else catch_up.to_offset,
            )
            defect = self._stopped.get(found[first].offset) if end - first == 1 else None
            yield Piece(part, PartitionRecords(*catch_up.source, found[first:end]), defect)

    def set_apart(self, offset: int) -> None:
        """That record comes alone."""
        self._apart.add(offset)

    def stop(self, offset: int, how: str) -> None:
        """That record comes alone, to be stopped."""
        self._stopped[offset] = how
        self.set_apart(offset)

    def broke(self, piece: Piece, how: str) -> None:
        """Next time the piece comes in smaller ones, and a record that stood alone is stopped.

        Raises:
            StopInstance: it was stopped, and that breaks too.
        """
        records = piece.records
        first = records[0]
        _log.error("%s over %d records of a catch-up from %s on", how, len(records), first.coordinates)
        if piece.defect is not None:
            raise StopInstance(ExitCode.DEFECT, f"{first.coordinates} cannot be isolated: {how}")
        if len(records) == 1:
            self._stopped[first.offset] = how
        step = max(1, len(records) // _SHARE)
        self._cuts.update(records[number].offset for number in range(0, len(records), step))
