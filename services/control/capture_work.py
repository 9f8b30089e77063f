"""Puts captures into Connect: preflight first; where a capture begins anew, its old position goes."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import psycopg2

from services.control.access import Access, CaptureSource
from services.control.connectors import Captures, check_database, recapture_command
from services.control.desired import Declared
from services.control.gaps import CaptureFacts
from services.control.recapture import CaptureDoesNotStop, forget
from topics.event import ProviderId

Problem = dict[str, str]


@dataclass(slots=True)
class CaptureWork:
    """The connectors' part of one apply; a provider that is not ready holds back its own capture only."""

    access: Access
    declared: Declared
    captures: Captures
    facts: Mapping[ProviderId, CaptureFacts]
    say: Callable[[str], None]
    connectors: dict[str, str] = field(default_factory=dict)
    """Connector → created, updated or unchanged."""
    held_back: dict[str, list[Problem]] = field(default_factory=dict)
    """Provider → what is wrong, and what mends it."""

    def put(self, names: Iterable[str], recaptured: Collection[ProviderId]) -> None:
        """Put these connectors; those of ``recaptured`` providers forget where they stood first."""
        for name in names:
            provider = self.captures.providers[name]
            source = self.access.capture_source(str(self.declared.providers[provider].database))
            if source is None:
                continue
            anew = provider in recaptured
            problems = self._forget(provider, source) if anew else []
            problems = problems or self._preflight(provider, source)
            if problems:
                self.held_back[provider] = problems
                self.say(f"no capture of {provider} yet: {'; '.join(each['what'] for each in problems)}")
            else:
                self._write(name, starts=anew or self.facts[provider].waits_for_start)

    def _write(self, name: str, *, starts: bool) -> None:
        with closing(self.access.connect()) as client:
            written = client.put_config(name, self.captures.configs[name])
            if starts:
                client.resume(name)
        self.connectors[name] = written.value
        self.say(f"connector {name}: {written.value}{', from the beginning' if starts else ''}")

    def _forget(self, provider: ProviderId, source: CaptureSource) -> list[Problem]:
        incarnation = self.declared.providers[provider].incarnation
        self.say(f"capturing {provider} anew, as incarnation {incarnation}")
        try:
            with closing(self.access.connect()) as client:
                forget(client, provider, source)
        except CaptureDoesNotStop as error:
            return [{"what": str(error), "remedy": recapture_command(provider)}]
        except psycopg2.Error as error:
            return [_unanswered(error)]
        return []

    def _preflight(self, provider: ProviderId, source: CaptureSource) -> list[Problem]:
        try:
            findings = check_database(provider, self.declared, source)
        except psycopg2.Error as error:
            return [_unanswered(error)]
        return [{"what": f"{one.where}: {one.message}", "remedy": one.remedy} for one in findings]


def _unanswered(error: psycopg2.Error) -> Problem:
    return {"what": f"the database cannot be asked: {type(error).__name__}", "remedy": ""}
