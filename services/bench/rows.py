"""Makes the rows of the workload: seeded, right but for a known share, with numbers of nobody."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from topics.identity.digits import (
    CREDIT_ALPHABET,
    credit_code_check_digit,
    organisation_code_check_digit,
    resident_id_check_digit,
)

Row = dict[str, object]

GRANTED_DISTRICT: Final = "320508"
"""The one district of the grant with a row filter."""
_DISTRICTS: Final = (GRANTED_DISTRICT, "320505", "320506", "320507", "320509")
"""Taken in turn, so that the row filter covers exactly a fifth."""
_SURNAMES: Final = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
_GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文辉玉兰"
_STREETS: Final = ("人民路", "中山路", "解放路", "平江路", "干将路", "观前街", "园林路", "学士街")
_EPOCH: Final = date(1970, 1, 1)
_FIRST_MS: Final = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Register:
    """One register of the workload: how a right row is made, and how it is spoilt."""

    make: Callable[[random.Random, int], Row]
    spoil: tuple[Callable[[Row], Row], ...]


def person(rng: random.Random, number: int) -> Row:
    """A right row of the register of persons; its record takes about 133 bytes in Avro."""
    born = _EPOCH + timedelta(days=rng.randint(-14_000, 18_000))
    sequence = rng.randint(1, 999)
    house = f"{rng.choice(_STREETS)}{rng.randint(1, 399)}号{rng.randint(101, 1804)}室"
    district = _DISTRICTS[number % len(_DISTRICTS)]
    first17 = f"{district}{born:%Y%m%d}{sequence:03d}"
    return {
        "id": number,
        "id_number": first17 + resident_id_check_digit(first17),
        "name": _name(rng),
        "birth_date": (born - _EPOCH).days,
        "sex": "1" if sequence % 2 else "2",
        "address": f"江苏省苏州市姑苏区{house}",
        "household_district": district,
        "phone": f"1{rng.randint(3_000_000_000, 9_999_999_999)}",
        "education": rng.choice(("10", "20", "30", "60", "70")),
        "household_size": rng.randint(1, 7),
        "registered_at": _FIRST_MS - rng.randrange(86_400_000 * 900),
        "updated_at": _FIRST_MS + number,
        "employer": None,
    }


def enterprise(rng: random.Random, number: int) -> Row:
    """A right row of the register of organisations."""
    eight = "MA" + "".join(rng.choices(CREDIT_ALPHABET, k=6))
    first17 = "91" + _DISTRICTS[number % len(_DISTRICTS)] + eight + organisation_code_check_digit(eight)
    established = rng.randint(11_000, 19_000)
    return {
        "id": number,
        "credit_code": first17 + credit_code_check_digit(first17),
        "name": f"苏州{_name(rng)}科技有限公司",
        "legal_representative": _name(rng),
        "registered_capital": f"{rng.randint(1, 900) * 10_000}.00",
        "status": "1",
        "district": _DISTRICTS[number % len(_DISTRICTS)],
        "established_on": established,
        "term_from": established,
        "term_until": established + 7_300,
        "employees": rng.randint(1, 5_000),
        "updated_at": _FIRST_MS + number,
    }


def _name(rng: random.Random) -> str:
    return rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=2))


def _wrong_last(item: str) -> Callable[[Row], Row]:
    """Only the last check digit is wrong."""

    def spoil(row: Row) -> Row:
        number = str(row[item])
        return row | {item: number[:-1] + ("0" if number[-1] != "0" else "1")}

    return spoil


def _with(**values: object) -> Callable[[Row], Row]:
    return lambda row: row | values


REGISTERS: Final[Mapping[str, Register]] = {
    "bench.person.v1": Register(
        person, (_wrong_last("id_number"), _with(name=None), _with(sex="男"), _with(household_size=0))
    ),
    "bench.enterprise.v1": Register(
        enterprise, (_wrong_last("credit_code"), _with(name="x"), _with(status="9"), _with(district="32"))
    ),
}


def is_update(place: int) -> bool:
    """Whether the change at this place updates a row in place; three in seven do, the others create one."""
    return place % 7 >= 4


def rows_of(resource: str, count: int, seed: int) -> Iterator[Row]:
    """Yield ``count`` right rows of a resource's register with ids from 1."""
    rng = random.Random(f"{seed}:{resource}")  # noqa: S311 - not a secret
    make = REGISTERS[resource].make
    return (make(rng, number) for number in range(1, count + 1))


def spoilt(resource: str, number: int, seed: int) -> Row:
    """The row with this id with one mistake in it that stops it at the gate."""
    register = REGISTERS[resource]
    row = register.make(random.Random(f"{seed}:{resource}:{number}"), number)  # noqa: S311
    return register.spoil[number % len(register.spoil)](row)
