"""Filing reports and acting on them in tests, each order in a transaction of its own."""

from datetime import datetime
from uuid import UUID

from services.control.cases.words import Actor
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.tickets.reading import load
from services.control.store.tickets.work import (
    Answer,
    Desk,
    act,
    take_report,
)
from services.control.tickets.life import Refused
from services.control.tickets.ticket import Given, Ticket
from services.control.tickets.words import Action
from tests.support.tickets import (
    BUREAU,
    CALENDAR,
    NOW,
    PROVIDER,
    SYSTEM,
    given,
    opening,
)


def desk(now: datetime = NOW, key: str | None = None, account: str = "chen") -> Desk:
    return Desk(account, now, CALENDAR, lambda: new_id(now), key)


def file(
    database: ControlDatabase, id_: str = opening().id, key: str | None = None, **changes: object
) -> Answer:
    with database.begin() as connection:
        answer = take_report(connection, desk(key=key), opening(id=id_, **changes))  # type: ignore[arg-type]
    assert isinstance(answer, Answer), answer
    return answer


def take(
    database: ControlDatabase,
    ticket: str,
    action: Action,
    actor: Actor,
    brought: Given | None = None,
    seen: int | None = None,
    now: datetime = NOW,
    key: str | None = None,
) -> Answer | Refused:
    with database.begin() as connection:
        return act(connection, desk(now, key), UUID(ticket), seen, action, actor, brought or given())


def taken(database: ControlDatabase, ticket: str, *steps: tuple[Action, Actor]) -> Answer:
    answer: Answer | Refused | None = None
    for action, actor in steps:
        answer = take(database, ticket, action, actor)
        assert isinstance(answer, Answer), answer
    assert isinstance(answer, Answer)
    return answer


TO_CORRECTED = (
    (Action.DISPATCH, BUREAU),
    (Action.ACCEPT, PROVIDER),
    (Action.LIST, SYSTEM),
    (Action.ARRIVE, SYSTEM),
)


def read(database: ControlDatabase, ticket: str) -> Ticket:
    with database.begin() as connection:
        filed = load(connection, UUID(ticket))
    assert filed is not None
    return filed.ticket
