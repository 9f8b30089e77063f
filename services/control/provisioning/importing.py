"""Makes cases of the grants that definitions declared, once; from then on cases decide about grants."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.words import Action, Problem, State
from services.control.desk.desk import Desk
from services.control.desk.following import SYSTEM
from services.control.desk.importing import import_case
from services.control.desk.orders import Order
from services.control.docket.filed import Filed
from services.control.provisioning.marks import mark_of
from services.control.provisioning.policy_changes import handed_over
from services.control.store.cases.policies import adopted
from services.control.store.database import ControlDatabase
from services.control.store.provisioning.entitled import cases_of_grants
from topics.event import GrantId
from topics.grants.declaration import GrantState
from topics.policy import GrantPolicy, Policy


class PolicyBus(Protocol):
    """The policy as far as the import needs it."""

    def policy(self) -> Policy:
        """The newest version.

        Raises:
            NoPolicyYet: there is none.
        """
        ...

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        """Write what follows the newest version, which nobody else writes meanwhile."""
        ...


class ImportRefused(Exception):  # noqa: N818 - says what happened
    """Nothing was imported: correct each of ``problems``."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.what for problem in problems))
        self.problems = problems


class ImportOvertaken(Exception):  # noqa: N818 - says what happened
    """Grants changed while they were imported; import again, what was opened is kept."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The cases that grants became, and the policy version from which on they count."""

    policy_version: int
    cases: tuple[Filed, ...]
    repeated: bool = False
    """Cases decided about grants already, and nothing was done."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import: who orders it, and why."""

    database: ControlDatabase
    desk: Desk
    bus: PolicyBus
    new_id: Callable[[datetime], UUID]
    who: str
    why: str
    now: datetime

    def run(self) -> Imported:
        """Open the cases, then hand the grants over; interrupted, run it again.

        Raises:
            ImportRefused: something is against it, and nothing was done.
            ImportOvertaken: grants changed meanwhile.
            NoPolicyYet: nothing was applied yet.
        """
        policy = self.bus.policy()
        if policy.by_cases:
            return Imported(policy.version, (), repeated=True)
        with self.database.begin() as connection:
            filed = self._cases(connection, policy)
        marks = {each.case.opening.grant: mark_of(each.case, 1) for each in filed}
        now_ms = int(self.now.timestamp() * 1000)
        written = self.bus.write(lambda newest: handed_over(_unchanged(newest, policy), marks, now_ms))
        return Imported(written.version, filed)

    def _cases(self, connection: Connection, policy: Policy) -> tuple[Filed, ...]:
        entries = importable(policy)
        known = cases_of_grants(connection, sorted(policy.grants))
        wanted = adopted(connection)
        problems = [*import_problems(policy), *_known_problems(known, {entry.grant.id for entry in entries})]
        if wanted is None:
            problems.append(_NO_POLICY)
        if problems or wanted is None:
            raise ImportRefused(tuple(problems))
        return tuple(
            known.get(entry.grant.id)
            or import_case(
                connection,
                self.desk,
                entry.grant,
                policy.resources[entry.grant.resource].resource,
                wanted,
                Order(key="", actor=SYSTEM, now=self.now, recorder=self.who),
                self.new_id(self.now),
                f"imported from the definitions: {self.why}",
            )
            for entry in entries
        )


_NO_POLICY = Problem(
    "POLICY_MISSING",
    "policy",
    "no policy packs are adopted that cases could be bound to",
    "have the authority adopt them: `govbus policy adopt`",
)


def importable(policy: Policy) -> list[GrantPolicy]:
    """The grants that deliver, or would but for a suspension that is in force; in the order of their ids."""
    given_back = {grant for hold in policy.holds.values() for grant in hold.grants}
    return [
        entry
        for grant, entry in sorted(policy.grants.items())
        if entry.grant.state is GrantState.ACTIVE
        or (entry.grant.state is GrantState.SUSPENDED and grant in given_back)
    ]


def import_problems(policy: Policy) -> Iterator[Problem]:
    """Yield the grants that cannot become active cases as they are; what is revoked stays what it is."""
    wanted = {entry.grant.id for entry in importable(policy)}
    for grant, entry in sorted(policy.grants.items()):
        if entry.grant.state is GrantState.FILLING:
            what = f"grant {grant} is being filled"
            yield Problem("GRANT_FILLING", "grant", what, "`govbus apply` until it is active")
        elif entry.grant.state is GrantState.SUSPENDED and grant not in wanted:
            what = f"grant {grant} is suspended by its definition"
            remedy = "revoke it there, or activate it and `govbus grant suspend` it; then import"
            yield Problem("GRANT_SUSPENDED", "grant", what, remedy)
        elif grant in wanted and entry.grant.resource not in policy.resources:
            what = f"the resource of grant {grant} is gone"
            yield Problem("RESOURCE_UNKNOWN", "grant", what, "revoke the grant, then import")


def _known_problems(known: Mapping[GrantId, Filed], wanted: Collection[GrantId]) -> Iterator[Problem]:
    """Cases of an import that was interrupted are taken as they are, if they still say the same."""
    for grant, filed in sorted(known.items()):
        if grant not in wanted:
            if filed.case.state is State.ACTIVE:
                what = f"case {filed.number} is active, and its grant {grant} was revoked since"
                yield Problem("GRANT_GONE", "grant", what, "`govbus case terminate` it, then import")
            continue
        begun = filed.case.events[0].action if filed.case.events else None
        if begun is not Action.IMPORT or filed.case.state is not State.ACTIVE:
            what = f"case {filed.number} of grant {grant} is {filed.case.state.value}"
            yield Problem("GRANT_OF_CASE", "grant", what, "revoke the grant in the definitions, then import")


def _unchanged(newest: Policy, known: Policy) -> Policy:
    now, before = ({e.grant.id: e for e in importable(each)} for each in (newest, known))
    if now != before:
        raise ImportOvertaken("the grants were changed while they were imported: import again")
    return newest
