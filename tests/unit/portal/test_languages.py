"""Which language a page speaks, and that the check of its texts finds what is missing."""

from datetime import UTC, datetime, timedelta

import pytest
from babel.messages.catalog import Message
from fastapi import Request

from producers.snapshot import SnapshotState
from services.control.cases import words as of_cases
from services.control.cases.provisioning import Progress, Step
from services.control.catalogue import lifecycle
from services.control.catalogue.vocabulary import Language
from services.control.clocks import running
from services.control.clocks.pack import Level, Standing
from services.control.provisioning.drift import Kind as DriftKind
from services.portal.languages import CHINESE, ENGLISH, Tongue, tongue_of
from services.portal.times import moment
from services.portal.words import said
from services.portal.words_of_operation import RAISED, alarm, coded, mended_by
from services.watch.judge import AlarmKind
from tests.support import translations
from topics.event import Step as GateStep
from topics.event import StopReason, SupersededReason


def asked(query: str = "", cookie: str = "", accepted: str = "") -> Request:
    headers = [(b"cookie", f"govbus_language={cookie}".encode()), (b"accept-language", accepted.encode())]
    return Request({"type": "http", "query_string": query.encode(), "headers": headers, "path": "/"})


@pytest.mark.parametrize(
    ("query", "cookie", "accepted", "tongue"),
    [
        ("", "", "", CHINESE),
        ("", "", "fr, de;q=0.8", CHINESE),
        ("", "", "fr, en-GB;q=0.8, zh;q=0.5", ENGLISH),
        ("", "", "en;q=0.2, zh-CN;q=0.9", CHINESE),
        ("", "", "en;q=x, zh", CHINESE),
        ("", "en", "zh-CN", ENGLISH),
        ("lang=zh-CN", "en", "en", CHINESE),
        ("lang=en_US", "zh-CN", "zh", ENGLISH),
        ("lang=../../etc", "en", "zh", ENGLISH),
    ],
)
def test_the_address_counts_before_the_cookie_and_that_before_the_browser(
    query: str, cookie: str, accepted: str, tongue: Tongue
) -> None:
    assert tongue_of(asked(query, cookie, accepted)) == tongue


def test_both_languages_say_everything() -> None:
    wanted = translations.said()
    assert len(wanted) > 380
    assert list(translations.problems(wanted)) == []


def test_a_text_that_nobody_translated_and_one_that_nobody_says_are_found() -> None:
    wanted = translations.said() - {"Catalogue"} | {"A text of tomorrow"}
    found = list(translations.problems(wanted))
    assert "zh_CN: A text of tomorrow is missing" in found
    assert "zh_CN: Catalogue is said nowhere" in found


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        (Message("Case %(number)s", ""), ["has no translation"]),
        (Message("Cases", "共享申请", flags=["fuzzy"]), ["is fuzzy"]),
        (Message("Case %(number)s", "申请"), ["leaves a place of the text out"]),
        (Message("Case", "申请 %(number)s"), ["names a place that the text does not have"]),
        (Message("Cases", "共享申请"), []),
    ],
)
def test_a_translation_is_whole_and_sure_of_itself(message: Message, wrong: list[str]) -> None:
    assert list(translations._wrong(message, "zh_CN")) == wrong


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    "kind",
    [
        of_cases.State,
        of_cases.Action,
        of_cases.Role,
        of_cases.DeliveryMode,
        of_cases.RefusalReason,
        of_cases.StopReason,
        of_cases.Decides,
        Step,
        Progress,
        lifecycle.State,
        lifecycle.Action,
        lifecycle.Role,
        running.State,
        Level,
        Standing,
        StopReason,
        SupersededReason,
        GateStep,
        SnapshotState,
    ],
)
def test_every_value_that_a_page_shows_has_a_word(kind: type, language: Language) -> None:
    said_ = [said(value, language) for value in kind]  # type: ignore[attr-defined]
    assert all(said_)
    assert language is Language.EN or not any(word.isascii() for word in said_)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", [*AlarmKind, *(f"drift-{each}" for each in DriftKind), RAISED])
def test_every_kind_of_alarm_has_a_name_and_says_what_to_do(kind: str, language: Language) -> None:
    told = alarm(kind, language)
    assert told is not None
    for words in (told.title, told.remedy):
        assert words
        assert language is Language.EN or not words.isascii()


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_of_a_stop_says_who_mends_it(language: Language) -> None:
    for reason in StopReason:
        who = (mended_by(reason, language) or "").partition("：" if language is Language.ZH else ":")[0]
        assert who in ("提供部门", "运维人员", "主管部门", "provider", "operator", "authority"), reason


@pytest.mark.parametrize("code", ["", "slot-", "drift-", "drift-x", "MOON_PHASE", "none"])
def test_what_no_list_has_is_said_by_nobody(code: str) -> None:
    assert alarm(code, Language.ZH) is None
    assert mended_by(code, Language.ZH) is None
    assert coded(StopReason, code, Language.ZH) is None


def test_a_moment_is_said_in_official_time_with_its_zone_and_how_long_ago_it_was() -> None:
    now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    shown = moment(now - timedelta(hours=3), now, ENGLISH)
    assert (shown.absolute, shown.relative) == ("2026-03-02 06:00:00 UTC+8", "3 hours ago")
    assert moment(now + timedelta(days=2), now, CHINESE).relative == "2天后"
