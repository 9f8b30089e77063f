"""Tickets about problem data as pages and the API work on them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.etags import etag_of
from services.api.parts import Parts
from services.api.problems import AnswerProblem, refused
from services.api.running import NothingThere
from services.api.security.asking import permit
from services.api.uses.cases import actor_of
from services.api.uses.reach import own, require_sight, sees, visible_to
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import Principal, Whose
from services.control.accounts.roles import Role as AccountRole
from services.control.cases.words import Actor, Problem, Role
from services.control.clocks.merge import Policy
from services.control.store.cases.granted import was_delivered
from services.control.store.cases.policies import adopted
from services.control.store.clocks.calendars import read_calendar
from services.control.store.errors import ReadAgain
from services.control.store.outbox import Act, append
from services.control.store.tickets import files, refusals
from services.control.store.tickets.reading import Filed, TicketLine, Wish, id_of, listed, load
from services.control.store.tickets.work import Answer, Desk, act, take_report
from services.control.tickets.clocks import rules_from
from services.control.tickets.evidence import Evidence, Reported
from services.control.tickets.life import Refused
from services.control.tickets.parties import may_read
from services.control.tickets.shown import shown as shown_to
from services.control.tickets.ticket import Given, Opening
from services.control.tickets.words import Action, TicketRules

KIND: Final = "ticket"
_NO_POLICY: Final = Problem(
    "POLICY_MISSING", "policy", "no policy is adopted that a ticket could be bound to", "have one adopted"
)


_NO_RECORD: Final = "there is no such record among those that your department received"


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody reports: the coordinate of a record, what of it is wrong, and what shows it."""

    at: str
    items: Sequence[str]
    statement: str
    evidence: tuple[Evidence, ...]
    files: tuple[bytes, ...] = field(default=(), repr=False)
    """The attachments themselves, as far as they came along."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a ticket; ``at`` is the version that is still wrong, for REOPEN."""

    action: Action
    given: Given
    key: str | None = None
    seen: int | None = None
    at: str | None = None
    files: tuple[bytes, ...] = field(default=(), repr=False)


def all_of(
    parts: Parts, principal: Principal, wish: Wish, before: int | None = None, limit: int = 50
) -> list[TicketLine]:
    """Tickets that somebody sees, the newest first."""
    seen = visible_to(parts, principal, Asked.TICKET_LOOK)
    with parts.database.reading() as connection:
        return listed(connection, replace(wish, visible_to=seen), before, limit)


def refused_ones(
    parts: Parts,
    principal: Principal,
    wish: refusals.Wish,
    limit: int = 500,
    after: refusals.Place | None = None,
) -> list[refusals.RefusalLine]:
    """Refusals to correct that somebody sees, with what came of each, the newest first."""
    seen = visible_to(parts, principal, Asked.TICKET_LOOK)
    with parts.database.reading() as connection:
        return refusals.refusals(connection, replace(wish, visible_to=seen), limit, after)


