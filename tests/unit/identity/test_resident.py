"""Resident numbers: each boundary of the rules on both sides."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.identity.check import check, identity_key
from topics.identity.digits import resident_id_check_digit
from topics.identity.kinds import IdentityKind, IdentityNote, IdentityReason, IdentityVerdict
from topics.identity.regions import PROVINCES
from topics.identity.resident import birth_date_of, is_male

TODAY = date(2026, 3, 1)


def number(area: str = "110105", born: str = "19491231", sequence: str = "002") -> str:
    first17 = area + born + sequence
    return first17 + resident_id_check_digit(first17)


def judge(value: str, today: date = TODAY) -> IdentityVerdict:
    return check(IdentityKind.RESIDENT_ID, value, today)


dates = st.dates(min_value=date(1850, 1, 1), max_value=TODAY)
numbers = st.builds(
    lambda province, county, born, sequence: number(
        f"{province}{county:04d}", f"{born:%Y%m%d}", f"{sequence:03d}"
    ),
    st.sampled_from([*PROVINCES, "83"]),
    st.integers(0, 9999),
    dates,
    st.integers(0, 999),
)


@pytest.mark.requirement("A5-02")
@pytest.mark.parametrize("value", ["11010519491231002X", "440524188001010014"])
def test_numbers_of_the_standard_are_valid(value: str) -> None:
    verdict = judge(value)
    assert (verdict.valid, verdict.value, verdict.reason) == (True, value, None)


@pytest.mark.parametrize(
    "value",
    [
        "11010519491231002x",
        "　11010519491231002Ｘ\t",
        "１１０１０５１９４９１２３１００２ｘ",
        " 11010519491231002X\n",
    ],
)
def test_outer_space_full_width_and_lower_case_are_normalised(value: str) -> None:
    assert judge(value) == IdentityVerdict(IdentityKind.RESIDENT_ID, "11010519491231002X", True, None, ())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", IdentityReason.EMPTY),
        (" 　", IdentityReason.EMPTY),
        ("11010519491231002", IdentityReason.LENGTH),
        ("11010519491231002XX", IdentityReason.LENGTH),
        ("110105491231002", IdentityReason.OBSOLETE_15_DIGITS),
        ("11010549123100X", IdentityReason.LENGTH),
        ("11010549123100", IdentityReason.LENGTH),
        ("11010X19491231002X", IdentityReason.CHARACTERS),
        ("11010519491231002Y", IdentityReason.CHARACTERS),
        ("110105 9491231002X", IdentityReason.CHARACTERS),
        ("11010519491231٠02X", IdentityReason.CHARACTERS),
        ("110105194912310021", IdentityReason.CHECK_DIGIT),
        (number(area="000105"), IdentityReason.PROVINCE_UNKNOWN),
        (number(area="160105"), IdentityReason.PROVINCE_UNKNOWN),
        (number(area="840000"), IdentityReason.PROVINCE_UNKNOWN),
        (number(born="19490230"), IdentityReason.BIRTH_DATE_NOT_REAL),
        (number(born="19000229"), IdentityReason.BIRTH_DATE_NOT_REAL),
        (number(born="19491301"), IdentityReason.BIRTH_DATE_NOT_REAL),
        (number(born="00000101"), IdentityReason.BIRTH_DATE_NOT_REAL),
        (number(born="18491231"), IdentityReason.BIRTH_DATE_BEFORE_1850),
        (number(born="20260302"), IdentityReason.BIRTH_DATE_IN_FUTURE),
        ("0" * 18, IdentityReason.PROVINCE_UNKNOWN),
    ],
)
def test_a_refusal_says_why(value: str, reason: IdentityReason) -> None:
    verdict = judge(value)
    assert (verdict.valid, verdict.reason, verdict.notes) == (False, reason, ())


@pytest.mark.parametrize(
    ("born", "notes"),
    [
        ("20260301", ()),
        ("18960301", ()),
        ("18960229", (IdentityNote.OVER_130_YEARS,)),
        ("18500101", (IdentityNote.OVER_130_YEARS,)),
        ("20000229", ()),
    ],
)
def test_birth_dates_at_the_bounds_are_accepted(born: str, notes: tuple[IdentityNote, ...]) -> None:
    assert judge(number(born=born)).notes == notes
    assert judge(number(born=born)).valid


@pytest.mark.parametrize(
    ("area", "notes"),
    [
        ("110105", ()),
        ("441900", ()),
        ("419001", ()),
        ("110199", (IdentityNote.COUNTY_UNKNOWN,)),
        ("110103", (IdentityNote.COUNTY_ABOLISHED,)),
        ("440524", (IdentityNote.COUNTY_ABOLISHED,)),
        ("510104", (IdentityNote.COUNTY_NOT_CHECKED,)),
        ("710000", ()),
        ("810000", ()),
        ("820000", ()),
        ("830000", ()),
        ("830001", (IdentityNote.COUNTY_UNKNOWN,)),
        ("911840", ()),
        ("999840", (IdentityNote.REGION_UNKNOWN,)),
    ],
)
def test_an_area_code_is_at_most_a_note(area: str, notes: tuple[IdentityNote, ...]) -> None:
    verdict = judge(number(area=area))
    assert (verdict.valid, verdict.notes) == (True, notes)


@given(numbers)
def test_every_number_of_the_rules_is_valid(value: str) -> None:
    assert judge(value).valid


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_every_change_of_one_character_is_detected(value: str, place: int, other: str) -> None:
    changed = value[:place] + other + value[place + 1 :]
    assert judge(changed).valid is (changed == value)


@given(numbers, st.integers(0, 16))
def test_every_swap_of_neighbours_is_detected(value: str, place: int) -> None:
    swapped = value[:place] + value[place + 1] + value[place] + value[place + 2 :]
    assert judge(swapped).valid is (swapped == value)


@given(dates, st.integers(0, 999))
def test_birth_date_and_sex_are_read_from_the_number(born: date, sequence: int) -> None:
    value = number(born=f"{born:%Y%m%d}", sequence=f"{sequence:03d}")
    assert birth_date_of(value) == born
    assert is_male(value) is (sequence % 2 == 1)


def test_a_number_of_another_form_states_neither_birth_date_nor_sex() -> None:
    assert birth_date_of("110105491231002") is None
    assert is_male("110105491231002") is None


@given(dates)
def test_the_future_begins_the_day_after_today(today: date) -> None:
    tomorrow = today + timedelta(days=1)
    assert judge(number(born=f"{today:%Y%m%d}"), today).valid
    assert judge(number(born=f"{tomorrow:%Y%m%d}"), today).reason is IdentityReason.BIRTH_DATE_IN_FUTURE


def test_the_key_of_a_person_names_the_kind() -> None:
    assert identity_key(IdentityKind.RESIDENT_ID, "11010519491231002X") == "resident_id:11010519491231002X"
