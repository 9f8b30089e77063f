"""What the ledger is told of cases: who did what, for whom, where it led; no text that a person wrote."""

from datetime import datetime

from services.control.cases.case import Case
from services.control.desk.following import SYSTEM
from services.control.desk.orders import Order
from services.control.docket.case_clocks import CaseClock, DueLine
from services.control.docket.filed import Filed
from services.control.store.outbox import Act, Fact

_KIND = "case"


def act_of(number: int, case: Case, account: str) -> Act:
    """The act of a case's last event."""
    event = case.events[-1]
    facts: dict[str, Fact] = {
        "number": number,
        "event": event.number,
        "state": case.state.value,
        "role": event.who.role.value,
        "department": event.who.department,
    }
    if account != event.who.person:
        facts["for"] = event.who.person
    reason = event.refusal_reason or event.stop_reason
    if event.step is not None:
        facts["step"] = event.step.value
    why = "" if reason is None else reason.value
    return Act(account, f"case.{event.action.value}", _KIND, case.opening.id, event.when, why, facts)


def opening_act(filed: Filed, order: Order) -> Act:
    """The act of opening a case."""
    facts: dict[str, Fact] = {
        "number": filed.number,
        "department": order.actor.department,
        "resource": filed.case.application.resource,
        "policy": filed.digest,
    }
    if order.account != order.actor.person:
        facts["for"] = order.actor.person
    return Act(order.account, "case.open", _KIND, filed.case.opening.id, order.now, facts=facts)


def clock_act(
    filed: Filed, clock: CaseClock, line: DueLine, what: str, now: datetime, percent: int = 0
) -> Act:
    """What a clock has to say: a reminder, a breach, a target that was missed."""
    facts: dict[str, Fact] = {
        "number": filed.number,
        "clock": clock.decided.key,
        "stage": line.stage,
        "obliged": line.obliged,
        "due_on": None if line.due_on is None else line.due_on.isoformat(),
        "on_breach": ",".join(clock.run.rule.on_breach),
    }
    if percent:
        facts["percent"] = percent
    return Act(SYSTEM.person, f"case.{what}", _KIND, filed.case.opening.id, now, facts=facts)


def recount_act(filed: Filed, line: DueLine, was: str | None, now: datetime) -> Act:
    """A due day was counted anew, since a year's notice has come."""
    facts: dict[str, Fact] = {
        "number": filed.number,
        "clock": line.key,
        "stage": line.stage,
        "was": was,
        "due_on": None if line.due_on is None else line.due_on.isoformat(),
        "provisional": line.provisional,
    }
    return Act(SYSTEM.person, "case.recounted", _KIND, filed.case.opening.id, now, facts=facts)
