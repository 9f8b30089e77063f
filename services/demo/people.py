"""Makes the sample city's persons: right ones, untidy ones, and a share with one mistake each."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from services.demo.numbers import first_area, is_foreigner, resident_number, with_check_digit, wrong_last
from services.demo.oracle import expect_person
from services.demo.places import (
    CITY,
    COMPOUND_SURNAMES,
    DISTRICTS,
    EITHER,
    FEMALE,
    FOREIGN_NAMES,
    MALE,
    MINORITY_NAMES,
    PROVINCE,
    RARE,
    SURNAMES,
)
from services.demo.rows import Labelled, PersonRow

Mistake = Callable[[PersonRow, random.Random, date], PersonRow]

_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x30, 0x5B)}
_HOME: Final = "320508"


def generate_persons(
    count: int, rng: random.Random, today: date, mistakes: float = 0.04, untidy: float = 0.03
) -> Iterator[Labelled[PersonRow]]:
    """Make ``count`` persons with ids from 1; the first of more are the same as of fewer.

    Args:
        count: how many.
        rng: seeded, so that the same city comes out again.
        today: nobody right is born after it.
        mistakes: share of rows (0 to 1) with a mistake that stops or marks them.
        untidy: share of rows written untidily (full-width, blanks), which are right all the same.
    """
    taken: set[str] = set()
    for number in range(1, count + 1):
        row = _new_number(rng, today, number, taken)
        draw = rng.random()
        name = None
        if draw < mistakes:
            name = rng.choice(tuple(MISTAKES))
            row = MISTAKES[name](row, rng, today)
        elif draw < mistakes + untidy:
            row = replace(row, id_number=_untidy(row.id_number or "", rng))
        yield Labelled(row, name, expect_person(row, today))


def person_name(rng: random.Random, *, male: bool) -> str:
    """A name as they are in registers: rare characters, double surnames and minority names among them."""
    draw = rng.random()
    if draw < 0.01:
        return rng.choice(MINORITY_NAMES)
    surname = rng.choice(COMPOUND_SURNAMES) if draw < 0.03 else _surname(rng)
    pool = (MALE if male else FEMALE) + EITHER
    given = rng.choices(pool, k=1 if rng.random() < 0.3 else 2)
    if rng.random() < 0.03:
        given[-1] = rng.choice(RARE)
    return surname + "".join(given)


def address_in(rng: random.Random, district: str) -> str:
    """A street address in a district of the city."""
    name, streets = DISTRICTS[district]
    house, building, room = (
        rng.randint(1, 399),
        rng.randint(1, 30),
        rng.randint(1, 18) * 100 + rng.randint(1, 4),
    )
    town = f"{PROVINCE}{name}" if name.endswith("市") else f"{PROVINCE}{CITY}{name}"
    return f"{town}{rng.choice(streets)}{house}号{building}幢{room}室"


def moment(rng: random.Random, today: date) -> datetime:
    """A time within the two years before a day, to the millisecond, as a database keeps it (UTC)."""
    start = datetime(today.year, today.month, today.day)  # noqa: DTZ001 - the column has no zone and means UTC
    return start - timedelta(milliseconds=rng.randrange(2 * 365 * 86_400_000))


def _new_number(rng: random.Random, today: date, record: int, taken: set[str]) -> PersonRow:
    while True:
        row = _person(rng, today, record)
        if row.id_number not in taken:
            taken.add(row.id_number or "")
            return row


def _person(rng: random.Random, today: date, record: int) -> PersonRow:
    born = today - timedelta(days=1 + int(rng.triangular(0, 95 * 365, 40 * 365)))
    district = _HOME if rng.random() < 0.2 else rng.choice(tuple(DISTRICTS))
    area, sequence = first_area(rng, district, born), rng.randint(1, 999)
    male = sequence % 2 == 1
    name = rng.choice(FOREIGN_NAMES) if is_foreigner(area) else person_name(rng, male=male)
    return PersonRow(
        id=record,
        id_number=resident_number(area, born, sequence),
        name=name,
        birth_date=born,
        sex="1" if male else "2",
        address=address_in(rng, district),
        household_district=district,
        updated_at=moment(rng, today),
    )


def _surname(rng: random.Random) -> str:
    # The first ten surnames are those of four in ten people.
    return rng.choice(SURNAMES[:10] if rng.random() < 0.4 else SURNAMES)


def _untidy(number: str, rng: random.Random) -> str:
    return rng.choice((number.translate(_FULL_WIDTH), f" {number} ", number.lower() + "\u3000"))


def _reborn(row: PersonRow, born: date) -> PersonRow:
    number = row.id_number or ""
    return replace(row, id_number=resident_number(number[:6], born, int(number[14:17])), birth_date=born)


def _wrong_check_digit(row: PersonRow, rng: random.Random, today: date) -> PersonRow:  # noqa: ARG001
    return replace(row, id_number=wrong_last(rng, row.id_number or "", "0123456789X"))


def _fifteen_digits(row: PersonRow, rng: random.Random, today: date) -> PersonRow:  # noqa: ARG001
    number = row.id_number or ""
    return replace(row, id_number=number[:6] + number[8:17])


def _born_in_future(row: PersonRow, rng: random.Random, today: date) -> PersonRow:
    # So far ahead that the row stays wrong however late the generated city is loaded.
    return _reborn(row, date(today.year + 50 + rng.randrange(20), rng.randint(1, 12), rng.randint(1, 28)))


def _impossible_date(row: PersonRow, rng: random.Random, today: date) -> PersonRow:  # noqa: ARG001
    number = row.id_number or ""
    day = rng.choice(("0230", "0431", "1301", "0000"))
    return replace(row, id_number=with_check_digit(number[:10] + day + number[14:17]))


def _unknown_province(row: PersonRow, rng: random.Random, today: date) -> PersonRow:  # noqa: ARG001
    return replace(
        row, id_number=with_check_digit(rng.choice(("10", "20", "55", "77")) + (row.id_number or "")[2:17])
    )


def _letter_o(row: PersonRow, rng: random.Random, today: date) -> PersonRow:  # noqa: ARG001
    number = row.id_number or ""
    return replace(row, id_number=number[:14] + "O" + number[15:])


def _before_1850(row: PersonRow, rng: random.Random, today: date) -> PersonRow:  # noqa: ARG001
    return _reborn(row, date(1849, 12, 31) - timedelta(days=rng.randrange(3_000)))


def _another_birth_date(row: PersonRow, rng: random.Random, today: date) -> PersonRow:
    born = row.birth_date or today
    return replace(row, birth_date=born - timedelta(days=rng.randint(1, 400)))


def _set(**values: str | None) -> Mistake:
    def apply(row: PersonRow, rng: random.Random, today: date) -> PersonRow:  # noqa: ARG001
        return replace(row, **values)  # type: ignore[arg-type]

    return apply


#: What is put into rows; the last three only mark them.
MISTAKES: Final[Mapping[str, Mistake]] = {
    "wrong check digit": _wrong_check_digit,
    "obsolete number of 15 digits": _fifteen_digits,
    "born in the future": _born_in_future,
    "born on a day that never was": _impossible_date,
    "province that does not exist": _unknown_province,
    "letter O for a zero": _letter_o,
    "born before 1850": _before_1850,
    "no number": _set(id_number=None),
    "blank number": _set(id_number="  "),
    "birth date not the number's": _another_birth_date,
    "no name": _set(name=None),
    "no birth date": _set(birth_date=None),
    "sex not a code": _set(sex="男"),
    "district of four digits": _set(household_district="3205"),
    "no district": _set(household_district=None),
    "sex not stated": _set(sex="9"),
    "no sex": _set(sex=None),
    "no address": _set(address=None),
}
