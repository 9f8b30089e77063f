"""Tells what happens to grants and resources by itself or at a console: from the ledger and snapshots.

A suspension must work while the database is away, so its notice cannot stand in its transaction: it is told
from the act that proves it. All else is read from the snapshots. A key for each makes it news once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

from services.control.notices import of_grants
from services.control.notices.digest import next_digest
from services.control.notices.event import Happened, Offices, Parties
from services.control.notices.hurts import (
    Freshness,
    Reader,
    Right,
    readers_behind,
    rights_that_end,
    stale_resources,
)
from services.control.notices.words import Audience
from services.control.store import snapshots
from services.control.store.clocks.calendars import read_calendar
from services.control.store.database import ControlDatabase, Task
from services.control.store.ids import new_id
from services.control.store.notices.happenings import tell_all
from services.control.store.notices.offices import offices
from services.control.store.snapshots import Document, Kind
from services.control.suspension.acts import Act, ActWord
from topics.grants.declaration import GrantState
from topics.quality.declaration import UpdateCycle

YOUNG: Final = timedelta(days=7)
"""Acts that are older are no news: whoever starts for the first time tells nothing of last year."""
Documents = Mapping[str, Document]
_DELIVERS: Final = frozenset({GrantState.ACTIVE.value, GrantState.FILLING.value})


class NewActs(Protocol):
    """Reads the ledger's acts."""

    def since(self, moment: datetime) -> Iterable[Act]:
        """The acts that were not given before and were written after the moment."""

    def seen(self) -> None:
        """Those that were given last need not be given again."""


@dataclass(frozen=True, slots=True)
class GrantNews:
    """Takes turns; of several processes one tells at a time, and what two tell is told once."""

    database: ControlDatabase
    acts: NewActs
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Tell what is new; returns whether anything was."""
        with self.database.alone(Task.GRANTS) as ours:
            if not ours:
                return False
            now = self.now()
            acts = list(self.acts.since(now - YOUNG))
            with self.database.begin() as connection:
                grants = snapshots.all_of(connection, Kind.GRANT).documents
                resources = snapshots.all_of(connection, Kind.RESOURCE).documents
                known, calendar = offices(connection), read_calendar(connection)
                happened = [
                    *of_acts(acts, grants, known),
                    *of_snapshots(grants, resources, known, now),
                ]
                news = ((new_id(now), each) for each in happened)
                told = tell_all(connection, news, next_digest(now, calendar))
            self.acts.seen()
            return told > 0


def of_acts(acts: Iterable[Act], grants: Documents, known: Offices) -> Iterator[Happened]:
    """Suspensions and resumptions, each told for every grant that it covered."""
    for act in acts:
        if act.what not in (ActWord.SUSPEND.value, ActWord.RESUME.value):
            continue
        tells = of_grants.suspended if act.what == ActWord.SUSPEND.value else of_grants.resumed
        at = datetime.fromtimestamp(act.timestamp_ms / 1000, UTC)
        for grant, consumer in _covered(act, grants):
            yield tells(grant, at, _parties(consumer, grants.get(grant, {}), known))


def of_snapshots(
    grants: Documents, resources: Documents, known: Offices, now: datetime
) -> Iterator[Happened]:
    """Readers that are late, rights that end, resources without news.

    A right ends also while it is suspended; a reader of what is not delivered is late for nothing.
    """
    delivering = {id_: one for id_, one in grants.items() if one["state"] in _DELIVERS and not one["holds"]}
    held = {id_: one for id_, one in grants.items() if one["state"] != GrantState.REVOKED.value}
    yield from _named(readers_behind(_readers(delivering), now), known)
    yield from _named(rights_that_end(_rights(held), now), known)
    yield from _named(stale_resources(_fresh(resources), now), known)


def _named(found: Iterable[Happened], known: Offices) -> Iterator[Happened]:
    """The same, told to whoever holds the offices now."""
    for each in found:
        parties = {**each.parties, Audience.AUTHORITY: known.authority, Audience.OPERATOR: known.operator}
        named = {audience: tuple(filter(None, parties.get(audience, ()))) for audience in Audience}
        yield Happened(each.key, each.kind, each.at, named, each.facts)


def _covered(act: Act, grants: Documents) -> Iterator[tuple[str, str]]:
    """Grant and consumer of each that an act covers: a suspension names both, a resumption the grants."""
    for each in act.document.get("grants", ()):
        if isinstance(each, str):
            yield each, str(grants.get(each, {}).get("consumer", ""))
        else:
            yield str(each["grant"]), str(each["consumer"])


def _parties(consumer: str, grant: Document, known: Offices) -> Parties:
    provider = grant.get("provider")
    return {
        Audience.CONSUMER: (consumer,) if consumer else (),
        Audience.PROVIDER: () if provider is None else (str(provider),),
        Audience.AUTHORITY: known.authority,
        Audience.OPERATOR: known.operator,
    }


def _readers(grants: Documents) -> Iterator[Reader]:
    for id_, one in grants.items():
        if one["group"] is not None:
            behind, window = timedelta(seconds=one["lag_seconds"]), timedelta(seconds=one["window_s"])
            yield Reader(id_, one["consumer"], "", behind, window, one["lag_records"])


def _rights(grants: Documents) -> Iterator[Right]:
    for id_, one in grants.items():
        last_day = date.fromisoformat(one["valid_until"])
        yield Right(id_, one["consumer"], one["provider"] or "", "", last_day)


def _fresh(resources: Documents) -> Iterator[Freshness]:
    for id_, one in resources.items():
        if one["last_event_at"] is not None:
            yield Freshness(
                resource=id_,
                provider=one["provider"],
                authority="",
                operator="",
                consumers=tuple(one["consumers"]),
                last_event=datetime.fromisoformat(one["last_event_at"]),
                cycle=UpdateCycle(one["update_cycle"]),
            )
