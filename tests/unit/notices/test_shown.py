"""No notice holds anything that could be a person's, whatever it was given."""

import json
from datetime import date, datetime
from email import message_from_bytes, policy
from typing import Any

import hypothesis
import jsonschema
import pytest
from hypothesis import strategies as st

from services.control.notices.body import body_of
from services.control.notices.event import Happened
from services.control.notices.letter import is_mailbox, letter
from services.control.notices.shown import HIDDEN, Fact, is_name, shown
from services.control.notices.text import text_of
from services.control.notices.words import NAMES, Audience, Kind, Language, Slot
from tests.support.examples import examples
from tests.support.notices import FACTS, NOW, PARTIES, PORTAL, happened, numbers, said
from tests.unit.notices.shape import SHAPE

FACT: st.SearchStrategy[Fact] = st.one_of(
    said, st.text(max_size=40), st.integers(), st.dates(), st.datetimes()
)


def everything_said(event: Happened) -> str:
    """All that leaves the bus about an event: letters and bodies, in every language."""
    texts = [text_of(event, language, PORTAL) for language in Language]
    parts = [part for text in texts for part in (text.subject, text.what_to_do, text.link)]
    return "\n".join([*parts, body_of(event, "0199c9a0", Audience.CONSUMER, PORTAL).decode()])


@hypothesis.given(st.sampled_from(Kind), st.dictionaries(st.sampled_from(Slot), FACT), numbers, st.data())
@examples(300)
def test_no_notice_holds_the_number_of_a_document(
    kind: Kind, facts: dict[Slot, Fact], number: str, data: st.DataObject
) -> None:
    slot = data.draw(st.sampled_from(sorted(Slot)))
    event = Happened("key", kind, NOW, PARTIES, {**facts, slot: number})
    text = everything_said(event)
    assert number not in text
    assert number.upper() not in text.upper()


@hypothesis.given(numbers)
def test_a_number_of_a_document_as_an_integer_is_cut(number: str) -> None:
    digits = "".join(sign for sign in number if sign.isdigit())
    hypothesis.assume(len(digits.lstrip("0")) >= 8)
    assert digits.lstrip("0") not in everything_said(happened(Kind.READER_BEHIND, records=int(digits)))


@hypothesis.given(said)
def test_whatever_holds_a_number_is_no_name(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize(
    "name",
    [
        "0199c9a0-0000-7000-8000-000000000001",
        "17",
        "9999999",
        "population.person.v1",
        "health-persons",
        "clocks.subscription.provider_reply",
        "case-2026-000123",
        "case-0199c9a0000070008000000000000001",
        "tax_2",
    ],
)
def test_ids_of_ours_are_shown(name: str) -> None:
    assert shown(Slot.CASE, name) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "case-0199c9a000007000800000000000001",
        "case-110105194912310021",
        "张伟",
        "Zhang Wei",
        "a b",
        "A1",
        "x" * 121,
        "12345678",
        "../x",
        "a--b",
        "<b>",
    ],
)
def test_other_texts_are_hidden(text: str) -> None:
    assert shown(Slot.CASE, text) == HIDDEN


def test_a_text_stands_only_where_an_id_belongs() -> None:
    assert {slot for slot in Slot if shown(slot, "health") == "health"} == NAMES


def test_numbers_days_and_moments_are_shown_in_beijing_time() -> None:
    assert shown(Slot.RECORDS, 9_999_999) == "9999999"
    assert shown(Slot.RECORDS, 10_000_000) == "9999999+"
    assert shown(Slot.RECORDS, -10_000_000) == "-9999999+"
    assert shown(Slot.DAY, date(2026, 9, 25)) == "2026-09-25"
    assert shown(Slot.BEGIN, NOW) == "2026-09-18 10:00"
    assert shown(Slot.BEGIN, datetime(2026, 9, 18)) == HIDDEN  # noqa: DTZ001 - a moment of no zone is meant
    assert shown(Slot.DAYS, True) == HIDDEN


def test_a_link_leads_to_the_page_and_to_the_list_where_the_id_is_hidden() -> None:
    def link(ticket: str) -> str:
        return text_of(happened(Kind.TICKET_CLOSED, ticket=ticket), Language.EN, PORTAL).link

    assert link("17") == f"{PORTAL}/tickets/17"
    assert link("11010519491231002X") == f"{PORTAL}/tickets"


@hypothesis.given(
    st.sampled_from(Kind), st.dictionaries(st.sampled_from(Slot), FACT), st.sampled_from(Language)
)
@examples(200)
def test_no_content_breaks_out_of_a_letter(kind: Kind, facts: dict[Slot, Fact], language: Language) -> None:
    event = Happened("key", kind, NOW, PARTIES, facts)
    text = text_of(event, language, PORTAL)
    message = letter([text], language, "bus@example.cn", "clerk@health.example.cn", NOW, "0199c9a0.1")
    read = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert sorted(read.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted", "Content-Type",
         "Content-Transfer-Encoding", "MIME-Version"]
    )  # fmt: skip
    # A long subject is folded behind the name of the header, and readers keep that blank.
    assert (read["To"], read["Subject"].strip()) == ("clerk@health.example.cn", text.subject)
    assert text.link in read.get_content()


@pytest.mark.parametrize(
    "address",
    ["a@b\r\nBcc: c@d", "a@b\n", '"a b"@c', "a@b (c)", "a", "@b", "a@", "a@b,c@d", "a@-b", "a" * 65 + "@b",
     "张@example.cn", "<a@b>", "a@b@c"],
)  # fmt: skip
def test_an_address_that_could_break_out_makes_no_letter(address: str) -> None:
    assert not is_mailbox(address)
    text = text_of(happened(), Language.EN, PORTAL)
    for sender, recipient in ((address, "a@b.cn"), ("a@b.cn", address)):
        with pytest.raises(ValueError, match="two plain addresses"):
            letter([text], Language.EN, sender, recipient, NOW, "1")
    with pytest.raises(ValueError, match="letters, digits"):
        letter([text], Language.EN, "a@b.cn", "a@b.cn", NOW, "1>\r\nBcc: c@d")


def test_plain_addresses_are_accepted() -> None:
    assert all(is_mailbox(each) for each in ("a@b", "first.last+tag@sub.example.cn", "x_1@localhost"))


def test_a_digest_is_one_letter_with_everything() -> None:
    texts = [
        text_of(happened(Kind.CLOCK_REMINDER, case=str(number)), Language.ZH, PORTAL) for number in (1, 2, 3)
    ]
    message = letter(texts, Language.ZH, "bus@example.cn", "clerk@example.cn", NOW, "1")
    assert message["Subject"] == "3 条提醒"
    assert all(text.link in message.get_content() for text in texts)


@pytest.mark.parametrize("kind", Kind)
def test_a_body_has_its_published_shape(kind: Kind) -> None:
    body: dict[str, Any] = json.loads(body_of(happened(kind), "0199c9a0", Audience.PROVIDER, PORTAL))
    jsonschema.validate(body, SHAPE)
    assert body["facts"]["records"] == "1200"
    assert set(body["facts"]) == {slot.value for slot in FACTS}
