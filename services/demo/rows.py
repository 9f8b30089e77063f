"""The rows of the sample city's three provider tables, and what the bus must make of each."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Generic, TypeVar

Row = TypeVar("Row", covariant=True)

ACCEPTED: Final = "accepted"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A row of the police's person table."""

    id: int
    id_number: str | None
    name: str | None
    birth_date: date | None
    sex: str | None
    address: str | None
    household_district: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """A row of the market regulator's enterprise table."""

    id: int
    credit_code: str | None
    name: str | None
    legal_representative: str | None
    registered_capital: Decimal | None
    status: str | None
    district: str | None
    established_on: date | None
    term_from: date | None
    term_until: date | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """A row of the social security's enrolment table; name and address are the police's to publish."""

    id: int
    id_number: str | None
    name: str | None
    address: str | None
    insurance_type: str | None
    enrolled_on: date | None
    monthly_base: Decimal | None
    status: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Expected:
    """What the gate must decide about a row on its own.

    Args:
        outcome: ``accepted``, or the reason why the row is stopped.
        codes: why: the reason of the identity check, or every quality code that stops, sorted.
        marks: quality codes that travel with an accepted row, sorted.
        identity: the normalised number of an accepted row.
        claims: columns with a value that another department owns.
    """

    outcome: str
    codes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    identity: str | None = None
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Labelled(Generic[Row]):
    """A generated row, the mistake that was put into it (if any), and what must become of it."""

    row: Row
    mistake: str | None
    expected: Expected
