"""What of an account is told to its department and its owner: that somebody else reset its password; pure."""

from datetime import datetime

from services.control.notices.event import Happened
from services.control.notices.words import Audience, Kind, Slot


def password_reset(account: str, department: str, by: str, at: datetime) -> Happened:
    """Who resets a password could log in with it: so the owner must hear of it by another way.

    Args:
        account: its id; a notice names nobody.
        department: the owner's.
        by: who did it: the id of an account, or ``console:`` and the login at the machine.
        at: when.
    """
    key = f"{Kind.PASSWORD_RESET}:{account}:{at.isoformat()}"
    parties = {Audience.CONSUMER: (department,)}
    # Of a login at the machine no more is told than that it was one: it may be somebody's name.
    facts = {Slot.ACCOUNT: account, Slot.BY: by.partition(":")[0]}
    return Happened(key, Kind.PASSWORD_RESET, at, parties, facts)
