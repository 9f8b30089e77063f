"""Rows of persons for end-to-end tests: valid numbers by the check digit's arithmetic, and their SQL."""

from datetime import date
from typing import Any

from topics.identity.digits import resident_id_check_digit

GRANTED, ELSEWHERE = "320508", "320506"
Statement = tuple[str, tuple[object, ...]]


def number(sequence: int, born: date = date(1990, 1, 1), area: str = "320508") -> str:
    """A valid resident number; ``sequence`` below 100,000 varies birth date and sequence digits."""
    day = date.fromordinal(born.toordinal() + sequence // 499)
    first17 = f"{area}{day:%Y%m%d}{(sequence % 499) * 2 + 1:03d}"
    return first17 + resident_id_check_digit(first17)


def birth_of(id_number: str) -> date:
    """The birth date inside a number."""
    return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))


def insert(row_id: int, id_number: str, **columns: Any) -> Statement:
    """Insert a person; male, in the granted district, unless told otherwise."""
    row = {
        "id": row_id,
        "id_number": id_number,
        "name": "测试甲",
        "birth_date": birth_of(id_number),
        "sex": "1",
        "address": "平江路1号",
        "household_district": GRANTED,
        "updated_at": "2026-01-01 00:00:00",
        **columns,
    }
    places = ", ".join(["%s"] * len(row))
    return f"INSERT INTO public.person ({', '.join(row)}) VALUES ({places})", tuple(row.values())


def update(row_id: int, **columns: Any) -> Statement:
    """Update a person."""
    changes = ", ".join(f"{name} = %s" for name in columns)
    return f"UPDATE public.person SET {changes} WHERE id = %s", (*columns.values(), row_id)


def renumber(row_id: int, id_number: str) -> Statement:
    """Give a person another number, with the birth date that it holds."""
    return update(row_id, id_number=id_number, birth_date=birth_of(id_number))


def delete(row_id: int) -> Statement:
    """Delete a person."""
    return "DELETE FROM public.person WHERE id = %s", (row_id,)
