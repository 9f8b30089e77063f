"""Grants: everybody sees what is his, with lag and last delivery, from the snapshot and never from Kafka."""

import pytest

from services.control.accounts.roles import Role
from services.control.store.snapshots import Kind, note_trouble
from tests.support.operating import EDUCATION_GRANT, HEALTH_GRANT, Operated, grant_document


@pytest.fixture
def seen(portal: Operated) -> Operated:
    portal.see(
        Kind.GRANT,
        {
            HEALTH_GRANT: grant_document("health"),
            EDUCATION_GRANT: grant_document("education", lag_seconds=4_000.0),
            "tax-permits": grant_document("tax", provider="market", state="suspended", lag_seconds=0.0),
        },
    )
    return portal


@pytest.mark.parametrize(
    ("role", "department", "expected"),
    [
        (Role.CONSUMER, "health", {HEALTH_GRANT}),
        (Role.PROVIDER, "police", {HEALTH_GRANT, EDUCATION_GRANT}),
        (Role.PROVIDER, "tax", set()),
        (Role.AUTHORITY, "data_bureau", {HEALTH_GRANT, EDUCATION_GRANT, "tax-permits"}),
        (Role.OPERATOR, "data_bureau", {HEALTH_GRANT, EDUCATION_GRANT, "tax-permits"}),
        (Role.AUDITOR, "data_bureau", {HEALTH_GRANT, EDUCATION_GRANT, "tax-permits"}),
    ],
)
def test_everybody_sees_the_grants_that_are_his(
    seen: Operated, role: Role, department: str, expected: set[str]
) -> None:
    page = seen.reader(role, department=department).open("/grants")
    assert page.status == 200, page.text
    links = {link.removeprefix("/grants/") for link in page.links if link.startswith("/grants/")}
    assert links == expected


def test_a_list_shows_how_far_behind_each_is_and_asks_nobody_else(seen: Operated) -> None:
    seen.down = True
    page = seen.reader(Role.OPERATOR, department="data_bureau").open("/grants?sort=lag")
    assert seen.opened == 0
    assert page.links.index(f"/grants/{EDUCATION_GRANT}") < page.links.index(f"/grants/{HEALTH_GRANT}")
    for said in ("67 minutes", "12 seconds", "As of", "suspended"):
        assert said in page.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=suspended", {"tax-permits"}),
        ("words=persons", {HEALTH_GRANT, EDUCATION_GRANT}),
        ("words=%25", set()),
        ("consumer=health", {HEALTH_GRANT}),
        ("provider=market&state=active", set()),
    ],
)
def test_filters_stand_in_the_address(seen: Operated, query: str, expected: set[str]) -> None:
    page = seen.reader(Role.OPERATOR, department="data_bureau").open(f"/grants?{query}")
    assert {link.removeprefix("/grants/") for link in page.links if link.startswith("/grants/")} == expected


def test_one_grant_is_shown_to_its_parties_and_to_nobody_else(seen: Operated) -> None:
    page = seen.reader(Role.CONSUMER, department="health").open(f"/grants/{HEALTH_GRANT}")
    assert page.status == 200
    assert "9,007,199,254,740,993" in page.text
    assert "/stop/order" not in " ".join(page.links)
    assert seen.reader(Role.CONSUMER, department="tax").look(f"/grants/{HEALTH_GRANT}").status_code == 404
    assert seen.reader(Role.PROVIDER, department="tax").look(f"/grants/{HEALTH_GRANT}").status_code == 404
    assert seen.reader(Role.OPERATOR, department="tax").look("/grants/nothing").status_code == 404


def test_who_may_suspend_a_grant_is_offered_it(seen: Operated) -> None:
    page = seen.reader(Role.PROVIDER, department="police").open(f"/grants/{HEALTH_GRANT}")
    assert f"/stop/order?verb=suspend&scope=grant&name={HEALTH_GRANT}" in page.links


def test_a_snapshot_that_cannot_be_renewed_says_since_when_and_why(seen: Operated) -> None:
    with seen.parts.database.begin() as connection:
        note_trouble(connection, Kind.GRANT, "KafkaUnavailable", seen.clock.now)
    page = seen.reader(Role.OPERATOR, department="data_bureau").open("/grants")
    assert "KafkaUnavailable" in page.text
    assert "what was seen last" in page.text


def test_where_nothing_is_the_page_says_why_and_what_to_do(portal: Operated) -> None:
    page = portal.reader(Role.CONSUMER, department="health").open("/grants")
    assert "There are no grants yet." in page.text
    assert "/catalogue" in page.links
    assert "govbus run control" in page.text


def test_the_next_page_goes_on_where_this_one_ends(portal: Operated) -> None:
    portal.see(Kind.GRANT, {f"g-{number:03}": grant_document("health") for number in range(120)})
    reader = portal.reader(Role.OPERATOR, department="data_bureau")
    seen: list[str] = []
    for number in (1, 2, 3):
        page = reader.open(f"/grants?after={number}")
        seen += [link for link in page.links if link.startswith("/grants/g-")]
    assert len(seen) == len(set(seen)) == 120
    assert portal.reader(Role.OPERATOR, department="tax").open("/grants?after=9999").status == 200
