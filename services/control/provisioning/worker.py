"""The worker that carries decided cases to the bus: takes what is owed, does it, and reports each step.

What it does may be repeated, and what is done stands in the database or on the bus, never here: it may end
anywhere. Of two workers one waits. What stops delivery never waits for what gives it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.case import Case, Given
from services.control.cases.provisioning import Progress, Step
from services.control.cases.words import Action, State
from services.control.clocks.calendar import civil_day
from services.control.credential_life import DEFAULT_DAYS, expiry
from services.control.desk.desk import Desk
from services.control.desk.following import SYSTEM, provisioning_round
from services.control.desk.orders import Declined, Done, Order
from services.control.docket.filed import Filed
from services.control.docket.requests import GrantRequest, Wanted
from services.control.docket.written import UnknownForm
from services.control.provisioning.announcing import announce
from services.control.provisioning.marks import is_known, mark_of
from services.control.provisioning.ports import CannotProvide, GrantBus, StopUnderWay
from services.control.provisioning.reasons import detail_of, fault_of, reason_of
from services.control.provisioning.retrying import Patience
from services.control.provisioning.switch_following import SwitchFollower, SwitchWatch
from services.control.provisioning.switch_orders import known_orders
from services.control.store.cases.reading import DistrustCase, load
from services.control.store.database import ControlDatabase
from services.control.store.provisioning import credentials, works
from services.control.store.provisioning.tables import Outcome
from services.control.store.provisioning.turns import Lane, turn
from services.control.store.provisioning.works import FailedStep, Work
from topics.event import TopicName
from topics.grants.declaration import Grant
from topics.names import epochs, grant_topic
from topics.policy import CaseMark
from topics.quality.values import CIVIL_TIME

_STOPS: Final = (Wanted.SUSPEND, Wanted.END)
_GIVES: Final = (Wanted.PROVIDE, Wanted.OPEN)
_OLD: Final = (
    "RESTORE_NEWER_DATABASE: the bus was brought to event {event} of this case, which this database does not "
    "know: it was restored from before; restore a newer one, `govbus grant drift` lists what differs"
)


class _DatabaseIsOlder(Exception):  # noqa: N818 - says what is the matter
    """The bus knows more of the case than the database: nothing is given on its word."""


@dataclass(slots=True)
class ProvisioningWorker:
    """Carries out what cases ask of the bus."""

    database: ControlDatabase
    desk: Desk
    bus: GrantBus
    clock: Callable[[], datetime]
    new_id: Callable[[datetime], UUID]
    say: Callable[[str], None]
    patience: Patience = field(default_factory=Patience)
    credential_days: int = DEFAULT_DAYS
    """For how many days a credential is good that it makes."""
    _finishes: bool = True
    """Whether what an earlier worker has begun to stop may still be half done."""
    _watch: SwitchWatch = field(init=False)

    def __post_init__(self) -> None:
        follower = SwitchFollower(self.database, self.desk, self.say)
        self._watch = SwitchWatch(self.bus, follower, self.patience.unfinished)

    def turn(self) -> bool:
        """Do what is owed next, stops first; return whether there was work.

        Raises:
            StoreError: the database is away or was busy; nothing is lost, call it again.
        """
        stopped = self.stop()
        return self.provide() or stopped

    def stop(self) -> bool:
        """Tell cases what the kill switch did, and carry out one suspension or withdrawal, if one is owed."""
        with turn(self.database, Lane.STOPPING) as mine:
            if not mine:
                return False
            told = self._watch.turn(self.clock())
            self._finishes |= self._watch.left_half_done
            self._finish_begun()
            work = self._next(_STOPS)
            if work is not None:
                self._stop(work)
            return told or work is not None

    def provide(self) -> bool:
        """Carry one case through the steps that are pending, or as far as they go."""
        with turn(self.database, Lane.PROVIDING) as mine:
            if not mine:
                return False
            retried = self._retry_failed()
            work = self._next(_GIVES)
            if work is not None:
                self._give(work)
            return work is not None or retried

    def _next(self, wanted: tuple[Wanted, ...]) -> Work | None:
        now = self.clock()
        with self.database.begin() as connection:
            works.take(connection, now)
            return works.next_owed(connection, wanted, now)

    def _finish_begun(self) -> None:
        if self._finishes:
            try:
                self.bus.finish()
            except Exception as error:  # noqa: BLE001 - what is owed is carried out all the same
                self.say(f"what was begun to stop delivery is not finished: {reason_of(error)}")
            else:
                self._finishes = False

    def _retry_failed(self) -> bool:
        """Order the next attempt of each failed step whose wait is over."""
        with self.database.begin() as connection:
            failed = works.failed_steps(connection, self.patience.attempts)
        now = self.clock()
        due = [each for each in failed if each.moved_at + self.patience.steps.after(each.attempts) <= now]
        taken = [self._retried(each) for each in due]
        return any(taken)

    def _retried(self, failed: FailedStep) -> bool:
        """Whether the case took the order; one that is distrusted holds up no other."""
        try:
            with self.database.begin() as connection:
                order, given = self._order(), Given(step=failed.step)
                answer = self.desk.carry_out(connection, order, failed.case, Action.RETRY_STEP, given)
        except (UnknownForm, DistrustCase) as error:
            self.say(f"case {failed.case}: {reason_of(error)}")
            return False
        return isinstance(answer, Done)

    def _order(self) -> Order:
        return Order(key="", actor=SYSTEM, now=self.clock())

    # What takes away

    def _stop(self, work: Work) -> None:
        try:
            filed = self._load(work)
            mark = mark_of(filed.case, work.event)
            receipt = self._stopped(work, filed, mark)
        except StopUnderWay as reason:
            self._look_again(work, str(reason))
            return
        except Exception as error:  # noqa: BLE001 - it stands on the case, and is tried for ever
            self._finishes = True
            self._put_off(work, error, self.patience.stops.after(work.attempts + 1))
            return
        note = f"receipt {receipt}" if receipt else "nothing was delivered"
        self._end(work, Outcome.DONE, note, receipt)

    def _stopped(self, work: Work, filed: Filed, mark: CaseMark) -> str:
        """The receipt: of the order of the switch that the case follows while it holds, else of its own."""
        order = filed.case.events[work.event - 1].order
        adopted = self.bus.adopt(work.grant, order, mark) if order else ""
        if adopted:
            return adopted
        done = self.bus.suspend if work.wanted is Wanted.SUSPEND else self.bus.withdraw
        receipt = done(work.grant, _account(filed, work.event), _why(filed, work.event), mark)
        if not receipt:
            self.bus.close(_topics(filed.case))
        return receipt

    def _look_again(self, work: Work, receipt: str) -> None:
        with self.database.begin() as connection:
            soon = self.clock() + self.patience.stops.first
            works.put_off(connection, work, f"suspension {receipt} is under way", soon, failed=False)

    # What gives

    def _give(self, work: Work) -> None:
        try:
            if work.wanted is Wanted.OPEN:
                self._open(work)
            else:
                self._provide(work, works.request_of(work))
        except _DatabaseIsOlder as error:
            with self.database.begin() as connection:
                later = self.clock() + self.patience.database
                works.put_off(connection, work, str(error), later, failed=False)
            self.say(f"case {work.case}: {error}")
        except (UnknownForm, DistrustCase) as error:
            self._put_off(work, error, self.patience.database)

    def _open(self, work: Work) -> None:
        filed = self._load(work)
        try:
            self._require_known(filed)
            note = self.bus.confirm(work.grant, mark_of(filed.case, work.event))
        except _DatabaseIsOlder:
            raise
        except Exception as error:  # noqa: BLE001 - it stands on the case, and is tried again
            self._put_off(work, error, self.patience.steps.after(work.attempts + 1))
            return
        self._end(work, Outcome.DONE, note)

    def _provide(self, work: Work, request: GrantRequest) -> None:
        """Step after step, each reported before the next begins."""
        while True:
            step = self._next_step(work)
            if step is None:
                return
            filed = self._load(work)
            try:
                self._require_known(filed)
                counts = self._do(step, filed, request)
            except _DatabaseIsOlder:
                raise
            except Exception as error:  # noqa: BLE001 - it stands on the case
                self.say(f"case {filed.number}: {step.value} failed: {reason_of(error)}")
                self._report_failed(work, step, error)
                return
            if not self._report_done(work, step, filed, counts):
                return

    def _next_step(self, work: Work) -> Step | None:
        """The step whose turn it is; None where nothing is to be done now, which is noted."""
        with self.database.begin() as connection:
            newer = works.overtaken_by(connection, work)
            filed = self._loaded(connection, work, lock=True)
            ready = self._ready(filed.case)
            if newer is not None:
                note = f"overtaken by what event {newer} asks for"
                works.ended(connection, work, Outcome.DROPPED, note, self.clock())
            elif not _is_of_round(filed.case, work):
                note = f"the case is {filed.case.state.value} now"
                works.ended(connection, work, Outcome.DROPPED, note, self.clock())
            elif ready > self.clock():
                note = f"its first day is {civil_day(ready)}: until then nothing is made"
                works.put_off(connection, work, note, ready, failed=False)
            else:
                return self._pending(connection, work, filed.case)
        return None

    def _pending(self, connection: Connection, work: Work, case: Case) -> Step | None:
        left = [each for each in case.steps if each.progress is not Progress.DONE]
        if left and left[0].progress is Progress.PENDING:
            return left[0].step
        failed = f"step {left[0].step.value} failed: {left[0].reason}" if left else "all steps are done"
        outcome = Outcome.FAILED if left else Outcome.DONE
        works.ended(connection, work, outcome, failed, self.clock())
        return None

    def _ready(self, case: Case) -> datetime:
        """The begin of the first day in Beijing: an epoch before it would withhold everything."""
        start = case.approval.start if case.approval is not None else case.application.start
        return datetime.combine(start, time(), CIVIL_TIME)

    def _require_known(self, filed: Filed) -> None:
        mark = self.bus.policy().cases.get(filed.case.opening.grant)
        if mark is not None and not is_known(filed.case, mark):
            raise _DatabaseIsOlder(_OLD.format(event=mark.event))

    def _do(self, step: Step, filed: Filed, request: GrantRequest) -> Mapping[str, int]:
        """Carry a step out; return what an epoch counted, if there was one."""
        if request.excess:
            codes = ", ".join(request.excess)
            raise CannotProvide(f"the grant would not be what was decided: {codes}", _MEND_ENTRY)
        consumer, grant = filed.case.application.applicant, request.grant
        mark, orders = mark_of(filed.case, request.round), known_orders(filed.case, request.round)
        match step:
            case Step.TOPIC:
                self.bus.make_topics(_pushed(grant))
            case Step.CREDENTIAL:
                self.bus.make_user(consumer)
            case Step.RIGHTS:
                self.bus.give_rights(consumer, grant, mark)
            case Step.POLICY if grant is None:
                self.bus.note(request.id, mark)
            case Step.POLICY:
                self.bus.begin(_pushed(grant), mark, orders)
            case Step.ACKNOWLEDGED:
                self.bus.settle(request.id)
            case Step.BACK_FILL:
                return self.bus.back_fill(_pushed(grant), mark, orders)
            case Step.ANNOUNCED:
                pass
        return {}

    # Reports

    def _report_done(self, work: Work, step: Step, filed: Filed, counts: Mapping[str, int]) -> bool:
        """Report the step with what belongs to it; False where the case went another way meanwhile."""
        now = self.clock()
        with self.database.begin() as connection:
            order, given = self._order(), Given(step=step)
            answer = self.desk.carry_out(connection, order, work.case, Action.STEP_DONE, given, work.round)
            if not isinstance(answer, Done):
                self._not_taken(connection, work, step, _codes(answer), now)
                return False
            if counts:
                works.filled(connection, work, counts["records"], counts.get("swept", 0))
            announce(connection, filed.case, step, self.new_id(now), now, self.desk.calendars)
            if step is Step.CREDENTIAL:
                until = expiry(now, self.credential_days)
                credentials.enter(connection, filed.case.application.applicant, now, until)
            if all(each.progress is Progress.DONE for each in answer.filed.case.steps):
                works.ended(connection, work, Outcome.DONE, "all steps are done", now)
                return False
        self.say(f"case {filed.number}: {step.value} is done")
        return True

    def _not_taken(
        self, connection: Connection, work: Work, step: Step, codes: frozenset[str], now: datetime
    ) -> None:
        """The case went another way and the request is over; or the clocks differ, and it comes again."""
        note = f"{step.value} was done, and the case did not take it: {', '.join(sorted(codes))}"
        if codes & _OTHER_WAY:
            works.ended(connection, work, Outcome.DROPPED, note, now)
        else:
            works.put_off(connection, work, note, now + self.patience.stops.longest, failed=False)

    def _report_failed(self, work: Work, step: Step, error: Exception) -> None:
        now, fault, detail = self.clock(), fault_of(error), detail_of(error)
        with self.database.begin() as connection:
            order, given = self._order(), Given(step=step, text=detail, fault=fault)
            answer = self.desk.carry_out(connection, order, work.case, Action.STEP_FAILED, given, work.round)
            outcome = Outcome.FAILED if isinstance(answer, Done) else Outcome.DROPPED
            note = f"step {step.value} failed: {fault.value}: {detail}"
            works.ended(connection, work, outcome, note, now)

    def _put_off(self, work: Work, error: Exception, wait: timedelta) -> None:
        with self.database.begin() as connection:
            works.put_off(connection, work, reason_of(error), self.clock() + wait, failed=True)
        self.say(f"{work.wanted.value} of {work.grant} failed: {reason_of(error)}")

    def _end(self, work: Work, outcome: Outcome, note: str, receipt: str = "") -> None:
        with self.database.begin() as connection:
            works.ended(connection, work, outcome, note, self.clock(), receipt)
        self.say(f"{work.wanted.value} of {work.grant}: {note}")

    def _load(self, work: Work) -> Filed:
        with self.database.reading() as connection:
            return self._loaded(connection, work)

    def _loaded(self, connection: Connection, work: Work, *, lock: bool = False) -> Filed:
        filed = load(connection, work.case, lock=lock)
        if filed is None:
            raise LookupError(str(work.case))
        return filed


_MEND_ENTRY: Final = "correct the entry in the catalogue or terminate the case, then retry the step"


def _is_of_round(case: Case, work: Work) -> bool:
    return case.state is State.PROVISIONING and provisioning_round(case) == work.round


def _pushed(grant: Grant | None) -> Grant:
    if grant is None:
        raise CannotProvide("the case entitles to no grant that could be delivered", _MEND_ENTRY)
    return grant


def _topics(case: Case) -> list[TopicName]:
    """What its consumer would read of the case, where the policy does not know its grant."""
    application, grant = case.application, case.opening.grant
    return [grant_topic(application.applicant, application.resource, grant), epochs(grant)]


def _account(filed: Filed, event: int) -> str:
    """Who ordered it: the account that entered it, where that is another one than who decided."""
    return filed.recorders[event - 1] or filed.case.events[event - 1].who.person


def _why(filed: Filed, event: int) -> str:
    """The reason as a word: what a person wrote stands on the case, where rights are checked."""
    found = filed.case.events[event - 1]
    reason = found.stop_reason.value if found.stop_reason is not None else found.action.value
    return f"case {filed.number}: {reason}"


_OTHER_WAY: Final = frozenset({"WRONG_STATE", "STEP_OF_OTHER_ROUND"})
"""Why a case does not take a report that is not wanted any more; of anything else the request comes again."""


def _codes(answer: object) -> frozenset[str]:
    if isinstance(answer, Declined):
        return frozenset(problem.code for problem in answer.problems)
    return frozenset({type(answer).__name__})
