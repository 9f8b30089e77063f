"""Cursors come back as they were given out, and whatever else is shown is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.codes import Code
from services.api.cursors import cursor_at, place_of
from services.api.etags import etag_of, require_seen, seen_in
from services.api.problems import AnswerProblem

NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1)
TEXTS = st.text().filter(lambda text: "\0" not in text)


@given(NUMBERS, TEXTS, st.text())
def test_a_cursor_stands_for_its_place(number: int, text: str, question: str) -> None:
    cursor = cursor_at([number, text], question)
    assert cursor.isascii()
    assert place_of(cursor, [int, str], question) == [number, text]


@given(st.text())
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(AnswerProblem) as caught:
        place_of(text, [int], "question")
    assert caught.value.code is Code.CURSOR


@pytest.mark.parametrize(
    ("place", "kinds"),
    [([1], [str]), (["1"], [int]), ([1, 2], [int]), ([True], [int]), ([2**63], [int]), ([None], [int])],
)
def test_a_place_of_another_kind_is_refused(place: list[int | str | None], kinds: list[type]) -> None:
    with pytest.raises(AnswerProblem):
        place_of(cursor_at(place, "q"), kinds, "q")


@pytest.mark.parametrize("sign", ["\\ud800", "\\udfff", "\\u0000"])
def test_a_text_that_no_database_takes_is_refused(sign: str) -> None:
    said = base64.urlsafe_b64decode(cursor_at(["sign"], "q") + "==").decode().replace("sign", sign)
    with pytest.raises(AnswerProblem):
        place_of(base64.urlsafe_b64encode(said.encode()).decode(), [str], "q")


def test_without_a_cursor_it_is_the_first_page() -> None:
    assert place_of(None, [int], "q") is None


def test_a_version_is_seen_by_its_etag() -> None:
    assert etag_of(7) == '"7"'
    assert seen_in('"7"') == seen_in('W/"7"') == 7
    assert seen_in("*") is None
    require_seen('"7"', 7)
    require_seen("*", 7)


@pytest.mark.parametrize(
    ("given", "code"),
    [(None, Code.VERSION_MISSING), ('"6"', Code.OVERTAKEN), ("7", Code.OVERTAKEN), ('"x"', Code.OVERTAKEN)],
)
def test_who_saw_something_else_is_told(given: str | None, code: Code) -> None:
    with pytest.raises(AnswerProblem) as caught:
        require_seen(given, 7)
    assert caught.value.code is code
