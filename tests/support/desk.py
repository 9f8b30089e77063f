"""A desk for tests on a real database: the sample city's entries as a test wants them, a policy, orders."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from itertools import count
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.application import Application
from services.control.cases.case import Given
from services.control.cases.words import Action, Actor, Role
from services.control.catalogue.entry import Department, Entry, EntryItem, Sharing, read_code
from services.control.catalogue.vocabulary import Grade
from services.control.clocks.calendar import Calendar
from services.control.clocks.calendar_file import china
from services.control.clocks.merge import merge
from services.control.clocks.pack import Given as Given_
from services.control.clocks.pack import Level, Source
from services.control.clocks.pack_file import load_packs, packaged_packs
from services.control.clocks.rules import Extension, Stage
from services.control.desk.desk import Desk
from services.control.desk.orders import Answer, Done, Order
from services.control.docket.bound import Bound, bound
from services.control.docket.filed import Filed
from services.control.docket.mounted import Mounted
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.cases.policies import adopt
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from tests.support.policy import sample_definitions
from tests.support.sharing_cases import AUTHORITY, CONSUMER, COUNCIL, NOW, SYSTEM, application, entry
from topics.event import ResourceId
from topics.resource import Resource
from topics.schema_rules import item_forms

PACKS: Final = load_packs(packaged_packs())
_KEYS: Final = count()


def policy(*packs: str, levels: tuple[str, ...] = (AUTHORITY, COUNCIL)) -> Bound:
    """These packaged packs as one policy."""
    return bound(merge([PACKS[each] for each in packs], date(2026, 1, 5)), levels)


COUNTY: Final = policy("national-2025", "yanjin-2019")
"""Five working days to answer, by the county; twenty to supply, by the nation."""


def extending(policy_: Bound, key: str, extension: Extension) -> Bound:
    """The policy with an extension for each stage of one clock."""
    given = tuple(_extended(each, extension) for each in policy_.values[key])
    return replace(policy_, values={**policy_.values, key: given})


def _extended(given: Given_, extension: Extension) -> Given_:
    assert isinstance(given.content, Stage)
    rule = replace(given.content.rule, extension=extension)
    return replace(given, content=replace(given.content, rule=rule))


def saying(policy_: Bound, key: str, choice: str) -> Bound:
    """The policy with one choice more, by an act of the county."""
    source = Source("《数据分类分级管理办法》", "第八条", True)
    given = Given_(key, choice, source, "the-county", Level.COUNTY, "the-county")
    return replace(policy_, values={**policy_.values, key: (given,)})


def published(resource: Resource, grades: Mapping[str, Grade] = MappingProxyType({})) -> Entry:
    """The entry that a resource would have in the catalogue, of the lowest grade where none is given."""
    return Entry(
        code=read_code(resource.code),
        name=resource.titles.zh,
        provider=Department(resource.provider),
        items=tuple(
            EntryItem(name=item.titles.zh, grade=grades.get(item.name, Grade.GENERAL))
            for item in resource.items
        ),
        sharing=Sharing(share_type=resource.share_type, basis=resource.share_basis or ""),
    )


class City:
    """The sample city's entries, and its calendar; a test changes both as it likes."""

    def __init__(self, calendar: Calendar | None = None) -> None:
        self.calendar = calendar or china()
        self.changes: dict[str, Any] = {}
        self.grades: dict[str, Grade] = {}
        self.gone = False

    def mounted(self, _connection: Connection, resource: ResourceId) -> Mounted | None:
        """The published entry of a resource, conditional unless a test wants something else."""
        if self.gone or resource not in sample_definitions().resources:
            return None
        found = entry(resource, **self.changes)
        forms = item_forms(sample_definitions().item_schemas[resource])
        return Mounted(published(found, self.grades), found, forms, {"on_platform": "yes"})

    def current(self, _connection: Connection) -> Calendar:
        """The calendar as the test set it."""
        return self.calendar


class Office:
    """A desk with its database, and short words for what tests do at it."""

    def __init__(self, database: ControlDatabase, adopted: Bound = COUNTY) -> None:
        self.database, self.city = database, City()
        self.desk = Desk(self.city, self.city, GrantOutbox())
        with database.begin() as connection:
            adopt(connection, adopted, "operator:test", NOW, "for a test")

    def opened(
        self, wanted: Application | None = None, now: datetime = NOW, actor: Actor = CONSUMER
    ) -> Filed:
        """A case that was just opened."""
        with self.database.begin() as connection:
            answer = self.desk.open(connection, order(actor, now), new_id(now), wanted or application())
        assert isinstance(answer, Done), answer
        return answer.filed

    def act(
        self,
        filed: Filed | UUID,
        action: Action,
        actor: Actor,
        now: datetime = NOW,
        round_: int | None = None,
        key: str = "",
        seen: int | None = None,
        **given: Any,
    ) -> Answer:
        """What the desk answers to an action."""
        said = Given(**{"text": "said in words", **given})
        asked = replace(order(actor, now), seen=seen)
        asked = replace(asked, key=key) if key else asked
        with self.database.begin() as connection:
            return self.desk.act(connection, asked, id_of(filed), action, said, round_)

    def done(
        self, filed: Filed | UUID, action: Action, actor: Actor, now: datetime = NOW, **more: Any
    ) -> Filed:
        """The case after an action that must succeed."""
        answer = self.act(filed, action, actor, now, **more)
        assert isinstance(answer, Done), answer
        return answer.filed

    def provisioned(self, filed: Filed, round_: int, now: datetime = NOW) -> Filed:
        """The case with each pending step reported as done, and so active."""
        for each in filed.case.steps:
            if each.progress.value != "done":
                filed = self.done(filed, Action.STEP_DONE, SYSTEM, now, round_=round_, step=each.step)
        return filed


def id_of(filed: Filed | UUID) -> UUID:
    """The id of a case."""
    return filed if isinstance(filed, UUID) else UUID(filed.case.opening.id)


def order(actor: Actor, now: datetime = NOW, key: str = "") -> Order:
    """An order with a key of its own."""
    recorder = "" if actor.role is Role.SYSTEM else "operator:test"
    return Order(key or f"test:{next(_KEYS)}", actor, now, recorder=recorder)
