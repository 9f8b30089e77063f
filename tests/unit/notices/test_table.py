"""Who is told what: the table, its words in both languages, and the document that shows it."""

import re
from itertools import product
from pathlib import Path
from string import Formatter

import pytest

from services.control.cases.provisioning import Step
from services.control.cases.table import TRANSITIONS
from services.control.cases.words import Action, Decides, State
from services.control.catalogue.lifecycle import Action as EntryAction
from services.control.notices.event import Told, told
from services.control.notices.of_cases import kind_of
from services.control.notices.of_entries import kind_of as kind_of_entry
from services.control.notices.of_tickets import Recipient, of_receipt, of_ticket
from services.control.notices.retrying import Failure
from services.control.notices.table import ROUTES, picture
from services.control.notices.text import slots_of, text_of
from services.control.notices.wording import SAID
from services.control.notices.words import Audience, Channel, Kind, Language
from services.control.tickets.words import NoticeKind
from tests.support.notices import NOW, PARTIES, PORTAL, happened

DOCUMENT = (Path(__file__).parents[3] / "docs" / "notices.md").read_text(encoding="utf-8")
#: Steps that change nothing for anybody.
UNTOLD = {Action.EDIT, Action.STEP_DONE, Action.RETRY_STEP}


def test_the_document_shows_the_table_and_explains_every_failure() -> None:
    assert picture() in DOCUMENT
    assert re.findall(r"^\| `((?!GOVBUS)[A-Z0-9_]+)` \|", DOCUMENT, re.MULTILINE) == [*Failure]


@pytest.mark.parametrize("kind", Kind)
def test_everything_that_happens_is_told_to_somebody_and_stands_in_every_inbox(kind: Kind) -> None:
    rows = [ROUTES[kind, audience] for audience in Audience if (kind, audience) in ROUTES]
    assert rows
    assert all(Channel.INBOX in channels for channels in rows)


@pytest.mark.parametrize(("kind", "language"), list(product(Kind, Language)))
def test_each_kind_says_what_happened_and_what_to_do_in_each_language(kind: Kind, language: Language) -> None:
    text = text_of(happened(kind), language, PORTAL)
    said = SAID[kind, language]
    assert text.subject
    assert text.what_to_do
    assert "***" not in text.subject + text.what_to_do
    assert not list(filter(None, (name for _, name, _, _ in Formatter().parse(text.subject))))
    has_chinese = re.search(r"[\u4e00-\u9fff]", said.subject + said.what_to_do) is not None
    assert has_chinese == (language is Language.ZH)


@pytest.mark.parametrize("step", Step)
def test_steps_and_duties_have_names_in_each_language(step: Step) -> None:
    event = happened(Kind.CASE_STEP_FAILED, step=step.value)
    chinese, english = (text_of(event, language, PORTAL).subject for language in Language)
    assert re.search(r"步骤 [\u4e00-\u9fff]+ 失败", chinese)
    assert "_" not in english
    late = happened(Kind.CLOCK_OVERDUE)
    assert "问题数据核实" in text_of(late, Language.ZH, PORTAL).subject
    assert "verify reported problem data" in text_of(late, Language.EN, PORTAL).subject


@pytest.mark.parametrize("kind", Kind)
def test_both_languages_name_the_same_things(kind: Kind) -> None:
    assert slots_of(kind, Language.ZH) == slots_of(kind, Language.EN)


@pytest.mark.parametrize(("state", "action"), list(TRANSITIONS))
def test_every_change_of_a_case_is_told(state: State, action: Action) -> None:
    kind = kind_of(state, action, TRANSITIONS[state, action].after)
    assert (kind is None) == (action in UNTOLD)


@pytest.mark.parametrize(("state", "action"), list(TRANSITIONS))
def test_where_the_authority_decides_the_same_steps_are_told_and_it_has_to_act(
    state: State, action: Action
) -> None:
    after = TRANSITIONS[state, action].after
    kind, otherwise = kind_of(state, action, after, Decides.AUTHORITY), kind_of(state, action, after)
    if kind is not otherwise:
        assert Channel.EMAIL in ROUTES[kind or Kind.CASE_SUBMITTED, Audience.AUTHORITY]
    assert otherwise not in (Kind.CASE_DECIDING, Kind.CASE_NEGOTIATING) or kind is not otherwise


