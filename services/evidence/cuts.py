"""Whether anything went out under an older policy after the ledger had its cut: a withdrawal is a promise.

The act of a suspension or withdrawal is written once the topic is cut. Both it and each decision block carry
the broker's own time, so a block of an older policy version that is newer than the act was delivered after
the cut. What the versions from the act's on allow is judged by ``allowing``.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.evidence.entries import Entry
from services.evidence.faults import Fault, Faulty

_STOPS: Final = frozenset({"grants.suspend", "grants.withdraw"})


@dataclass(frozen=True, slots=True)
class _Cut:
    at: Entry
    topic: str
    policy_version: int


@dataclass(frozen=True, slots=True)
class _Newest:
    at: Entry
    timestamp_ms: int


@dataclass(slots=True)
class Cuts:
    """Takes acts and deliveries in any order; ``check`` holds them against each other."""

    _cuts: list[_Cut] = field(default_factory=list)
    _newest: dict[tuple[str, int], _Newest] = field(default_factory=dict)
    """Grant topic and policy version → the newest block that wrote to it."""

    def act(self, entry: Entry, value: Mapping[str, Any]) -> None:
        """An act of the ledger; those that cut nothing are passed over.

        Raises:
            KeyError, TypeError, ValueError: it cuts something and cannot be read.
        """
        if value.get("what") in _STOPS:
            document = json.loads(value["document"])
            self._cuts.extend(_cuts_of(entry, document))

    def delivered(self, entry: Entry, policy_version: int, topic: str) -> None:
        """A decision block that wrote to a grant's topic."""
        known = self._newest.get((topic, policy_version))
        if known is None or entry.timestamp_ms > known.timestamp_ms:
            self._newest[topic, policy_version] = _Newest(entry, entry.timestamp_ms)

    def check(self) -> None:
        """Judge.

        Raises:
            Faulty: something was written after a cut.
        """
        for cut in self._cuts:
            for (topic, version), newest in sorted(self._newest.items(), key=lambda one: one[0]):
                late = newest.timestamp_ms > cut.at.timestamp_ms
                if topic == cut.topic and version < cut.policy_version and late:
                    what = f"{topic}: policy {version} delivers after {cut.at} had cut it"
                    raise Faulty(Fault.AFTER_CUT, str(newest.at), what)


def _cuts_of(entry: Entry, document: Mapping[str, Any]) -> Iterator[_Cut]:
    version = int(document["policy_version"])
    for grant in document.get("grants", [document]):
        yield _Cut(entry, str(grant["topic"]), version)
