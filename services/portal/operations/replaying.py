"""What pages of replays and of the person trace ask of the installation: counts of a scope, and a key.

Counting reads the ledger from where the scope begins, which may take long: so it goes on in the background,
one scope at a time in one process.
"""

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.api.running import BusUnavailable
from services.control.replays.running import counts_of
from services.ledger.replay.scope import Scope, WrongScope, scope_from
from services.ledger.replay.what_is_known import Known
from services.portal.operations.kept import Kept, Look

OpenKnown = Callable[[], AbstractContextManager[Known]]
KeyOf = Callable[[int], bytes]
_FRESH_S: Final = 60.0
_FIRST_S: Final = 8.0
"""So long a page waits for its counts; then it says that they are being counted."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a dry run says of a scope; ``known`` is false where no policy version knows what it names."""

    said: Mapping[str, Any]
    """As ``services.control.replays.running.counts_of`` gives it."""
    known: bool = True


class Counting:
    """Counts what deciding a scope again would take; what was counted is kept for a moment."""

    def __init__(
        self, open_known: OpenKnown, clock: Callable[[], datetime], report: Callable[[str, Exception], None]
    ) -> None:
        self._open, self._turn = open_known, threading.Lock()
        self._counts: Kept[Counts] = Kept(self._count, clock, _FRESH_S, report)

    def look(self, scope: Scope) -> Look[Counts]:
        """What is known by now; it goes on being counted where that takes longer than a page waits."""
        return self._counts.look(json.dumps(scope.record(), sort_keys=True), _FIRST_S)

    def _count(self, key: str) -> Counts:
        with self._turn, self._open() as known:
            try:
                return Counts(counts_of(known, scope_from(json.loads(key))))
            except WrongScope:
                return Counts({}, known=False)


def nothing_open() -> AbstractContextManager[Known]:
    """Of a process that no installation is connected to.

    Raises:
        BusUnavailable: always.
    """
    raise BusUnavailable("no bus is connected")


def no_key(_version: int) -> bytes:
    """Of a process that has no master secret.

    Raises:
        BusUnavailable: always.
    """
    raise BusUnavailable("no master secret is here")


@dataclass(frozen=True, slots=True)
class Installation:
    """What of the installation these pages need beside the bus that all pages read."""

    open_known: OpenKnown = nothing_open
    trace_key: KeyOf = no_key
    """The key of the trace of a version of the master secret."""
