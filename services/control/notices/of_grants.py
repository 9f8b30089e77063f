"""What of a grant is told: it was suspended, resumed or withdrawn, or has a new credential."""

from datetime import datetime

from services.control.notices.event import Happened, Parties
from services.control.notices.words import Kind, Slot


def suspended(grant: str, at: datetime, parties: Parties) -> Happened:
    """It delivers nothing from now on."""
    return _happened(Kind.GRANT_SUSPENDED, grant, at, parties)


def resumed(grant: str, at: datetime, parties: Parties) -> Happened:
    """It delivers again."""
    return _happened(Kind.GRANT_RESUMED, grant, at, parties)


def ended(grant: str, at: datetime, parties: Parties) -> Happened:
    """It was withdrawn."""
    return _happened(Kind.GRANT_ENDED, grant, at, parties)


def credential_issued(grant: str, at: datetime, parties: Parties) -> Happened:
    """Its consumer has a new credential, which no notice shows."""
    return _happened(Kind.CREDENTIAL_ISSUED, grant, at, parties)


def _happened(kind: Kind, grant: str, at: datetime, parties: Parties) -> Happened:
    return Happened(f"{kind}:{grant}:{at.isoformat()}", kind, at, parties, {Slot.GRANT: grant})
