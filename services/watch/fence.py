"""The continuity fence: remembers where each capture stood, and stops one that cannot go on without a gap."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol

from pydantic import TypeAdapter, ValidationError

from producers.connect_errors import ConnectError
from producers.connect_status import Health
from producers.connector import CONNECTOR_PREFIX
from producers.continuity import Sighting, Standing, next_standing, published_position
from producers.slots import SlotReport
from services.stack.secret_files import write_private
from services.watch.judge import Alarm, AlarmKind
from services.watch.safe_text import safe_line
from services.watch.sources import CaptureSource, incarnation_in

_STANDINGS: Final = TypeAdapter(dict[str, Standing])
Log = Callable[..., None]


class Captures(Protocol):
    """What the fence needs of Connect's client."""

    def offsets_at_once(self, name: str) -> list[dict[str, Any]]:
        """Where the connector stands, if Connect says so at once: a round waits for nobody."""

    def health(self, name: str) -> Health:
        """Whether it runs."""

    def config(self, name: str) -> dict[str, str]:
        """Its configuration, as it is now."""

    def resume(self, name: str) -> None:
        """Let it run again."""

    def stop(self, name: str) -> None:
        """End its tasks; configuration and position stay."""


class Fence:
    """Looks at each capture once a round; one thread uses it.

    What it compares with outlives the process in one small file: a restart between the loss of a slot and the
    next look would otherwise forget what was there before. There is nothing secret in it.

    Args:
        connect: the captures' workers.
        memory: the file; None remembers for as long as the process lives.
        log: where it is told that the file cannot be used.
    """

    def __init__(self, connect: Captures, memory: Path | None, log: Log) -> None:
        self._connect = connect
        self._memory = memory
        self._log = log
        self._standings = self._read()

    @property
    def standings(self) -> Mapping[str, Standing]:
        """Connector → what is remembered of it."""
        return dict(self._standings)

    def look(self, source: CaptureSource, system: str, slots: Mapping[str, SlotReport]) -> Iterator[Alarm]:
        """Compare one capture with what is remembered of it; the slots must have been read before."""
        name = source.connector
        try:
            position = published_position(self._connect.offsets_at_once(name))
        except ConnectError:
            # Connect's silence has an alarm of its own, and nothing can be judged without a position.
            yield from self._standing_alarm(name)
            return
        before = self._standings.get(name)
        seen = Sighting(source.incarnation, system, slots.get(source.slot), position)
        after = next_standing(before, seen)
        if after != before:
            self._standings[name] = after
            self._write()
        # Without a position it is being captured anew, under a configuration that comes right after.
        if after.broken is not None and position is not None:
            self._hold(source)
        yield from self._standing_alarm(name)

    def silent(self, source: CaptureSource) -> Iterator[Alarm]:
        """Its database does not answer: what was found before still stands."""
        yield from self._standing_alarm(source.connector)

    def _standing_alarm(self, name: str) -> Iterator[Alarm]:
        standing = self._standings.get(name)
        if standing is not None and standing.broken is not None:
            provider = name.removeprefix(CONNECTOR_PREFIX)
            detail = (
                f"changes may be missing: {standing.broken}. The capture is stopped, so that nothing goes on "
                f"over the gap; every resource of {provider} is incomplete until its next full volume"
            )
            remedy = (
                "tell the provider and the authority; where only the slot was lost, the process control "
                "captures anew by itself (govbus doctor: recovery), else: "
                f"govbus apply --recapture {provider}"
            )
            yield Alarm(AlarmKind.CAPTURE_FENCED, name, detail, remedy)

    def _hold(self, source: CaptureSource) -> None:
        """Stop it where it runs or tries to: its position stays as evidence, its slot keeps the log.

        Since this round began it may have been captured anew: what was found is about the incarnation before.
        A capture that begins anew gets its configuration before it runs, so whichever comes first, it runs.
        """
        name = source.connector
        try:
            if self._connect.health(name) is Health.STOPPED or self._is_anew(source):
                return
            self._connect.stop(name)
            if self._is_anew(source):
                self._connect.resume(name)
                return
            self._log("warning", "capture-stopped", subject=name)
        except ConnectError as error:
            self._log("warning", "capture-not-stopped", subject=name, detail=safe_line(str(error)))

    def _is_anew(self, source: CaptureSource) -> bool:
        return incarnation_in(self._connect.config(source.connector)) != source.incarnation

    def _read(self) -> dict[str, Standing]:
        if self._memory is None or not self._memory.exists():
            return {}
        try:
            return _STANDINGS.validate_json(self._memory.read_bytes())
        except (ValidationError, OSError) as error:
            # Begin anew and say so; the policy has the server that each capture began on, and apply compares.
            kept = self._memory.with_suffix(".unreadable")
            self._memory.replace(kept)
            self._log("alarm", "fence-forgot", subject=kept.name, detail=type(error).__name__)
            return {}

    def _write(self) -> None:
        if self._memory is None:
            return
        content = {name: asdict(each) for name, each in sorted(self._standings.items())}
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            write_private(self._memory, json.dumps(content, indent=1) + "\n")
        except OSError as error:
            self._log(
                "alarm", "fence-cannot-remember", subject=self._memory.name, detail=type(error).__name__
            )
