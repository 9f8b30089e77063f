"""The pages of full volumes: what waits comes first, each provider sees its own, and what to do is said."""

import html
import json
import re
from datetime import timedelta
from typing import Any, Final

import pytest

from services.control.accounts.roles import Role
from services.control.store.reconciliations.proofs import keep
from services.control.store.snapshots import Kind, note_trouble
from tests.support.operating import Operated
from tests.support.volumes import epoch, proof, volume_document
from tests.support.web import NOW

PERSON: Final = "population.person.v1"
HOUSEHOLD: Final = "population.household.v1"
ENTERPRISE: Final = "legal.enterprise.v1"
PERMIT: Final = "licence.permit.v1"


def kept(portal: Operated, *proofs: Any) -> None:
    with portal.parts.database.begin() as connection:
        for each in proofs:
            keep(connection, each)


@pytest.fixture
def filled(portal: Operated) -> Operated:
    looks = [[(NOW - timedelta(seconds=10)).isoformat(), 0], [NOW.isoformat(), 500]]
    portal.see(
        Kind.EPOCH,
        {
            PERSON: volume_document(epochs=[epoch(2, "waiting"), epoch(1, "ended")]),
            HOUSEHOLD: volume_document(
                epochs=[epoch(1, "open")], progress={"number": 1, "came": 500, "samples": looks}
            ),
            ENTERPRISE: volume_document("market_regulation", epochs=[epoch(1, "ended")]),
            PERMIT: volume_document("market_regulation", captured=False),
        },
    )
    kept(
        portal,
        proof(resource=HOUSEHOLD, source_rows=1_500, canonical_rows=1_500),
        proof({"lost": 2, "extra": 1}, resource=ENTERPRISE, provider="market_regulation"),
        proof(resource=ENTERPRISE, provider="market_regulation", at=NOW - timedelta(days=1)),
    )
    return portal


def test_what_waits_for_a_person_comes_first_with_the_numbers_of_the_guard(filled: Operated) -> None:
    page = filled.reader(Role.OPERATOR, department="data_bureau").open("/volumes")
    assert (page.status, page.faults) == (200, [])
    places = [page.text.index(each) for each in (PERSON, ENTERPRISE, HOUSEHOLD, PERMIT)]
    assert places == sorted(places)
    assert "400 of 1,000 records would be withdrawn (40.0 %)" in page.text
    assert "3 rows differ" in page.text
    assert "500 of about 1,500 rows" in page.text
    assert re.search(r"50\.0 a second\W+20 seconds left", page.text)
    assert "its provider sends it by itself" in page.text


@pytest.mark.requirement("A1-05")
@pytest.mark.parametrize(
    ("role", "department", "seen"),
    [
        (Role.AUTHORITY, "data_bureau", {PERSON, HOUSEHOLD, ENTERPRISE, PERMIT}),
        (Role.OPERATOR, "data_bureau", {PERSON, HOUSEHOLD, ENTERPRISE, PERMIT}),
        (Role.AUDITOR, "data_bureau", {PERSON, HOUSEHOLD, ENTERPRISE, PERMIT}),
        (Role.PROVIDER, "police", {PERSON, HOUSEHOLD}),
        (Role.PROVIDER, "tax", set()),
        (Role.CONSUMER, "police", None),
        (Role.OVERSEER, "data_bureau", None),
    ],
)
def test_a_provider_sees_its_own_and_who_has_no_business_here_nothing(
    filled: Operated, role: Role, department: str, seen: set[str] | None
) -> None:
    reader = filled.reader(role, department=department)
    page = reader.open("/volumes")
    assert page.status == (403 if seen is None else 200)
    for resource in (PERSON, HOUSEHOLD, ENTERPRISE, PERMIT):
        assert (resource in page.text) is (resource in (seen or set()))
        assert (reader.open(f"/volumes/{resource}").status == 200) is (resource in (seen or set()))
        api = reader.client.get("/api/v1/snapshots/epoch", headers={"accept": "application/json"})
        assert (resource in api.text) is (resource in (seen or set()))


