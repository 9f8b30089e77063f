"""A place that wants updates at once and filed: due on the day, and registered under a number only."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.catalogue.lifecycle import Action, Refusal, Refused
from services.control.catalogue.parameters import CatalogueRules
from services.control.clocks.calendar_file import china
from services.control.store.breaches import breaches
from services.control.store.catalogue.accepting import rules_now
from services.control.store.catalogue.dossiers import EntryId, Stored, by_id
from services.control.store.catalogue.steps import Asked, take_step
from services.control.store.database import ControlDatabase
from tests.support.portal import Portal
from tests.support.stored_catalogue import CLERK, REVIEWER, RULES, WHEN, brought, done, numbered, opened
from tests.support.web import Web

FILING = "备案〔2026〕17号"
ONE = timedelta(days=1)


def revised(web: Web, when: datetime = WHEN, changed_on: date | None = None, *, sent: bool = True) -> Stored:
    """A published entry with a revision, which waits for its registration."""
    with web.parts.database.begin() as connection:
        published = brought(connection, opened(connection, numbered(1)))
        asked = Asked(CLERK, when + ONE, "法律修订", changed_on)
        stored = done(take_step(connection, published, Action.REVISE, asked, RULES))
        if sent:
            sending = Asked(CLERK, when + ONE)
            stored = done(take_step(connection, stored, Action.SUBMIT, sending, RULES))
    return stored


def late(web: Web, day: datetime) -> list[tuple[str, str]]:
    with web.parts.database.reading() as connection:
        rows, _ = breaches(connection, china(), day)
    return [(each.stage, each.due_on.isoformat()) for each in rows]


@pytest.mark.requirement("A2-07", "C4")
def test_what_is_due_at_once_is_late_on_the_next_day(control_database: ControlDatabase) -> None:
    web = Web(control_database)
    # The 27th of November is a Friday, the 28th no working day.
    revised(web, sent=False)
    begun = WHEN + ONE
    assert late(web, begun) == []
    assert late(web, begun + ONE) == [("apply", "2026-11-27")]
    web.clock.now = begun
    (task,) = web.at(Role.PROVIDER).get("/tasks").json()["items"]
    assert (task["due_on"], task["days_left"]) == ("2026-11-27", 0)


@pytest.mark.requirement("A2-07")
def test_a_change_on_a_free_day_is_due_on_the_next_one_that_is_worked(
    control_database: ControlDatabase,
) -> None:
    web = Web(control_database)
    revised(web, WHEN + 4 * ONE, date(2026, 11, 28), sent=False)
    assert late(web, WHEN + 4 * ONE) == []
    assert late(web, WHEN + 5 * ONE) == [("apply", "2026-11-30")]


@pytest.mark.requirement("A2-07")
def test_a_revision_is_registered_over_the_api_with_the_number_of_its_filing(
    control_database: ControlDatabase,
) -> None:
    web = Web(control_database)
    web.clock.now = WHEN + 2 * ONE
    id_, authority = revised(web).id, web.at(Role.AUTHORITY, department="data_bureau")

    def register(**given: Any) -> Any:
        form = {"action": "register", **given}
        return authority.post(f"/catalogue/entries/{id_}/steps", form, headers={"if-match": "*"})

    refused = register()
    assert refused.status_code == 422, refused.text
    assert [each["code"] for each in refused.json()["problems"]] == ["FILING_MISSING"]
    assert "备案编号" in refused.text
    assert register(filing="x" * 201).status_code == 422
    assert register(filing=FILING).status_code == 200
    shown = authority.get(f"/catalogue/entries/{id_}").json()
    assert [each["filing"] for each in shown["versions"]] == ["", FILING]
    with web.parts.database.reading() as connection:
        kept = by_id(connection, EntryId(id_))
    assert kept is not None
    assert [each.filing for each in kept.dossier.versions] == ["", FILING]
    with web.parts.database.begin() as connection:
        rules = rules_now(connection)
        asked = Asked(CLERK, WHEN + 3 * ONE)
        requested = done(take_step(connection, kept, Action.REQUEST_PUBLICATION, asked, rules))
        reviewed = Asked(REVIEWER, WHEN + 3 * ONE)
        published = done(take_step(connection, requested, Action.PUBLISH, reviewed, rules))
    assert [each.filing for each in published.dossier.versions] == ["", FILING]


def test_where_no_pack_asks_for_a_filing_none_is_needed(control_database: ControlDatabase) -> None:
    web = Web(control_database)
    stored = revised(web)
    with web.parts.database.begin() as connection:
        asked = Asked(REVIEWER, WHEN + 2 * ONE)
        wanting = CatalogueRules(revisions_filed=True)
        refused = take_step(connection, stored, Action.REGISTER, asked, wanting)
        assert isinstance(refused, Refused)
        assert refused.refusal is Refusal.FILING_MISSING
        registered = done(take_step(connection, stored, Action.REGISTER, asked, RULES))
    assert registered.dossier.versions[-1].filing == ""


@pytest.mark.requirement("A2-07")
def test_the_page_asks_for_the_number_and_shows_it(control_database: ControlDatabase) -> None:
    portal = Portal(control_database)
    portal.clock.now = WHEN + 2 * ONE
    id_ = revised(portal).id
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = authority.open(f"/catalogue/entries/{id_}")
    assert page.faults == []
    assert "Number of the filing" in page.text
    address = f"{page.path}/steps/register"
    refused = authority.sent(page, address)
    assert (refused.status, "the revision has no number of a filing" in refused.text) == (422, True)
    registered = authority.sent(refused, address, filing=FILING)
    assert (registered.status, registered.faults) == (200, [])
    assert FILING in registered.text
