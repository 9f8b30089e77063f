"""Entries and topics side by side, as pages and the API show them: what is really there, and what is missing.

Whoever may look at published entries sees how those stand (requirement A2-11). A topic without entry, and in
what an entry and its topic differ, is the business of who may look at the provider's operation (A2-12).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from services.api.parts import Parts
from services.api.security.asking import permit
from services.api.uses import catalogue
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.catalogue.lifecycle import Dossier
from services.control.catalogue.mounting import Mount
from services.control.store.accounts.departments import departments
from services.control.store.catalogue import mountings
from services.control.store.catalogue.mountings import Line, Wish
from services.control.store.operations import rounds
from services.control.store.snapshots import Kind, Trouble


@dataclass(frozen=True, slots=True)
class Found:
    """Some lines, how many there are in each state, and of when that is; None where nobody has looked yet."""

    lines: tuple[Line, ...]
    counts: Mapping[Mount, int]
    as_of: datetime | None
    trouble: Trouble | None


def listed(
    parts: Parts, principal: Principal, states: Collection[Mount] = (), after: str = "", limit: int = 50
) -> Found:
    """Entries and topics that somebody sees, by code and id.

    Raises:
        AnswerProblem: somebody may not look at the catalogue.
    """
    permit(parts, principal, Action.CATALOGUE_LOOK, own(principal))
    with parts.database.reading() as connection:
        wish = Wish(states, _hidden_of(connection, principal))
        lines = mountings.page(connection, wish, after, limit)
        return _found(connection, principal, lines, mountings.counts(connection, wish))


def of_entry(parts: Parts, principal: Principal, entry: str) -> Found:
    """How one entry stands, by its id or its code; without a line where nobody has looked at it.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    shown = catalogue.shown(parts, principal, entry)
    return of_dossier(parts, principal, shown.stored.dossier)


def of_dossier(parts: Parts, principal: Principal, dossier: Dossier) -> Found:
    """The same of an entry that was looked up already."""
    published = dossier.published
    code = None if published is None else published.entry.code
    with parts.database.reading() as connection:
        line = None if code is None else mountings.of_code(connection, str(code))
        return _found(connection, principal, [] if line is None else [line], {})


def _found(
    connection: Connection, principal: Principal, lines: list[Line], counts: Mapping[Mount, int]
) -> Found:
    looked = rounds(connection).get(Kind.MOUNTING)
    return Found(
        lines=tuple(_as_seen(principal, line) for line in lines),
        counts=counts,
        as_of=None if looked is None else looked.as_of,
        trouble=None if looked is None else looked.trouble,
    )


def _hidden_of(connection: Connection, principal: Principal) -> frozenset[str] | None:
    """The departments whose topics without entry somebody sees; None for whoever sees everything."""
    if sees(principal, Action.OPERATION_LOOK, Whose()):
        return None
    return frozenset(
        each.id
        for each in departments(connection)
        if sees(principal, Action.OPERATION_LOOK, Whose(provider=each.id))
    )


def _as_seen(principal: Principal, line: Line) -> Line:
    """Without the differences for whoever is not to know what a provider left out."""
    if sees(principal, Action.OPERATION_LOOK, Whose(provider=line.provider)):
        return line
    return replace(line, mounted={**line.mounted, "differences": []})
