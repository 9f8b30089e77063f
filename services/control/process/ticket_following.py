"""Advances one ticket by what the topics say: forwards, corrections, relapses, who received it."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.words import Actor, Role
from services.control.store.tickets.reading import load
from services.control.store.tickets.work import Answer, Desk, act
from services.control.tickets.correction import Version
from services.control.tickets.following import WATCHED, forwards, list_of, step_of, wrong_of
from services.control.tickets.life import Refused
from services.control.tickets.recipients import Receipt, owed
from services.control.tickets.ticket import Given, Ticket, kind_of
from services.control.tickets.words import Action, State
from services.ledger.coordinates import Coordinate, parse_coordinate
from services.ledger.disputed import recipients, versions
from services.ledger.lookup import Lookup
from services.ledger.received import Certainty, Received
from topics.disputes import keys_from

SYSTEM = Actor("control", Role.SYSTEM, "")


def follow_ticket(
    connection: Connection, desk: Desk, ticket: UUID, lookup: Lookup, secrets: Mapping[int, bytes]
) -> Iterator[Answer | Refused]:
    """Take every step that a ticket owes to what has happened meanwhile."""
    found = _locked(connection, ticket)
    if forwards(found):
        yield act(connection, desk, ticket, None, Action.FORWARD, SYSTEM, Given())
        found = _locked(connection, ticket)
    if found.state not in WATCHED:
        return
    key = keys_from(secrets)(found.reported.contested.key_version)
    history = tuple(_versions(lookup, found, key))
    step = step_of(found, history, key)
    if step is not None:
        yield act(connection, desk, ticket, None, step[0], SYSTEM, step[1])
        found = _locked(connection, ticket)
    wrong = [parse_coordinate(each) for each in wrong_of(found, history, key)]
    given = list_of(found, map(_receipt, recipients(lookup, wrong)))
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
