"""Travel and residence documents, normalisation, keys, and what holds for every kind."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.identity.check import check, identity_key, normalise
from topics.identity.counties import ABOLISHED_COUNTIES, COMPLETE_PROVINCES, COUNTIES
from topics.identity.kinds import IdentityKind, IdentityNote, IdentityReason
from topics.identity.regions import PROVINCES

TODAY = date(2026, 3, 1)
PASSPORT = IdentityKind.PASSPORT
HK_MACAO = IdentityKind.HK_MACAO_PERMIT
TAIWAN = IdentityKind.TAIWAN_PERMIT
FOREIGN = IdentityKind.FOREIGN_PERMANENT_RESIDENT


@pytest.mark.requirement("A5-02")
@pytest.mark.parametrize(
    ("kind", "value", "country", "notes"),
    [
        (PASSPORT, "E12345678", "CHN", ()),
        (PASSPORT, "eA1234567", "chn", ()),
        (PASSPORT, "G12345678", "CHN", ()),
        (PASSPORT, "141234567", "CHN", ()),
        (PASSPORT, "MA1234567", "CHN", ()),
        (PASSPORT, "123456789", "USA", ()),
        (PASSPORT, "R1234", "LCA", ()),
        (PASSPORT, "E12345678", None, (IdentityNote.COUNTRY_NOT_GIVEN,)),
        (HK_MACAO, "H12345678", None, ()),
        (HK_MACAO, "M12345678", None, ()),
        (HK_MACAO, "H1234567801", None, (IdentityNote.ISSUE_COUNT_INCLUDED,)),
        (TAIWAN, "12345678", None, ()),
        (TAIWAN, "1234567801", None, (IdentityNote.ISSUE_COUNT_INCLUDED,)),
        (FOREIGN, "CAN110180012327", None, ()),
        (FOREIGN, "USA990000022912", None, (IdentityNote.REGION_UNKNOWN,)),
    ],
)
def test_documents_of_the_published_pattern_are_valid(
    kind: IdentityKind, value: str, country: str | None, notes: tuple[IdentityNote, ...]
) -> None:
    verdict = check(kind, value, TODAY, country)
    assert (verdict.valid, verdict.reason, verdict.notes) == (True, None, notes)


@pytest.mark.parametrize(
    ("kind", "value", "country", "reason"),
    [
        (PASSPORT, "", "CHN", IdentityReason.EMPTY),
        (PASSPORT, "E1234567", "CHN", IdentityReason.LENGTH),
        (PASSPORT, "EI1234567", "CHN", IdentityReason.FORM),
        (PASSPORT, "EO1234567", "CHN", IdentityReason.FORM),
        (PASSPORT, "161234567", "CHN", IdentityReason.FORM),
        (PASSPORT, "1234", "USA", IdentityReason.LENGTH),
        (PASSPORT, "1234567890", "USA", IdentityReason.LENGTH),
        (PASSPORT, "ABCDEFGH", "USA", IdentityReason.FORM),
        (PASSPORT, "1234-5678", "USA", IdentityReason.FORM),
        (PASSPORT, "000000000", "USA", IdentityReason.ALL_ZERO),
        (PASSPORT, "123456789", "US", IdentityReason.COUNTRY_MALFORMED),
        (PASSPORT, "123456789", "", IdentityReason.COUNTRY_MALFORMED),
        (HK_MACAO, "C12345678", None, IdentityReason.FORM),
        (HK_MACAO, "H1234567", None, IdentityReason.LENGTH),
        (HK_MACAO, "H123456780", None, IdentityReason.LENGTH),
        (HK_MACAO, "H12345678011", None, IdentityReason.LENGTH),
        (HK_MACAO, "H00000000", None, IdentityReason.ALL_ZERO),
        (TAIWAN, "1234567", None, IdentityReason.LENGTH),
        (TAIWAN, "123456789", None, IdentityReason.LENGTH),
        (TAIWAN, "T1234567", None, IdentityReason.FORM),
        (TAIWAN, "0000000001", None, IdentityReason.ALL_ZERO),
        (FOREIGN, "CAN11018001232", None, IdentityReason.LENGTH),
        (FOREIGN, "CAN1101800123277", None, IdentityReason.LENGTH),
        (FOREIGN, "CA1110180012327", None, IdentityReason.FORM),
        (FOREIGN, "CAN110180023027", None, IdentityReason.BIRTH_DATE_NOT_REAL),
        (FOREIGN, "CAN110181022927", None, IdentityReason.BIRTH_DATE_NOT_REAL),
    ],
)
def test_a_refused_document_says_why(
    kind: IdentityKind, value: str, country: str | None, reason: IdentityReason
) -> None:
    verdict = check(kind, value, TODAY, country)
    assert (verdict.valid, verdict.reason) == (False, reason)


def test_one_passport_number_of_two_states_is_two_identities() -> None:
    assert identity_key(PASSPORT, "123456789", "usa") == "passport:USA:123456789"
    assert identity_key(PASSPORT, "123456789", "CAN") == "passport:CAN:123456789"


@pytest.mark.parametrize("country", [None, "", " "])
def test_a_passport_without_its_country_has_no_key(country: str | None) -> None:
    with pytest.raises(ValueError, match="issuing country"):
        identity_key(PASSPORT, "123456789", country)


@pytest.mark.parametrize(
    ("value", "normalised"),
    [
        ("　ａｂＺ０９－ ", "ABZ09-"),
        ("a b", "A B"),
        ("a　b", "A B"),
        ("ß", "ß"),
        ("ı", "ı"),
        ("\u200b1", "\u200b1"),
        ("张", "张"),
    ],
)
def test_only_width_outer_space_and_case_are_normalised(value: str, normalised: str) -> None:
    assert normalise(value) == normalised


@given(st.text())
def test_normalising_twice_changes_nothing_more(value: str) -> None:
    assert normalise(normalise(value)) == normalise(value)


@given(st.sampled_from(IdentityKind), st.text(), st.none() | st.text())
def test_any_text_gets_a_verdict(kind: IdentityKind, value: str, country: str | None) -> None:
    verdict = check(kind, value, TODAY, country)
    assert verdict.kind is kind
    assert verdict.valid is (verdict.reason is None)


@given(st.sampled_from(IdentityKind), st.text("0123456789XHMEG- ０Ｘ", max_size=20))
def test_a_valid_identifier_is_valid_in_its_normalised_form(kind: IdentityKind, value: str) -> None:
    verdict = check(kind, value, TODAY)
    again = check(kind, verdict.value, TODAY)
    assert (again.value, again.valid, again.reason) == (verdict.value, verdict.valid, verdict.reason)


def test_the_area_tables_agree_with_each_other() -> None:
    assert len(PROVINCES) == 34
    assert PROVINCES.keys() >= COMPLETE_PROVINCES
    assert {code[:2] for code in (*COUNTIES, *ABOLISHED_COUNTIES)} <= PROVINCES.keys()
    assert not COUNTIES.keys() & ABOLISHED_COUNTIES.keys()
    assert all(len(code) == 6 and code.isdigit() and name for code, name in COUNTIES.items())


@pytest.mark.parametrize(
    ("kind", "lifelong", "with_issue_count"),
    [
        (IdentityKind.HK_MACAO_PERMIT, "H12345678", "H1234567801"),
        (IdentityKind.TAIWAN_PERMIT, "12345678", "1234567801"),
    ],
)
def test_a_permit_has_one_key_with_and_without_its_count_of_issues(
    kind: IdentityKind, lifelong: str, with_issue_count: str
) -> None:
    assert identity_key(kind, with_issue_count) == identity_key(kind, lifelong)
