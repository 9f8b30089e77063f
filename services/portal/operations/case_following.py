"""The case of a grant that the kill switch has stopped: it follows as soon as the order is carried out."""

from services.api.parts import Parts
from services.control.cases.context import HOLDING
from services.control.provisioning.switch_following import SwitchFollower
from services.control.provisioning.switch_orders import switch_orders
from services.control.store.cases.granted import Granted, granted_as
from services.control.suspension.journal import Journal
from services.control.suspension.receipt import Receipt
from topics.event import GrantId


def served_case(parts: Parts, grant: str) -> Granted | None:
    """The case under which a grant is delivered, prepared or held back; None where there is none."""
    with parts.database.reading() as connection:
        found = granted_as(connection, grant)
    return found if found is not None and found.state in HOLDING else None


def follow_switch(parts: Parts, journal: Journal, grant: str) -> bool:
    """Tell the case of a grant what the kill switch did; return whether there was anything to tell.

    Raises:
        BusUnavailable: nobody can say what holds.
        StoreError: the database is away or was busy.
    """
    policy = parts.bus.policy()
    saved = [journal.load(key) for key in sorted(journal.keys())]
    receipts = [Receipt.from_json(each) for each in saved if each is not None]
    orders = switch_orders(receipts, {} if policy is None else policy.holds)
    return SwitchFollower(parts.database, parts.desk, lambda _text: None).follow(orders, [GrantId(grant)])
