"""The answer of a person trace: who received what about a subject, when, under which grant and purpose; pure.

A record counts as the subject's own where it stands under the subject's hash. Where one change withdrew a
record of the source from one subject and gave it to another, the number was corrected: then the trace goes
on with that record, before and after, and with no other record of the other subject.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.control.store.trace.reading import AcquiredFound, DeliveryFound, SubjectFound, TermsFound
from topics.names import grant_topic_of

_CANONICAL: Final = "resource."


class Link(StrEnum):
    """Why a record is in the answer."""

    OWN = "own"
    CORRECTED = "corrected"
    """It stands, or stood, under another number: one was corrected to the other."""


class Why(StrEnum):
    """Why an answer is empty."""

    NOT_BEGUN = "NOT_BEGUN"
    UNKNOWN_SUBJECT = "UNKNOWN_SUBJECT"
    NOBODY_RECEIVED = "NOBODY_RECEIVED"
    NOT_YOURS = "NOT_YOURS"


@dataclass(frozen=True, slots=True)
class Traced:
    """A canonical record about the subject."""

    resource: str
    at: str
    at_ms: int
    withdrawn: bool
    link: Link


@dataclass(frozen=True, slots=True)
class Recipient:
    """One record of a grant's topic: what its consumer received, or was told to remove."""

    consumer: str
    grant: str
    generation: int
    provider: str
    resource: str
    purpose: str
    legal_basis: str
    policy_version: int
    delivered: bool
    """False where it took the record away."""
    at: str
    at_ms: int
    canonical: str
    link: Link
    acquired_by: datetime | None
    """When the ledger had it at the latest that a group of it had committed past it; None if not."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Of which stretch of time the index has everything."""

    complete_until: datetime | None
    incomplete_before: datetime | None
    untraceable: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole answer; records and recipients from the newest on."""

    subject: str
    """The keyed hash under which the look stands in the ledger."""
    extent: Extent
    records: Sequence[Traced]
    recipients: Sequence[Recipient]
    cut: bool
    """Whether there are more than were asked for."""
    why_empty: Why | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the index holds."""

    subject: UUID
    records: Sequence[SubjectFound]
    deliveries: Sequence[DeliveryFound]
    terms: Mapping[str, Sequence[TermsFound]]
    acquired: Sequence[AcquiredFound]
    cut: bool = False


def answer(found: Found, extent: Extent, provider: str | None = None) -> Trace:
    """The trace of a subject.

    Args:
        found: of the index.
        extent: how far that goes.
        provider: whose records alone are shown; None for all.
    """
    places = _by_place(found.records)
    shown = [
        each
        for delivery in found.deliveries
        if (each := _recipient(found, delivery, places.get((delivery.change, delivery.partition), ())))
        is not None
        and provider in (None, each.provider)
    ]
    records = [_traced(each, found.subject) for each in found.records]
    if provider is not None:
        own = {
            terms.resource for each in found.terms.values() for terms in each if terms.provider == provider
        }
        records = [each for each in records if each.resource in own]
    return Trace(
        subject=found.subject.hex,
        extent=extent,
        records=sorted(records, key=lambda each: (each.at_ms, each.at), reverse=True),
        recipients=shown,
        cut=found.cut,
        why_empty=_why(found, shown, records, extent, provider),
    )


def _why(
    found: Found,
    shown: Sequence[Recipient],
    records: Sequence[Traced],
    extent: Extent,
    provider: str | None,
) -> Why | None:
    if shown:
        return None
    if extent.complete_until is None:
        return Why.NOT_BEGUN
    if provider is not None and not records:
        return Why.NOT_YOURS
    return Why.NOBODY_RECEIVED if found.records else Why.UNKNOWN_SUBJECT


def _by_place(records: Iterable[SubjectFound]) -> dict[tuple[int, int], list[SubjectFound]]:
    found: dict[tuple[int, int], list[SubjectFound]] = {}
    for each in records:
        found.setdefault((each.change, each.partition), []).append(each)
    return found


def _recipient(
    found: Found, delivery: DeliveryFound, candidates: Collection[SubjectFound]
) -> Recipient | None:
    """A grant's topic has the partitions of its canonical one; what was delivered was not withdrawn."""
    terms = _terms(found.terms.get(grant_topic_of(delivery.topic), ()), delivery.policy_version)
    resource = terms.resource if terms else ""
    fitting = [
        each
        for each in candidates
        if each.topic == f"{_CANONICAL}{resource}" and not (delivery.delivered and each.withdrawn)
    ]
    if terms is None or not fitting:
        return None
    own = [each for each in fitting if each.subject == found.subject]
    canonical = max(own or fitting, key=lambda each: (each.withdrawn is not delivery.delivered, each.offset))
    return Recipient(
        consumer=terms.consumer,
        grant=terms.grant,
        generation=delivery.generation,
        provider=terms.provider,
        resource=terms.resource,
        purpose=terms.purpose,
        legal_basis=terms.legal_basis,
        policy_version=delivery.policy_version,
        delivered=delivery.delivered,
        at=f"{delivery.topic}:{delivery.partition}:{delivery.offset}",
        at_ms=delivery.at_ms,
        canonical=_coordinate(canonical),
        link=Link.OWN if own else Link.CORRECTED,
        acquired_by=_acquired(found.acquired, terms, delivery),
    )


def _terms(said: Sequence[TermsFound], version: int) -> TermsFound | None:
    """What the grant said in that version; of one that is older than the index knows, what it said first."""
    before = [each for each in said if each.from_version <= version]
    if before:
        return before[-1]
    return said[0] if said else None


def _acquired(
    acquired: Iterable[AcquiredFound], terms: TermsFound, delivery: DeliveryFound
) -> datetime | None:
    """Groups are followed on the grant's topic; nobody says how far they are on a separate one."""
    past = [
        each.seen_at
        for each in acquired
        if (each.grant, each.partition) == (terms.grant, delivery.partition)
        and each.committed > delivery.offset
        and terms.topic == delivery.topic
    ]
    return min(past, default=None)


def _traced(record: SubjectFound, subject: UUID) -> Traced:
    return Traced(
        resource=record.topic.removeprefix(_CANONICAL),
        at=_coordinate(record),
        at_ms=record.at_ms,
        withdrawn=record.withdrawn,
        link=Link.OWN if record.subject == subject else Link.CORRECTED,
    )


def _coordinate(record: SubjectFound) -> str:
    return f"{record.topic}:{record.partition}:{record.offset}"
