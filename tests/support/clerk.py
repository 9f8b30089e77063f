"""What a clerk does in the browser: sits down, logs in, applies for what a catalogue entry offers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from services.control.catalogue.cells import entry_cells, item_cells
from services.control.catalogue.entry import Entry
from services.control.catalogue.fields import Field
from tests.support.waiting import patience

PATIENCE_MS: Final = 15_000
"""How long a browser alone on the machine waits for what a page shows at once."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is applied for: items of persons, what for, and by which article of which law."""

    items: Sequence[str]
    scenario: str
    document: str
    article: str


def desk(chromium: Browser, address: str, lang: str = "zh-CN") -> BrowserContext:
    """A browser that nobody has used before, in China."""
    made = chromium.new_context(
        base_url=address,
        locale=lang,
        timezone_id="Asia/Shanghai",
        viewport={"width": 1360, "height": 900},
    )
    made.set_default_timeout(PATIENCE_MS * patience())
    return made


@contextmanager
def without_complaints(context: BrowserContext) -> Iterator[Page]:
    """A page whose browser has nothing to complain of: no refused script or style, no error."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    opened = context.new_page()
    opened.on("console", listen)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    # An answer that refuses something is written down by browsers as an error, and is what a test asked for.
    assert [each for each in said if "Failed to load resource" not in each] == []


def enter(page: Page, login: str, password: str, lang: str) -> None:
    """Log in on the page for it."""
    page.goto(f"/login?lang={lang}")
    page.locator("#login").fill(login)
    page.locator("#password").fill(password)
    page.locator("main button[type=submit]").click()
    expect(page.locator(".menu")).to_be_visible()


def apply_for(page: Page, wish: Wish) -> str:
    """Apply, from the catalogue to the last button; the address of the case."""
    page.goto("/catalogue")
    page.locator("#q").fill("rk")
    # The list comes anew a moment later, and with it its links.
    expect(page).to_have_url(re.compile(r"[?&]q=rk"))
    page.locator("#found .result a").first.click()
    page.get_by_role("link", name=re.compile("Apply for this data|申请使用该数据")).click()
    for item in wish.items:
        page.locator(f"#items-{item}").check()
    page.locator("button[value=next]").click()
    page.locator("#scenario").fill(wish.scenario)
    page.locator("#basis-document").fill(wish.document)
    page.locator("#basis-article").fill(wish.article)
    page.locator("button[value=next]").click()
    page.locator("#mode-subscribe").check()
    page.locator("button[value=next]").click()
    page.locator("#committed-yes").check()
    page.locator("button[value=submit]").click()
    expect(page.locator(".timeline")).to_be_visible()
    return page.url.partition("?")[0]


def write_entry(page: Page, entry: Entry) -> str:
    """Fill in the form of a new entry and keep it as a draft; the address of the entry."""
    page.goto("/catalogue/new")
    _fill(page, "{}", entry_cells(entry))
    for number, item in enumerate(entry.items):
        _fill(page, f"item-{number}-{{}}", item_cells(item))
    page.locator("button[name=then][value=show]").click()
    expect(page.locator("main .badge").first).to_be_visible()
    return page.url.partition("?")[0]


def _fill(page: Page, id_: str, cells: Mapping[Field, str]) -> None:
    """Fill in those of the cells that the form asks for: the department's name and code it knows."""
    for field, value in cells.items():
        found = page.locator(f"[id='{id_.format(field.value)}']")
        if not value or not found.count():
            continue
        if found.evaluate("element => element.tagName") == "SELECT":
            found.select_option(value)
        else:
            found.fill(value)


def act(page: Page, action: str, text: str) -> None:
    """Take an action on what is shown, in words; whatever else it asks for is filled in before."""
    form = act_form(page, action)
    form.locator("textarea[name=text], textarea[name=why]").fill(text)
    form.locator("button[type=submit]").click()
    page.wait_for_load_state()


def act_form(page: Page, action: str) -> Locator:
    """The form of an action, unfolded."""
    found = page.locator(f"details[data-action={action}]")
    if found.get_attribute("open") is None:
        found.locator("summary").first.click()
    return found
