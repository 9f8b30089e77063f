"""The catalogue over HTTP: written, reviewed, published, found; taken from and written to files."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.catalogue.csv_file import write_csv
from services.control.store.database import ControlDatabase
from tests.support.catalogue import CODES, COMPLETE
from tests.support.stored_catalogue import numbered
from tests.support.web import Browser, Web, entry


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def step(browser: Browser, id_: str, action: str, etag: str = "*", why: str = "") -> Any:
    form = {"action": action, "why": why}
    return browser.post(f"/catalogue/entries/{id_}/steps", form, headers={"if-match": etag})


def published(web: Web, provider: Browser, **changes: Any) -> str:
    """The id of an entry that was brought to publication."""
    opened = provider.post("/catalogue/entries", entry(**changes))
    assert opened.status_code == 201, opened.text
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    id_: str = opened.json()["id"]
    for browser, action in (
        (provider, "submit"),
        (authority, "register"),
        (provider, "request_publication"),
        (authority, "publish"),
    ):
        done = step(browser, id_, action)
        assert done.status_code == 200, done.text
    return id_


def test_an_entry_is_written_reviewed_and_published_and_each_step_is_owed_to_the_ledger(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    id_ = published(web, provider)
    reader = web.at(Role.CONSUMER, department="tax")
    shown = reader.get(f"/catalogue/entries/{id_}").json()
    assert shown["state"] == "published"
    assert shown["versions"][0]["entry"]["provider"] == {"name": "公安局", "credit_code": CODES[0]}
    assert shown["steps"] == []
    assert shown == reader.get("/catalogue/entries/3013205/000001").json()
    assert web.acts("catalogue-entry", id_) == [
        "catalogue.open",
        "catalogue.submit",
        "catalogue.register",
        "catalogue.request_publication",
        "catalogue.publish",
    ]


def test_what_is_being_written_is_its_departments_and_the_reviewers_business(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    id_ = published(web, provider)
    assert step(provider, id_, "revise", why="新字段").status_code == 200
    reader = web.at(Role.CONSUMER, department="tax")
    (listed,) = reader.get("/catalogue").json()["items"]
    assert (listed["state"], listed["newest"]) == ("published", 1)
    assert len(reader.get(f"/catalogue/entries/{id_}").json()["versions"]) == 1
    (own,) = provider.get("/catalogue").json()["items"]
    assert (own["state"], own["newest"]) == ("draft", 2)
    assert len(provider.get(f"/catalogue/entries/{id_}").json()["versions"]) == 2
    draft = provider.post("/catalogue/entries", entry(code=None, name="草稿")).json()["id"]
    assert reader.get(f"/catalogue/entries/{draft}").status_code == 403
    assert web.at(Role.PROVIDER, department="tax").get("/catalogue").json()["total"] == 1
    assert web.at(Role.AUTHORITY, department="tax").get("/catalogue").json()["total"] == 2
    overseer = web.at(Role.OVERSEER, department="tax", oversees=("police",))
    assert overseer.get("/catalogue").json()["total"] == 2


def test_who_edits_an_old_version_is_told(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    opened = provider.post("/catalogue/entries", entry())
    id_, etag = opened.json()["id"], opened.headers["etag"]
    edited = provider.put(f"/catalogue/entries/{id_}", entry(summary="新"), headers={"if-match": etag})
    assert edited.status_code == 200, edited.text
    late = provider.put(f"/catalogue/entries/{id_}", entry(summary="旧"), headers={"if-match": etag})
    assert (late.status_code, late.json()["version"]) == (412, 2)
    assert provider.put(f"/catalogue/entries/{id_}", entry()).status_code == 428
    shown = provider.get(f"/catalogue/entries/{id_}").json()
    assert shown["versions"][0]["entry"]["summary"] == "新"


def test_a_step_under_a_key_takes_place_once_and_a_refused_one_may_be_corrected(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    opened = provider.post("/catalogue/entries", entry(), headers={"idempotency-key": "o1"})
    again = provider.post("/catalogue/entries", entry(), headers={"idempotency-key": "o1"})
    assert again.json() == opened.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == opened.headers["location"]
    other = provider.post("/catalogue/entries", entry(name="另一个"), headers={"idempotency-key": "o1"})
    assert other.json()["code"] == "KEY_REUSED"
    bad = provider.post("/catalogue/entries", entry(), headers={"idempotency-key": "o2"})
    assert bad.status_code == 412
    good = entry(code="3013205/000002", name="另一个")
    assert provider.post("/catalogue/entries", good, headers={"idempotency-key": "o2"}).status_code == 201


def test_an_incomplete_entry_is_not_submitted_and_each_gap_is_named_in_both_languages(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    id_ = provider.post("/catalogue/entries", {"name": "半成品"}).json()["id"]
    said = {}
    for language in ("zh", "en"):
        form = {"action": "submit"}
        answer = provider.post(
            f"/catalogue/entries/{id_}/steps", form, headers={"if-match": "*", "accept-language": language}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID")
        said[language] = answer.json()["problems"]
    assert [each["code"] for each in said["zh"]] == [each["code"] for each in said["en"]]
    assert len(said["zh"]) > 5
    assert all(zh["what"] != en["what"] for zh, en in zip(said["zh"], said["en"], strict=True))


def test_nobody_reviews_his_own_work(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    id_ = provider.post("/catalogue/entries", entry()).json()["id"]
    assert step(provider, id_, "submit").status_code == 200
    assert step(provider, id_, "register").status_code == 403


def test_search_pages_facets_and_words(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    for number in range(1, 6):
        code = f"3013205/{number:06}"
        provider.post("/catalogue/entries", entry(code=code, name=f"居住证办理信息第{number}号"))
    walked, cursor = [], None
    while True:
        asked = {"q": "居住证", "limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = provider.get("/catalogue", params=asked).json()
        walked += [each["code"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert walked == [f"3013205/{number:06}" for number in range(1, 6)]
    assert page["facets"]["share_type"] == [{"value": "unconditional", "count": 5, "name": ""}]
    assert provider.get("/catalogue", params={"q": "jzz"}).json()["total"] == 5
    assert provider.get("/catalogue", params={"share_type": "conditional"}).json()["total"] == 0
    assert provider.get("/catalogue", params={"cursor": "x"}).json()["code"] == "CURSOR"


def upload(browser: Browser, file: bytes, name: str = "c.csv", **asked: Any) -> Any:
    return browser.ask("POST", "/catalogue/import", files={"file": (name, file)}, params=asked, headers={})


def file_of(tmp_path: Path, *entries: Any) -> bytes:
    write_csv(tmp_path / "c.csv", entries)
    return (tmp_path / "c.csv").read_bytes()


def test_a_file_is_tried_then_taken_whole(web: Web, tmp_path: Path) -> None:
    provider, file = web.at(Role.PROVIDER), file_of(tmp_path, numbered(1), numbered(2))
    tried = upload(provider, file)
    assert (tried.status_code, tried.json()["fits"], tried.json()["imported"]) == (200, True, False), (
        tried.text
    )
    assert provider.get("/catalogue").json()["total"] == 0
    taken = upload(provider, file, dry_run=False)
    assert taken.json()["outcomes"]["opened"] == 2
    assert provider.get("/catalogue").json()["total"] == 2
    assert web.all_acts().count("catalogue.open") == 2


def test_a_file_with_anothers_entry_or_a_mistake_writes_nothing(web: Web, tmp_path: Path) -> None:
    stranger = web.at(Role.PROVIDER, department="tax")
    answer = upload(stranger, file_of(tmp_path, numbered(1)), dry_run=False)
    assert answer.status_code == 422
    assert answer.json()["report"]["clashes"][0]["against"] == "OTHER_DEPARTMENT"
    provider = web.at(Role.PROVIDER)
    broken = file_of(tmp_path, numbered(1)).replace("公安局".encode(), b"")
    answer = upload(provider, broken, dry_run=False)
    assert answer.status_code == 422
    assert answer.json()["report"]["problems"]
    assert provider.get("/catalogue").json()["total"] == 0
    assert upload(provider, b"x", "c.pdf").status_code == 415


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonld"])
def test_what_is_published_is_written_in_each_form(web: Web, form: str) -> None:
    provider = web.at(Role.PROVIDER)
    published(web, provider)
    provider.post("/catalogue/entries", entry(code="3013205/000002", name="未发布"))
    answer = web.at(Role.CONSUMER, department="tax").get("/catalogue/export", params={"format": form})
    assert answer.status_code == 200, answer.text
    assert f'filename="catalogue.{form}"' in answer.headers["content-disposition"]
    if form == "csv":
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [row for row in rows if "居住证办理信息" in row]
        assert "未发布" not in answer.text
    if form == "jsonld":
        assert json.loads(answer.content)["@context"]
    if form == "xlsx":
        assert answer.content[:2] == b"PK"


def test_the_complete_entry_of_the_rules_and_of_the_api_are_one(web: Web) -> None:
    id_ = published(web, web.at(Role.PROVIDER))
    shown = web.at(Role.PROVIDER).get(f"/catalogue/entries/{id_}").json()
    assert shown["versions"][0]["entry"]["name"] == COMPLETE.name


def test_who_saw_the_contacts_of_entries_stands_in_the_ledger(web: Web) -> None:
    id_ = published(web, web.at(Role.PROVIDER))
    reader, before = web.at(Role.CONSUMER, department="tax"), len(web.acts("contacts", id_))
    assert reader.get(f"/catalogue/entries/{id_}").status_code == 200
    assert web.acts("contacts", id_)[before:] == ["account.look"]
    assert reader.get("/catalogue/entries/3013205/999999").status_code == 404
    for form, looks in (("csv", 1), ("jsonld", 0)):
        before = len(web.acts("contacts", "all"))
        assert reader.get("/catalogue/export", params={"format": form}).status_code == 200
        assert len(web.acts("contacts", "all")) == before + looks
