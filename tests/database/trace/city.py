"""Persons of the sample city, and what the trace says of them."""

from datetime import timedelta
from typing import Any

from services.control.store.database import ControlDatabase
from services.control.tracing.answer import Trace
from services.control.tracing.looking import Looker, Person, look, normalised
from tests.support.tracing import NOW, key_of, number
from tests.unit.cli.called import PERSON
from topics.identity.kinds import IdentityKind

ANNA, BERT, CHEN = number(1), number(2), number(3)

LOOKER = Looker("console:root", "case 7", (("for", "account-3"),))
DAY = timedelta(days=1)


def row(id_: int, resident: str, **items: Any) -> dict[str, Any]:
    return {**PERSON, "id": id_, "id_number": resident, **items}


def traced(database: ControlDatabase, resident: str, **given: Any) -> Trace:
    identity = normalised(Person(IdentityKind.RESIDENT_ID, resident), NOW.date())
    return look(database, identity, given.pop("looker", LOOKER), key_of, NOW, **given)


def said(found: Trace) -> set[tuple[str, str, str]]:
    return {
        (each.grant, each.at, "delivered" if each.delivered else "tombstoned") for each in found.recipients
    }
