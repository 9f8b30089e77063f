"""A right is given, used, stopped and contested in the browser alone, over the bus that the demo leaves."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec
from playwright.sync_api import Browser, Locator, Page, expect

from services.cli.control import control_database
from services.cli.demo_offices import open_offices
from services.control.definitions import load_definitions, packaged_definitions
from services.demo.databases import POLICE
from services.demo.story import LIN
from services.stack.api import Stack
from tests.browser_fixture import Judge
from tests.e2e import people
from tests.e2e.demo_run import play
from tests.stack_fixture import settings_for, temporary_home
from tests.support.clerk import Wish, act, act_form, apply_for, desk, enter, without_complaints
from tests.support.waiting import eventually
from tests.support.walking import walk

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

BUS_MS = 60_000
"""How long a page waits for what the bus has to do first."""
ACTIVE = re.compile("^(Active|使用中)$")
SUSPENDED = re.compile("^(Suspended|已暂停)$")
REFUSED = re.compile("^(Refused|不同意)$")
NEGOTIATING = re.compile("^(Being negotiated|协商中)$")
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
OTHER_GRANT = "sub.education.population.person.v1.education-persons"
"""Delivers changes of the same person to another department all the time."""
WATCHED = "sub.health.population.person.v1.health-persons-gusu"
WISH = Wish(("id_number", "name"), "核对归档案卷中的当事人", "《中华人民共和国档案法》", "第十三条")


@dataclass
class City:
    """The bus after the demo, its portal, and who may enter it."""

    stack: Stack
    url: str
    passwords: dict[str, str]
    _names: int = field(default=0)

    def rename_lin(self) -> str:
        """Change a person's name at the police, who own it; the new name."""
        self._names += 1
        name = f"林婉{chr(0x4E00 + self._names)}"
        statement, values = people.update(LIN, name=name)
        with closing(self.stack.postgres.connect(POLICE)) as connection, connection:
            connection.cursor().execute(statement, values)
        return name

    def ends(self, topic: str) -> dict[int, int]:
        """The end offset of each partition of a topic."""
        admin = self.stack.kafka.admin()
        partitions = admin.list_topics(topic, timeout=30).topics[topic].partitions
        asked = {TopicPartition(topic, each): _LATEST for each in partitions}
        return {at.partition: found.result(30).offset for at, found in admin.list_offsets(asked).items()}


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    """What somebody has who ran `make demo` once."""
    settings = settings_for(temporary_home())
    try:
        run = play(settings, "--seed", "7")
        assert run.code == 0, run.err[-4000:]
        portal = run.answer["portal"]
        yield City(
            Stack(settings), portal["url"], {each["login"]: each["password"] for each in portal["accounts"]}
        )
    finally:
        Stack(settings).reset()
        shutil.rmtree(settings.home, ignore_errors=True)


@pytest.fixture
def seated(city: City, chromium: Browser) -> Iterator[Callable[[str, str], Page]]:
    """Seats a clerk at a desk of their own, logged in."""
    with ExitStack() as stack:

        def seat(login: str, lang: str) -> Page:
            context = desk(chromium, city.url, lang)
            stack.callback(context.close)
            page = stack.enter_context(without_complaints(context))
            enter(page, login, city.passwords[login], lang)
            return page

        yield seat


def state_of(page: Page) -> Locator:
    """Where the case that is shown stands."""
    return page.locator("main .badge").first


def await_state(page: Page, state: re.Pattern[str]) -> None:
    """Look at the case again until it stands there."""

    def stands() -> bool:
        page.reload()
        return bool(state.match(state_of(page).inner_text().strip()))

    eventually(stands, BUS_MS / 1000, lambda: f"the case stays {state_of(page).inner_text()}")


def open_topic(page: Page, grant: str) -> str:
    """Look into the topic of a grant, found in the list of topics; its name."""
    link = page.locator("main a", has_text=grant)

    def listed() -> bool:
        page.goto("/topics")
        return link.count() > 0

    eventually(listed, BUS_MS / 1000, lambda: f"no topic of {grant} is listed")
    name = link.first.inner_text()
    link.first.click()
    page.wait_for_load_state()
    return name


def test_the_city_goes_on_living_when_asked_so_that_there_is_something_to_watch(city: City) -> None:
    before = sum(city.ends(WATCHED).values())
    run = play(city.stack.settings, "--traffic", "3")
    assert (run.code, run.answer) == (0, {"moved": 3}), run.err[-2000:]
    eventually(lambda: sum(city.ends(WATCHED).values()) > before, BUS_MS / 1000)


