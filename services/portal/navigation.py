"""The menu: each place with the action that its reader must be allowed to take; the rest is not shown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Whose, may_person

May = Callable[[Action, Whose], bool]


def _(text: str) -> str:
    """Marks a text for translation; templates translate it."""
    return text


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the menu; ``needs`` are actions of which one suffices, none for whoever is logged in."""

    title: str
    path: str
    needs: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Some places under one title."""

    title: str
    places: tuple[Place, ...]


MENU: Final = (
    Section(
        _("Work"),
        (
            Place(_("Start"), "/"),
            Place(_("My tasks"), "/tasks"),
            Place(_("Inbox"), "/inbox"),
            Place(_("Yearly reports"), "/reports", (Action.REPORT_LOOK,)),
            Place(_("Reports from the figures"), "/reports/made", (Action.REPORT_LOOK,)),
        ),
    ),
    Section(
        _("Sharing"),
        (
            Place(_("Catalogue"), "/catalogue", (Action.CATALOGUE_LOOK,)),
            Place(_("Entries and topics"), "/catalogue/mounting", (Action.CATALOGUE_LOOK,)),
            Place(_("Import entries"), "/catalogue/import", (Action.CATALOGUE_IMPORT,)),
            Place(_("Share directory"), "/catalogue/directories/share", (Action.CATALOGUE_LOOK,)),
            Place(_("Responsibility list"), "/catalogue/duties", (Action.CATALOGUE_LOOK,)),
            Place(_("Demand list"), "/demand", (Action.DEMAND_LOOK,)),
            Place(_("Objections"), "/objections", (Action.OBJECTION_LOOK,)),
            Place(_("Apply for data"), "/apply", (Action.CASE_OPEN,)),
            Place(_("Cases"), "/cases", (Action.CASE_LOOK,)),
        ),
    ),
    Section(
        _("Delivery"),
        (
            Place(_("Grants"), "/grants", (Action.GRANT_LOOK,)),
            Place(_("Credentials"), "/credentials", (Action.GRANT_ROTATE_CREDENTIAL,)),
            Place(_("Topics"), "/topics", (Action.DATA_TAIL,)),
            Place(_("Kill switch"), "/stop", (Action.GRANT_RECEIPT,)),
        ),
    ),
    Section(
        _("Data problems"),
        (
            Place(_("Quarantine"), "/quarantine", (Action.QUARANTINE_LOOK,)),
            Place(_("Problem data"), "/tickets", (Action.TICKET_LOOK,)),
            Place(_("Refusals to correct"), "/refusals", (Action.TICKET_LOOK,)),
            Place(_("One-source conflicts"), "/conflicts", (Action.CLAIM_LOOK,)),
        ),
    ),
    Section(
        _("Operation"),
        (
            Place(_("Dashboard"), "/operations", (Action.OPERATION_LOOK,)),
            Place(_("Alarms"), "/operations/alarms", (Action.OPERATION_LOOK,)),
            Place(_("Connectors"), "/connectors", (Action.OPERATION_LOOK,)),
            Place(_("Full volumes"), "/volumes", (Action.OPERATION_LOOK_VOLUMES,)),
            Place(_("Maintenance"), "/maintenance", (Action.CATALOGUE_LOOK,)),
            Place(_("Audit log"), "/audit", (Action.AUDIT_LOOK,)),
            Place(_("Ledger"), "/ledger", (Action.AUDIT_EXPORT,)),
            Place(_("Receipts"), "/receipts", (Action.AUDIT_LOOK,)),
            Place(_("Replays"), "/replays", (Action.REPLAY_LOOK,)),
            Place(_("Person trace"), "/trace", (Action.AUDIT_TRACE,)),
        ),
    ),
    Section(
        _("Rules and people"),
        (
            Place(_("Clocks and policy"), "/policy", (Action.POLICY_LOOK,)),
            Place(_("Retention"), "/retention", (Action.POLICY_LOOK,)),
            Place(_("List of breaches"), "/breaches", (Action.CASE_LOOK,)),
            Place(_("Accounts"), "/admin/people", (Action.ACCOUNT_LOOK,)),
            Place(_("Departments"), "/admin/departments", (Action.ACCOUNT_LOOK,)),
        ),
    ),
)
"""All places."""


def sections(principal: Principal | None, menu: Iterable[Section] = MENU) -> tuple[Section, ...]:
    """The menu of one person: the places whose pages the table of permissions opens to that person."""
    if principal is None:
        return ()
    found = []
    for section in menu:
        places = tuple(place for place in section.places if _open(principal, place))
        if places:
            found.append(Section(section.title, places))
    return tuple(found)


def _open(principal: Principal, place: Place) -> bool:
    """What the place's page asks: whether one may do it with what is the own department's."""
    own = Whose(principal.department, principal.department)
    asked = (may_person(principal, action, own) for action in place.needs)
    return not place.needs or any(isinstance(answer, Allowed) for answer in asked)
