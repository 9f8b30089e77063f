"""The story of the sample city: changes at the sources, one after the other, told and repeatable."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from services.demo.databases import MARKET, POLICE, SOCIAL, STORY_IDS, TABLES, database_dsn
from services.demo.numbers import resident_number
from services.demo.places import GRANTED_DISTRICT
from services.demo.rows import EnrolmentRow, EnterpriseRow, PersonRow
from topics.event import ProviderId
from topics.identity.digits import credit_code_check_digit, organisation_code_check_digit

_WRITTEN: Final = datetime(2025, 1, 1, 8, 0)  # noqa: DTZ001 - the column has no zone and means UTC
_ELSEWHERE: Final = "320506"

LIN, OUYANG, CHEN, ZHOU = (STORY_IDS + number for number in range(1, 5))
ZHOU_RENUMBERED: Final = STORY_IDS + 104
COMPANY, COMPANY_REFUSED = STORY_IDS + 1, STORY_IDS + 2
ENROLMENT: Final = STORY_IDS + 1

# Area, birth date and sequence; the areas are those of the districts when these people were born.
_NUMBERED: Final = {
    LIN: ("320502", date(1988, 3, 8), 902),
    OUYANG: ("320503", date(1965, 10, 21), 913),
    CHEN: ("320504", date(1992, 7, 15), 935),
    ZHOU: ("320504", date(1979, 1, 30), 957),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One step that has happened at a source: what was done, and what the bus must make of it.

    Args:
        name: short and stable, for programs.
        provider: whose database changed.
        record_ids: the rows that changed, as record ids.
        description: what happened, for the reader of the story.
        expected: what to look for at the departments, in quarantine or among the claims.
    """

    name: str
    provider: ProviderId
    record_ids: tuple[str, ...]
    description: str
    expected: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step that can be played: SQL statements of one transaction, and how they are told."""

    told: Told
    statements: Sequence[tuple[str, tuple[object, ...]]]


def number_of(record: int) -> str:
    """The resident number of a person of the story, as it stands at the beginning."""
    return resident_number(*_NUMBERED[record])


def corrected_number() -> str:
    """The number that 欧阳𬭎 has after the correction: the next sequence of his sex."""
    area, born, sequence = _NUMBERED[OUYANG]
    return resident_number(area, born, sequence + 2)


def cast() -> tuple[tuple[ProviderId, PersonRow | EnterpriseRow], ...]:
    """The rows that the story begins with."""
    home, other = "江苏省苏州市姑苏区平江路12号2幢301室", "江苏省苏州市吴中区东吴北路88号5幢1102室"
    people = (
        _person(LIN, "林婉清", "2", home, GRANTED_DISTRICT),
        _person(OUYANG, "欧阳𬭎", "1", home, GRANTED_DISTRICT),
        _person(CHEN, "陈思远", "1", other, _ELSEWHERE),
        _person(ZHOU, "周𠮷安", "1", home, GRANTED_DISTRICT),
    )
    return (
        *((POLICE, person) for person in people),
        (MARKET, _company(COMPANY, "MA20CTY1", "苏州平江丝绸有限公司")),
    )


def prepare_cast(admin_dsn: str) -> None:
    """Remove what an earlier telling left, and put the cast in its first state.

    Raises:
        psycopg2.Error: the server cannot be reached or refuses.
    """
    rows = cast()
    for provider, table in TABLES.items():
        with closing(psycopg2.connect(database_dsn(admin_dsn, provider))) as connection, connection:
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM public.{table.name} WHERE id >= %s", (STORY_IDS,))  # noqa: S608
            for owner, row in rows:
                if owner == provider:
                    _insert(connection, table.name, row)


def play_changes(admin_dsn: str) -> Iterator[Told]:
    """Play the steps in order, each in one transaction; each is told after it is committed.

    The next step happens when the next item is asked for, so the caller decides what to wait for between.
    Needs the cast (``prepare_cast``).

    Raises:
        psycopg2.Error: the server cannot be reached or refuses.
        RuntimeError: a step met no row: the cast is not there.
    """
    connections: dict[ProviderId, Connection] = {}
    try:
        for step in steps():
            provider = step.told.provider
            if provider not in connections:
                connections[provider] = psycopg2.connect(database_dsn(admin_dsn, provider))
            _play(connections[provider], step)
            yield step.told
    finally:
        for connection in connections.values():
            connection.close()


def steps() -> tuple[Step, ...]:
    """All steps of the story, in the order in which they make sense."""
    return tuple(make() for make in _STEPS)


def _play(connection: Connection, step: Step) -> None:
    with connection, connection.cursor() as cursor:
        for statement, values in step.statements:
            cursor.execute(statement, values)
            if cursor.rowcount != 1:
                raise RuntimeError(
                    f"step {step.told.name} changed {cursor.rowcount} rows: prepare the cast first"
                )


def _insert(connection: Connection, table: str, row: Any) -> None:
    statement, values = _insertion(table, row)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _insertion(table: str, row: Any) -> tuple[str, tuple[object, ...]]:
    names = [each.name for each in fields(row)]
    places = ", ".join(["%s"] * len(names))
    return f"INSERT INTO public.{table} ({', '.join(names)}) VALUES ({places})", astuple(row)  # noqa: S608


def _update(table: str, record: int, **values: object) -> tuple[str, tuple[object, ...]]:
    changes = ", ".join(f"{name} = %s" for name in values)
    stamp = "updated_at = now() AT TIME ZONE 'UTC'"
    return f"UPDATE public.{table} SET {changes}, {stamp} WHERE id = %s", (*values.values(), record)  # noqa: S608


def _person(record: int, name: str, sex: str, address: str, district: str) -> PersonRow:
    born = _NUMBERED[record][1]
    return PersonRow(record, number_of(record), name, born, sex, address, district, _WRITTEN)


def _company(record: int, eight: str, name: str) -> EnterpriseRow:
    first17 = "91" + GRANTED_DISTRICT + eight + organisation_code_check_digit(eight)
    return EnterpriseRow(
        id=record,
        credit_code=first17 + credit_code_check_digit(first17),
        name=name,
        legal_representative="周𠮷安",
        registered_capital=Decimal("1000000.00"),
        status="1",
        district=GRANTED_DISTRICT,
        established_on=date(2016, 5, 9),
        term_from=date(2016, 5, 9),
        term_until=None,
        updated_at=_WRITTEN,
    )


def _moved_out() -> Step:
    told = Told(
        "moved-out",
        POLICE,
        (str(LIN),),
        "林婉清 moves from 姑苏区 to 吴中区: the police change her address and household district.",
        "health, which may see 姑苏区 only, gets a tombstone; education gets the new district.",
    )
    move = _update(
        "person", LIN, address="江苏省苏州市吴中区石湖东路6号1幢202室", household_district=_ELSEWHERE
    )
    return Step(told, (move,))


def _moved_in() -> Step:
    told = Told(
        "moved-in",
        POLICE,
        (str(CHEN),),
        "陈思远 moves from 吴中区 to 姑苏区.",
        "health gets his whole record for the first time; education gets the new district.",
    )
    move = _update(
        "person", CHEN, address="江苏省苏州市姑苏区十全街70号2幢101室", household_district=GRANTED_DISTRICT
    )
    return Step(told, (move,))


def _identity_corrected() -> Step:
    told = Told(
        "identity-corrected",
        POLICE,
        (str(OUYANG),),
        "The resident number of 欧阳𬭎 had been issued with a wrong sequence; the police correct it.",
        "the old key is withdrawn and the record stands under the new number: one in, two out.",
    )
    return Step(told, (_update("person", OUYANG, id_number=corrected_number()),))


def _identities_swapped() -> Step:
    told = Told(
        "identities-swapped",
        POLICE,
        (str(LIN), str(CHEN)),
        "The numbers of two persons were mixed up; one transaction swaps them, with birth dates and sexes.",
        "each row stands under the other number afterwards; four keys are touched, none is lost.",
    )
    taken = (_swap_to(LIN, CHEN, "1"), _swap_to(CHEN, LIN, "2"))
    return Step(told, taken)


def _swap_to(record: int, other: int, sex: str) -> tuple[str, tuple[object, ...]]:
    born = _NUMBERED[other][1]
    return _update("person", record, id_number=number_of(other), birth_date=born, sex=sex)


def _renumbered() -> Step:
    told = Told(
        "record-renumbered",
        POLICE,
        (str(ZHOU), str(ZHOU_RENUMBERED)),
        "The police's system gives the row of 周𠮷安 another primary key.",
        "the record is withdrawn under the old record id and stands under the new one.",
    )
    return Step(told, (_update("person", ZHOU, id=ZHOU_RENUMBERED),))


def _mistyped() -> Step:
    number = corrected_number()
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    told = Told(
        "mistyped-while-moving",
        POLICE,
        (str(OUYANG),),
        "欧阳𬭎 moves out of 姑苏区, and the clerk mistypes the last character of his number.",
        "quarantine, IDENTITY_INVALID: the check digit is wrong. The departments keep what they had.",
    )
    return Step(told, (_update("person", OUYANG, id_number=wrong, household_district=_ELSEWHERE),))


def _repaired() -> Step:
    told = Told(
        "repaired-at-the-source",
        POLICE,
        (str(OUYANG),),
        "The police correct the number where the mistake was made.",
        "accepted; health gets a tombstone now, although the change that left its district was stopped.",
    )
    return Step(told, (_update("person", OUYANG, id_number=corrected_number()),))


def _meddled() -> Step:
    told = Told(
        "meddling-enrolment",
        SOCIAL,
        (str(ENROLMENT),),
        "人社局 records an enrolment of 周𠮷安 and writes his name as 周吉安, with an address of its own.",
        "the enrolment is accepted without name and address; both become claims against the police's record.",
    )
    row = EnrolmentRow(
        id=ENROLMENT,
        id_number=number_of(ZHOU),
        name="周吉安",
        address="江苏省苏州市姑苏区观前街1号",
        insurance_type="110",
        enrolled_on=date(2024, 12, 1),
        monthly_base=Decimal("8800.00"),
        status="1",
        updated_at=_WRITTEN,
    )
    return Step(told, (_insertion("enrolment", row),))


def _company_closed() -> Step:
    told = Told(
        "company-deregistered",
        MARKET,
        (str(COMPANY),),
        "苏州平江丝绸有限公司 is deregistered: its status changes and its business term ends.",
        "tax, and nobody else, gets the change.",
    )
    return Step(told, (_update("enterprise", COMPANY, status="3", term_until=date(2024, 12, 31)),))


def _company_refused() -> Step:
    told = Told(
        "company-with-impossible-term",
        MARKET,
        (str(COMPANY_REFUSED),),
        "A company is entered whose business term ends before it begins.",
        "quarantine, QUALITY: DATE_ORDER. Nobody gets it.",
    )
    row = replace(_company(COMPANY_REFUSED, "MA20CTY2", "苏州山塘物流有限公司"), term_until=date(2006, 5, 9))
    return Step(told, (_insertion("enterprise", row),))


def _deleted() -> Step:
    told = Told(
        "person-removed",
        POLICE,
        (str(CHEN),),
        "The record of 陈思远 had been entered twice; the police delete this one.",
        "a tombstone for every department that had it.",
    )
    return Step(told, (("DELETE FROM public.person WHERE id = %s", (CHEN,)),))


_STEPS: Final[tuple[Callable[[], Step], ...]] = (
    _moved_out,
    _moved_in,
    _identity_corrected,
    _identities_swapped,
    _renumbered,
    _mistyped,
    _repaired,
    _meddled,
    _company_closed,
    _company_refused,
    _deleted,
)
