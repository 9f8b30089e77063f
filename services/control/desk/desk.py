"""The desk at which cases are acted on: one order, one transaction, one answer.

The case is locked, the rules are asked, the event is appended, and what follows by itself is done in the same
transaction: the control plane's next step, the clocks, the acts for the ledger, what departments are told,
the request for a grant.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.application import Application
from services.control.cases.bounds import application_bounds
from services.control.cases.case import Case, Given, Opening, fold, opened
from services.control.cases.life import Refused, apply
from services.control.cases.words import Action, Problem, Role
from services.control.clocks.calendar import civil_day
from services.control.desk.acts import act_of, opening_act
from services.control.desk.following import SYSTEM, next_action, provisioning_round, request_for
from services.control.desk.kept import (
    content_digest,
    kept_answer,
    opening_digest,
    problems_of,
    problems_written,
)
from services.control.desk.orders import (
    Answer,
    Declined,
    Done,
    KeyReused,
    NoSuchCase,
    NotOpened,
    OpeningAnswer,
    Order,
    Overtaken,
)
from services.control.desk.ports import Calendars, Entries, Provisioner
from services.control.desk.telling import tell_moves
from services.control.docket.case_clocks import due_lines
from services.control.docket.extending import extension_problems, named
from services.control.docket.filed import Filed
from services.control.docket.mounted import Mounted
from services.control.store.cases.commands import Known, answered, claim
from services.control.store.cases.policies import Adopted, adopted
from services.control.store.cases.reading import load
from services.control.store.cases.writing import add, record
from services.control.store.ids import new_id
from services.control.store.outbox import append, append_all
from topics.event import GrantId

_OTHER_ROUND: Final = Problem(
    "STEP_OF_OTHER_ROUND",
    "round",
    "the step belongs to a provisioning that is over",
    "report only steps of the request that came last",
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Acts on cases with what it asks of others; the caller owns the transaction."""

    entries: Entries
    calendars: Calendars
    provisioner: Provisioner
    ids: Callable[[datetime], UUID] = new_id
    """Makes ids of what departments are told."""

    def open(
        self, connection: Connection, order: Order, case: UUID, application: Application
    ) -> OpeningAnswer:
        """Open a case as a draft, bound to the policy that is adopted now.

        Args:
            connection: in the caller's transaction.
            order: who opens it, by which key; without one nothing is remembered.
            case: the id that it gets, unless the key has opened one before.
            application: the first draft, complete or not.
        """
        if not order.key:
            return self._open(connection, order, case, application)
        digest = opening_digest(order, application)
        known = claim(connection, order.key, digest, order.now)
        if known is not None:
            return self._opened_before(connection, order, digest, known)
        opened = self._open(connection, order, case, application)
        written = (
            {"outcome": "done", "case": str(case), "version": 0}
            if isinstance(opened, Done)
            else {"outcome": "not_opened", "problems": problems_written(opened.problems)}
        )
        answered(connection, order.key, written)
        return opened

    def act(
        self,
        connection: Connection,
        order: Order,
        case: UUID,
        action: Action,
        given: Given,
        round_: int | None = None,
    ) -> Answer:
        """Take an action, once for each key; one without a key takes place as often as it comes.

        Args:
            connection: in the caller's transaction.
            order: who asks, when, by which key, on which version.
            case: the case.
            action: what is asked for.
            given: what comes with it; the entry as it stands now is added here.
            round_: for results of steps, the provisioning that they belong to.
        """
        if not order.key:
            return self.carry_out(connection, order, case, action, given, round_)
        digest = content_digest(order, case, action, given, round_)
        known = claim(connection, order.key, digest, order.now)
        if known is not None:
            return self._answered_before(connection, order, digest, known)
        answer = self.carry_out(connection, order, case, action, given, round_)
        answered(connection, order.key, kept_answer(answer))
        return answer

    def carry_out(
        self,
        connection: Connection,
        order: Order,
        case: UUID,
        action: Action,
        given: Given,
        round_: int | None = None,
    ) -> Done | Declined | Overtaken | NoSuchCase:
        """Take an action without remembering its key: for what asks the case itself whether it is due."""
        filed = load(connection, case, lock=True)
        if filed is None:
            return NoSuchCase(str(case))
        if order.seen is not None and order.seen != filed.version:
            return _overtaken(filed, order.seen)
        if round_ is not None and round_ != provisioning_round(filed.case):
            return _declined(filed, action, (_OTHER_ROUND,))
        mounted = self.entries.mounted(connection, filed.case.application.resource)
        brought = named(filed, _brought(given, mounted))
        after = apply(filed.case, action, order.actor, order.now, brought)
        if isinstance(after, Refused):
            return _declined(filed, action, after.problems)
        problems = tuple(self._clock_problems(connection, order, filed, action, brought))
        if problems:
            return _declined(filed, action, problems)
        trail = (filed.case, after, *_following(after, after.events[-1].when, brought))
        return Done(self._record(connection, order, filed, trail, brought))

    def _clock_problems(
        self, connection: Connection, order: Order, filed: Filed, action: Action, given: Given
    ) -> Iterator[Problem]:
        """What the clocks of a case have against an action: rules of cases know none."""
        if action is Action.EXTEND and given.more_time is not None:
            calendar = self.calendars.current(connection)
            yield from extension_problems(filed, order.actor, given.more_time, calendar, order.now)

    def _record(
        self, connection: Connection, order: Order, filed: Filed, trail: tuple[Case, ...], brought: Given
    ) -> Filed:
        """Write a case that has moved, and everything that is owed for it."""
        followed = len(trail) - 2
        recorders = (*filed.recorders, order.recorder, *[""] * followed)
        after = replace(filed, case=trail[-1], recorders=recorders)
        calendar = self.calendars.current(connection)
        record(connection, filed, after, due_lines(after.clocks, calendar))
        accounts = (order.account, *[SYSTEM.person] * followed)
        moves = [(*turn, account) for turn, account in zip(pairwise(trail), accounts, strict=True)]
        append_all(connection, [act_of(filed.number, moved, account) for _, moved, account in moves])
        tell_moves(connection, pairwise(trail), calendar, self.ids)
        for before, moved, _ in moves:
            request = request_for(before, moved, brought.resource, brought.grades)
            if request is not None:
                self.provisioner.request(connection, request)
        return after

    def _open(
        self, connection: Connection, order: Order, case: UUID, application: Application
    ) -> Done | NotOpened:
        policy = adopted(connection)
        mounted = self.entries.mounted(connection, application.resource)
        problems = tuple(_opening_problems(order, application, policy, mounted))
        if problems or policy is None or mounted is None:
            return NotOpened(problems)
        facts = dict(mounted.facts)
        opening = Opening(
            id=str(case),
            grant=GrantId(f"case-{case.hex}"),
            provider=mounted.resource.provider,
            application=application,
            rules=policy.policy.rules(facts),
        )
        number = add(connection, opening, policy.digest, facts, mounted.code, order.now)
        filed = Filed(opened(opening), number, policy.digest, policy.policy, facts, mounted.code)
        append(connection, opening_act(filed, order))
        return Done(filed)

    def _opened_before(
        self, connection: Connection, order: Order, digest: str, known: Known
    ) -> OpeningAnswer:
        if known.digest != digest:
            return KeyReused(order.key)
        if known.answer["outcome"] == "not_opened":
            return NotOpened(problems_of(known.answer["problems"]), repeated=True)
        return Done(_as_of(connection, known), repeated=True)

    def _answered_before(self, connection: Connection, order: Order, digest: str, known: Known) -> Answer:
        """The answer of the first time, put together from events, which never change."""
        kept = known.answer
        if known.digest != digest:
            return KeyReused(order.key)
        if kept["outcome"] == "none":
            return NoSuchCase(kept["case"])
        then = _as_of(connection, known)
        if kept["outcome"] == "done":
            return Done(then, repeated=True)
        if kept["outcome"] == "overtaken":
            return replace(_overtaken(then, kept["seen"]), repeated=True)
        problems = problems_of(kept["problems"])
        return replace(_declined(then, Action(kept["action"]), problems), repeated=True)


