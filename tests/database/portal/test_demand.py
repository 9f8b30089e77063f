"""Work on the pages of needs, directories, duties, breaches and refusals, in the portal."""

import json
from uuid import UUID

import pytest

from services.control.accounts.roles import Role
from services.control.cases.words import Action
from services.control.catalogue.entry import Entry
from services.control.store.catalogue.reviews import under_revision
from services.control.store.demand.reading import listed
from services.control.store.demand.writing import add
from services.control.store.snapshots import Kind, put
from services.control.tickets.words import Action as TicketAction
from tests.database.tickets.filing import file, taken
from tests.support import needs
from tests.support.desk import Office
from tests.support.portal import Portal
from tests.support.sharing_cases import CONSUMER
from tests.support.stored_catalogue import WHEN, brought, numbered, opened
from tests.support.tickets import BUREAU, PROVIDER
from tests.support.web import NOW, statement
from tests.unit.catalogue.test_directories import WITHHELD

TYPED = {**statement(), "items": "姓名\n救助日期"}


def publish(portal: Portal, *entries: Entry) -> None:
    with portal.parts.database.begin() as connection:
        for entry in entries:
            brought(connection, opened(connection, entry))


@pytest.mark.requirement("A2-09", "A6-07")
def test_a_need_is_stated_assigned_and_drafted_on_pages(portal: Portal) -> None:
    consumer = portal.reader(Role.CONSUMER, department="health")
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    provider = portal.reader(Role.PROVIDER)
    form = consumer.open("/demand/new")
    stated = consumer.sent(form, "/demand/new", **TYPED)
    assert stated.path == "/demand/1", stated.text
    consumer.sent(form, "/demand/new", **TYPED)
    with portal.parts.database.reading() as connection:
        assert len(listed(connection)) == 1
    assert "/demand/1" in authority.open("/tasks").links
    page = authority.open("/demand/1")
    assert page.actions == {"assign", "decline", "point"}
    bare = authority.sent(page, "/demand/1/decline", reason="LAW_FORBIDS", text=" ", confirm="1")
    assert (bare.status, "say it in words" in bare.text) == (422, True)
    done = authority.sent(page, "/demand/1/assign", department="police")
    assert "Police" in done.text
    assert "/demand/1" in provider.open("/tasks").links
    page = provider.open("/demand/1")
    draft = provider.sent(page, "/demand/1/draft")
    assert draft.path.endswith("/edit"), draft.text
    fields = draft.form(draft.path).fields
    assert fields["name"] == "流浪人员救助信息"
    assert "救助日期" in fields.values()
    listing = portal.reader(Role.CONSUMER, department="tax").open("/demand")
    assert "Health Commission" in listing.text
    assert "流浪人员医疗救治" in listing.text


def test_the_demand_list_comes_in_pages_and_says_how_long_it_is(portal: Portal) -> None:
    with portal.parts.database.begin() as connection:
        for number in range(25):
            add(connection, needs.after(id=UUID(int=number + 1), subject=f"data {number:02}"))
    reader = portal.reader(Role.CONSUMER, department="tax")
    first, second = reader.open("/demand"), reader.open("/demand?after=20")
    links = [
        {each for each in page.links if each.removeprefix("/demand/").isdigit()} for page in (first, second)
    ]
    assert [len(each) for each in links] == [20, 5]
    assert not links[0] & links[1]
    assert "20 of 25" in first.text
    assert "/demand?after=20" in first.links
    assert reader.open("/demand?after=9999").text.count("data 0") == first.text.count("data 0")


def test_what_is_wrong_with_a_need_is_said_and_nothing_typed_is_lost(portal: Portal) -> None:
    consumer = portal.reader(Role.CONSUMER, department="health", language="zh-CN")
    form = consumer.open("/demand/new")
    page = consumer.sent(form, "/demand/new", **{**TYPED, "scenario": " "})
    assert page.status == 422
    assert "未说明使用场景" in page.text
    fields = page.form("/demand/new").fields
    assert (fields["subject"], fields["items"].split()) == ("流浪人员救助信息", ["姓名", "救助日期"])
    again = consumer.sent(page, "/demand/new", scenario="医疗救治")
    assert again.path == "/demand/1"


def test_a_need_that_was_handed_on_meanwhile_is_not_decided_again(portal: Portal) -> None:
    consumer = portal.reader(Role.CONSUMER, department="health")
    consumer.sent(consumer.open("/demand/new"), "/demand/new", **TYPED)
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = authority.open("/demand/1")
    authority.sent(page, "/demand/1/assign", department="police")
    late = authority.sent(page, "/demand/1/decline", reason="LAW_FORBIDS", text="不予采纳", confirm="1")
    assert late.status == 412
    assert authority.open("/demand/99999999999999999999").status == 404


@pytest.mark.requirement("A3-07")
def test_every_department_sees_why_something_is_not_shared(portal: Portal) -> None:
    publish(portal, WITHHELD)
    reader = portal.reader(Role.CONSUMER, department="tax")
    page = reader.open(f"/catalogue/code/{WITHHELD.code}")
    assert "Why it is not shared" in page.text
    assert "《刑事诉讼法》第五十四条" in page.text
    assert "涉及侦查秘密" in page.text
    listing = reader.open("/catalogue/directories/not_shared")
    assert "《刑事诉讼法》第五十四条" in listing.text
    assert f"/catalogue/code/{WITHHELD.code}" in listing.links


