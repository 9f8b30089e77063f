"""Each change of accounts is owed to the ledger in its own transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from services.control.accounts.actions import Action
from services.control.cases.words import Problem
from services.control.store.outbox import Act, Fact, append


class CorrectRequest(Exception):  # noqa: N818 - says what to do
    """Nothing was changed: correct each of ``problems`` and ask again."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{each.field}: {each.what}" for each in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants a change, when and why; ``by`` is the id of an account, or the console's."""

    by: str
    now: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """What was changed: the action and the object."""

    action: Action | str
    kind: str
    object: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


def note(connection: Connection, order: Order, noted: Noted) -> None:
    """Owe the ledger what was changed."""
    act = Act(
        who=order.by,
        what=str(noted.action),
        kind=noted.kind,
        object=noted.object,
        when=order.now,
        reason=order.reason,
        facts=noted.facts,
    )
    append(connection, act)


def of_person(
    connection: Connection, order: Order, action: Action | str, person: UUID, **facts: Fact
) -> None:
    """Owe the ledger what happened to a person's account."""
    note(connection, order, Noted(action, "account", str(person), facts))
