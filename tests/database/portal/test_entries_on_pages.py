"""Writing entries of the catalogue on pages: tables, forms, steps. Nothing typed is lost."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.catalogue.files import write_catalogue
from services.control.store.catalogue.listing import Question, count
from tests.support.catalogue import COMPLETE
from tests.support.portal import Page, Portal, Reader
from tests.support.sharing_cases import APPLICANT
from tests.support.stored_catalogue import brought, numbered, opened


def entries(portal: Portal) -> int:
    with portal.parts.database.reading() as connection:
        return count(connection, Question(published_only=False))


def sent_file(reader: Reader, path: Path, **fields: Any) -> Page:
    form = reader.open("/catalogue/import").form("/catalogue/import")
    with path.open("rb") as content:
        answer = reader.client.post(
            "/catalogue/import", data={**form.fields, **fields}, files={"file": (path.name, content)}
        )
    return Page(answer)


@pytest.mark.requirement("A2-02", "A2-03")
@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_table_is_checked_first_and_then_taken_in_whole(
    portal: Portal, provider: Reader, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"catalogue{suffix}"
    write_catalogue(path, [numbered(1), numbered(2)])
    page = sent_file(provider, path, dry_run="yes")
    assert "nothing was written" in page.text
    assert entries(portal) == 0
    page = sent_file(provider, path)
    assert page.status == 200, page.text[:600]
    assert "new drafts: 2" in page.text
    assert entries(portal) == 2


def test_a_table_with_mistakes_shows_all_of_them_by_row_column_and_remedy(
    portal: Portal, provider: Reader, tmp_path: Path
) -> None:
    path = tmp_path / "catalogue.csv"
    write_catalogue(path, [replace(COMPLETE, summary=""), replace(numbered(2), update_cycle=None)])
    page = sent_file(provider, path)
    assert page.status == 422
    assert "2 things are wrong" in page.text
    assert "Summary" in page.text
    assert "Update cycle" in page.text
    assert entries(portal) == 0


@pytest.mark.requirement("A2-03")
def test_an_entry_goes_from_a_draft_to_the_catalogue_by_two_people(portal: Portal, provider: Reader) -> None:
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    with portal.parts.database.begin() as connection:
        path = f"/catalogue/entries/{opened(connection, numbered(1)).id}"
    for reader, step in (
        (provider, "submit"),
        (authority, "register"),
        (provider, "request_publication"),
        (authority, "publish"),
    ):
        page = reader.open(path)
        assert step in page.actions, (step, page.actions)
        page = reader.sent(page, f"{path}/steps/{step}", why="in order")
        assert page.status == 200, page.text[:400]
    assert "published" in page.text
    assert portal.reader(Role.CONSUMER, department=APPLICANT).open(path).status == 200


def test_a_refusal_of_an_entry_needs_its_reason_and_a_withdrawal_its_name(
    portal: Portal, provider: Reader
) -> None:
    with portal.parts.database.begin() as connection:
        stored = brought(connection, opened(connection, numbered(1)))
    path = f"/catalogue/entries/{stored.id}"
    name = stored.dossier.versions[-1].entry.name
    page = provider.sent(provider.open(path), f"{path}/steps/withdraw", why="ended", confirm="another")
    assert page.status == 422
    page = provider.sent(page, f"{path}/steps/withdraw", confirm=name)
    assert page.status == 422
    assert "the reason is missing" in page.text
    page = provider.sent(page, f"{path}/steps/withdraw", confirm=name, why="ended")
    assert page.status == 200
    assert "withdrawn" in page.text


def test_an_entry_is_written_in_a_form_and_what_is_wrong_stands_beside_it(
    portal: Portal, provider: Reader
) -> None:
    page = provider.open("/catalogue/new")
    page = provider.sent(
        page, "/catalogue/new", name="流动人口登记", code="30132/1", **{"item.0.item_name": "姓名"}
    )
    assert page.status == 422
    assert page.form("/catalogue/new").fields["name"] == "流动人口登记"
    page = provider.sent(page, "/catalogue/new", code="3013205/000009")
    assert page.status == 200, page.text[:600]
    assert "流动人口登记" in page.text
    page = provider.open(f"{page.path}/edit")
    assert "to be corrected before a review" in page.text
    page = provider.sent(page, page.path, summary="流动人口的登记信息", **{"item.1.item_name": "住址"})
    assert "住址" in page.text


def test_an_entry_is_begun_like_another_and_needs_its_own_code_and_name_only(
    portal: Portal, provider: Reader
) -> None:
    with portal.parts.database.begin() as connection:
        stored = brought(connection, opened(connection, numbered(1)))
    page = provider.open(f"/catalogue/entries/{stored.id}")
    assert "New entry like this one" in page.text
    page = provider.open(f"/catalogue/new?like={stored.id}")
    assert (page.form("/catalogue/new").fields["code"], page.form("/catalogue/new").fields["name"]) == (
        "",
        "",
    )
    page = provider.sent(page, "/catalogue/new", name="流动人口登记", code="3013205/000009")
    assert page.status == 200, page.text[:600]
    path = page.path
    page = provider.sent(page, f"{path}/steps/submit", why="in order")
    assert page.status == 200, page.text[:600]
    assert "register" in portal.reader(Role.AUTHORITY, department="data_bureau").open(path).actions
    stranger = portal.reader(Role.CONSUMER, department=APPLICANT)
    assert stranger.open(f"/catalogue/new?like={stored.id}").status == 403