def _brought(given: Given, mounted: Mounted | None) -> Given:
    """What comes with an action, with the entry as it stands now instead of any that was handed in."""
    if mounted is None:
        return replace(given, resource=None, forms={}, grades={})
    return replace(given, resource=mounted.governed, forms=mounted.forms, grades=mounted.grades)


def _following(case: Case, now: datetime, brought: Given) -> Iterator[Case]:
    """The case after each step that the control plane takes by itself; none where rules are against it."""
    entry = Given(resource=brought.resource, forms=brought.forms, grades=brought.grades)
    while (action := next_action(case, brought.resource, brought.grades)) is not None:
        after = apply(case, action, SYSTEM, now, entry)
        if isinstance(after, Refused):
            return
        yield after
        case = after


def _opening_problems(
    order: Order, application: Application, policy: Adopted | None, mounted: Mounted | None
) -> Iterator[Problem]:
    if order.actor.role is not Role.CONSUMER:
        what = f"applying is not for the role {order.actor.role.value}"
        yield Problem("WRONG_ROLE", "role", what, "ask: applicant")
    elif order.actor.department != application.applicant:
        what = f"{order.actor.department} cannot apply for {application.applicant}"
        yield Problem("OTHER_DEPARTMENT", "applicant", what, "apply for your own department")
    yield from application_bounds(application, civil_day(order.now))
    if policy is None:
        remedy = "have the authority adopt policy packs: `govbus policy adopt`"
        yield Problem(
            "POLICY_MISSING", "policy", "no policy is adopted that a case could be bound to", remedy
        )
    if mounted is None:
        what = f"there is no published entry of {application.resource}"
        yield Problem("RESOURCE_UNKNOWN", "resource", what, "choose an entry of the catalogue")


def _declined(filed: Filed, action: Action, problems: tuple[Problem, ...]) -> Declined:
    case = filed.case
    return Declined(case.opening.id, filed.number, filed.version, action, case.state, problems)


def _overtaken(filed: Filed, seen: int) -> Overtaken:
    case = filed.case
    meanwhile = case.events[max(seen, 0) :]
    return Overtaken(case.opening.id, filed.number, seen, filed.version, case.state, meanwhile)


def _as_of(connection: Connection, known: Known) -> Filed:
    """The case as it stood when an answer was given first."""
    filed = load(connection, UUID(known.answer["case"]), lock=True)
    if filed is None:
        raise LookupError(known.answer["case"])
    version = known.answer["version"]
    case = fold(filed.case.opening, filed.case.events[:version])
    return replace(filed, case=case, recorders=filed.recorders[:version])
