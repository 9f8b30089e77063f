"""The written form of a ticket's report and events: plain JSON, read back to the same values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.control.cases.words import Actor, Role
from services.control.clocks.rules import (
    AgreedDate,
    ClockRule,
    Extension,
    FixedDate,
    Length,
    NaturalDays,
    WorkingDays,
)
from services.control.tickets.correction import Correction, Verdict
from services.control.tickets.evidence import Evidence, Reported
from services.control.tickets.recipients import Receipt, Told
from services.control.tickets.ticket import Event, Opening
from services.control.tickets.words import Action, NoticeKind, RefusalReason, Route, TicketRules
from topics.disputes import Contested
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId, SourcePosition

FORM: Final = 1
"""Rises when a newer program writes what this one cannot read."""
Document = dict[str, Any]


class UnknownForm(ValueError):  # noqa: N818 - named after what it is
    """A newer program has written it: use that one."""


def opening_document(opening: Opening) -> Document:
    """A report as JSON."""
    return {
        "form": FORM,
        "id": opening.id,
        "reporter": _actor_document(opening.reporter),
        "when": opening.when.isoformat(),
        "reported": _reported_document(opening.reported),
        "statement": opening.statement,
        "evidence": [_evidence_document(each) for each in opening.evidence],
        "rules": rules_document(opening.rules),
    }


def opening_of(document: Mapping[str, Any]) -> Opening:
    """A report as it was written.

    Raises:
        UnknownForm: a newer program has written it.
    """
    _require_form(document)
    return Opening(
        id=document["id"],
        reporter=_actor_of(document["reporter"]),
        when=datetime.fromisoformat(document["when"]),
        reported=_reported_of(document["reported"]),
        statement=document["statement"],
        evidence=tuple(_evidence_of(each) for each in document["evidence"]),
        rules=rules_of(document["rules"]),
    )


def event_document(event: Event) -> Document:
    """An event as JSON; what it has not is left out."""
    found: Document = {
        "form": FORM,
        "number": event.number,
        "action": event.action.value,
        "who": _actor_document(event.who),
        "when": event.when.isoformat(),
        "text": event.text or None,
        "refusal_reason": event.refusal_reason and event.refusal_reason.value,
        "acceptable_if": event.acceptable_if or None,
        "evidence": [_evidence_document(each) for each in event.evidence] or None,
        "reported": event.reported and _reported_document(event.reported),
        "correction": event.correction and _correction_document(event.correction),
        "receipts": None if event.receipts is None else [receipt_document(each) for each in event.receipts],
        "told": event.told and told_document(event.told),
    }
    return {name: value for name, value in found.items() if value is not None}


def event_of(document: Mapping[str, Any]) -> Event:
    """An event as it was written.

    Raises:
        UnknownForm: a newer program has written it.
    """
    _require_form(document)
    reason, receipts = document.get("refusal_reason"), document.get("receipts")
    return Event(
        number=document["number"],
        action=Action(document["action"]),
        who=_actor_of(document["who"]),
        when=datetime.fromisoformat(document["when"]),
        text=document.get("text", ""),
        refusal_reason=None if reason is None else RefusalReason(reason),
        acceptable_if=document.get("acceptable_if", ""),
        evidence=tuple(_evidence_of(each) for each in document.get("evidence", ())),
        reported=_reported_of(document["reported"]) if "reported" in document else None,
        correction=_correction_of(document["correction"]) if "correction" in document else None,
        receipts=None if receipts is None else tuple(_receipt_of(each) for each in receipts),
        told=_told_of(document["told"]) if "told" in document else None,
    )


def rules_document(rules: TicketRules) -> Document:
    """What a policy pack sets, as JSON."""
    return {
        "route": rules.route.value,
        "dispatch": rules.dispatch and _clock_document(rules.dispatch),
        "verify": rules.verify and _clock_document(rules.verify),
        "correct": rules.correct and _clock_document(rules.correct),
        "dispute_levels": list(rules.dispute_levels),
    }


def rules_of(document: Mapping[str, Any]) -> TicketRules:
    """What a policy pack sets, as it was written."""
    clocks = {
        name: document[name] and _clock_of(document[name]) for name in ("dispatch", "verify", "correct")
    }
    return TicketRules(Route(document["route"]), **clocks, dispute_levels=tuple(document["dispute_levels"]))


def contested_document(contested: Contested) -> Document:
    """What is disputed, as JSON; it names nobody."""
    return {
        "resource": contested.resource,
        "partition": contested.partition,
        "record": contested.record,
        "values": [list(each) for each in contested.values],
        "key_version": contested.key_version,
    }


def contested_of(document: Mapping[str, Any]) -> Contested:
    """What is disputed, as it was written."""
    return Contested(
        resource=ResourceId(document["resource"]),
        partition=document["partition"],
        record=document["record"],
        values=tuple((item, hashed) for item, hashed in document["values"]),
        key_version=document["key_version"],
    )


def receipt_document(receipt: Receipt) -> Document:
    """One delivery of a wrong version, as JSON."""
    return {
        "consumer": receipt.consumer,
        "grant": receipt.grant,
        "generation": receipt.generation,
        "at": receipt.at,
        "effect": receipt.effect,
        "certain": receipt.certain,
        "block": receipt.block,
        "policy_version": receipt.policy_version,
        "written_ms": receipt.written_ms,
    }


def told_document(told: Told) -> Document:
    """What somebody was told, as JSON."""
    return {
        "consumer": told.consumer,
        "grant": told.grant,
        "kind": told.kind.value,
        "notice": told.notice,
    }


def _require_form(document: Mapping[str, Any]) -> None:
    if document["form"] > FORM:
        raise UnknownForm(f"a ticket is written in form {document['form']}, this program reads up to {FORM}")


def _actor_document(actor: Actor) -> Document:
    return {"person": actor.person, "role": actor.role.value, "department": actor.department}


def _actor_of(document: Mapping[str, Any]) -> Actor:
    return Actor(document["person"], Role(document["role"]), document["department"])


def _evidence_document(evidence: Evidence) -> Document:
    return {"sha256": evidence.sha256, "size": evidence.size, "title": evidence.title}


def _evidence_of(document: Mapping[str, Any]) -> Evidence:
    return Evidence(document["sha256"], document["size"], document["title"])


def _position(position: SourcePosition) -> list[int]:
    return [position.generation, position.incarnation, position.commit, position.ordinal]


def _reported_document(reported: Reported) -> Document:
    return {
        "provider": reported.provider,
        "contested": contested_document(reported.contested),
        "at": reported.at,
        "position": _position(reported.position),
    }


def _reported_of(document: Mapping[str, Any]) -> Reported:
    return Reported(
        provider=ProviderId(document["provider"]),
        contested=contested_of(document["contested"]),
        at=document["at"],
        position=SourcePosition(*document["position"]),
    )


def _correction_document(correction: Correction) -> Document:
    return {
        "at": correction.at,
        "position": _position(correction.position),
        "source_time_ms": correction.source_time_ms,
        "verdict": correction.verdict.value,
        "standing": list(correction.standing),
    }


def _correction_of(document: Mapping[str, Any]) -> Correction:
    return Correction(
        at=document["at"],
        position=SourcePosition(*document["position"]),
        source_time_ms=document["source_time_ms"],
        verdict=Verdict(document["verdict"]),
        standing=tuple(document["standing"]),
    )


def _receipt_of(document: Mapping[str, Any]) -> Receipt:
    return Receipt(
        consumer=ConsumerId(document["consumer"]),
        grant=GrantId(document["grant"]),
        generation=document["generation"],
        at=document["at"],
        effect=document["effect"],
        certain=document["certain"],
        block=document["block"],
        policy_version=document["policy_version"],
        written_ms=document["written_ms"],
    )


def _told_of(document: Mapping[str, Any]) -> Told:
    consumer, grant = ConsumerId(document["consumer"]), GrantId(document["grant"])
    return Told(consumer, grant, NoticeKind(document["kind"]), document["notice"])


def _clock_document(rule: ClockRule) -> Document:
    extension = rule.extension
    return {
        "length": _length_document(rule.length),
        "calendar": rule.calendar,
        "counts_first_day": rule.counts_first_day,
        "pauses_while": list(rule.pauses_while),
        "extension": extension and {"most": extension.most, "approver": extension.approver},
        "remind_at": list(rule.remind_at),
        "advisory": rule.advisory,
        "on_breach": list(rule.on_breach),
    }


def _clock_of(document: Mapping[str, Any]) -> ClockRule:
    extension = document["extension"]
    return ClockRule(
        length=_length_of(document["length"]),
        calendar=document["calendar"],
        counts_first_day=document["counts_first_day"],
        pauses_while=tuple(document["pauses_while"]),
        extension=extension and Extension(extension["most"], extension["approver"]),
        remind_at=tuple(document["remind_at"]),
        advisory=document["advisory"],
        on_breach=tuple(document["on_breach"]),
    )


def _length_document(length: Length) -> Document:
    match length:
        case WorkingDays(count):
            return {"unit": "working_days", "count": count}
        case NaturalDays(count):
            return {"unit": "natural_days", "count": count}
        case FixedDate(month, day):
            return {"unit": "by", "month": month, "day": day}
        case AgreedDate():
            return {"unit": "agreed"}


def _length_of(document: Mapping[str, Any]) -> Length:
    match document["unit"]:
        case "working_days":
            return WorkingDays(document["count"])
        case "natural_days":
            return NaturalDays(document["count"])
        case "by":
            return FixedDate(document["month"], document["day"])
        case _:
            return AgreedDate()
