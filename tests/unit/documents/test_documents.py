"""Commitment letter and filing form: all of the case and nothing else, escaped, whole, recognisable."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.cases.application import DutyBasis
from services.control.cases.case import Case
from services.control.cases.words import Action, DeliveryMode, State
from services.control.catalogue.vocabulary import Language
from services.control.documents.content import About, Document, document_of, recognised, shown
from services.control.documents.page import STYLE, page_of, style_source
from services.control.documents.wording import (
    LABELS,
    MODES,
    PHRASES,
    STATES,
    TITLES,
    UNDERTAKINGS,
    Kind,
    Label,
)
from tests.support.examples import examples
from tests.support.policy import sample_definitions
from tests.support.sharing_cases import (
    CONSUMER,
    DECIDER,
    IN_STATE,
    PART,
    PERSON,
    SYSTEM,
    deciding,
    draft,
    entry,
    submitted,
    taken,
)
from topics.resource import Titles

ZH, EN = Language.ZH, Language.EN
ABOUT = About(
    entry(PERSON),
    {
        str(id_): each.titles
        for departments in (sample_definitions().consumers, sample_definitions().providers)
        for id_, each in departments.items()
    },
)
HOSTILE = "</p><script>alert(1)</script><img src=x onerror='x'>\"&{{ 7*7 }}{% raw %}"


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def facts(document: Document) -> dict[str, tuple[str, ...]]:
    return {line.label: line.facts for line in document.lines}


def fact(document: Document, label: Label) -> tuple[str, ...] | None:
    return facts(document).get(LABELS[label][document.language])


@pytest.mark.requirement("A8-08")
def test_the_letter_says_who_undertakes_what_for_which_data_in_both_languages() -> None:
    letter = document_of(draft(), Kind.COMMITMENT, ABOUT, ZH)
    assert letter.title == "政务数据共享使用承诺书"
    assert letter.preamble == "卫健委承诺："
    assert letter.undertakings == UNDERTAKINGS[ZH]
    assert fact(letter, Label.PROVIDER) == ("公安局",)
    assert fact(letter, Label.ITEMS) == ("公民身份号码", "姓名", "出生日期", "户籍所在行政区划")
    assert fact(letter, Label.ROWS) == ("户籍所在行政区划：320508、320505",)
    assert fact(letter, Label.BASIS) == ("《基本医疗卫生与健康促进法》 第三十一条",)
    assert fact(letter, Label.DAYS) == ("2026-03-10 至 2027-03-09",)
    english = document_of(draft(), Kind.COMMITMENT, ABOUT, EN)
    assert english.preamble == "Health Commission undertakes:"
    assert fact(english, Label.MODE) == ("Subscription",)


@pytest.mark.requirement("A8-01", "A8-02", "A8-03", "A8-04")
def test_the_letter_forbids_other_use_third_parties_publication_and_trade() -> None:
    for language, forbidden in (
        (ZH, ("仅将数据用于", "不以任何形式向第三方提供", "不公开发布", "任何商业用途")),
        (
            EN,
            (
                "only for the scenario",
                "not to give the data to a third party",
                "not to publish",
                "commercial",
            ),
        ),
    ):
        letter = document_of(draft(), Kind.COMMITMENT, ABOUT, language)
        for words in forbidden:
            assert any(words in each for each in letter.undertakings), words


@pytest.mark.requirement("A8-08")
def test_the_filing_form_says_what_was_applied_for_when_and_what_was_given() -> None:
    before = document_of(draft(filing="备〔2026〕7号"), Kind.FILING, ABOUT, ZH)
    assert fact(before, Label.FILING_NUMBER) == ("备〔2026〕7号",)
    assert fact(before, Label.SUBMITTED) is None
    assert fact(before, Label.GIVEN_ITEMS) is None
    case = taken(deciding(draft()), Action.APPROVE_IN_PART, DECIDER, approval=PART)
    after = document_of(case, Kind.FILING, ABOUT, ZH)
    assert fact(after, Label.SUBMITTED) == ("2026-03-02 09:00:00+08:00",)
    assert fact(after, Label.STATE) == ("已同意",)
    [name, district] = fact(after, Label.GIVEN_ITEMS) or ("", "")
    assert name.startswith("姓名（脱敏：显示前 1 个")
    assert district == "户籍所在行政区划"
    assert fact(after, Label.GIVEN_ROWS) == ("户籍所在行政区划：320508",)
    assert fact(after, Label.GIVEN_DAYS) == ("2026-04-01 至 2026-12-31",)
    assert fact(after, Label.SHARE_BASIS) == ("《户口登记条例》第三条",)


def test_what_nobody_filled_in_has_no_line_and_what_was_has_one() -> None:
    plain = document_of(draft(rows=()), Kind.FILING, ABOUT, EN)
    assert fact(plain, Label.FILING_NUMBER) is None
    assert fact(plain, Label.BATCH) is None
    assert fact(plain, Label.ROWS) == ("All records",)
    batch = draft(mode=DeliveryMode.BATCH, batch_justification="核验接口不能满足统计")
    assert fact(document_of(batch, Kind.COMMITMENT, ABOUT, EN), Label.BATCH) == ("核验接口不能满足统计",)


def test_an_unknown_department_and_an_unknown_item_stand_as_they_are() -> None:
    found = document_of(draft(items=("name", "shoe_size")), Kind.FILING, About(ABOUT.resource, {}), ZH)
    assert fact(found, Label.APPLICANT) == ("health",)
    assert fact(found, Label.ITEMS) == ("姓名", "shoe_size")


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", Language)
def test_every_state_of_a_case_has_its_documents_and_they_name_no_person(
    state: State, kind: Kind, language: Language
) -> None:
    page = page_of(document_of(IN_STATE[state](), kind, ABOUT, language))
    assert f'<html lang="{"zh-CN" if language is ZH else "en"}">' in page
    assert (STATES[state][language] in page) or kind is Kind.COMMITMENT
    for person in ("Chen", "Wang", "Zhao"):
        assert person not in page


def hostile_case(text: str) -> Case:
    wanted: dict[str, Any] = {
        "scenario": text,
        "basis": DutyBasis(text, text),
        "items": (text,),
        "filing": text,
        "batch_justification": text,
    }
    return draft(id_=text, **wanted)


@pytest.mark.parametrize("kind", Kind)
def test_hostile_text_stays_text(kind: Kind) -> None:
    about = About(
        ABOUT.resource, {"health": Titles(zh=HOSTILE, en=HOSTILE), "police": Titles(zh=HOSTILE, en="")}
    )
    case = replace(
        hostile_case(HOSTILE), application=replace(hostile_case(HOSTILE).application, scenario=HOSTILE)
    )
    harmless = Page(page_of(document_of(draft(), kind, ABOUT, ZH)))
    page = Page(page_of(document_of(case, kind, about, ZH)))
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert set(page.tags) == set(harmless.tags)
    assert HOSTILE in page.texts
    assert not [name for name, _ in page.attributes if name.startswith("on")]


@given(st.text(min_size=1, max_size=60))
@examples(60, deadline=None)
def test_whatever_is_filled_in_a_browser_sees_the_same_tags_and_exactly_the_text(text: str) -> None:
    wanted = f"甲{text}乙"
    page = Page(page_of(document_of(draft(scenario=wanted), Kind.FILING, ABOUT, ZH)))
    plain = Page(page_of(document_of(draft(scenario="甲乙"), Kind.FILING, ABOUT, ZH)))
    assert page.tags == plain.tags
    assert shown(wanted) in page.texts


def test_signs_that_hide_or_turn_others_are_shown_as_what_they_are() -> None:
    assert shown("甲\u202e乙\u200b\x00\u2067") == "甲<U+202E>乙<U+200B><U+0000><U+2067>"
    assert shown("第一行\n第二行\t末") == "第一行\n第二行 末"
    assert shown("𠮷龘·—") == "𠮷龘·—"


def test_a_page_needs_nothing_beside_itself_and_its_style_can_be_allowed_by_its_digest() -> None:
    page = page_of(document_of(draft(), Kind.COMMITMENT, ABOUT, ZH))
    found = Page(page)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(found.tags)
    assert not {"href", "src", "action", "style"} & {name for name, _ in found.attributes}
    assert not re.search(r"url\(|@import|https?:", page)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style == STYLE
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", style_source())


def test_a_document_is_recognised_by_its_digest_though_the_case_went_on() -> None:
    case = submitted(draft())
    letter = document_of(case, Kind.COMMITMENT, ABOUT, EN)
    assert letter.digest in page_of(letter)
    later = taken(taken(case, Action.REQUEST_DECISION, SYSTEM), Action.APPROVE, DECIDER)
    assert recognised(letter.digest, later, ABOUT) == letter
    assert recognised(letter.digest, later, About(entry(PERSON, code="3/9"), ABOUT.departments)) is None
    assert recognised("0" * 64, later, ABOUT) is None
    assert recognised(letter.digest, draft(scenario="另一个用途"), ABOUT) is None


def test_the_same_case_gives_the_same_page_and_any_other_fact_another_digest() -> None:
    def digest(case: Case, kind: Kind = Kind.FILING, language: Language = ZH) -> str:
        return document_of(case, kind, ABOUT, language).digest

    assert page_of(document_of(draft(), Kind.FILING, ABOUT, ZH)) == page_of(
        document_of(draft(), Kind.FILING, ABOUT, ZH)
    )
    others = [
        digest(draft()),
        digest(draft(), Kind.COMMITMENT),
        digest(draft(), language=EN),
        digest(draft(scenario="另一个用途")),
        digest(draft(items=("name",))),
        digest(draft(id_="case-2")),
        digest(draft(committed=False)),
        digest(taken(draft(), Action.WITHDRAW, CONSUMER)),
    ]
    assert len(set(others)) == len(others)


def test_every_word_is_there_in_both_languages() -> None:
    for words, members in ((LABELS, Label), (STATES, State), (MODES, DeliveryMode), (TITLES, Kind)):
        assert set(words) == set(members)
    for said in [*LABELS.values(), *STATES.values(), *MODES.values(), *TITLES.values(), *PHRASES.values()]:
        assert all(said[language] for language in Language)
        assert re.search(r"[\u4e00-\u9fff{]", said[ZH])
    for phrase, said in PHRASES.items():
        assert re.findall(r"{\w+}", said[ZH]) == re.findall(r"{\w+}", said[EN]), phrase
    assert len(UNDERTAKINGS[ZH]) == len(UNDERTAKINGS[EN])
