"""What tests of commands call, in which city, and what they get."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema

SHAPES = Path(__file__).parents[3] / "docs" / "cli"
NAME, ADDRESS, NUMBER = "王小明", "平江路1号", "11010519491231002X"
PERSON = {
    "id": 1,
    "id_number": NUMBER,
    "name": NAME,
    "birth_date": (date(1949, 12, 31) - date(1970, 1, 1)).days,
    "sex": "2",
    "address": ADDRESS,
    "household_district": "320508",
    "updated_at": 1_790_000_000_000,
}
ENROLMENT = {
    "id": 7,
    "id_number": NUMBER,
    "name": NAME,
    "address": "别处",
    "insurance_type": "310",
    "enrolled_on": 18_000,
    "monthly_base": "5000.00",
    "status": "1",
    "updated_at": 1_790_000_000_000,
}
STOPPED = "raw.police.public.person:0:1"


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


Govbus = Callable[..., Ended]


def shape(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SHAPES / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)
