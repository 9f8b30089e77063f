"""The headers of a grant's records as JSON Schema, read from headers that a delivery itself writes; pure."""

import re
from typing import Any, Final

from services.control.catalogue.vocabulary import Language
from services.control.contracts.agreement import Agreement
from services.control.contracts.quality import possible_marks
from services.control.contracts.wording import Phrase, say
from topics.delivery import Delivery, delivery_headers, event_id, event_source, event_time, event_type
from topics.event import Operation, PolicyNumber, SourcePosition

_NUMBER: Final = "(0|[1-9][0-9]*)"
_SAMPLE_MARK: Final = "sample"


def header_schema(agreement: Agreement, language: Language, *, withdrawal: bool) -> dict[str, Any]:
    """The JSON Schema of the headers of a grant's records, or of its withdrawals.

    Which there are and which are always there is taken from what the delivery writes; so a header that is
    added there and has no wording here is noticed.
    """
    always = dict(delivery_headers(_sample(agreement, withdrawal, ())))
    often = dict(delivery_headers(_sample(agreement, withdrawal, (_SAMPLE_MARK,))))
    forms = _forms(agreement, withdrawal, {name: value.decode() for name, value in always.items()})
    marks = ", ".join(possible_marks(agreement)) or "–"
    return {
        "type": "object",
        "properties": {
            name: {"type": "string", **forms.get(name, {}), "description": _told(name, language, marks)}
            for name in often
            if name in always or possible_marks(agreement)
        },
        "required": list(always),
    }


def _told(name: str, language: Language, marks: str) -> str:
    return say(Phrase(name), language, rules=marks)


def _sample(agreement: Agreement, withdrawal: bool, marks: tuple[str, ...]) -> Delivery:
    """A made-up delivery of this grant; only its names and its fixed values are used."""
    return Delivery(
        ce_id=event_id(agreement.resource.raw_topic, 0, 0),
        ce_source=event_source(agreement.resource.id),
        ce_time=event_time(0),
        operation=Operation.DELETE if withdrawal else Operation.READ,
        position=SourcePosition(0, 0, 0, 0),
        grant=agreement.grant.id,
        grant_generation=agreement.generation,
        policy_version=PolicyNumber(agreement.policy_version or 0),
        marks=marks,
    )


def _forms(agreement: Agreement, withdrawal: bool, sample: dict[str, str]) -> dict[str, dict[str, Any]]:
    operations = [each for each in Operation if (each is Operation.DELETE) == withdrawal]
    fixed = ("ce_specversion", "ce_source", "content-type")
    signed = f"-?{_NUMBER}"
    return {
        **{name: {"const": sample[name]} for name in fixed if name in sample},
        "ce_id": {"pattern": f"^{_escaped(agreement.resource.raw_topic)}/{_NUMBER}/{_NUMBER}$"},
        "ce_type": {"enum": [event_type(each) for each in operations]},
        "ce_time": {"format": "date-time"},
        "govbus_position": {"pattern": "^" + r"\.".join([signed] * 4) + "$"},
        "govbus_grant": {"pattern": f"^{_escaped(agreement.grant.id)}@{_NUMBER}$"},
        "govbus_policy": {"pattern": f"^{_NUMBER}$"},
    }


def _escaped(text: str) -> str:
    """Escaped for ECMA-262, which knows no escaped hyphen outside of brackets."""
    return re.escape(text).replace(r"\-", "-")
