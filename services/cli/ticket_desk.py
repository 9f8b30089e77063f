"""What orders on tickets are made of at the command line: the record, evidence, rules, and who acts when."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.cli.output import CommandFailed, ExitCode, one_of
from services.control.clocks.calendar import Calendar
from services.control.clocks.merge import CorrectPacks, merge
from services.control.store.clocks.packs import read_packs
from services.control.store.ids import new_id
from services.control.store.tickets import files
from services.control.store.tickets.reading import id_of, load
from services.control.store.tickets.work import Answer, Desk
from services.control.tickets.clocks import rules_from
from services.control.tickets.evidence import LARGEST_FILE, Evidence, Reported
from services.control.tickets.words import TicketRules
from services.ledger import on_stack
from services.ledger.coordinates import parse_coordinate
from services.ledger.disputed import NotReportable, find
from services.ledger.lookup import Lookup
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.quality.values import CIVIL_TIME

_PIECE: Final = 1 << 20


def desk_of(who: str, now: datetime, calendar: Calendar, key: str | None) -> Desk:
    """By whom and when an order is carried out."""
    return Desk(who, now, calendar, lambda: new_id(now), key)


def master_secrets(lookup: Lookup) -> Mapping[int, bytes]:
    """The master secrets that the fan-out has too: of the versions that the newest policy uses."""
    return on_stack.master_secrets(Stack(StackSettings.from_environment(os.environ)), lookup)


def reported_record(lookup: Lookup, at: str, items: Sequence[str], secrets: Mapping[int, bytes]) -> Reported:
    """The record at a coordinate, without anything that names it.

    Raises:
        CommandFailed: it is no version of a record, or has not these items.
        NotACoordinate: the text is none.
        RecordMissing: nothing stands there.
    """
    try:
        found = find(lookup, parse_coordinate(at), items, secrets)
    except NotReportable as error:
        remedy = "name a record of your grant's topic and its items; `govbus tail` shows both"
        raise CommandFailed(ExitCode.USAGE, str(error), "--at", remedy) from error
    return Reported(found.provider, found.contested, str(found.version.at), found.version.position)


def keep_files(connection: Connection, answer: object, paths: Iterable[Path], now: datetime) -> None:
    """Keep what was attached to a report that was taken, as far as it is not too large."""
    filed = load(connection, UUID(str(answer.id))) if isinstance(answer, Answer) else None
    if filed is not None:
        small = (path for path in paths if path.stat().st_size <= LARGEST_FILE)
        files.keep(connection, filed.ticket, (path.read_bytes() for path in small), now)


def evidence_of(path: Path) -> Evidence:
    """An attachment, by its digest; its name is its title.

    Raises:
        CommandFailed: the file cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}"
        raise CommandFailed(ExitCode.USAGE, what, "--evidence", "name a readable file") from error
    return Evidence(digest.hexdigest(), size, path.name)


def rules_of(
    connection: Connection, packs: Sequence[str], levels: Sequence[str], now: datetime
) -> TicketRules:
    """What the named policy packs set for a ticket that is opened now.

    Raises:
        CommandFailed: there is no such pack, or they make no policy together.
    """
    found = read_packs(connection)
    for name in packs:
        one_of(name, found, "pack", "--pack")
    try:
        policy = merge([found[name] for name in dict.fromkeys(packs)], now.astimezone(CIVIL_TIME).date())
    except CorrectPacks as error:
        raise CommandFailed(ExitCode.USAGE, error.what, error.where, error.remedy) from error
    return rules_from(policy, tuple(levels))


def ticket_id(connection: Connection, number: int) -> UUID:
    """The id of a ticket by its number.

    Raises:
        CommandFailed: there is none.
    """
    found = id_of(connection, number)
    if found is None:
        what = f"there is no ticket {number}"
        raise CommandFailed(ExitCode.NEGATIVE, what, "NUMBER", "`govbus ticket list` shows them")
    return found
