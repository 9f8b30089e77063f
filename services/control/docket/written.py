"""The written form of a case's opening and events: explicit, with its version, read back to the same values.

What was written once is read for ever: a new form gets a new number and a reader beside the old one.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final

from services.control.cases.application import Application, DutyBasis
from services.control.cases.case import Event, Opening
from services.control.cases.decision import Approval, Refusal
from services.control.cases.more_time import MoreTime
from services.control.cases.provisioning import Fault, Step
from services.control.cases.words import (
    Action,
    Actor,
    Batch,
    CaseRules,
    Decides,
    DeliveryMode,
    RefusalReason,
    Role,
    StopReason,
    Unconditional,
)
from services.control.catalogue.vocabulary import Grade
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId
from topics.grants.declaration import Mask, RowFilter
from topics.resource import Declared

FORM: Final = 1
Document = dict[str, Any]


class UnknownForm(ValueError):  # noqa: N818 - says what is wrong, not that something is
    """A document of a form that this version cannot read: nothing is decided on it."""


class _Masked(Declared):
    mask: Mask


def event_document(event: Event) -> Document:
    """An event as it is kept; what was not given is left out."""
    given: Document = {
        "text": event.text,
        "refusal_reason": _value(event.refusal_reason),
        "acceptable_if": event.acceptable_if,
        "stop_reason": _value(event.stop_reason),
        "application": None if event.application is None else application_document(event.application),
        "approval": None if event.approval is None else approval_document(event.approval),
        "step": _value(event.step),
        "fault": _value(event.fault),
        "order": event.order,
        "undone": [step.value for step in event.undone],
        "more_time": None if event.more_time is None else asdict(event.more_time),
        "whole": [list(each) for each in event.whole],
    }
    return {
        "form": FORM,
        "number": event.number,
        "action": event.action.value,
        "who": {
            "person": event.who.person,
            "role": event.who.role.value,
            "department": event.who.department,
        },
        "when": event.when.astimezone(UTC).isoformat(),
        **{name: value for name, value in given.items() if value},
    }


def event_of(document: Mapping[str, Any]) -> Event:
    """The event that was kept.

    Raises:
        UnknownForm: it was written in a form that is not known here.
    """
    _require_form(document)
    who = document["who"]
    return Event(
        number=document["number"],
        action=Action(document["action"]),
        who=Actor(who["person"], Role(who["role"]), who["department"]),
        when=datetime.fromisoformat(document["when"]),
        text=document.get("text", ""),
        refusal_reason=RefusalReason(document["refusal_reason"]) if "refusal_reason" in document else None,
        acceptable_if=document.get("acceptable_if", ""),
        stop_reason=StopReason(document["stop_reason"]) if "stop_reason" in document else None,
        application=application_of(document["application"]) if "application" in document else None,
        approval=approval_of(document["approval"]) if "approval" in document else None,
        step=Step(document["step"]) if "step" in document else None,
        fault=Fault(document["fault"]) if "fault" in document else None,
        order=document.get("order", ""),
        undone=tuple(Step(each) for each in document.get("undone", ())),
        more_time=MoreTime(**document["more_time"]) if "more_time" in document else None,
        whole=_whole_of(document),
    )


def opening_document(opening: Opening) -> Document:
    """What a case begins with, as it is kept."""
    rules = opening.rules
    return {
        "form": FORM,
        "id": opening.id,
        "grant": opening.grant,
        "provider": opening.provider,
        "application": application_document(opening.application),
        "rules": {
            "precheck": rules.precheck,
            "decides": rules.decides.value,
            "unconditional": rules.unconditional.value,
            "batch": rules.batch.value,
            "dispute_levels": list(rules.dispute_levels),
            **_grades_document(rules),
        },
    }


def opening_of(document: Mapping[str, Any]) -> Opening:
    """The opening that was kept.

    Raises:
        UnknownForm: it was written in a form that is not known here.
    """
    _require_form(document)
    rules = document["rules"]
    return Opening(
        id=document["id"],
        grant=GrantId(document["grant"]),
        provider=ProviderId(document["provider"]),
        application=application_of(document["application"]),
        rules=CaseRules(
            precheck=rules["precheck"],
            decides=Decides(rules["decides"]),
            unconditional=Unconditional(rules["unconditional"]),
            batch=Batch(rules["batch"]),
            dispute_levels=tuple(rules["dispute_levels"]),
            masked_from=_grade(rules.get("masked_from")),
            checked_from=_grade(rules.get("checked_from")),
        ),
    )


def application_document(application: Application) -> Document:
    """An application as it is kept."""
    return {
        "applicant": application.applicant,
        "resource": application.resource,
        "scenario": application.scenario,
        "basis": {"document": application.basis.document, "article": application.basis.article},
        "items": list(application.items),
        "mode": application.mode.value,
        "start": application.start.isoformat(),
        "end": application.end.isoformat(),
        "rows": _rows_document(application.rows),
        "batch_justification": application.batch_justification,
        "committed": application.committed,
        "filing": application.filing,
    }


def application_of(document: Mapping[str, Any]) -> Application:
    """The application that was kept."""
    return Application(
        applicant=ConsumerId(document["applicant"]),
        resource=ResourceId(document["resource"]),
        scenario=document["scenario"],
        basis=DutyBasis(document["basis"]["document"], document["basis"]["article"]),
        items=tuple(document["items"]),
        mode=DeliveryMode(document["mode"]),
        start=date.fromisoformat(document["start"]),
        end=date.fromisoformat(document["end"]),
        rows=_rows_of(document["rows"]),
        batch_justification=document["batch_justification"],
        committed=document["committed"],
        filing=document["filing"],
    )


def approval_document(approval: Approval) -> Document:
    """What a decision gives, as it is kept; reasons for whole items only where there are some."""
    whole = {"whole": [list(each) for each in approval.whole]} if approval.whole else {}
    return {
        "items": list(approval.items),
        "start": approval.start.isoformat(),
        "end": approval.end.isoformat(),
        "rows": _rows_document(approval.rows),
        "masks": [[name, mask.model_dump(mode="json")] for name, mask in approval.masks],
        **whole,
    }


def approval_of(document: Mapping[str, Any]) -> Approval:
    """The approval that was kept."""
    return Approval(
        items=tuple(document["items"]),
        start=date.fromisoformat(document["start"]),
        end=date.fromisoformat(document["end"]),
        rows=_rows_of(document["rows"]),
        masks=tuple((name, _Masked.model_validate({"mask": mask}).mask) for name, mask in document["masks"]),
        whole=_whole_of(document),
    )


def refusal_document(refusal: Refusal) -> Document:
    """Why a case gives nothing, as it is kept beside the folded state."""
    return {
        "reason": refusal.reason.value,
        "text": refusal.text,
        "acceptable_if": refusal.acceptable_if,
    }


def _rows_document(rows: tuple[RowFilter, ...]) -> list[Document]:
    return [{"item": row.item, "values": list(row.values)} for row in rows]


def _rows_of(documents: list[Document]) -> tuple[RowFilter, ...]:
    return tuple(RowFilter(item=each["item"], values=tuple(each["values"])) for each in documents)


def _whole_of(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, why) for name, why in document.get("whole", ()))


def _grades_document(rules: CaseRules) -> Document:
    """Only what a pack says: openings from before it could are written as ever."""
    said = {"masked_from": rules.masked_from, "checked_from": rules.checked_from}
    return {name: grade.value for name, grade in said.items() if grade is not None}


def _grade(value: str | None) -> Grade | None:
    return None if value is None else Grade(value)


def _value(word: RefusalReason | StopReason | Step | Fault | None) -> str | None:
    return None if word is None else word.value


def _require_form(document: Mapping[str, Any]) -> None:
    if document.get("form") != FORM:
        raise UnknownForm(f"written in form {document.get('form')!r}, and only form {FORM} is read here")