@pytest.mark.parametrize("action", EntryAction)
def test_each_step_of_an_entry_is_told_but_what_is_done_to_a_draft(action: EntryAction) -> None:
    drafts = {EntryAction.OPEN, EntryAction.EDIT, EntryAction.REVISE, EntryAction.SUPERSEDE}
    assert (kind_of_entry(action, 1) is None) == (action in drafts)
    assert kind_of_entry(EntryAction.PUBLISH, 2) is Kind.ENTRY_CHANGED


def test_who_has_to_act_is_told_at_once_and_not_only_in_the_portal() -> None:
    acts = {
        Kind.CASE_PRECHECK: Audience.AUTHORITY,
        Kind.CASE_DECIDING: Audience.PROVIDER,
        Kind.CASE_DECIDING_BY_AUTHORITY: Audience.AUTHORITY,
        Kind.CASE_NEGOTIATING_BY_AUTHORITY: Audience.AUTHORITY,
        Kind.CASE_RETURNED: Audience.CONSUMER,
        Kind.CASE_REFUSED: Audience.CONSUMER,
        Kind.CASE_STEP_FAILED: Audience.OPERATOR,
        Kind.CASE_COMPLAINT: Audience.AUTHORITY,
        Kind.TICKET_VERIFYING: Audience.PROVIDER,
        Kind.TICKET_CORRECTING: Audience.PROVIDER,
        Kind.CLOCK_OVERDUE: Audience.PROVIDER,
        Kind.ENTRY_SUBMITTED: Audience.AUTHORITY,
        Kind.ENTRY_REGISTERED: Audience.PROVIDER,
        Kind.ENTRY_REGISTRATION_REFUSED: Audience.PROVIDER,
        Kind.ENTRY_PUBLICATION_REQUESTED: Audience.AUTHORITY,
        Kind.ENTRY_PUBLICATION_REFUSED: Audience.PROVIDER,
    }
    for kind, audience in acts.items():
        assert {Channel.EMAIL, Channel.WEBHOOK} <= ROUTES[kind, audience], kind


def test_a_department_in_two_parts_is_told_once_by_the_channels_of_both() -> None:
    both = {Audience.CONSUMER: ("police",), Audience.PROVIDER: ("police",), Audience.AUTHORITY: ("bureau",)}
    found = told(happened(Kind.CASE_DECIDING, parties=both))
    assert found == (
        Told("police", Audience.CONSUMER, frozenset({Channel.INBOX, Channel.EMAIL, Channel.WEBHOOK})),
        Told("bureau", Audience.AUTHORITY, frozenset({Channel.INBOX, Channel.WEBHOOK})),
    )


def test_reminders_are_gathered_and_what_is_late_comes_at_once() -> None:
    (reminded, *_) = told(happened(Kind.CLOCK_REMINDER))
    (late, *_) = told(happened(Kind.CLOCK_OVERDUE))
    assert reminded.channels == {Channel.INBOX, Channel.DIGEST}
    assert Channel.EMAIL in late.channels


def test_a_ticket_is_told_by_its_state_and_a_state_without_words_to_nobody() -> None:
    told_ = of_ticket("17", "population.person.v1", 3, "verifying", NOW, PARTIES)
    assert told_ is not None
    assert (told_.kind, told_.key) == (Kind.TICKET_VERIFYING, "ticket:17:3")
    assert of_ticket("17", "population.person.v1", 4, "unheard_of", NOW, PARTIES) is None


@pytest.mark.parametrize(
    ("owed", "kind"),
    [
        (NoticeKind.DISPUTED, Kind.TICKET_WRONG_VERSION),
        (NoticeKind.CORRECTED, Kind.TICKET_CORRECTED),
        (NoticeKind.UNFOUNDED, Kind.TICKET_DISMISSED),
    ],
)
def test_a_consumer_is_told_once_of_each_thing_that_it_is_owed_under_a_ticket(
    owed: NoticeKind, kind: Kind
) -> None:
    to = Recipient("tax", "tax-persons", NOW)
    found = of_receipt("17", "population.person.v1", "notice-1", owed, to)
    assert (found.kind, found.key) == (kind, "ticket:17:owed:notice-1")
    assert found.parties == {Audience.CONSUMER: ("tax",)}
    assert of_receipt("17", "population.person.v1", "notice-2", owed, to).key != found.key
