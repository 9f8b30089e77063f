"""Grants as pages and the API show them: what is declared or was decided, beside what was seen on the bus."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import own, require_sight, sees, visible_to
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.catalogue.vocabulary import Language
from services.control.contracts.agreement import NothingToDescribe, agreement_in_force
from services.control.contracts.asyncapi import asyncapi_document
from services.control.contracts.odcs import odcs_document
from services.control.store import snapshots
from services.control.store.cases.granted import Granted, granted, granted_as, with_cases
from topics.event import GrantId, ResourceId


class Standard(StrEnum):
    """The standards in which a contract is written."""

    ASYNCAPI = "asyncapi"
    ODCS = "odcs"


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A grant as a list shows it; ``case`` is the number of its case, None where definitions declare it."""

    grant: str
    consumer: str
    provider: str
    resource: str
    case: int | None
    state: str
    ends_on: date | None
    seen: Mapping[str, Any] | None
    """What was seen of it on the bus; None where nobody has looked yet."""
    as_of: datetime | None

    @property
    def whose(self) -> Whose:
        """Its departments."""
        return Whose(self.provider, self.consumer)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of grants begins: behind a declared one by its id, then behind a case by its number."""

    declared: str = ""
    before: int | None = None


def listed(
    parts: Parts, principal: Principal, place: Place | None = None, limit: int = 50
) -> list[GrantLine]:
    """Grants that somebody sees: those that are declared, then those of cases, the newest first."""
    visible = visible_to(parts, principal, Action.GRANT_LOOK)
    with parts.database.reading() as connection:
        found: list[GrantLine] = []
        if place is None or place.before is None:
            after = "" if place is None else place.declared
            found = [each for each in _declared(parts, connection, principal) if each.grant > after][:limit]
        if len(found) < limit:
            before = None if place is None else place.before
            found += map(_of_case, granted(connection, visible, before, limit - len(found)))
        return _with_snapshots(connection, found)


def shown(parts: Parts, principal: Principal, grant: str) -> GrantLine:
    """One grant.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    with parts.database.reading() as connection:
        line = _with_snapshots(connection, [_found(parts, connection, grant)])[0]
    require_sight(parts, principal, Action.GRANT_LOOK, line.whose)
    permit(parts, principal, Action.GRANT_LOOK, line.whose)
    return line


def contract(
    parts: Parts, principal: Principal, grant: str, standard: Standard, language: Language
) -> dict[str, Any]:
    """The contract of a grant as the bus carries it out now.

    Raises:
        AnswerProblem: there is no such grant, somebody may not, or the bus does not deliver it.
        BusUnavailable: Kafka does not answer.
    """
    with parts.database.reading() as connection:
        line = _found(parts, connection, grant)
    require_sight(parts, principal, Action.GRANT_LOOK, line.whose)
    permit(parts, principal, Action.GRANT_CONTRACT, line.whose)
    policy = parts.bus.policy()
    if policy is None:
        raise AnswerProblem(Code.NOT_FOUND)
    try:
        agreement = agreement_in_force(policy, GrantId(grant))
    except NothingToDescribe as error:
        raise AnswerProblem(Code.NOT_FOUND, detail=str(error)) from error
    write = asyncapi_document if standard is Standard.ASYNCAPI else odcs_document
    return write(agreement, parts.bus.addresses(), language)


def receipt(parts: Parts, principal: Principal, suspension: str) -> dict[str, Any]:
    """The receipt of a suspension, with those of its grants that somebody may see.

    Raises:
        AnswerProblem: somebody may see none of them.
        BusUnavailable, NothingThere: the ledger does not answer, or knows none of that id.
    """
    permit(parts, principal, Action.GRANT_RECEIPT, own(principal))
    found = parts.bus.receipt(suspension)
    grants = [each for each in found["grants"] if _sees(parts, principal, each)]
    if found["grants"] and not grants:
        first = found["grants"][0]
        permit(parts, principal, Action.GRANT_RECEIPT, _whose(parts, first))
    return {**found, "grants": grants}


def _sees(parts: Parts, principal: Principal, held: Mapping[str, Any]) -> bool:
    return sees(principal, Action.GRANT_RECEIPT, _whose(parts, held))


def _whose(parts: Parts, held: Mapping[str, Any]) -> Whose:
    resource = parts.definitions.resources.get(ResourceId(held["resource"]))
    return Whose(None if resource is None else resource.provider, held["consumer"])


def _found(parts: Parts, connection: Connection, grant: str) -> GrantLine:
    """A grant by its case; by its definition only where no case has come of it."""
    case = granted_as(connection, grant)
    if case is not None:
        return _of_case(case)
    declared = parts.definitions.grants.get(GrantId(grant))
    if declared is None:
        raise AnswerProblem(Code.NOT_FOUND)
    resource = parts.definitions.resources[declared.resource]
    return _line(grant, declared.consumer, resource.provider, declared.resource)


def _declared(parts: Parts, connection: Connection, principal: Principal) -> Iterable[GrantLine]:
    """Grants that only definitions know: of those that became cases, the cases say how they are."""
    decided = with_cases(connection, parts.definitions.grants)
    for id_, grant in sorted(parts.definitions.grants.items()):
        if id_ in decided:
            continue
        resource = parts.definitions.resources[grant.resource]
        if sees(principal, Action.GRANT_LOOK, Whose(resource.provider, grant.consumer)):
            yield _line(id_, grant.consumer, resource.provider, grant.resource)


def _line(grant: str, consumer: str, provider: str, resource: str) -> GrantLine:
    return GrantLine(grant, consumer, provider, resource, None, "declared", None, None, None)


def _of_case(case: Granted) -> GrantLine:
    return GrantLine(
        grant=case.grant,
        consumer=case.consumer,
        provider=case.provider,
        resource=case.resource,
        case=case.number,
        state=case.state.value,
        ends_on=case.ends_on,
        seen=None,
        as_of=None,
    )


def _with_snapshots(connection: Connection, lines: Sequence[GrantLine]) -> list[GrantLine]:
    seen = snapshots.some_of(connection, snapshots.Kind.GRANT, [line.grant for line in lines])
    return [
        replace(line, seen=seen.documents.get(line.grant), as_of=seen.as_of) if seen.as_of else line
        for line in lines
    ]
