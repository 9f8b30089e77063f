"""A clerk applies, another decides, in a real Chromium: both languages, no serious fault of accessibility."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from services.control.catalogue.entry import ResourceCode
from tests.browser.city import PASSWORD
from tests.browser_fixture import Judge
from tests.support.catalogue import COMPLETE
from tests.support.clerk import Wish, act, apply_for, desk, enter, without_complaints, write_entry

AUDITING = {"replays": "/replays", "replay-new": "/replays/new", "trace": "/trace", "receipts": "/receipts"}
_WHY = ("家庭医生签约服务", "《基本医疗卫生与健康促进法》", "第三十一条")


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page whose browser has nothing to complain of."""
    with without_complaints(context) as opened:
        yield opened


def log_in(page: Page, login: str, lang: str = "en") -> None:
    """Log in as somebody of the sample city."""
    enter(page, login, PASSWORD, lang)


def apply_for_persons(page: Page) -> str:
    """Apply for three items of persons; the address of the case."""
    return apply_for(page, Wish(("id_number", "name", "birth_date"), *_WHY))


@pytest.mark.requirement("A6-01", "A6-04")
@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_a_department_applies_and_the_provider_decides(
    page: Page, chromium: Browser, address: str, judged: Judge, lang: str
) -> None:
    page.goto(f"/login?lang={lang}")
    judged(page, f"login-{lang}")
    log_in(page, "chen.jing", lang)
    judged(page, f"start-consumer-{lang}")
    case = apply_for_persons(page)
    judged(page, f"case-consumer-{lang}")
    other = desk(chromium, address, lang)
    provider = other.new_page()
    try:
        log_in(provider, "wang.li", lang)
        judged(provider, f"start-provider-{lang}")
        provider.locator(f"a[href='{case.removeprefix(address).partition('?')[0]}']").first.click()
        judged(provider, f"case-provider-{lang}")
        part = provider.locator("details[data-action=approve_in_part]")
        part.locator("summary").first.click()
        part.locator("#approve_in_part-items-birth_date").uncheck()
        part.locator("#approve_in_part-mask-id_number").select_option("last_four")
        part.locator("textarea").fill("出生日期并非必需")
        part.locator("button[type=submit]").click()
        expect(provider.locator("main .badge").first).to_have_text(re.compile("Being provisioned|开通中"))
        expect(provider.locator(".steps li")).to_have_count(7)
        judged(provider, f"case-decided-{lang}")
    finally:
        other.close()
    page.reload()
    expect(page.locator("main .badge").first).to_have_text(re.compile("Being provisioned|开通中"))


@pytest.mark.requirement("A2-03")
@pytest.mark.parametrize(("lang", "sequence"), [("en", "000771"), ("zh-CN", "000772")])
def test_an_entry_is_written_reviewed_twice_and_then_found_by_everybody(
    page: Page, chromium: Browser, address: str, judged: Judge, lang: str, sequence: str
) -> None:
    name = f"居住证签注信息{sequence}"
    log_in(page, "wang.li", lang)
    code = ResourceCode("3", "01", "320", "5", sequence)
    entry = write_entry(page, replace(COMPLETE, code=code, name=name))
    judged(page, f"entry-draft-{lang}")
    other = desk(chromium, address, lang)
    authority = other.new_page()
    try:
        log_in(authority, "li.qiang", lang)
        for who, action in (
            (page, "submit"),
            (authority, "register"),
            (page, "request_publication"),
            (authority, "publish"),
        ):
            who.goto(entry)
            act(who, action, "按程序办理")
        expect(authority.locator("main .badge").first).to_have_text(re.compile("published|已发布"))
        judged(authority, f"entry-published-{lang}")
    finally:
        other.close()
    page.goto(f"/catalogue?q={quote(name)}")
    expect(page.locator("#found .result")).to_have_count(1)


def test_every_other_page_is_accessible_in_light_and_dark(page: Page, judged: Judge) -> None:
    log_in(page, "li.qiang")
    paths = {
        "tasks": "/tasks",
        "inbox": "/inbox",
        "catalogue": "/catalogue",
        "cases": "/cases",
        "policy": "/policy?days=10",
        "account": "/account",
        "people": "/admin/people",
        "departments": "/admin/departments",
        "department": "/admin/departments/police",
        "volumes": "/volumes",
        "volume": "/volumes/population.person.v1",
        "missing": "/nothing",
    }
    for theme in ("light", "dark"):
        page.goto(f"/theme/{theme}?back=/")
        for name, path in paths.items():
            page.goto(path)
            judged(page, f"{name}-{theme}")


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_pages_of_the_auditor_are_accessible_in_light_and_dark(page: Page, judged: Judge, lang: str) -> None:
    log_in(page, "sun.bo", lang)
    for theme in ("light", "dark"):
        page.goto(f"/theme/{theme}?back=/")
        for name, path in AUDITING.items():
            page.goto(path)
            judged(page, f"{name}-{theme}-{lang}")
    page.goto("/replays/new")
    page.locator("#reason").fill("yearly audit")
    page.locator("#basis").fill("Audit Law, article 3")
    page.locator("#resource").fill("population.person.v1")
    page.locator("button[value=ask]").click()
    expect(page.locator("main .badge").first).to_have_text(re.compile("to be approved|待批准"))
    judged(page, f"replay-{lang}")
    page.goto("/receipts")
    page.locator("#record").fill("raw.police.public.person:0:17")
    page.locator("main form button.main").click()
    expect(page.locator("main .badge").first).to_have_text(re.compile("being made|制作中"))
    judged(page, f"receipt-{lang}")


def test_an_entry_and_its_forms_are_accessible(page: Page, judged: Judge) -> None:
    log_in(page, "wang.li", "zh-CN")
    page.goto("/catalogue?q=rk")
    page.locator("#found .result a").first.click()
    judged(page, "entry-zh-CN")
    page.goto("/catalogue/new")
    judged(page, "entry-form-zh-CN")
    page.goto("/catalogue/import")
    judged(page, "import-zh-CN")


def test_search_renews_the_list_and_its_address_while_one_types(page: Page) -> None:
    log_in(page, "chen.jing")
    page.goto("/catalogue")
    before = page.locator("#found .result").count()
    page.locator("#q").press_sequentially("企业")
    expect(page.locator("#found .result")).to_have_count(1)
    assert before > 1
    expect(page).to_have_url(re.compile(r"/catalogue\?.*q=%E4%BC%81%E4%B8%9A"))
    page.reload()
    expect(page.locator("#found .result")).to_have_count(1)


def test_everything_is_reached_by_the_keyboard(page: Page) -> None:
    log_in(page, "chen.jing")
    page.goto("/cases")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_class("skip")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("id", "content")


def test_what_ends_something_waits_for_its_name(page: Page) -> None:
    log_in(page, "chen.jing")
    page.goto(apply_for_persons(page))
    details = page.locator("details[data-action=withdraw]")
    details.locator("summary").first.click()
    button = details.locator("button[type=submit]")
    expect(button).to_be_disabled()
    number = details.locator("input[name=confirm]").get_attribute("data-confirms") or ""
    details.locator("input[name=confirm]").fill(number)
    expect(button).to_be_enabled()
    button.click()
    expect(page.locator("main .badge").first).to_have_text("Withdrawn")
