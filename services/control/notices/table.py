"""Who is told what, by which way: one table, kind × audience → channels.

What is not in the table is not told. `docs/notices.md` shows the same table, and a test compares both. That
the channels are asked for does not mean that each department has them: a letter needs an address, a webhook
an endpoint; the inbox is always there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.control.notices.words import Audience, Channel, Kind

_CHANNEL: Final = {
    "i": Channel.INBOX,
    "e": Channel.EMAIL,
    "d": Channel.DIGEST,
    "w": Channel.WEBHOOK,
}

# consumer, provider, authority, operator; i: inbox, e: e-mail at once, d: daily digest, w: webhook
_ROWS: Final[tuple[tuple[Kind, str, str, str, str], ...]] = (
    (Kind.CASE_SUBMITTED, "iw", "", "", ""),
    (Kind.CASE_PRECHECK, "iw", "", "iew", ""),
    (Kind.CASE_DECIDING, "iw", "iew", "iw", ""),
    (Kind.CASE_DECIDING_BY_AUTHORITY, "iw", "iw", "iew", ""),
    (Kind.CASE_RETURNED, "iew", "i", "i", ""),
    (Kind.CASE_APPROVED, "iew", "iw", "iw", ""),
    (Kind.CASE_REFUSED, "iew", "iw", "iw", ""),
    (Kind.CASE_NEGOTIATING, "iew", "iew", "iw", ""),
    (Kind.CASE_NEGOTIATING_BY_AUTHORITY, "iew", "iw", "iew", ""),
    (Kind.CASE_ESCALATED, "iew", "iew", "iew", ""),
    (Kind.CASE_REFUSED_FINALLY, "iew", "iw", "iw", ""),
    (Kind.CASE_PROVISIONING, "iw", "iw", "", "iw"),
    (Kind.CASE_STEP_FAILED, "i", "", "", "iew"),
    (Kind.CASE_ACTIVE, "iew", "iw", "iw", "iw"),
    (Kind.CASE_SUSPENDED, "iew", "iew", "iew", "iw"),
    (Kind.CASE_TERMINATED, "iew", "iew", "iw", "iw"),
    (Kind.CASE_EXPIRED, "iew", "iw", "iw", "iw"),
    (Kind.CASE_WITHDRAWN, "iw", "iw", "iw", ""),
    (Kind.CASE_EXTENDED, "iew", "iw", "iw", ""),
    (Kind.CASE_COMPLAINT, "iw", "iew", "iew", ""),
    (Kind.CASE_REPLIED, "iew", "iw", "iw", ""),
    (Kind.TICKET_REPORTED, "iw", "iw", "iew", ""),
    (Kind.TICKET_RETURNED, "iew", "", "i", ""),
    (Kind.TICKET_VERIFYING, "iw", "iew", "iw", ""),
    (Kind.TICKET_REFUSED, "iew", "iw", "iw", ""),
    (Kind.TICKET_ESCALATED, "iew", "iew", "iew", ""),
    (Kind.TICKET_DISMISSED, "iew", "iw", "iw", ""),
    (Kind.TICKET_CORRECTING, "iw", "iew", "iw", ""),
    (Kind.TICKET_CORRECTED, "iew", "iw", "iw", ""),
    (Kind.TICKET_CONFIRMED, "iw", "iw", "iw", ""),
    (Kind.TICKET_CLOSED, "iew", "iw", "iw", ""),
    (Kind.TICKET_WITHDRAWN, "iw", "iw", "iw", ""),
    (Kind.TICKET_WRONG_VERSION, "iew", "", "", ""),
    (Kind.GRANT_SUSPENDED, "iew", "iew", "iew", "iew"),
    (Kind.GRANT_RESUMED, "iew", "iw", "iw", "iw"),
    (Kind.GRANT_ENDED, "iew", "iw", "iw", "iw"),
    (Kind.GRANT_EXPIRES, "iew", "i", "", ""),
    (Kind.CREDENTIAL_ISSUED, "iew", "", "", "i"),
    (Kind.CREDENTIAL_EXPIRES, "iew", "", "", "i"),
    (Kind.CREDENTIAL_EXPIRED, "iew", "", "", "iew"),
    (Kind.GRANT_LOSES_ITEM, "iew", "iw", "", "i"),
    (Kind.READER_BEHIND, "iew", "", "", "iw"),
    (Kind.READER_LOST, "iew", "", "", "iew"),
    (Kind.RESOURCE_STALE, "iw", "iew", "iw", "iw"),
    (Kind.VERSION_ANNOUNCED, "iew", "iw", "iw", "iw"),
    (Kind.VERSION_POSTPONED, "iew", "iw", "iw", "iw"),
    (Kind.VERSION_KEPT, "iew", "iw", "iw", "iw"),
    (Kind.VERSION_RETIRES, "iew", "iw", "", "i"),
    (Kind.VERSION_RETIRED, "iew", "iw", "iw", "iw"),
    (Kind.CLOCK_REMINDER, "id", "id", "id", "id"),
    (Kind.CLOCK_LAST_DAY, "iew", "iew", "iew", "iew"),
    (Kind.CLOCK_OVERDUE, "iew", "iew", "iew", "iew"),
    (Kind.MAINTENANCE_ANNOUNCED, "iew", "iew", "iew", "iew"),
    (Kind.MAINTENANCE_CANCELLED, "iew", "iew", "iew", "iew"),
    (Kind.NEED_STATED, "iw", "", "iew", ""),
    (Kind.NEED_ASSIGNED, "iw", "iew", "iw", ""),
    (Kind.NEED_HANDED_BACK, "iw", "iw", "iew", ""),
    (Kind.NEED_DRAFTED, "iw", "iw", "iw", ""),
    (Kind.NEED_KNOWN, "iew", "iw", "iw", ""),
    (Kind.NEED_DECLINED, "iew", "iw", "iw", ""),
    (Kind.NEED_WITHDRAWN, "iw", "iw", "iw", ""),
    (Kind.OBJECTION_RECEIVED, "iw", "iew", "iw", ""),
    (Kind.OBJECTION_EXTENDED, "iew", "iw", "iw", ""),
    (Kind.OBJECTION_ACCEPTED, "iew", "iw", "iw", ""),
    (Kind.OBJECTION_DENIED, "iew", "iw", "iw", ""),
    (Kind.OBJECTION_WITHDRAWN, "iw", "iw", "iw", ""),
    (Kind.ENTRY_SUBMITTED, "", "iw", "iew", ""),
    (Kind.ENTRY_REGISTERED, "", "iew", "iw", ""),
    (Kind.ENTRY_REGISTRATION_REFUSED, "", "iew", "iw", ""),
    (Kind.ENTRY_PUBLICATION_REQUESTED, "", "iw", "iew", ""),
    (Kind.ENTRY_PUBLISHED, "iew", "iew", "iw", ""),
    (Kind.ENTRY_PUBLICATION_REFUSED, "", "iew", "iw", ""),
    (Kind.ENTRY_CHANGED, "iew", "iew", "iw", ""),
    (Kind.ENTRY_WITHDRAWN, "iew", "iw", "iew", ""),
    (Kind.PASSWORD_RESET, "iew", "", "", ""),
)

ROUTES: Final[Mapping[tuple[Kind, Audience], frozenset[Channel]]] = MappingProxyType(
    {
        (kind, audience): frozenset(_CHANNEL[letter] for letter in letters)
        for kind, *row in _ROWS
        for audience, letters in zip(Audience, row, strict=True)
        if letters
    }
)
"""All that is told; a pair that is missing is told nothing."""


def picture() -> str:
    """The table in Markdown, as the document shows it."""
    lines = ["| kind | consumer | provider | authority | operator |", "|---|---|---|---|---|"]
    lines += [f"| `{kind}` | {' | '.join(_cell(kind, each) for each in Audience)} |" for kind in Kind]
    return "\n".join(lines)


def _cell(kind: Kind, audience: Audience) -> str:
    return ", ".join(each for each in Channel if each in ROUTES.get((kind, audience), ()))
