"""The page of credentials: who sees whose, what it says, a code that is shown once and owed to the ledger."""

from datetime import timedelta
from typing import Final

import pytest

from services.control.accounts.roles import Role
from services.control.credential_life import Ended, expiry
from services.control.provisioning.credential import CODE_LIFE, DEPARTMENT
from services.control.store.database import ControlDatabase
from services.control.store.provisioning import credentials, pickups
from tests.support.portal import Page, Portal
from tests.support.web import NOW
from topics.event import ConsumerId

HEALTH, TAX = ConsumerId("health"), ConsumerId("tax")
ROTATE: Final = "/credentials/health/rotate"
DAY: Final = timedelta(days=1)


@pytest.fixture
def portal(control_database: ControlDatabase) -> Portal:
    """Two departments with a credential: one ends in twenty days, one has just begun."""
    found = Portal(control_database)
    with control_database.begin() as connection:
        credentials.enter(connection, HEALTH, NOW - 160 * DAY, expiry(NOW, 20))
        credentials.enter(connection, TAX, NOW, expiry(NOW, 180))
    return found


def ordered(portal: Portal) -> list[str]:
    """What the ledger is owed of the department's credential."""
    return [what for what in portal.acts(DEPARTMENT, HEALTH) if what.startswith("credential.")]


def offered(page: Page) -> set[str]:
    return {form.action for form in page.forms if form.action.startswith("/credentials")}


@pytest.mark.requirement("A1-05", "A1-06")
@pytest.mark.parametrize(
    ("role", "department", "expected"),
    [
        (Role.CONSUMER, "health", {ROTATE}),
        (Role.CONSUMER, "police", set()),
        (Role.OPERATOR, "data_bureau", {ROTATE, "/credentials/tax/rotate"}),
        (Role.AUTHORITY, "data_bureau", None),
        (Role.PROVIDER, "health", None),
        (Role.AUDITOR, "data_bureau", None),
        (Role.OVERSEER, "data_bureau", None),
    ],
)
def test_each_sees_and_renews_what_he_may_and_nobody_else_gets_the_page(
    portal: Portal, role: Role, department: str, expected: set[str] | None
) -> None:
    reader = portal.reader(role, department=department)
    page = reader.open("/credentials")
    assert page.status == (403 if expected is None else 200)
    assert offered(page) == (expected or set())
    assert ("/credentials" in reader.open("/").links) == (expected is not None)
    allowed = expected is not None and ROTATE in expected
    token = reader.open("/").form("/logout").fields["csrf_token"]
    answer = reader.client.post(ROTATE, data={"csrf_token": token})
    assert answer.status_code == (200 if allowed else 403)
    assert ordered(portal) == (["credential.rotation_ordered"] if allowed else [])


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_page_says_when_each_ends_and_what_the_program_must_do(portal: Portal, language: str) -> None:
    page = portal.reader(Role.OPERATOR, department="data_bureau", language=language).open("/credentials")
    assert page.faults == []
    wanted = {
        "en": ("20 days left", "180 days left", "no time in which both passwords count", "within a minute"),
        "zh-CN": ("还有 20 天", "还有 180 天", "govbus grant credential fetch"),
    }
    for each in wanted[language]:
        assert each in page.text, (each, page.text)


def test_the_code_is_shown_once_and_the_page_then_says_until_when_it_counts(portal: Portal) -> None:
    reader = portal.reader(Role.CONSUMER, department="health")
    answer = reader.sent(reader.open("/credentials"), ROTATE)
    assert (answer.status, answer.faults) == (200, [])
    (code,) = [word for word in answer.text.split() if word.startswith("gbc_")]
    assert answer.answer.headers["cache-control"] == "no-store"
    again = reader.open("/credentials")
    assert code not in again.text
    assert "gbc_" not in again.text
    with portal.parts.database.begin() as connection:
        assert pickups.waiting(connection, portal.clock.now) == {HEALTH: portal.clock.now + CODE_LIFE}
        assert credentials.newest(connection, HEALTH) is not None
    assert ordered(portal) == ["credential.rotation_ordered"]


def test_one_that_is_over_can_be_renewed_and_says_that_it_opens_nothing(portal: Portal) -> None:
    with portal.parts.database.begin() as connection:
        found = credentials.newest(connection, HEALTH)
        assert found is not None
        credentials.end(connection, found, Ended.EXPIRED, NOW)
    page = portal.reader(Role.CONSUMER, department="health").open("/credentials")
    assert "it opens nothing" in page.text
    assert offered(page) == {ROTATE}


def test_without_the_token_of_the_session_no_code_is_made(portal: Portal) -> None:
    reader = portal.reader(Role.CONSUMER, department="health")
    answer = reader.send(reader.open("/credentials"), ROTATE, csrf_token="another")
    assert answer.status_code == 403
    assert ordered(portal) == []


def test_a_department_without_a_credential_is_not_found(portal: Portal) -> None:
    reader = portal.reader(Role.OPERATOR, department="data_bureau")
    token = reader.open("/").form("/logout").fields["csrf_token"]
    answer = reader.client.post("/credentials/nobody/rotate", data={"csrf_token": token})
    assert answer.status_code == 404


def test_where_none_is_known_the_page_says_why(control_database: ControlDatabase) -> None:
    page = Portal(control_database).reader(Role.CONSUMER, department="health").open("/credentials")
    assert (page.status, page.faults) == (200, [])
    assert "No credential is known yet." in page.text
