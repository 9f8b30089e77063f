"""Whoever loses an item by a ruling is told once, and nobody else."""

import pytest
from sqlalchemy import select

from services.control.cases.words import Action
from services.control.store.database import ControlDatabase
from services.control.store.notices.tables import NOTICE_EVENTS, NOTICE_INBOX
from services.control.store.rulings.telling import tell_losing
from tests.support.desk import Office
from tests.support.ruling import given
from tests.support.sharing_cases import APPLICANT, CONSUMER, NOW, PROVIDER
from topics.event import GrantId


@pytest.mark.requirement("A5-01")
def test_the_parties_of_a_grant_that_loses_an_item_are_told_once(control_database: ControlDatabase) -> None:
    office = Office(control_database)
    mine = office.done(office.opened(), Action.SUBMIT, CONSUMER).case.opening.grant
    office.opened()
    ruling = given("o-1")
    with control_database.begin() as connection:
        assert tell_losing(connection, ruling, [mine, GrantId("declared-only")], NOW) == 1
        assert tell_losing(connection, ruling, [mine], NOW) == 0
        wanted = select(NOTICE_INBOX.c.department, NOTICE_EVENTS.c.facts)
        joined = wanted.join(NOTICE_EVENTS, NOTICE_EVENTS.c.id == NOTICE_INBOX.c.event_id)
        rows = connection.execute(joined.where(NOTICE_EVENTS.c.kind == "grant.loses_item")).all()
    assert {row.department for row in rows} == {APPLICANT, PROVIDER}
    assert all(mine in str(row.facts) for row in rows)