def shown(parts: Parts, principal: Principal, number: int) -> dict[str, Any]:
    """One ticket as somebody may see it; who reads what was said of a person is noted in the ledger.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    now = parts.clock()
    with parts.database.begin() as connection:
        filed = _found(connection, number)
        require_sight(parts, principal, Asked.TICKET_LOOK, whose(filed))
        permit(parts, principal, Asked.TICKET_LOOK, whose(filed))
        actor = _reader(principal, filed)
        if may_read(filed.ticket, actor):
            facts = {"role": actor.role.value, "department": actor.department}
            what, id_ = Asked.TICKET_LOOK_TEXTS.value, filed.ticket.opening.id
            append(connection, Act(principal.person, what, KIND, id_, now, facts=facts))
        calendar, kept = read_calendar(connection), files.kept_of(connection, UUID(filed.ticket.opening.id))
    told = {"number": filed.number, **shown_to(filed.ticket, actor, calendar, now)}
    reads = may_read(filed.ticket, actor)
    told["evidence"] = [
        {**each, "kept": each["sha256"] in kept if reads else None} for each in told["evidence"]
    ]
    return told


def reported(parts: Parts, principal: Principal, report: Report, key: str | None = None) -> Answer:
    """File a report as a ticket, under the policy that is adopted now.

    Raises:
        AnswerProblem: somebody may not, or rules are against it.
        BusUnavailable, NothingThere: the record cannot be looked up.
        OrderDiffers: the key was used for another order.
    """
    permit(parts, principal, Asked.TICKET_REPORT, own(principal))
    record = _record(parts, principal, report.at, report.items)
    now = parts.clock()
    with parts.database.begin() as connection:
        desk = _desk(parts, connection, principal, key)
        opening = Opening(
            id=str(parts.new_id(now)),
            reporter=actor_of(principal, Role.CONSUMER),
            when=now,
            reported=record,
            statement=report.statement,
            evidence=report.evidence,
            rules=_rules(connection),
        )
        answer = take_report(connection, desk, opening)
        _keep(connection, answer, report.files, now)
    return _done(answer)


def acted(parts: Parts, principal: Principal, number: int, wanted: Wanted) -> Answer:
    """Take an action on a ticket.

    Raises:
        AnswerProblem: somebody may not, rules are against it, or somebody was quicker.
        BusUnavailable, NothingThere: the version that is still wrong cannot be looked up.
        OrderDiffers: the key was used for another order.
    """
    given = wanted.given
    if wanted.at is not None:
        items = _items(parts, principal, number)
        given = replace(given, reported=_record(parts, principal, wanted.at, items))
    with parts.database.begin() as connection:
        filed = _found(connection, number)
        require_sight(parts, principal, Asked.TICKET_LOOK, whose(filed))
        role = permit(parts, principal, Asked(f"ticket.{wanted.action.value}"), whose(filed)).role
        desk = _desk(parts, connection, principal, wanted.key)
        actor = actor_of(principal, Role(role.value))
        seen = filed.version if wanted.seen is None else wanted.seen
        id_ = UUID(filed.ticket.opening.id)
        try:
            answer = act(connection, desk, id_, seen, wanted.action, actor, given)
        except ReadAgain as error:
            raise _overtaken(filed, seen) from error
        _keep(connection, answer, wanted.files, parts.clock())
    return _done(answer)


def attachment(parts: Parts, principal: Principal, number: int, sha256: str) -> bytes:
    """One attachment of a ticket, for its parties; who reads it is noted in the ledger.

    Raises:
        AnswerProblem: there is none, it is not kept, or somebody may not read it.
    """
    with parts.database.begin() as connection:
        filed = _found(connection, number)
        require_sight(parts, principal, Asked.TICKET_LOOK, whose(filed))
        permit(parts, principal, Asked.TICKET_LOOK_TEXTS, whose(filed))
        actor, id_ = _reader(principal, filed), filed.ticket.opening.id
        found = files.content_of(connection, UUID(id_), sha256)
        if found is None or not may_read(filed.ticket, actor):
            raise AnswerProblem(Code.NOT_FOUND)
        facts = {"role": actor.role.value, "department": actor.department, "evidence": sha256}
        what, now = Asked.TICKET_LOOK_TEXTS.value, parts.clock()
        append(connection, Act(principal.person, what, KIND, id_, now, facts=facts))
    return found


def _keep(
    connection: Connection, answer: Answer | Refused, contents: tuple[bytes, ...], now: datetime
) -> None:
    if contents and isinstance(answer, Answer):
        filed = load(connection, UUID(str(answer.id)))
        if filed is not None:
            files.keep(connection, filed.ticket, contents, now)


def whose(filed: Filed) -> Whose:
    """The departments of a ticket: who provides the record, and who reported it."""
    opening = filed.ticket.opening
    return Whose(provider=opening.provider, consumer=opening.reporter.department)


def _record(parts: Parts, principal: Principal, at: str, items: Sequence[str]) -> Reported:
    """The record at a coordinate, for a department to which its resource is or was delivered.

    To all others, and of what is not there, one thing is said: nobody learns here which records there are.

    Raises:
        BusUnavailable: the record cannot be looked up.
        NothingThere: there is none that the department may know of.
    """
    try:
        record = parts.bus.reported(at, items)
    except NothingThere:
        raise NothingThere(_NO_RECORD) from None
    if not _was_given(parts, principal.department, record.contested.resource):
        raise NothingThere(_NO_RECORD)
    return record


def _was_given(parts: Parts, department: str, resource: str) -> bool:
    policy = parts.bus.policy()
    entries = [] if policy is None else [each.grant for each in policy.grants.values()]
    if any((each.consumer, each.resource) == (department, resource) for each in entries):
        return True
    with parts.database.reading() as connection:
        return was_delivered(connection, department, resource)


def _items(parts: Parts, principal: Principal, number: int) -> list[str]:
    """The items that the ticket is about, for whoever may reopen it."""
    with parts.database.begin() as connection:
        filed = _found(connection, number)
        require_sight(parts, principal, Asked.TICKET_LOOK, whose(filed))
    permit(parts, principal, Asked.TICKET_REOPEN, whose(filed))
    return [item for item, _ in filed.ticket.reported.contested.values]


def _found(connection: Connection, number: int) -> Filed:
    """The ticket, locked: row and events are of one moment."""
    id_ = id_of(connection, number)
    filed = None if id_ is None else load(connection, id_, lock=True)
    if filed is None:
        raise AnswerProblem(Code.NOT_FOUND)
    return filed


def _reader(principal: Principal, filed: Filed) -> Actor:
    """As whom somebody looks: in the role that may read the texts, if one of his may."""
    roles = [role for role in sorted(principal.roles) if _looks(principal, role, filed)]
    actors = [actor_of(principal, Role(role.value)) for role in roles]
    reads = sees(principal, Asked.TICKET_LOOK_TEXTS, whose(filed))
    return next((each for each in actors if reads and may_read(filed.ticket, each)), actors[0])


def _looks(principal: Principal, role: AccountRole, filed: Filed) -> bool:
    return sees(replace(principal, roles=frozenset({role})), Asked.TICKET_LOOK, whose(filed))


def _desk(parts: Parts, connection: Connection, principal: Principal, key: str | None) -> Desk:
    now = parts.clock()
    named = None if key is None else f"{principal.person}:{key}"
    return Desk(principal.person, now, read_calendar(connection), lambda: parts.new_id(now), named)


def _rules(connection: Connection) -> TicketRules:
    """What the adopted policy sets for tickets.

    Raises:
        AnswerProblem: none is adopted.
    """
    found = adopted(connection)
    if found is None:
        raise refused([_NO_POLICY])
    return rules_from(Policy((), (), found.policy.values), found.policy.dispute_levels)


def _overtaken(filed: Filed, seen: int) -> AnswerProblem:
    meanwhile = [
        {"number": each.number, "action": each.action.value, "when": each.when.isoformat()}
        for each in filed.ticket.events[max(seen, 0) :]
    ]
    return AnswerProblem(
        Code.OVERTAKEN,
        headers={"etag": etag_of(filed.version)},
        seen=seen,
        version=filed.version,
        state=filed.ticket.state.value,
        meanwhile=meanwhile,
    )


def _done(answer: Answer | Refused) -> Answer:
    if isinstance(answer, Refused):
        raise refused(answer.problems)
    return answer
