"""Credit codes and organisation codes: form, both check digits, what arithmetic alone would let pass."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.identity.check import check, identity_key
from topics.identity.digits import (
    CREDIT_ALPHABET,
    ORGANISATION_ALPHABET,
    credit_code_check_digit,
    organisation_code_check_digit,
    resident_id_check_digit,
)
from topics.identity.kinds import IdentityKind, IdentityNote, IdentityReason, IdentityVerdict

TODAY = date(2026, 3, 1)


def credit(code: str) -> IdentityVerdict:
    return check(IdentityKind.CREDIT_CODE, code, TODAY)


def organisation(code: str) -> IdentityVerdict:
    return check(IdentityKind.ORGANISATION_CODE, code, TODAY)


def credit_code(head: str = "91", area: str = "350100", body: str = "M000100Y") -> str:
    first17 = head + area + body + organisation_code_check_digit(body)
    return first17 + credit_code_check_digit(first17)


bodies = st.text(CREDIT_ALPHABET, min_size=8, max_size=8).filter(
    lambda body: body.strip("0") and organisation_code_check_digit(body) in CREDIT_ALPHABET
)
codes = st.builds(
    credit_code,
    st.text(CREDIT_ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    bodies,
)


@pytest.mark.requirement("A5-03")
@pytest.mark.parametrize(
    "code",
    ["91350100M000100Y43", "９１３５０１００m000100y43", credit_code(head="A1"), credit_code(head="NY")],
)
def test_letters_may_lead_a_credit_code(code: str) -> None:
    verdict = credit(code)
    assert (verdict.valid, verdict.reason, verdict.notes) == (True, None, ())


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", IdentityReason.EMPTY),
        ("91350100M000100Y4", IdentityReason.LENGTH),
        ("91350100M000100Y433", IdentityReason.LENGTH),
        ("91350100M000100Y4Z", IdentityReason.CHARACTERS),
        ("91350100I000100Y43", IdentityReason.CHARACTERS),
        ("91350100O000100Y43", IdentityReason.CHARACTERS),
        ("S1350100M000100Y43", IdentityReason.CHARACTERS),
        ("91350100V000100Y43", IdentityReason.CHARACTERS),
        ("9135010-M000100Y43", IdentityReason.CHARACTERS),
        ("9135010AM000100Y43", IdentityReason.FORM),
        ("91350100M000100Y44", IdentityReason.CHECK_DIGIT),
        ("0" * 18, IdentityReason.ALL_ZERO),
        ("91350100" + "0" * 9 + credit_code_check_digit("91350100" + "0" * 9), IdentityReason.ALL_ZERO),
        (
            "91350100M000100Y5" + credit_code_check_digit("91350100M000100Y5"),
            IdentityReason.ORGANISATION_CHECK_DIGIT,
        ),
    ],
)
def test_a_refused_credit_code_says_why(code: str, reason: IdentityReason) -> None:
    verdict = credit(code)
    assert (verdict.valid, verdict.reason) == (False, reason)


@pytest.mark.parametrize(
    ("area", "notes"),
    [("100000", ()), ("350100", ()), ("990000", (IdentityNote.REGION_UNKNOWN,))],
)
def test_an_unknown_region_of_a_credit_code_is_a_note(area: str, notes: tuple[IdentityNote, ...]) -> None:
    verdict = credit(credit_code(area=area))
    assert (verdict.valid, verdict.notes) == (True, notes)


@given(codes)
def test_every_credit_code_of_the_rules_is_valid(code: str) -> None:
    assert credit(code).valid


@given(codes, st.integers(0, 17), st.sampled_from(CREDIT_ALPHABET))
def test_every_change_of_one_character_of_a_credit_code_is_detected(
    code: str, place: int, other: str
) -> None:
    changed = code[:place] + other + code[place + 1 :]
    assert credit(changed).valid is (changed == code)


@given(codes, st.integers(0, 16))
def test_every_swap_of_neighbours_in_a_credit_code_is_detected(code: str, place: int) -> None:
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert credit(swapped).valid is (swapped == code)


@pytest.mark.parametrize(
    ("code", "value", "notes"),
    [
        ("M000100Y4", "M000100Y4", ()),
        ("m000100y-4", "M000100Y4", (IdentityNote.HYPHEN_REMOVED,)),
        ("M000100Y－4", "M000100Y4", (IdentityNote.HYPHEN_REMOVED,)),
        ("D2143569X", "D2143569X", ()),
    ],
)
def test_an_organisation_code_may_be_printed_with_its_hyphen(
    code: str, value: str, notes: tuple[IdentityNote, ...]
) -> None:
    assert organisation(code) == IdentityVerdict(IdentityKind.ORGANISATION_CODE, value, True, None, notes)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", IdentityReason.EMPTY),
        ("M000100Y", IdentityReason.LENGTH),
        ("M000100Y44", IdentityReason.LENGTH),
        ("M000-100Y4", IdentityReason.LENGTH),
        ("M000100YA", IdentityReason.CHARACTERS),
        ("M000100Y5", IdentityReason.CHECK_DIGIT),
        ("000000000", IdentityReason.ALL_ZERO),
        ("00000000-0", IdentityReason.ALL_ZERO),
    ],
)
def test_a_refused_organisation_code_says_why(code: str, reason: IdentityReason) -> None:
    verdict = organisation(code)
    assert (verdict.valid, verdict.reason) == (False, reason)


@given(
    st.text(ORGANISATION_ALPHABET, min_size=8, max_size=8), st.integers(0, 7), st.sampled_from("0123456789")
)
def test_every_change_of_one_digit_of_an_organisation_code_is_detected(
    body: str, place: int, other: str
) -> None:
    # MOD 11 tells digits apart; a letter and a digit whose values differ by 11 it does not.
    digits = body[:place] + "0" + body[place + 1 :]
    changed = body[:place] + other + body[place + 1 :]
    same = organisation_code_check_digit(digits) == organisation_code_check_digit(changed)
    assert same is (other == "0")


@pytest.mark.parametrize(
    ("function", "first"),
    [
        (resident_id_check_digit, "1" * 16),
        (resident_id_check_digit, "1" * 16 + "X"),
        (credit_code_check_digit, "1" * 18),
        (credit_code_check_digit, "I" * 17),
        (organisation_code_check_digit, "1" * 9),
        (organisation_code_check_digit, "a" * 8),
    ],
)
def test_a_check_digit_of_something_else_is_refused(function: object, first: str) -> None:
    assert callable(function)
    with pytest.raises(ValueError, match=r"."):
        function(first)


def test_the_key_of_an_organisation_names_the_kind() -> None:
    assert identity_key(IdentityKind.CREDIT_CODE, "91350100M000100Y43") == "credit_code:91350100M000100Y43"
