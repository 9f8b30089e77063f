"""Makes the sample city: persons, enterprises and enrolments, each labelled with what must become of it."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from services.demo.numbers import credit_code, with_wrong_organisation, wrong_last
from services.demo.oracle import expect_enrolment, expect_enterprise
from services.demo.people import address_in, generate_persons, moment, person_name
from services.demo.places import BRANDS, DISTRICTS, FORMS, INDUSTRIES
from services.demo.rows import ACCEPTED, EnrolmentRow, EnterpriseRow, Labelled, PersonRow

__all__ = ["CITY_DAY", "generate_enrolments", "generate_enterprises", "generate_persons"]

#: The day on which the generated city stands still, so that it comes out the same on any later day.
CITY_DAY: Final = date(2025, 1, 1)

_CREDIT_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_INSURANCES: Final = ("110", "210", "310", "410", "510")


def generate_enterprises(
    count: int, rng: random.Random, today: date, mistakes: float = 0.04
) -> Iterator[Labelled[EnterpriseRow]]:
    """Make ``count`` enterprises with ids from 1; the first of more are the same as of fewer.

    Args:
        count: how many.
        rng: seeded, so that the same city comes out again.
        today: nothing right is established after it.
        mistakes: share of rows (0 to 1) with a mistake that stops or marks them.
    """
    taken: set[str] = set()
    for number in range(1, count + 1):
        code = _new_code(rng, taken)
        row = _enterprise(rng, today, number, code)
        name = rng.choice(tuple(ENTERPRISE_MISTAKES)) if rng.random() < mistakes else None
        if name is not None:
            row = ENTERPRISE_MISTAKES[name](row, rng, today)
        yield Labelled(row, name, expect_enterprise(row, today))


def generate_enrolments(
    persons: Iterable[Labelled[PersonRow]], rng: random.Random, today: date, mistakes: float = 0.03
) -> Iterator[Labelled[EnrolmentRow]]:
    """Make up to three enrolments for each person that is accepted, with ids from 1.

    Six in ten also hold the person's name and address, which are not the social security's to publish; one in
    fifty of those holds another name or address than the police's.
    """
    record = 0
    for person in persons:
        if person.expected.outcome != ACCEPTED:
            continue
        for kind in rng.sample(_INSURANCES, rng.choice((0, 1, 1, 2, 3))):
            record += 1
            row = _enrolment(rng, today, record, person, kind)
            name = rng.choice(tuple(ENROLMENT_MISTAKES)) if rng.random() < mistakes else None
            if name is not None:
                row = ENROLMENT_MISTAKES[name](row, rng, today)
            yield Labelled(row, name, expect_enrolment(row, today))


def _new_code(rng: random.Random, taken: set[str]) -> str:
    while (code := credit_code(rng)) in taken:
        pass
    taken.add(code)
    return code


def _enterprise(rng: random.Random, today: date, record: int, code: str) -> EnterpriseRow:
    established = today - timedelta(days=rng.randint(30, 30 * 365))
    brand = "".join(rng.sample(BRANDS, 2))
    until = established + timedelta(days=rng.choice((10, 20, 30)) * 365) if rng.random() < 0.6 else None
    return EnterpriseRow(
        id=record,
        credit_code=code,
        name=f"苏州{brand}{rng.choice(INDUSTRIES)}{rng.choice(FORMS)}",
        legal_representative=person_name(rng, male=rng.random() < 0.6),
        registered_capital=Decimal(rng.choice((10, 50, 100, 500, 1000, 5000))) * 10_000,
        status=rng.choices("1234", (90, 3, 5, 2))[0],
        district=rng.choice(tuple(DISTRICTS)),
        established_on=established,
        term_from=established,
        term_until=until,
        updated_at=moment(rng, today),
    )


def _enrolment(
    rng: random.Random, today: date, record: int, person: Labelled[PersonRow], kind: str
) -> EnrolmentRow:
    held, meddling = rng.random() < 0.6, rng.random() < 0.02
    name, address = person.row.name, person.row.address
    if meddling and rng.random() < 0.5:
        name = person_name(rng, male=rng.random() < 0.5)
    elif meddling:
        address = address_in(rng, rng.choice(tuple(DISTRICTS)))
    return EnrolmentRow(
        id=record,
        id_number=person.expected.identity,
        name=name if held else None,
        address=address if held else None,
        insurance_type=kind,
        enrolled_on=today - timedelta(days=rng.randint(1, 20 * 365)),
        monthly_base=Decimal(rng.randint(4_494, 24_042)),
        status=rng.choices("123", (85, 10, 5))[0],
        updated_at=moment(rng, today),
    )


def _later(today: date, rng: random.Random) -> date:
    # So far ahead that the row stays wrong however late the generated city is loaded.
    return date(today.year + 50 + rng.randrange(20), 1, 1)


EnterpriseMistake = Callable[[EnterpriseRow, random.Random, date], EnterpriseRow]
EnrolmentMistake = Callable[[EnrolmentRow, random.Random, date], EnrolmentRow]

#: What is put into rows; the last two only mark them.
ENTERPRISE_MISTAKES: Final[Mapping[str, EnterpriseMistake]] = {
    "wrong check digit": lambda row, rng, _: replace(
        row, credit_code=wrong_last(rng, row.credit_code or "", _CREDIT_CHARACTERS)
    ),
    "wrong check digit of the organisation code": lambda row, rng, _: replace(
        row, credit_code=with_wrong_organisation(rng, row.credit_code or "")
    ),
    "letter that codes never have": lambda row, rng, _: replace(
        row, credit_code=(row.credit_code or "")[:10] + rng.choice("IOSVZ") + (row.credit_code or "")[11:]
    ),
    "old licence number of 15 digits": lambda row, rng, _: replace(
        row, credit_code=f"3205{rng.randrange(10**11):011d}"
    ),
    "nothing but zeros": lambda row, *_: replace(row, credit_code="0" * 18),
    "no code": lambda row, *_: replace(row, credit_code=None),
    "no name": lambda row, *_: replace(row, name=None),
    "term that ends before it begins": lambda row, rng, _: replace(
        row, term_until=(row.term_from or CITY_DAY) - timedelta(days=rng.randint(1, 999))
    ),
    "status that is no code": lambda row, *_: replace(row, status="存续"),
    "capital below nothing": lambda row, *_: replace(row, registered_capital=Decimal("-0.01")),
    "capital that is no number": lambda row, *_: replace(row, registered_capital=Decimal("NaN")),
    "district of a province": lambda row, *_: replace(row, district="32"),
    "no legal representative": lambda row, *_: replace(row, legal_representative=None),
    "established in the future": lambda row, rng, today: replace(row, established_on=_later(today, rng)),
}

#: What is put into rows; the last one only marks them.
ENROLMENT_MISTAKES: Final[Mapping[str, EnrolmentMistake]] = {
    "wrong check digit": lambda row, rng, _: replace(
        row, id_number=wrong_last(rng, row.id_number or "", "0123456789X")
    ),
    "no number": lambda row, *_: replace(row, id_number=None),
    "insurance that does not exist": lambda row, *_: replace(row, insurance_type="999"),
    "base below nothing": lambda row, *_: replace(row, monthly_base=Decimal("-1.00")),
    "no date of enrolment": lambda row, *_: replace(row, enrolled_on=None),
    "status that is no code": lambda row, *_: replace(row, status="9"),
    "enrolled in the future": lambda row, rng, today: replace(row, enrolled_on=_later(today, rng)),
}
