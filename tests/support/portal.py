"""The portal over a real database for tests: people at browsers, and what their pages say."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final

from fastapi.testclient import TestClient
from httpx2 import Response

from services.control.accounts.people import Person
from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from services.portal.app import create_app
from tests.support.web import PASSWORD, Web

VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_UNSAID: Final = re.compile(r"%\(\w+\)s")


class Portal(Web):
    """The whole web process, people at it, and what the ledger is owed of them."""

    def __init__(self, database: ControlDatabase, **more: Any) -> None:
        super().__init__(database, **more)
        self.app = create_app(self.parts)

    def reader(self, *roles: Role, department: str = "police", language: str = "en", **more: Any) -> "Reader":
        """A browser at which somebody new with these roles is logged in."""
        return self.reading(self.hire(*roles, department=department, **more), language)

    def reading(self, person: Person, language: str = "en") -> "Reader":
        """A browser at which a person has logged in on the page for it."""
        client = self.client()
        client.headers.update({"accept": "text/html", "accept-language": language})
        reader = Reader(client, person)
        answer = client.post("/login", data={"login": person.login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return reader

    def stranger(self, language: str = "en") -> "Reader":
        """A browser at which nobody is logged in."""
        client = self.client()
        client.headers.update({"accept": "text/html", "accept-language": language})
        return Reader(client, None)


@dataclass
class Reader:
    """Somebody at a browser."""

    client: TestClient
    person: Person | None

    def open(self, path: str, **more: Any) -> "Page":
        """Open a page, going where it leads."""
        answer = self.client.get(path, follow_redirects=True, **more)
        return Page(answer)

    def look(self, path: str, **more: Any) -> Response:
        """Ask for a page, and go nowhere else."""
        return self.client.get(path, **more)

    def send(self, page: "Page", action: str, **fields: Any) -> Response:
        """Fill in the form of a page with this action, and send it."""
        form = page.form(action)
        return self.client.post(action, data={**form.fields, **fields})

    def sent(self, page: "Page", action: str, **fields: Any) -> "Page":
        """The same, and the page that follows."""
        form = page.form(action)
        return Page(self.client.post(action, data={**form.fields, **fields}, follow_redirects=True))


@dataclass(frozen=True)
class FormSeen:
    """A form as it stands on a page: where it is sent, and what it holds."""

    action: str
    method: str
    fields: Mapping[str, Any]


class Page(HTMLParser):
    """A page, taken apart: it must be well-formed, and it must not style or do anything by itself."""

    def __init__(self, answer: Response) -> None:
        super().__init__(convert_charrefs=True)
        self.answer, self.status, self.path = answer, answer.status_code, answer.url.path
        self.language = ""
        self.forms: list[FormSeen] = []
        self.links: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.actions: set[str] = set()
        """The values of ``data-action``: what is offered."""
        self._open: list[str] = []
        self._fields: dict[str, Any] | None = None
        self._at = ("", "")
        self._select: tuple[str, list[str], list[str]] | None = None
        self._area: str | None = None
        self.words: list[str] = []
        self._foreign: list[bool] = []
        """Of the open elements which say something in another language, or in none: a code, a record."""
        self._own: list[str] = []
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.feed(answer.text)
            self.close()
            self.faults += [f"<{tag}> is not closed" for tag in self._open]
            self.faults += [f"{each} is unsaid" for each in _UNSAID.findall(answer.text)]
            self.faults += [f"id {each} is there twice" for each in self.ids if self.ids.count(each) > 1]

    @property
    def text(self) -> str:
        """What a reader sees, without markup."""
        return re.sub(r"\s+", " ", " ".join(self.words))

    @property
    def own_text(self) -> str:
        """The same in the page's own language: without codes, records and what is marked as English."""
        return re.sub(r"\s+", " ", " ".join(self._own))

    def form(self, action: str) -> FormSeen:
        """The form that changes something there."""
        found = [each for each in self.forms if each.action == action and each.method == "post"]
        assert found, f"{self.path} has no form for {action}, but {[each.action for each in self.forms]}"
        return found[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag."""
        given = dict(attrs)
        self.faults += list(_faults(tag, given))
        if tag not in VOID:
            self._open.append(tag)
            english = given.get("lang") == "en" and tag != "html"
            self._foreign.append(english or tag in ("code", "pre", "textarea"))
        if tag == "html":
            self.language = given.get("lang") or ""
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if given.get("data-action"):
            self.actions.add(given["data-action"] or "")
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        """Take note of the end of an element."""
        if tag in VOID:
            self.faults.append(f"</{tag}> closes nothing")
        elif not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> where {self._open[-1:]} is open, line {self.getpos()[0]}")
        else:
            self._open.pop()
            self._foreign.pop()
        if tag == "form" and self._fields is not None:
            self.forms.append(FormSeen(self._at[0], self._at[1], self._fields))
            self._fields = None
        if tag == "select" and self._select is not None and self._fields is not None:
            name, chosen, offered = self._select
            self._fields[name] = (chosen or offered or [""])[0]
            self._select = None
        if tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        """Take note of a text."""
        if self._area is not None and self._fields is not None:
            self._fields[self._area] = data
        if not {"script", "style"} & set(self._open):
            self.words.append(data)
            if not any(self._foreign):
                self._own.append(data)

    def _field(self, tag: str, given: dict[str, str | None]) -> None:
        name = given.get("name") or ""
        if tag == "form":
            self._fields, self._at = {}, (given.get("action") or "", given.get("method") or "get")
            return
        if self._fields is None:
            return
        if tag == "input" and name:
            self._input(name, given)
        elif tag == "select":
            self._select = (name, [], [])
        elif tag == "option" and self._select is not None:
            _, chosen, offered = self._select
            (chosen if "selected" in given else offered).append(given.get("value") or "")
        elif tag == "textarea":
            self._area, self._fields[name] = name, ""

    def _input(self, name: str, given: dict[str, str | None]) -> None:
        assert self._fields is not None
        kind, value = given.get("type"), given.get("value") or ""
        if kind == "radio" and "checked" in given:
            self._fields[name] = value
        elif kind == "checkbox" and "checked" in given:
            self._fields.setdefault(name, []).append(value)
        elif kind not in ("checkbox", "radio", "file"):
            known = self._fields.get(name)
            self._fields[name] = value if known is None else [*_list(known), value]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _faults(tag: str, given: Mapping[str, str | None]) -> Iterator[str]:
    """What a page must not do: style or script in itself, handlers in attributes, addresses elsewhere."""
    if tag == "style" or "style" in given:
        yield f"<{tag}> is styled in the page"
    if tag == "script" and not given.get("src"):
        yield "a script stands in the page"
    for name, value in given.items():
        if name.startswith("on"):
            yield f"<{tag} {name}> is a handler in the page"
        if name in ("src", "href", "action") and (value or "").startswith(("http:", "https:", "//")):
            yield f"<{tag} {name}> leads to {value}"
        if (value or "").startswith("javascript:"):
            yield f"<{tag} {name}> is a script"
    named = given.get("id") or given.get("aria-label")
    if tag == "input" and given.get("type") not in ("hidden", "submit") and not named:
        yield f"<input {given.get('name')}> has no id for a label"
    if tag == "img" and given.get("alt") is None:
        yield "an image says nothing"
