"""Entries are found by words, however they are typed, and by the initials of their pinyin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.catalogue.search import initials, search_text
from services.control.catalogue.text import comparable
from tests.support.catalogue import COMPLETE, entry


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("居住证办理信息", "jzzblxx"),
        ("重庆市银行账户", "cqsyhzh"),
        ("行政许可证照", "xzxkzz"),
        ("ABC企业（法人）2026", "abcqyfr2026"),
        ("", ""),
    ],
)
def test_initials_are_those_of_the_words(name: str, expected: str) -> None:
    assert initials(name) == expected


@pytest.mark.parametrize(
    "typed", ["居住证", "ＪＺＺ", "jzzbl", "证件 号码", "zjhm", "公安局", "3013205/000001", "居住证-办理"]
)
def test_an_entry_is_found_by_what_people_type(typed: str) -> None:
    assert comparable(typed) in search_text(COMPLETE)


def test_another_entry_is_not_found() -> None:
    assert "jzz" not in search_text(entry(name="企业登记信息", summary="登记", items=()))


def test_a_rare_character_is_found_by_itself() -> None:
    assert "𫚭" in search_text(entry(name="𫚭鱼养殖"))


@given(st.text())
def test_any_text_has_initials(text: str) -> None:
    assert initials(text) == initials(text).lower()
