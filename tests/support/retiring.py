"""Two versions of one resource for tests: declared, under one published entry, one of them to be retired."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.catalogue.lifecycle import Action, Actor, Dossier, Role, State, Step, Version
from services.control.definitions import Definitions
from services.control.retirements.plan import Retirement
from services.control.retirements.words import State as Ending
from services.control.store.catalogue.dossiers import Change, EntryId, write
from services.control.store.ids import new_id
from tests.support.catalogue import CODES
from tests.support.desk import published
from tests.support.policy import sample_definitions
from tests.support.sharing_cases import NOW, PERSON, entry
from topics.event import ResourceId

OLD: Final = PERSON
NEW: Final = ResourceId("population.person.v2")
TODAY: Final = date(2026, 3, 2)
"""The civil day of ``NOW``, a Monday."""
FIRST: Final = date(2026, 4, 15)
"""The first day after thirty working days: of Qingming's three free days one is a Monday."""


@cache
def two_versions() -> Definitions:
    """The sample city's definitions with a second version of persons."""
    sample = sample_definitions()
    newer = sample.resources[OLD].model_copy(update={"version": 2})
    return replace(
        sample,
        resources={**sample.resources, NEW: newer},
        item_schemas={**sample.item_schemas, NEW: sample.item_schemas[OLD]},
    )


def publish_entry(connection: Connection, left_out: str = "") -> UUID:
    """Publish the entry of both versions, perhaps without an item of this name, and return its id."""
    who = Actor("wang", Role.PROVIDER, CODES[0])
    steps = (Step(1, Action.OPEN, None, State.DRAFT, who, NOW),)
    made = replace(published(entry(OLD)), name="人口基本信息")
    made = replace(made, items=tuple(each for each in made.items if each.name != left_out))
    dossier = Dossier(CODES[0], (Version(1, made, State.PUBLISHED),), steps)
    id_ = EntryId(new_id(NOW))
    write(connection, [Change(id_, None, dossier)])
    return id_


def plan(**changes: Any) -> Retirement:
    """A planned retirement of persons."""
    wanted = Retirement(
        id=UUID(int=1),
        old=OLD,
        new=NEW,
        provider="police",
        state=Ending.PLANNED,
        announced_at=NOW,
        parallel_from=TODAY,
        retires_on=FIRST,
        working_days=30,
        why="住址拆分为结构化字段",
        by="wang",
        version=1,
    )
    return replace(wanted, **changes)


def morning(day: date) -> datetime:
    """Nine o'clock of a day in Beijing."""
    return datetime(day.year, day.month, day.day, 1, 0, tzinfo=UTC)


def days_before(day: date, count: int) -> datetime:
    """So many days before a day, at nine in Beijing."""
    return morning(day - timedelta(days=count))
