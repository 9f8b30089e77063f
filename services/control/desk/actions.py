"""One function for each action that somebody can ask for: what it needs is in its signature."""

from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.application import Application
from services.control.cases.case import Given
from services.control.cases.decision import Approval
from services.control.cases.more_time import MoreTime
from services.control.cases.provisioning import Step
from services.control.cases.words import Action, RefusalReason, StopReason
from services.control.desk.desk import Desk
from services.control.desk.orders import Answer, Order


def edit(desk: Desk, connection: Connection, order: Order, case: UUID, application: Application) -> Answer:
    """Replace the application of a draft."""
    return desk.act(connection, order, case, Action.EDIT, Given(application=application))


def submit(desk: Desk, connection: Connection, order: Order, case: UUID) -> Answer:
    """Hand a draft in; what is shared unconditionally passes at once, else somebody checks or decides."""
    return desk.act(connection, order, case, Action.SUBMIT, Given())


def supplement(
    desk: Desk, connection: Connection, order: Order, case: UUID, application: Application
) -> Answer:
    """Hand a returned application in again; its clock goes on."""
    return desk.act(connection, order, case, Action.SUPPLEMENT, Given(application=application))


def withdraw(desk: Desk, connection: Connection, order: Order, case: UUID, text: str = "") -> Answer:
    """Take an application back."""
    return desk.act(connection, order, case, Action.WITHDRAW, Given(text=text))


def accept(desk: Desk, connection: Connection, order: Order, case: UUID, text: str = "") -> Answer:
    """Let an application pass the pre-check."""
    return desk.act(connection, order, case, Action.ACCEPT, Given(text=text))


def send_back(desk: Desk, connection: Connection, order: Order, case: UUID, text: str) -> Answer:
    """Return an application for supplement; its clock stands still where the policy says so."""
    return desk.act(connection, order, case, Action.RETURN, Given(text=text))


def approve(desk: Desk, connection: Connection, order: Order, case: UUID, text: str = "") -> Answer:
    """Give what was applied for."""
    return desk.act(connection, order, case, Action.APPROVE, Given(text=text))


def approve_in_part(
    desk: Desk, connection: Connection, order: Order, case: UUID, approval: Approval, text: str
) -> Answer:
    """Give less than was applied for, and say why."""
    return desk.act(connection, order, case, Action.APPROVE_IN_PART, Given(text=text, approval=approval))


def refuse(
    desk: Desk,
    connection: Connection,
    order: Order,
    case: UUID,
    reason: RefusalReason,
    text: str,
    acceptable_if: str,
) -> Answer:
    """Give nothing, with a reason, in words, and with what would make it acceptable."""
    given = Given(text=text, refusal_reason=reason, acceptable_if=acceptable_if)
    return desk.act(connection, order, case, Action.REFUSE, given)


def appeal(desk: Desk, connection: Connection, order: Order, case: UUID, text: str) -> Answer:
    """Contest a refusal, or from the draft that an entry is not shared."""
    return desk.act(connection, order, case, Action.APPEAL, Given(text=text))


def negotiate(desk: Desk, connection: Connection, order: Order, case: UUID, text: str) -> Answer:
    """Begin to negotiate instead of a decision."""
    return desk.act(connection, order, case, Action.NEGOTIATE, Given(text=text))


def agree(desk: Desk, connection: Connection, order: Order, case: UUID, text: str) -> Answer:
    """End a negotiation: the case is decided anew."""
    return desk.act(connection, order, case, Action.AGREE, Given(text=text))


def escalate(desk: Desk, connection: Connection, order: Order, case: UUID, text: str) -> Answer:
    """Take a dispute to the next level."""
    return desk.act(connection, order, case, Action.ESCALATE, Given(text=text))


def uphold(
    desk: Desk, connection: Connection, order: Order, case: UUID, approval: Approval, text: str
) -> Answer:
    """Rule for the applicant, and name what is given."""
    return desk.act(connection, order, case, Action.UPHOLD, Given(text=text, approval=approval))


def dismiss(
    desk: Desk,
    connection: Connection,
    order: Order,
    case: UUID,
    reason: RefusalReason,
    text: str,
    acceptable_if: str,
) -> Answer:
    """Rule against the applicant, as a refusal is given."""
    given = Given(text=text, refusal_reason=reason, acceptable_if=acceptable_if)
    return desk.act(connection, order, case, Action.DISMISS, given)


def suspend(
    desk: Desk, connection: Connection, order: Order, case: UUID, reason: StopReason, text: str
) -> Answer:
    """Stop the delivery for now."""
    return desk.act(connection, order, case, Action.SUSPEND, Given(text=text, stop_reason=reason))


def resume(desk: Desk, connection: Connection, order: Order, case: UUID, text: str) -> Answer:
    """Let a suspended case be filled again and go on."""
    return desk.act(connection, order, case, Action.RESUME, Given(text=text))


def terminate(
    desk: Desk, connection: Connection, order: Order, case: UUID, reason: StopReason, text: str
) -> Answer:
    """End a case for good."""
    return desk.act(connection, order, case, Action.TERMINATE, Given(text=text, stop_reason=reason))


def extend(desk: Desk, connection: Connection, order: Order, case: UUID, more: MoreTime, text: str) -> Answer:
    """Give the duty that runs more time, once, as its rule allows, and say why."""
    return desk.act(connection, order, case, Action.EXTEND, Given(text=text, more_time=more))


def complain(desk: Desk, connection: Connection, order: Order, case: UUID, text: str) -> Answer:
    """Complain about how a case is handled."""
    return desk.act(connection, order, case, Action.COMPLAIN, Given(text=text))


def reply(desk: Desk, connection: Connection, order: Order, case: UUID, text: str) -> Answer:
    """Answer the oldest open complaint."""
    return desk.act(connection, order, case, Action.REPLY, Given(text=text))


def step_done(
    desk: Desk, connection: Connection, order: Order, case: UUID, round_: int, step: Step
) -> Answer:
    """Report that a step of a request was carried through; after the last one the case is active."""
    return desk.act(connection, order, case, Action.STEP_DONE, Given(step=step), round_)


def step_failed(
    desk: Desk, connection: Connection, order: Order, case: UUID, round_: int, step: Step, reason: str
) -> Answer:
    """Report that a step of a request failed, and why."""
    return desk.act(connection, order, case, Action.STEP_FAILED, Given(step=step, text=reason), round_)


def retry_step(desk: Desk, connection: Connection, order: Order, case: UUID, step: Step) -> Answer:
    """Have a failed step tried again: the request is made anew."""
    return desk.act(connection, order, case, Action.RETRY_STEP, Given(step=step))


def roll_back(
    desk: Desk,
    connection: Connection,
    order: Order,
    case: UUID,
    round_: int,
    undone: tuple[Step, ...],
    reason: str,
) -> Answer:
    """Report that a case cannot be provisioned and everything that was done is taken back; it ends."""
    return desk.act(connection, order, case, Action.ROLL_BACK, Given(text=reason, undone=undone), round_)
