"""The case of a grant that the kill switch has stopped: it follows as soon as the order is carried out."""

from services.api.parts import Parts
from services.api.uses import cases
from services.control.accounts.decision import Principal
from services.control.cases.case import Given
from services.control.cases.context import HOLDING
from services.control.cases.words import Action
from services.control.docket.filed import Filed
from services.control.provisioning.switch_following import SwitchFollower
from services.control.provisioning.switch_orders import switch_orders
from services.control.store.cases.granted import Granted, granted_as
from services.control.suspension.receipt import Receipt
from services.control.suspension.switch import Verb, Work
from topics.event import GrantId
from topics.grants.hold import HoldScope


def served_case(parts: Parts, grant: str) -> Granted | None:
    """The case under which a grant is delivered, prepared or held back; None where there is none."""
    with parts.database.reading() as connection:
        found = granted_as(connection, grant)
    return found if found is not None and found.state in HOLDING else None


def follow_work(parts: Parts, work: Work) -> None:
    """Tell the case of a grant of a suspension that came to its end; see ``follow_switch``."""
    if work.verb is Verb.SUSPEND and work.order.scope is HoldScope.GRANT:
        follow_switch(parts, work.order.name)


def resumed(parts: Parts, principal: Principal, case: Granted, reason: str) -> Filed:
    """Let the case lift what holds its grant: nobody else does, or both would say something else.

    Raises:
        AnswerProblem: the case refuses it, or somebody may not.
        BusUnavailable, StoreError: see ``follow_switch``.
    """
    follow_switch(parts, case.grant)
    asked = cases.Wanted(Action.RESUME, Given(text=reason), None, None)
    return cases.acted(parts, principal, str(case.number), asked).filed


def follow_switch(parts: Parts, grant: str) -> bool:
    """Tell the case of a grant what the kill switch did; return whether there was anything to tell.

    Raises:
        BusUnavailable: nobody can say what holds.
        StoreError: the database is away or was busy.
    """
    policy, journal = parts.bus.policy(), parts.switch.machine.suspensions
    saved = [journal.load(key) for key in sorted(journal.keys())]
    receipts = [Receipt.from_json(each) for each in saved if each is not None]
    orders = switch_orders(receipts, {} if policy is None else policy.holds)
    return SwitchFollower(parts.database, parts.desk, lambda _text: None).follow(orders, [GrantId(grant)])
