"""Advances one ticket by what the topics say: forwards, corrections, relapses, who received it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.words import Actor, Role
from services.control.store.tickets.reading import load
from services.control.store.tickets.work import Answer, Desk, act
from services.control.tickets.correction import Version
from services.control.tickets.evidence import Reported
from services.control.tickets.following import WATCHED, forwards, list_of, step_of, wrong_of
from services.control.tickets.life import Refused
from services.control.tickets.recipients import Receipt, owed
from services.control.tickets.ticket import Given, Ticket, kind_of
from services.control.tickets.words import Action, State
from services.ledger.coordinates import Coordinate, parse_coordinate
from services.ledger.disputed import recipients, versions
from services.ledger.lookup import Lookup
from services.ledger.received import Certainty, GrantUnknown, Received
from topics.disputes import keys_from

SYSTEM = Actor("control", Role.SYSTEM, "")


@dataclass(frozen=True, slots=True)
class Look:
    """What the topics say of a record as a ticket reports it."""

    reported: Reported
    key: bytes = field(repr=False)
    """The key of disputes of its key version."""
    history: tuple[Version, ...] = field(repr=False)
    wrong: tuple[Coordinate, ...]
    """Where the versions stand that say something of what is disputed."""


def look_at(ticket: Ticket, lookup: Lookup, secrets: Mapping[int, bytes]) -> Look:
    """Read all versions of a ticket's record; the ledger is not asked yet."""
    key = keys_from(secrets)(ticket.reported.contested.key_version)
    history = tuple(_versions(lookup, ticket, key))
    wrong = tuple(parse_coordinate(each) for each in wrong_of(ticket, history, key))
    return Look(ticket.reported, key, history, wrong)


class Receivers:
    """Who received the wrong versions of several tickets: the ledger is read for all of them, once."""

    def __init__(self, lookup: Lookup, looks: Iterable[Look]) -> None:
        self._lookup = lookup
        self._wrong = {at for look in looks for at in look.wrong}
        self._found: tuple[Received, ...] | None = None
        self._apart = False

    def of(self, look: Look) -> tuple[Received, ...]:
        """Everybody who received one of the wrong versions of a look that was named."""
        if self._found is None and not self._apart:
            self._read()
        if self._found is None:
            return recipients(self._lookup, look.wrong)
        return tuple(each for each in self._found if each.at in look.wrong)

    def _read(self) -> None:
        """Where it cannot be said of one of the tickets, it is asked for each alone: the others go on."""
        try:
            self._found = recipients(self._lookup, self._wrong)
        except GrantUnknown:
            self._apart = True


def follow_ticket(
    connection: Connection, desk: Desk, ticket: UUID, look: Look, receivers: Receivers
) -> Iterator[Answer | Refused]:
    """Take every step that a ticket owes to what has happened meanwhile.

    Args:
        connection: in the caller's transaction.
        desk: as whom and when.
        ticket: its id.
        look: what the topics said of its record; where that was reported anew since, the next turn looks.
        receivers: who received what.
    """
    found = _locked(connection, ticket)
    if forwards(found):
        yield act(connection, desk, ticket, None, Action.FORWARD, SYSTEM, Given())
        found = _locked(connection, ticket)
    if found.state not in WATCHED or found.reported != look.reported:
        return
    step = step_of(found, look.history, look.key)
    if step is not None:
        yield act(connection, desk, ticket, None, step[0], SYSTEM, step[1])
        found = _locked(connection, ticket)
    given = list_of(found, map(_receipt, receivers.of(look)))
    if given is not None:
        yield act(connection, desk, ticket, None, Action.LIST, SYSTEM, given)
        found = _locked(connection, ticket)
    if found.state is State.CONFIRMED and not _owed(found):
        yield act(connection, desk, ticket, None, Action.CLOSE, SYSTEM, Given())


def _locked(connection: Connection, ticket: UUID) -> Ticket:
    filed = load(connection, ticket, lock=True)
    if filed is None:
        raise LookupError(f"ticket {ticket} was there a moment ago")
    return filed.ticket


def _owed(ticket: Ticket) -> bool:
    kind = kind_of(ticket)
    return kind is not None and bool(owed(ticket.receipts, ticket.told, kind))


def _versions(lookup: Lookup, ticket: Ticket, key: bytes) -> Iterator[Version]:
    """All versions that still stand: those before the reported one may have said the same."""
    at = parse_coordinate(ticket.reported.at)
    start = Coordinate(at.topic, at.partition, 0)
    for each in versions(lookup, ticket.reported.contested, start, key):
        yield Version(str(each.at), each.position, each.source_time_ms, each.state)


def _receipt(found: Received) -> Receipt:
    return Receipt(
        consumer=found.consumer,
        grant=found.grant,
        generation=found.generation,
        at=str(found.at),
        effect=found.effect.value,
        certain=found.certainty is Certainty.PROVEN,
        block=found.block,
        policy_version=found.policy_version,
        written_ms=found.written_ms,
    )
