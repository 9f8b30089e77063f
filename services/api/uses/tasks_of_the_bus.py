"""What of the running bus waits for a person: read of tables and snapshots, and of what was read lately."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.api.uses.lately import Lately
from services.api.uses.reach import sees
from services.api.uses.rulings import About, claimed_column
from services.api.uses.task import Kind, Matter, Task, days_left
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.accounts.roles import Role
from services.control.clocks.calendar import Calendar, civil_day
from services.control.credential_life import Standing
from services.control.definitions import Definitions
from services.control.replays.asking import approves
from services.control.replays.life import State
from services.control.store import snapshots
from services.control.store.accounts.persons import person_of
from services.control.store.operations import GrantWish, grants
from services.control.store.provisioning import credentials as of_departments
from services.control.store.replays import work
from services.control.store.rulings import orders

_MANY: Final = 200
"""So many of one kind are looked at."""
_WORKED_ON: Final = {Role.PROVIDER: Action.QUARANTINE_DISCARD, Role.OPERATOR: Action.QUARANTINE_RELEASE}
"""By which action stopped events are mended, in each role that may."""


def replays(connection: Connection, principal: Principal, role: Role) -> Iterator[Task]:
    """Replays to approve: who asked for one does not approve it himself."""
    if role not in (Role.AUTHORITY, Role.OPERATOR, Role.AUDITOR):
        return
    for each in work.listed(connection, State.REQUESTED, limit=_MANY, whole=False):
        whose = Whose(principal.department, principal.department)
        if each.requested_by == principal.person:
            continue
        if _may(principal, role, approves(each.order.purpose), whose):
            yield _task(
                Kind.REPLAY,
                role,
                name=each.order.reason,
                state=each.state.value,
                department=_department_of(connection, each.requested_by),
                since=each.requested_at,
                number=each.number,
            )


def credentials(
    connection: Connection, principal: Principal, role: Role, calendar: Calendar, now: datetime
) -> Iterator[Task]:
    """The own department's login where it ends soon, or has ended while something is still delivered."""
    own = Whose(consumer=principal.department)
    if role is not Role.CONSUMER or not _may(principal, role, Action.GRANT_ROTATE_CREDENTIAL, own):
        return
    for each in of_departments.listed(connection, [principal.department]):
        standing, today = each.standing(now), civil_day(now)
        ended = standing is Standing.OVER and _receives(connection, principal.department)
        if ended or standing is Standing.ENDS_SOON:
            yield _task(
                Kind.CREDENTIAL,
                role,
                name=each.consumer,
                state=standing.value,
                department=each.consumer,
                since=each.issued_at,
                number=each.version,
                due_on=each.last_day,
                days_left=days_left(calendar, today, each.last_day),
            )


def volumes(connection: Connection, principal: Principal, role: Role) -> Iterator[Task]:
    """Full volumes whose sweep would withdraw so much that it waits for the operator."""
    if role is not Role.OPERATOR:
        return
    for name, document in snapshots.waiting_volumes(connection).items():
        newest, provider = document["epochs"][0], str(document["provider"])
        if _may(principal, role, Action.OPERATION_LOOK_VOLUMES, Whose(provider=provider)):
            yield _task(
                Kind.VOLUME,
                role,
                name=name,
                state=newest["state"],
                department=provider,
                since=_moment(newest["told_ms"]),
                count=newest["counts"].get("unseen"),
            )


def stopped(connection: Connection, principal: Principal, role: Role, lately: Lately) -> Iterator[Task]:
    """Stopped events that are still open, of whom one may release or discard them."""
    action = _WORKED_ON.get(role)
    if action is None:
        return
    found = snapshots.all_of(connection, snapshots.Kind.QUARANTINE).documents
    names = {name.removeprefix("quarantine."): document for name, document in found.items()}
    wanted = [
        name
        for name, document in names.items()
        if document.get("count") and _may(principal, role, action, Whose(provider=name))
    ]
    for provider, each in sorted(lately.stopped(wanted).items()):
        yield _task(
            Kind.QUARANTINE,
            role,
            name=provider,
            state=Matter.TO_MEND.value,
            department=provider,
            since=each.since,
            count=each.count,
        )


def conflicts(
    connection: Connection, principal: Principal, role: Role, lately: Lately, definitions: Definitions
) -> Iterator[Task]:
    """Items that two departments publish with different values, and on which nobody has ruled."""
    if role is not Role.AUTHORITY:
        return
    ruled = orders.ruled_on(connection)
    for each in lately.claimed():
        column = claimed_column(definitions, About(each.claimant, each.resource, each.item))
        open_ = bool(each.differing) and column is not None and column not in ruled
        if open_ and _may(principal, role, Action.CLAIM_DECIDE, Whose(provider=each.claimant)):
            yield _task(
                Kind.CONFLICT,
                role,
                name=f"{each.claimant}/{each.resource}/{each.item}",
                state=Matter.TO_RULE.value,
                department=each.claimant,
                since=each.since,
                count=each.differing,
            )


def _task(
    kind: Kind,
    role: Role,
    *,
    name: str,
    state: str,
    department: str,
    since: datetime,
    number: int | None = None,
    count: int | None = None,
    due_on: date | None = None,
    days_left: int | None = None,
) -> Task:
    return Task(
        kind=kind,
        role=role,
        id=None,
        number=number,
        name=name,
        state=state,
        department=department,
        since=since,
        due_on=due_on,
        provisional=False,
        days_left=days_left,
        count=count,
    )


def _may(principal: Principal, role: Role, action: Action, whose: Whose) -> bool:
    """Whether somebody may in this one role; the scopes of a token count."""
    return sees(replace(principal, roles=frozenset({role})), action, whose)


def _receives(connection: Connection, department: str) -> bool:
    """Whether anything is still delivered to a department: else nobody misses its login."""
    return bool(grants(connection, None, GrantWish(consumer=department, state="active"), limit=1))


def _department_of(connection: Connection, account: str) -> str:
    """The department of whoever asked; empty for a console."""
    try:
        found = person_of(connection, UUID(account))
    except ValueError:
        return ""
    return "" if found is None else found.department


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