@pytest.mark.requirement("A6-01", "A6-04", "A6-11", "A8-05")
@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en", marks=pytest.mark.soak)])
def test_a_right_is_given_used_stopped_and_contested_in_the_browser_alone(
    city: City, seated: Callable[[str, str], Page], judged: Judge, lang: str
) -> None:
    archives, police = seated("archives.clerk", lang), seated("police.clerk", lang)
    case = apply_for(archives, WISH)
    judged(archives, f"walk-applied-{lang}")
    police.goto(case)
    judged(police, f"walk-to-decide-{lang}")
    act(police, "approve", "履行职责所需")
    archives.goto(case)
    await_state(archives, ACTIVE)
    expect(archives.locator(".steps li.good")).to_have_count(7)
    judged(archives, f"walk-active-{lang}")

    grant = archives.locator("aside code").first.inner_text()
    topic = watch_records_arrive(city, archives, grant, judged, lang)
    stop_with_receipt(city, police, grant, topic, judged, lang)
    nothing_more_arrives(city, topic)

    archives.goto(case)
    await_state(archives, SUSPENDED)
    act(archives, "complain", "暂停未说明理由")
    judged(archives, f"walk-suspended-{lang}")
    appeal_a_refusal(archives, police, judged, lang)


def watch_records_arrive(city: City, page: Page, grant: str, judged: Judge, lang: str) -> str:
    """The back-fill is there, masked; a change comes while one looks, and is readable with a reason."""
    topic = open_topic(page, grant)
    records = page.locator("article.record")
    expect(records.first).to_be_visible(timeout=BUS_MS)
    filled = records.count()
    name = city.rename_lin()
    expect(records).not_to_have_count(filled, timeout=BUS_MS)
    assert name not in page.locator("main").inner_text()
    judged(page, f"walk-topic-{lang}")
    page.locator("textarea[name=reason]").fill("核对一份归档案卷")
    page.locator("form[action$=reveal] button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(name, timeout=BUS_MS)
    return topic


def stop_with_receipt(city: City, page: Page, grant: str, topic: str, judged: Judge, lang: str) -> None:
    """The provider stops the grant; the receipt names the offset at which each partition ends."""
    page.goto(f"/grants/{grant}")
    page.locator("a.danger").click()
    page.locator("textarea[name=reason], input[name=reason]").first.fill("用途核查")
    page.locator("input[name=confirm]").fill(grant)
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator(".timeline li.good")).to_have_count(7, timeout=BUS_MS)
    judged(page, f"walk-receipt-{lang}")
    rows = [row.locator("td").all_inner_texts() for row in page.locator("tbody tr").all()]
    assert {int(partition): int(cut) for partition, cut in rows} == city.ends(topic)


def nothing_more_arrives(city: City, topic: str) -> None:
    """A change that another department receives is not in the stopped topic."""
    ends, others = city.ends(topic), city.ends(OTHER_GRANT)
    city.rename_lin()
    eventually(
        lambda: city.ends(OTHER_GRANT) != others,
        BUS_MS / 1000,
        lambda: "another to receive it",
    )
    assert city.ends(topic) == ends


def appeal_a_refusal(archives: Page, police: Page, judged: Judge, lang: str) -> None:
    """A second application is refused with a reason, and the applicant does not take it for the last word."""
    case = apply_for(archives, WISH)
    police.goto(case)
    form = act_form(police, "refuse")
    form.locator("select").select_option("PURPOSE_UNCLEAR")
    form.locator("textarea[name=acceptable_if]").fill("写明案卷的种类")
    act(police, "refuse", "用途不清楚")
    archives.goto(case)
    expect(state_of(archives)).to_have_text(REFUSED)
    judged(archives, f"walk-refused-{lang}")
    act(archives, "appeal", "案卷种类已在附件中写明")
    expect(state_of(archives)).to_have_text(NEGOTIATING)
    judged(archives, f"walk-appealed-{lang}")


@pytest.fixture(scope="module")
def staffed(city: City) -> City:
    """With the auditors and the operator of a played week."""
    definitions = load_definitions(packaged_definitions())
    with closing(control_database(city.stack)) as database:
        accounts = open_offices(database, definitions, datetime.now(UTC), audited=True)
    city.passwords |= {each.login: each.password for each in accounts if each.password is not None}
    return city


WORK = {"/", "/tasks", "/cases/*", "/catalogue/entries/*", "/grants/*", "/tickets", "/volumes/*"}
"""What looks otherwise for each role, and is opened by each."""


@pytest.mark.usefixtures("staffed")
@pytest.mark.parametrize(
    ("theme", "lang"), [("light", "zh-CN"), pytest.param("dark", "en", marks=pytest.mark.soak)]
)
def test_every_page_that_links_lead_to_is_accessible(
    seated: Callable[[str, str], Page], accessible: Judge, theme: str, lang: str
) -> None:
    seen, opened = set[str](), set[str]()
    for login in ("police.clerk", "archives.clerk", "authority.clerk", "xie.operator", "sun.audit"):
        page = seated(login, lang)
        page.goto(f"/theme/{theme}?back=/")
        seen -= WORK
        # A topic is shut while a grant of its reader is suspended, as in the walk before.
        for kind in walk(page, seen, shut={"/topics/*"}):
            opened.add(kind)
            accessible(page, f"{kind} for {login}")
    assert {"/ledger", "/reports/made", "/retention", "/grants/*", "/volumes/*", "/stop/order"} <= opened
