"""A look at the trace of a person: recorded first, then read; for commands, pages and the API alike.

The identity comes in as whoever asks has it. It is normalised and checked by the gate's own rules, hashed,
and forgotten: the record of the look names the hash.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.accounts.actions import Action
from services.control.store.database import ControlDatabase
from services.control.store.outbox import Act, Fact, append
from services.control.store.trace import reading
from services.control.store.trace.reading import SubjectFound
from services.control.store.trace.writing import TraceState, state
from services.control.tracing.answer import Extent, Found, Trace, Why, answer
from topics.identity.check import check, identity_key
from topics.identity.kinds import IdentityKind, IdentityReason
from topics.names import grant_topic_of
from topics.trace import subject_hash

KIND: Final = "trace"
"""What kind of object an act about a trace has; the object is the keyed hash of the subject."""
MOST: Final = 2_000
"""Records, and recipients, that one answer shows at most."""
_ROUNDS: Final = 20
"""So many corrections one after the other are followed."""


class NoIdentity(Exception):  # noqa: N818 - the caller corrects the number
    """What was given is no identity of its kind; the reason says why, and nothing of the number."""

    def __init__(self, kind: IdentityKind, reason: IdentityReason | None) -> None:
        super().__init__(f"this is no {kind.value}: {reason.value if reason else 'UNREADABLE'}")
        self.kind, self.reason = kind, reason


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a trace is about, as it was typed; it is never shown or stored."""

    kind: IdentityKind
    number: str = field(repr=False)
    country: str | None = None
    """Of a passport: three letters."""


@dataclass(frozen=True, slots=True)
class Looker:
    """Who looks, as the ledger names it, and why."""

    who: str
    """The account, or the login at a shell where somebody acts for it."""
    reason: str
    facts: tuple[tuple[str, Fact], ...] = ()
    provider: str | None = None
    """The department whose records alone are shown; None where all may be."""


def normalised(person: Person, today: date) -> str:
    """The identity as it stands in canonical keys.

    Raises:
        NoIdentity: it is none, or a passport without the state that issued it.
    """
    verdict = check(person.kind, person.number, today, person.country)
    if not verdict.valid:
        raise NoIdentity(person.kind, verdict.reason)
    try:
        return identity_key(person.kind, verdict.value, person.country)
    except ValueError as error:
        raise NoIdentity(person.kind, IdentityReason.COUNTRY_MALFORMED) from error


def look(
    database: ControlDatabase,
    identity: str,
    looker: Looker,
    key_of: Callable[[int], bytes],
    now: datetime,
    most: int = MOST,
) -> Trace:
    """Record the look, and then answer who received what about a person.

    Args:
        database: of the control plane.
        identity: as ``normalised`` gives it.
        looker: who looks, and why; whether that is allowed was asked before.
        key_of: the key of the trace of a version of the master secret (``topics.trace.trace_key``).
        now: the time.
        most: records and recipients that are shown at most.

    Raises:
        StoreError: the database does not serve; nothing was shown.
    """
    with database.begin() as connection:
        begun = state(connection)
        subject = subject_hash(key_of(begun.key_version if begun else 1), identity)
        what, facts = Action.AUDIT_TRACE.value, dict(looker.facts)
        append(connection, Act(looker.who, what, KIND, subject.hex, now, looker.reason, facts))
    # The act is owed to the ledger from here on, whatever becomes of the answer.
    with database.reading() as connection:
        return traced(connection, subject, looker.provider, most)


def traced(connection: Connection, subject: UUID, provider: str | None = None, most: int = MOST) -> Trace:
    """The trace of a hash; the caller has recorded the look."""
    begun = state(connection)
    if begun is None:
        return Trace(subject.hex, Extent(None, None), (), (), cut=False, why_empty=Why.NOT_BEGUN)
    records = followed(connection, subject, most)
    changes = {each.change for each in records}
    deliveries = reading.deliveries(connection, changes, most + 1)
    terms = reading.terms_of(connection, {grant_topic_of(each.topic) for each in deliveries})
    handed = {
        (said.grant, each.partition, each.offset)
        for each in deliveries[:most]
        for said in terms.get(each.topic, ())
    }
    found = Found(
        subject=subject,
        records=records[:most],
        deliveries=deliveries[:most],
        terms=terms,
        acquired=reading.acquired_past(connection, handed),
        cut=len(records) > most or len(deliveries) > most,
    )
    return answer(found, extent_of(begun), provider)


def followed(connection: Connection, subject: UUID, most: int) -> list[SubjectFound]:
    """The subject's records, and those that a correction led to or came from, at most one more than asked."""
    found = {_place(each): each for each in reading.of_subject(connection, subject, most + 1)}
    entities = {each.entity for each in found.values()}
    fresh = list(found.values())
    for _ in range(_ROUNDS):
        changes = {each.change for each in fresh}
        others = {each.entity for each in reading.of_changes(connection, changes)} - entities
        if not others or len(found) > most:
            break
        entities |= others
        more = reading.of_entities(connection, others, most + 1 - len(found))
        fresh = [each for each in more if _place(each) not in found]
        found |= {_place(each): each for each in fresh}
    return list(found.values())


def extent_of(begun: TraceState) -> Extent:
    """Of which stretch of time the index has everything."""
    return Extent(begun.complete_until, begun.incomplete_before, begun.untraceable)


def _place(record: SubjectFound) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset
