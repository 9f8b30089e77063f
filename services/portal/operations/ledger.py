"""The ledger as the pages see it: checkpoints and pages of blocks, read in the background, kept a moment."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

from services.control.evidence.browsing import Book, Leaf, followed, leaf
from services.control.evidence.ledger_log import LedgerLog
from services.evidence.entries import place_from
from services.evidence.trust import Trust
from services.ledger.bus import Bus
from services.portal.operations.kept import Kept, Look

PAGE: Final = 50
"""Offsets that one page reads at most."""
_BOOK: Final = "book"
_FRESH_S: Final = 10.0
_FIRST_S: Final = 5.0


class LedgerPages:
    """Checkpoints that were followed, and pages that were looked at last."""

    def __init__(
        self,
        open_bus: Callable[[], AbstractContextManager[Bus]],
        trust: Callable[[], Trust | None],
        clock: Callable[[], datetime],
        report: Callable[[str, Exception], None],
    ) -> None:
        self._open_bus, self._trust = open_bus, trust
        self._book = Book()
        self._books: Kept[Book] = Kept(self._follow, clock, _FRESH_S, report)
        self._pages: Kept[Leaf] = Kept(self._read, clock, _FRESH_S, report)

    def book(self) -> Look[Book]:
        """All checkpoints, as of the last look."""
        return self._books.look(_BOOK, _FIRST_S)

    def page(self, place: str, before: int | None) -> Look[Leaf]:
        """One page of a partition such as ``ledger.intake:0``."""
        return self._pages.look(f"{place} {'' if before is None else before}", _FIRST_S)

    def _follow(self, _key: str) -> Book:
        with self._open_bus() as bus:
            self._book = followed(self._book, bus.lookup.reader, self._trust())
        return self._book

    def _read(self, key: str) -> Leaf:
        place, _, before = key.partition(" ")
        with self._open_bus() as bus:
            log = LedgerLog(bus.lookup.reader, bus.lookup.decoder)
            return leaf(self._book, log, place_from(place), int(before) if before else None, PAGE)
