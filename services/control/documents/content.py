"""The commitment letter and the filing form of a sharing case: what stands in them, and their digest; pure.

Every fact is the case's or the entry's own; what nobody filled in has no line. Persons are not named:
who signs does so by hand.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from services.control.cases.case import Case, fold
from services.control.cases.decision import Approval
from services.control.cases.words import Action
from services.control.catalogue.text import printable, unreadable
from services.control.catalogue.vocabulary import Language, word
from services.control.contracts.terms import mask_of, titled
from services.control.documents.wording import (
    LABELS,
    MODES,
    STATES,
    TITLES,
    UNDERTAKINGS,
    Kind,
    Label,
    Phrase,
    say,
)
from topics.grants.declaration import RowFilter
from topics.quality.values import CIVIL_TIME
from topics.resource import Resource, Titles

FORM: Final = 1
"""Rises when the same case would lead to another content: a digest belongs to one form."""


@dataclass(frozen=True, slots=True)
class Line:
    """A label and its facts, each on a line of its own."""

    label: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one document in one language, without any layout."""

    kind: Kind
    language: Language
    case: str
    event: int
    """The number of the last event that it takes account of; 0 for a draft that was just opened."""
    title: str
    lines: tuple[Line, ...]
    preamble: str = ""
    undertakings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal; the same content always has the same one."""
        text = json.dumps([FORM, asdict(self)], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class About:
    """What a case's ids stand for: the entry that is applied for, and the titles of departments."""

    resource: Resource
    departments: Mapping[str, Titles]

    def department(self, id_: str, language: Language) -> str:
        """The department's title, or its id where nobody knows one."""
        titles = self.departments.get(id_)
        return titled(titles, language) if titles else id_

    def item(self, name: str, language: Language) -> str:
        """The item's title, or its name where the entry has no such item."""
        found = next((item for item in self.resource.items if item.name == name), None)
        return titled(found.titles, language) if found else name


def document_of(case: Case, kind: Kind, about: About, language: Language) -> Document:
    """The document of a case as it stands."""
    is_letter = kind is Kind.COMMITMENT
    facts = _letter(case, about, language) if is_letter else _form(case, about, language)
    applicant = about.department(case.opening.applicant, language)
    return Document(
        kind=kind,
        language=language,
        case=shown(case.opening.id),
        event=len(case.events),
        title=TITLES[kind][language],
        lines=tuple(_lines(facts, language)),
        preamble=shown(say(Phrase.UNDERTAKES, language, applicant=applicant)) if is_letter else "",
        undertakings=UNDERTAKINGS[language] if is_letter else (),
    )


def recognised(digest: str, case: Case, about: About) -> Document | None:
    """The document of this case that has the digest, of whatever moment, kind and language; None for none."""
    for event in range(len(case.events), -1, -1):
        then = fold(case.opening, case.events[:event])
        for kind in Kind:
            for language in Language:
                document = document_of(then, kind, about, language)
                if document.digest == digest:
                    return document
    return None


Facts = Iterator[tuple[Label, list[str]]]


def _letter(case: Case, about: About, language: Language) -> Facts:
    yield Label.CASE, [case.opening.id]
    yield from _parties(case, about, language)
    yield from _application(case, about, language)


def _form(case: Case, about: About, language: Language) -> Facts:
    application, resource = case.application, about.resource
    yield Label.CASE, [case.opening.id]
    yield Label.FILING_NUMBER, [application.filing]
    yield Label.STATE, [STATES[case.state][language]]
    yield Label.SUBMITTED, _submitted(case)
    yield from _parties(case, about, language)
    yield Label.SHARE_TYPE, [word(resource.share_type, language)]
    yield Label.SHARE_BASIS, [resource.share_basis or ""]
    yield from _application(case, about, language)
    yield Label.COMMITTED, [say(Phrase.YES if application.committed else Phrase.NO, language)]
    if case.approval:
        yield from _approval(case.approval, about, language)


def _parties(case: Case, about: About, language: Language) -> Facts:
    yield Label.APPLICANT, [about.department(case.opening.applicant, language)]
    yield Label.PROVIDER, [about.department(case.opening.provider, language)]
    yield Label.RESOURCE, [titled(about.resource.titles, language)]
    yield Label.CODE, [about.resource.code]


def _application(case: Case, about: About, language: Language) -> Facts:
    application = case.application
    yield Label.SCENARIO, [application.scenario]
    yield Label.BASIS, [f"{application.basis.document} {application.basis.article}".strip()]
    yield Label.ITEMS, [about.item(name, language) for name in application.items]
    yield Label.ROWS, _rows(application.rows, about, language)
    yield Label.MODE, [MODES[application.mode][language]]
    yield Label.BATCH, [application.batch_justification]
    yield Label.DAYS, [say(Phrase.DAYS, language, start=application.start, end=application.end)]


def _approval(approval: Approval, about: About, language: Language) -> Facts:
    masks = dict(approval.masks)
    items = []
    for name in approval.items:
        title = about.item(name, language)
        if name in masks:
            title = say(Phrase.MASKED, language, item=title, mask=mask_of(masks[name], language))
        items.append(title)
    yield Label.GIVEN_ITEMS, items
    yield Label.GIVEN_ROWS, _rows(approval.rows, about, language)
    yield Label.GIVEN_DAYS, [say(Phrase.DAYS, language, start=approval.start, end=approval.end)]


def _rows(rows: tuple[RowFilter, ...], about: About, language: Language) -> list[str]:
    if not rows:
        return [say(Phrase.ALL_ROWS, language)]
    colon, comma = ("：", "、") if language is Language.ZH else (": ", ", ")
    return [f"{about.item(row.item, language)}{colon}{comma.join(row.values)}" for row in rows]


def _submitted(case: Case) -> list[str]:
    """When it was submitted last, in official time; nothing while it is a draft."""
    times = [event.when for event in case.events if event.action in (Action.SUBMIT, Action.SUPPLEMENT)]
    return [times[-1].astimezone(CIVIL_TIME).isoformat(" ", "seconds")] if times else []


def _lines(facts: Facts, language: Language) -> Iterator[Line]:
    for label, texts in facts:
        said = tuple(shown(text) for text in texts if text.strip())
        if said:
            yield Line(LABELS[label][language], said)


def shown(text: str) -> str:
    """Text that says on paper what it says: signs that hide or turn others stand as U+XXXX."""
    return "".join(each if unreadable(each) is None else printable(each) for each in text)
