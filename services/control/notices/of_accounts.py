"""What of an account is told to its department: that its password was reset by somebody else; pure."""

from datetime import datetime

from services.control.notices.event import Happened
from services.control.notices.words import Audience, Kind, Slot


def password_reset(account: str, department: str, at: datetime) -> Happened:
    """Who resets a password could log in with it: so the owner must hear of it by another way.

    Args:
        account: its id; a notice names nobody.
        department: the owner's.
        at: when.
    """
    key = f"{Kind.PASSWORD_RESET}:{account}:{at.isoformat()}"
    parties = {Audience.CONSUMER: (department,)}
    return Happened(key, Kind.PASSWORD_RESET, at, parties, {Slot.ACCOUNT: account})
