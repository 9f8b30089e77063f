"""What of a grant is told: it was suspended, resumed or withdrawn, or has a new credential."""

from datetime import datetime

from services.control.notices.event import Facts, Happened, Parties
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


def loses_item(grant: str, resource: str, ruling: str, at: datetime, parties: Parties) -> Happened:
    """A ruling gave an item of the resource to another owner, and this grant shows it."""
    facts: Facts = {Slot.GRANT: grant, Slot.RESOURCE: resource}
    return Happened(f"{Kind.GRANT_LOSES_ITEM}:{grant}:{ruling}", Kind.GRANT_LOSES_ITEM, at, parties, facts)


def _happened(kind: Kind, grant: str, at: datetime, parties: Parties) -> Happened:
    return Happened(f"{kind}:{grant}:{at.isoformat()}", kind, at, parties, {Slot.GRANT: grant})
