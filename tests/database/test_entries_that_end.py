"""An entry that changes or is withdrawn on a real database: who is told, and what becomes of its cases."""

from uuid import UUID

import pytest
from sqlalchemy import Connection

from services.control.cases.words import Action, State, StopReason
from services.control.cases.words import Role as CaseRole
from services.control.catalogue.lifecycle import Action as Step
from services.control.catalogue.lifecycle import Actor, Role
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.vocabulary import Library, ResourceClass
from services.control.desk.orders import Declined
from services.control.notices.words import Kind
from services.control.store.catalogue.dossiers import EntryId, Stored, by_id
from services.control.store.catalogue.steps import Asked, edit_entry, take_step
from services.control.store.catalogue.tables import ENTRIES
from services.control.store.database import ControlDatabase
from services.control.store.notices import inbox
from tests.database.test_retirements import Town
from tests.support.catalogue import CODES, entry
from tests.support.retiring import NEW
from tests.support.sharing_cases import AUTHORITY, DECIDER, NOW

WANG = Actor("wang", Role.PROVIDER, CODES[0])
LI = Actor("li", Role.AUTHORITY, CODES[3] if len(CODES) > 3 else CODES[1])


@pytest.fixture
def town(control_database: ControlDatabase) -> Town:
    return Town(control_database)


def stepped(town: Town, *steps: tuple[Step, Actor]) -> Stored:
    """The town's one entry, taken some steps further."""
    with town.database.begin() as connection:
        id_ = connection.execute(ENTRIES.select()).scalars().one()
        stored = by_id(connection, EntryId(UUID(str(id_))))
        assert stored is not None
        for action, who in steps:
            after = take_step(connection, stored, action, Asked(who, NOW, "理由"), CatalogueRules())
            assert isinstance(after, Stored), after
            stored = completed(connection, after) if action is Step.REVISE else after
    return stored


def told(town: Town, department: str) -> list[Kind]:
    with town.database.begin() as connection:
        page = inbox.page(connection, department, "somebody", limit=100)
    kinds = [each.happened.kind for each in reversed(page)]
    return [kind for kind in kinds if kind.value.startswith("entry.")]


def completed(connection: Connection, stored: Stored) -> Stored:
    """The draft as reviews want it."""
    content = entry(
        code=stored.dossier.versions[0].entry.code,
        name="人口基本信息",
        resource_class=ResourceClass.BASIC,
        library=Library.POPULATION,
    )
    after = edit_entry(connection, stored, content, Asked(WANG, NOW))
    assert isinstance(after, Stored), after
    return after


REPUBLISHED = (
    (Step.REVISE, WANG),
    (Step.SUBMIT, WANG),
    (Step.REGISTER, LI),
    (Step.REQUEST_PUBLICATION, WANG),
    (Step.PUBLISH, LI),
)


@pytest.mark.requirement("A2-03")
def test_a_withdrawn_entry_is_told_and_ends_the_cases_that_deliver_and_no_other(town: Town) -> None:
    active, deciding = town.case(), town.case(State.DECIDING, "tax")
    newer = town.case(State.SUSPENDED, "social_security", NEW)
    stepped(town, (Step.WITHDRAW, WANG))
    for department in ("health", "tax", "social_security", "police", AUTHORITY):
        assert told(town, department) == [Kind.ENTRY_WITHDRAWN], department
    assert town.states(active) == [State.ACTIVE]
    assert town.turn(NOW)
    assert town.states(active, deciding, newer) == [State.TERMINATED, State.DECIDING, State.TERMINATED]
    event = town.read(active).case.events[-1]
    assert (event.stop_reason, event.who.role) == (StopReason.RESOURCE_ENDED, CaseRole.SYSTEM)
    assert event.text.startswith("ENTRY_WITHDRAWN ")
    assert len(town.ends_owed()) == 2
    assert not town.turn(NOW)
    assert isinstance(town.office.act(deciding, Action.APPROVE, DECIDER), Declined)


@pytest.mark.requirement("A2-03")
def test_a_changed_entry_is_told_to_who_has_cases_of_it_and_they_go_on(town: Town) -> None:
    active = town.case()
    stepped(town, *REPUBLISHED)
    assert told(town, "health") == [Kind.ENTRY_CHANGED]
    assert told(town, AUTHORITY)[-1] is Kind.ENTRY_CHANGED
    assert told(town, "tax") == []
    assert not town.turn(NOW)
    assert town.states(active) == [State.ACTIVE]


def test_an_entry_that_is_being_revised_after_it_was_withdrawn_still_ends_its_cases(town: Town) -> None:
    active = town.case()
    stepped(town, (Step.WITHDRAW, LI), (Step.REVISE, WANG))
    assert town.turn(NOW)
    assert town.states(active) == [State.TERMINATED]


def test_steps_on_the_way_to_publication_are_told_to_nobody_who_has_the_data(town: Town) -> None:
    town.case()
    stepped(town, *REPUBLISHED[:-1])
    assert told(town, "health") == []
    assert not town.turn(NOW)
