"""Looks for drift on the running bus, and repairs it: first what is too much goes, then what lacks comes."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from services.control.cases.case import Case
from services.control.cases.granting import grant_of
from services.control.cases.words import State
from services.control.clocks.calendar import civil_day
from services.control.desk.desk import Desk
from services.control.provisioning.drift import TOO_MUCH, Finding, Kind, Picture, find_drift
from services.control.provisioning.marks import mark_of
from services.control.provisioning.ports import CannotProvide, GrantBus
from services.control.provisioning.reasons import reason_of
from services.control.rights import OWN_USERS
from services.control.state import Acl
from services.control.store.database import ControlDatabase
from services.control.store.outbox import Act, Fact, append, is_id
from services.control.store.provisioning.entitled import cases_of_grants, served_cases
from services.control.store.provisioning.turns import Lane, turn
from services.control.store.provisioning.works import owed_cases
from topics.event import GrantId
from topics.grants.declaration import Grant
from topics.policy import CaseMark, Policy

_BUSY: Final = "the worker is changing the bus: repair again when it is done"
_TAKEN: Final = "drift.taken_away"
_GIVEN: Final = "drift.given_back"
_LONGEST: Final = 500
_REASON: Final = "drift: the bus gave more than the cases say"


class DriftBus(GrantBus, Protocol):
    """The bus, with its rights and users as they really are."""

    def rights(self) -> frozenset[Acl]:
        """Every right of every user."""
        ...

    def users(self) -> frozenset[str]:
        """Every user that the broker knows."""
        ...

    def remove_rights(self, acls: Collection[Acl]) -> None:
        """Take these rights away."""
        ...


class DatabaseIsOlder(Exception):  # noqa: N818 - says what is the matter
    """The bus knows more than the database: nothing is repaired on its word; restore a newer one."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"the database is older than the bus in {len(findings)} cases")
        self.findings = findings


class WorkerIsBusy(Exception):  # noqa: N818 - says what is the matter
    """The worker is changing the bus at this moment: repair again when it is done."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was found, and what of it was done; ``left`` says why of the rest."""

    found: tuple[Finding, ...]
    done: tuple[Finding, ...] = ()
    left: tuple[tuple[Finding, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """Compares the bus with the cases."""

    database: ControlDatabase
    desk: Desk
    bus: DriftBus
    clock: Callable[[], datetime]
    who: str

    def find(self) -> list[Finding]:
        """Everything that differs now.

        Raises:
            CannotProvide: cases do not decide about grants yet.
        """
        policy = self.bus.policy()
        if not policy.by_cases:
            what = "grants are declared in files: there is nothing to compare with cases"
            raise CannotProvide(what, "`govbus plan` compares the files; `govbus grant import` makes cases")
        return find_drift(self._picture(policy))

    def repair(self) -> Repaired:
        """Take away what is too much; then give back what cases lack that are active now.

        What stops delivery goes on while something is given back: that may be a long back-fill.

        Raises:
            DatabaseIsOlder: nothing was done.
            WorkerIsBusy: nothing was done.
        """
        with turn(self.database, Lane.PROVIDING) as gives:
            if not gives:
                raise WorkerIsBusy(_BUSY)
            with turn(self.database, Lane.STOPPING) as stops:
                if not stops:
                    raise WorkerIsBusy(_BUSY)
                found = self.find()
                older = tuple(each for each in found if each.kind is Kind.OLDER_DATABASE)
                if older:
                    raise DatabaseIsOlder(older)
                first = self._each([each for each in found if each.kind in TOO_MUCH], self._take)
                # What was taken because it was too wide is missing now, and comes back as it was decided.
                lacking = [each for each in self.find() if each.kind not in TOO_MUCH]
            second = self._each(lacking, self._give)
        return Repaired(tuple(found), (*first[0], *second[0]), (*first[1], *second[1]))

    def _each(
        self, findings: list[Finding], mend: Callable[[Finding], None]
    ) -> tuple[tuple[Finding, ...], tuple[tuple[Finding, str], ...]]:
        done, left = [], []
        for finding in findings:
            try:
                mend(finding)
            except Exception as error:  # noqa: BLE001 - told with the finding, and the others are mended
                left.append((finding, reason_of(error)))
            else:
                self._on_record(finding)
                done.append(finding)
        return tuple(done), tuple(left)

    def _on_record(self, finding: Finding) -> None:
        """What was mended is an act; of a right without a grant it is one on its user."""
        what = _TAKEN if finding.kind in TOO_MUCH else _GIVEN
        user = finding.acl.user if finding.acl is not None else ""
        kind, object_ = ("grant", finding.grant) if finding.grant else ("bus_user", user)
        named = object_ if is_id(object_) else "unnamed"
        facts: dict[str, Fact] = {"finding": finding.kind.value, "what": finding.what[:_LONGEST]}
        act = Act(self.who, what, kind, named, self.clock(), facts=facts)
        with self.database.begin() as connection:
            append(connection, act)

    def _take(self, finding: Finding) -> None:
        if finding.acl is not None:
            self.bus.remove_rights([finding.acl])
            return
        grant = GrantId(finding.grant)
        case = self._case(grant)
        mark = None if case is None else _mark(case)
        stays = case is not None and case.state in {State.ACTIVE, State.PROVISIONING, State.SUSPENDED}
        if stays and mark is not None:
            self.bus.suspend(grant, self.who, _REASON, mark)
        else:
            self.bus.withdraw(grant, self.who, _REASON, mark)

    def _give(self, finding: Finding) -> None:
        """For a case that is active now, asked once more; and only what it entitles to now."""
        case = self._case(GrantId(finding.grant))
        if case is None or case.state is not State.ACTIVE:
            raise CannotProvide("the case is not active any more", "look at `govbus case show`")
        mark = _mark(case)
        if finding.kind is Kind.MISSING_USER:
            self.bus.make_user(case.application.applicant)
        elif finding.kind is Kind.MISSING_RIGHT:
            self.bus.confirm(case.opening.grant, mark)
        else:
            grant = self._entitled(case)
            self.bus.make_topics(grant)
            self.bus.give_rights(grant.consumer, grant, mark)
            self.bus.begin(grant, mark)
            self.bus.settle(grant.id)
            self.bus.back_fill(grant, mark)

    def _entitled(self, case: Case) -> Grant:
        with self.database.reading() as connection:
            mounted = self.desk.entries.mounted(connection, case.application.resource)
        grant = None if mounted is None else grant_of(case, mounted.governed, mounted.grades)
        if grant is None:
            what = "the case entitles to no grant as its entry stands now"
            raise CannotProvide(what, "correct the entry in the catalogue, or terminate the case")
        return grant

    def _case(self, grant: GrantId) -> Case | None:
        with self.database.reading() as connection:
            filed = cases_of_grants(connection, [grant]).get(grant)
        return None if filed is None else filed.case

    def _picture(self, policy: Policy) -> Picture:
        with self.database.reading() as connection:
            named = [*policy.cases, *policy.grants]
            filed = {**cases_of_grants(connection, sorted(set(named)))}
            filed |= {each.case.opening.grant: each for each in served_cases(connection)}
            owed = owed_cases(connection)
        cases = {grant: each.case for grant, each in filed.items()}
        day = civil_day(self.clock())
        return Picture(cases, policy, self.bus.rights(), self.bus.users(), OWN_USERS, day, owed)


def _mark(case: Case) -> CaseMark:
    return mark_of(case, len(case.events))
