"""A notice in words: subject, what to do, and the page that says more. Links and numbers only."""

from dataclasses import dataclass
from string import Formatter
from typing import Final

from services.control.clocks.policy_keys import KEYS
from services.control.docket.report_clock import KEYS as REPORTS
from services.control.notices.event import Happened
from services.control.notices.shown import HIDDEN, Fact, shown
from services.control.notices.wording import SAID
from services.control.notices.wording_of_cases import STEPS
from services.control.notices.words import Kind, Language, Slot

_PAGES: Final = {
    "case": ("cases", Slot.CASE),
    "ticket": ("tickets", Slot.TICKET),
    "grant": ("grants", Slot.GRANT),
    "resource": ("resources", Slot.RESOURCE),
    "clock": ("cases", Slot.CASE),
    "maintenance": ("maintenance", Slot.MAINTENANCE),
    "need": ("demand", Slot.NEED),
    "objection": ("objections", Slot.OBJECTION),
    "entry": ("catalogue/entries", Slot.ENTRY),
    "account": ("admin/people", Slot.ACCOUNT),
}
"""What a kind is about → its folder in the portal and the slot with the id."""
_CREDENTIALS: Final = frozenset({Kind.CREDENTIAL_EXPIRES, Kind.CREDENTIAL_EXPIRED})
"""A department's credential opens all of its grants, and has a page of its own."""
_OF_REPORTS: Final = frozenset(REPORTS.values())
"""Duties whose clock is that of a yearly report."""


@dataclass(frozen=True, slots=True)
class Text:
    """A notice for a person."""

    subject: str
    what_to_do: str
    link: str


def text_of(happened: Happened, language: Language, portal: str) -> Text:
    """The notice in one language.

    Args:
        happened: what is told.
        language: of the reader.
        portal: the address of the portal, without a slash at its end.
    """
    said = SAID[happened.kind, language]
    values = {slot.value: _in_words(slot, fact, language) for slot, fact in happened.facts.items()}
    return Text(_filled(said.subject, values), _filled(said.what_to_do, values), link_of(happened, portal))


def link_of(happened: Happened, portal: str) -> str:
    """The page about it; the list of such pages where the id cannot be shown."""
    if happened.kind in _CREDENTIALS:
        return f"{portal}/credentials"
    about = happened.kind.partition(".")[0]
    folder, slot = _PAGES[about]
    if about == "clock" and Slot.TICKET in happened.facts:
        # The duty is one of a ticket.
        folder, slot = _PAGES["ticket"]
    if about == "clock" and Slot.OBJECTION in happened.facts:
        folder, slot = _PAGES["objection"]
    if about == "clock" and Slot.ENTRY in happened.facts:
        folder, slot = _PAGES["entry"]
    if about == "clock" and str(happened.facts.get(Slot.DUTY, "")) in _OF_REPORTS:
        # All reports are on one page.
        return f"{portal}/reports"
    name = shown(slot, happened.facts[slot]) if slot in happened.facts else HIDDEN
    return f"{portal}/{folder}" if name == HIDDEN else f"{portal}/{folder}/{name}"


def slots_of(kind: Kind, language: Language) -> frozenset[Slot]:
    """What a kind names in a language."""
    said = SAID[kind, language]
    named = (name for part in said for _, name, _, _ in Formatter().parse(part) if name)
    return frozenset(Slot(name) for name in named)


def _in_words(slot: Slot, fact: Fact, language: Language) -> str:
    """A fact as people read it: duties and steps have names in each language, the rest is shown as it is."""
    text = shown(slot, fact)
    if slot is Slot.DUTY and text in KEYS:
        return KEYS[text].zh if language is Language.ZH else KEYS[text].en
    if slot is Slot.STEP and text in STEPS:
        return STEPS[text][list(Language).index(language)]
    return text


def _filled(template: str, values: dict[str, str]) -> str:
    """The template with its slots; what is not there is hidden, since a notice never fails."""
    named = {name for _, name, _, _ in Formatter().parse(template) if name}
    return template.format_map({name: values.get(name, HIDDEN) for name in named})