def test_one_resource_shows_what_differed_and_the_command_that_mends_it(filled: Operated) -> None:
    reader = filled.reader(Role.AUDITOR, department="data_bureau")
    page = reader.open(f"/volumes/{ENTERPRISE}")
    assert (page.status, page.faults) == (200, [])
    assert f"govbus snapshot start {ENTERPRISE}" in page.text
    assert "Of 256 ranges of keys, 1 differ" in page.text
    assert "0123456789abcdef" in page.text
    assert "3 changes were late" in page.text
    assert "The update cycle allows 5 minutes. Of 5,000 changes" in page.text
    assert "half came within 0.512 s, 99 of 100 within 2 minutes" in page.text
    points = re.search(r"data-points='([^']*)'", reader.look(f"/volumes/{ENTERPRISE}").text)
    assert points is not None
    drawn = json.loads(html.unescape(points[1]))
    assert [each["differences"] for each in drawn] == [0, 3]


def test_an_operator_who_must_decide_is_told_both_ways(filled: Operated) -> None:
    page = filled.reader(Role.OPERATOR, department="data_bureau").open(f"/volumes/{PERSON}")
    assert f"govbus snapshot start {PERSON} --confirm-shrink" in page.text
    assert f"govbus snapshot abort {PERSON}" in page.text
    assert f"govbus reconcile {PERSON}" in page.text


@pytest.mark.parametrize("state", ["open", "waiting"])
def test_of_an_epoch_over_some_rows_the_order_is_named_where_their_keys_may_stand(
    portal: Operated, state: str
) -> None:
    came = {"number": 1, "came": 5, "samples": [[NOW.isoformat(), 5]]} if state == "open" else None
    narrowed = volume_document(epochs=[epoch(1, state, columns=["id"])], progress=came)
    portal.see(Kind.EPOCH, {PERSON: narrowed})
    page = portal.reader(Role.OPERATOR, department="data_bureau").open(f"/volumes/{PERSON}")
    assert (page.status, page.faults) == (200, [])
    assert f"govbus snapshot status {PERSON}" in page.text
    assert f"govbus snapshot start {PERSON}" not in page.text, "without its filter it is refused"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_pages_say_why_they_are_empty(portal: Operated, language: str) -> None:
    operator = portal.reader(Role.OPERATOR, department="data_bureau", language=language)
    tax = portal.reader(Role.PROVIDER, department="tax", language=language)
    told = [operator.open("/volumes")]
    portal.see(Kind.EPOCH, {PERSON: volume_document()})
    told += [tax.open("/volumes"), operator.open("/volumes?words=x"), operator.open(f"/volumes/{PERSON}")]
    assert [(page.status, page.faults) for page in told] == [(200, [])] * 4
    assert len({page.text for page in told}) == 4
    if language == "en":
        assert "Nobody has looked yet" in told[0].text
        assert "departments see their own" in told[1].text
        assert f"govbus snapshot start {PERSON}" in told[3].text


def test_what_cannot_be_renewed_says_so(filled: Operated) -> None:
    with filled.parts.database.begin() as connection:
        note_trouble(connection, Kind.EPOCH, "kafka does not answer", NOW)
    page = filled.reader(Role.OPERATOR, department="data_bureau").open("/volumes")
    assert "kafka does not answer" in page.text


def test_an_unknown_resource_is_not_found(filled: Operated) -> None:
    assert filled.reader(Role.OPERATOR, department="data_bureau").open("/volumes/no.such.v1").status == 404
    assert filled.reader(Role.PROVIDER, department="tax").open("/volumes/no.such.v1").status == 403


def test_the_api_pages_through_the_same_list(filled: Operated) -> None:
    browser = filled.at(Role.OPERATOR, department="data_bureau")
    first = browser.get("/volumes", params={"limit": 3})
    assert first.status_code == 200, first.text
    rest = browser.get("/volumes", params={"limit": 3, "cursor": first.json()["next"]}).json()
    assert rest["next"] is None
    found = first.json()["items"] + rest["items"]
    assert [each["resource"] for each in found] == [PERSON, ENTERPRISE, HOUSEHOLD, PERMIT]
    assert found[1]["compared"]["repair"] == f"govbus snapshot start {ENTERPRISE}"
    one = browser.get(f"/volumes/{ENTERPRISE}").json()
    assert [each["ending"] for each in one["comparisons"]] == ["differs", "equal"]
    assert one["epochs"][0]["counts"]["swept"] == 3
    assert [each["timely"]["late"] for each in one["comparisons"]] == [3, 0]