@pytest.mark.requirement("A2-10")
def test_directories_are_shown_and_exported(portal: Portal) -> None:
    publish(portal, numbered(2), WITHHELD)
    reader = portal.reader(Role.CONSUMER, department="tax")
    share, open_ = (reader.open(f"/catalogue/directories/{which}") for which in ("share", "open"))
    assert numbered(2).name in share.text
    assert str(WITHHELD.code) not in share.text
    assert "Nothing stands in this directory." in open_.text
    file = reader.look("/catalogue/directories/share/export.json")
    assert [each["name"] for each in json.loads(file.content)["entries"]] == [numbered(2).name]
    table = reader.look("/catalogue/directories/share/export.csv")
    assert table.headers["content-disposition"] == 'attachment; filename="share.csv"'
    assert numbered(2).name in table.content.decode("utf-8-sig")


@pytest.mark.parametrize(
    ("language", "said", "unsaid"),
    [("en", "Update cycle", "更新周期"), ("zh-CN", "更新周期", "Update cycle")],
)
def test_a_directory_speaks_its_readers_language_and_the_catalogue_its_official_one(
    portal: Portal, language: str, said: str, unsaid: str
) -> None:
    publish(portal, numbered(2))
    reader = portal.reader(Role.CONSUMER, department="tax", language=language)
    directory = "/catalogue/directories/share"
    for text in (reader.open(directory).text, reader.look(f"{directory}/export.csv").text):
        assert said in text
        assert unsaid not in text
    official = reader.look("/catalogue/export.csv")
    assert "更新周期" in official.text
    english = reader.look("/catalogue/export.csv?language=en")
    assert "Update cycle" in english.text
    assert "更新周期" not in english.text
    assert ("/catalogue/export.xlsx?language=en" in reader.open("/catalogue").links) is (language == "en")


@pytest.mark.requirement("A2-08")
def test_the_responsibility_list_says_what_is_really_there(portal: Portal) -> None:
    publish(portal, numbered(2))
    lacking = [{"what": "item_without_topic", "entry": "签注日期", "definition": None}]
    seen = {str(numbered(2).code): {"state": "fresh", "differences": lacking}}
    with portal.parts.database.begin() as connection:
        put(connection, Kind.MOUNTING, seen, NOW)
    reader = portal.reader(Role.CONSUMER, department="tax")
    page = reader.open("/catalogue/duties")
    assert "1 of 2 fulfilled" in page.text
    assert "签注日期" in page.text
    assert "No duty is like that." in reader.open("/catalogue/duties?department=税务局").text
    missing = reader.open("/catalogue/duties?fulfilment=item_missing")
    assert "证件号码" not in missing.text
    assert "签注日期" in missing.text


@pytest.mark.requirement("A12-08")
def test_overdue_duties_are_listed_with_their_article_and_lead_to_what_they_are_on(portal: Portal) -> None:
    office = Office(portal.parts.database)
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    portal.clock.now = NOW.replace(day=12)
    page = portal.reader(Role.AUTHORITY, department="data_bureau").open("/breaches")
    assert "3 working days late" in page.text
    assert "延津县" in page.text
    assert f"/cases/{filed.case.opening.id}" in page.links
    other = portal.reader(Role.AUTHORITY, department="data_bureau").open("/breaches?department=tax")
    assert "No breach is like that." in other.text
    assert "Nothing is overdue." in portal.reader(Role.CONSUMER, department="tax").open("/breaches").text


@pytest.mark.requirement("A9-08")
def test_refusals_to_correct_are_listed_with_reason_and_outcome(portal: Portal) -> None:
    answer = file(portal.parts.database)
    refused = ((TicketAction.DISPATCH, BUREAU), (TicketAction.REFUSE, PROVIDER))
    taken(portal.parts.database, str(answer.id), *refused)
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = reader.open("/refusals")
    assert f"/tickets/{answer.number}" in page.links
    assert "the record was verified and is right" in page.text
    assert "No refusal is like that." in reader.open("/refusals?outcome=overruled").text


def test_tasks_lead_to_pages_that_are_there(portal: Portal) -> None:
    """A ticket and a need have their pages under their numbers."""
    file(portal.parts.database)
    consumer = portal.reader(Role.CONSUMER, department="health")
    consumer.sent(consumer.open("/demand/new"), "/demand/new", **TYPED)
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    tasks = authority.open("/tasks")
    paths = [link for link in tasks.links if link.startswith(("/tickets/", "/demand/"))]
    assert sorted(paths) == ["/demand/1", "/tickets/1"]
    for path in paths:
        assert authority.open(path).status == 200


@pytest.mark.requirement("A2-05")
def test_a_revision_on_the_page_names_the_day_of_the_change(portal: Portal) -> None:
    publish(portal, numbered(2))
    portal.clock.now = WHEN
    provider = portal.reader(Role.PROVIDER)
    page = provider.open(f"/catalogue/code/{numbered(2).code}")
    address = f"{page.path}/steps/revise"
    wrong = provider.sent(page, address, why="法律修订", changed_on="gestern")
    assert (wrong.status, "this is no day" in wrong.text) == (422, True)
    ahead = provider.sent(page, address, why="法律修订", changed_on="2099-01-01")
    assert "the change lies ahead" in ahead.text
    done = provider.sent(page, address, why="法律修订", changed_on="2026-11-24")
    assert "edit" in done.actions | {each.rsplit("/", 1)[-1] for each in done.links}
    with portal.parts.database.reading() as connection:
        (waiting,) = under_revision(connection)
    assert waiting.since.date().isoformat() == "2026-11-24"
