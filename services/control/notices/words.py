"""The words of notices: what is told, to whom, by which way, and what a notice may name."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What happened; the part before the dot says what it happened to."""

    CASE_SUBMITTED = "case.submitted"
    CASE_PRECHECK = "case.precheck"
    CASE_DECIDING = "case.deciding"
    CASE_RETURNED = "case.returned"
    CASE_APPROVED = "case.approved"
    CASE_REFUSED = "case.refused"
    CASE_NEGOTIATING = "case.negotiating"
    CASE_ESCALATED = "case.escalated"
    CASE_REFUSED_FINALLY = "case.refused_finally"
    CASE_PROVISIONING = "case.provisioning"
    CASE_STEP_FAILED = "case.step_failed"
    CASE_ACTIVE = "case.active"
    CASE_SUSPENDED = "case.suspended"
    CASE_TERMINATED = "case.terminated"
    CASE_EXPIRED = "case.expired"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_COMPLAINT = "case.complaint"
    CASE_REPLIED = "case.replied"

    TICKET_REPORTED = "ticket.reported"
    TICKET_RETURNED = "ticket.returned"
    TICKET_VERIFYING = "ticket.verifying"
    TICKET_REFUSED = "ticket.refused"
    """The provider found the record right, with reasons."""
    TICKET_ESCALATED = "ticket.escalated"
    TICKET_DISMISSED = "ticket.dismissed"
    TICKET_CORRECTING = "ticket.correcting"
    TICKET_CORRECTED = "ticket.corrected"
    """The corrected change arrived through capture."""
    TICKET_CONFIRMED = "ticket.confirmed"
    TICKET_CLOSED = "ticket.closed"
    TICKET_WITHDRAWN = "ticket.withdrawn"
    TICKET_WRONG_VERSION = "ticket.wrong_version"
    """This department received the version that was wrong."""

    GRANT_SUSPENDED = "grant.suspended"
    GRANT_RESUMED = "grant.resumed"
    GRANT_ENDED = "grant.ended"
    GRANT_EXPIRES = "grant.expires"
    CREDENTIAL_ISSUED = "grant.credential_issued"
    CREDENTIAL_EXPIRES = "grant.credential_expires"
    CREDENTIAL_EXPIRED = "grant.credential_expired"
    """It opens the bus no longer."""
    READER_BEHIND = "grant.reader_behind"
    """The consumer uses up the time for which deletions are kept."""
    READER_LOST = "grant.reader_lost"
    """It was away for longer than that: its copy has to be built anew."""

    RESOURCE_STALE = "resource.stale"
    VERSION_ANNOUNCED = "resource.version_announced"
    VERSION_POSTPONED = "resource.version_postponed"
    VERSION_KEPT = "resource.version_kept"
    """The old version does not end after all."""
    VERSION_RETIRES = "resource.version_retires"
    VERSION_RETIRED = "resource.version_retired"

    CLOCK_REMINDER = "clock.reminder"
    CLOCK_LAST_DAY = "clock.last_day"
    CLOCK_OVERDUE = "clock.overdue"

    MAINTENANCE_ANNOUNCED = "maintenance.announced"
    MAINTENANCE_CANCELLED = "maintenance.cancelled"

    NEED_STATED = "need.stated"
    NEED_ASSIGNED = "need.assigned"
    NEED_HANDED_BACK = "need.handed_back"
    """The department that was to describe the data is not the one that holds it."""
    NEED_DRAFTED = "need.drafted"
    NEED_KNOWN = "need.known"
    """The data is in the catalogue."""
    NEED_DECLINED = "need.declined"
    NEED_WITHDRAWN = "need.withdrawn"

    OBJECTION_RECEIVED = "objection.received"
    OBJECTION_EXTENDED = "objection.extended"
    OBJECTION_ACCEPTED = "objection.accepted"
    OBJECTION_DENIED = "objection.denied"
    OBJECTION_WITHDRAWN = "objection.withdrawn"

    ENTRY_CHANGED = "entry.changed"
    """Another version of a catalogue entry is published."""
    ENTRY_WITHDRAWN = "entry.withdrawn"

    CASE_EXTENDED = "case.extended"
    """A duty of the case got more time."""
    GRANT_LOSES_ITEM = "grant.loses_item"
    """A ruling gave an item to another owner: it is empty in this grant from now on."""
    PASSWORD_RESET = "account.password_reset"  # noqa: S105 - the name of an event
    """Somebody gave an account of the department a new first password."""

    CASE_DECIDING_BY_AUTHORITY = "case.deciding_by_authority"
    """It waits for a decision which, by its rules, is the authority's."""
    CASE_NEGOTIATING_BY_AUTHORITY = "case.negotiating_by_authority"
    ENTRY_SUBMITTED = "entry.submitted"
    """It waits for the review of its registration."""
    ENTRY_REGISTERED = "entry.registered"
    ENTRY_REGISTRATION_REFUSED = "entry.registration_refused"
    ENTRY_PUBLICATION_REQUESTED = "entry.publication_requested"
    """It waits for the review of its publication."""
    ENTRY_PUBLISHED = "entry.published"
    """Its first version is published."""
    ENTRY_PUBLICATION_REFUSED = "entry.publication_refused"


class Audience(StrEnum):
    """As what a department is told."""

    CONSUMER = "consumer"
    """It applied, holds the grant, reported the record, or stated the need."""
    PROVIDER = "provider"
    AUTHORITY = "authority"
    """The authority, and a body that rules on the case."""
    OPERATOR = "operator"


class Channel(StrEnum):
    """By which way it is told."""

    INBOX = "inbox"
    """In the portal; kept until it is removed by age."""
    EMAIL = "email"
    """A letter of its own, at once."""
    DIGEST = "digest"
    """One letter a day with everything that waits."""
    WEBHOOK = "webhook"


class Language(StrEnum):
    """Languages of notices, as the tags of browsers."""

    ZH = "zh-CN"
    EN = "en"


class Slot(StrEnum):
    """What a notice may name: ids of ours, numbers and days; never a text that somebody wrote."""

    CASE = "case"
    TICKET = "ticket"
    GRANT = "grant"
    CONSUMER = "consumer"
    RESOURCE = "resource"
    NEW_RESOURCE = "new_resource"
    """The id of the resource's new version."""
    MAINTENANCE = "maintenance"
    OBJECTION = "objection"
    ENTRY = "entry"
    ACCOUNT = "account"
    """The id of an account, never its name."""
    BY = "by"
    """The account that did it, or ``console`` where the user of the machine did."""
    NEED = "need"
    """The number by which people call it, as of an objection."""
    ASSIGNEE = "assignee"
    """The department that is to describe what is needed."""
    DUTY = "duty"
    """The key of a clock in the policy packs."""
    STEP = "step"
    LEVEL = "level"
    PERCENT = "percent"
    DAYS = "days"
    RECORDS = "records"
    DAY = "day"
    UNTIL = "until"
    BEGIN = "begin"
    END = "end"


NAMES: Final = frozenset(
    {
        Slot.CASE,
        Slot.TICKET,
        Slot.GRANT,
        Slot.CONSUMER,
        Slot.RESOURCE,
        Slot.NEW_RESOURCE,
        Slot.MAINTENANCE,
        Slot.OBJECTION,
        Slot.ENTRY,
        Slot.ACCOUNT,
        Slot.BY,
        Slot.NEED,
        Slot.ASSIGNEE,
        Slot.DUTY,
        Slot.STEP,
    }
)
"""Slots that hold an id; the others hold numbers, days or moments."""
