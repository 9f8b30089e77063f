"""What the docket asks of others: the entry as it stands now, the calendar, and to make or end a grant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from sqlalchemy import Connection

from services.control.cases.words import DeliveryMode
from services.control.catalogue.entry import Entry
from services.control.catalogue.text import comparable
from services.control.clocks.calendar import Calendar
from topics.event import GrantId, ResourceId
from topics.grants.declaration import Grant
from topics.resource import Resource, ShareType
from topics.schema_rules import ItemForm

_NARROWER: Final = (ShareType.UNCONDITIONAL, ShareType.CONDITIONAL, ShareType.NOT_SHARED)


@dataclass(frozen=True, slots=True)
class Mounted:
    """A published entry and the resource that is mounted under it."""

    entry: Entry
    resource: Resource
    forms: Mapping[str, ItemForm]
    """The types of the resource's items."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What stages of clocks ask for, such as ``on_platform``: whether the data is on the platform already."""

    @property
    def governed(self) -> Resource:
        """The resource as the catalogue lets it be shared: in doubt the narrower of the two."""
        return governed(self.entry, self.resource)


class Entries(Protocol):
    """The catalogue, as far as cases need it; its store implements this."""

    def mounted(self, connection: Connection, resource: ResourceId) -> Mounted | None:
        """The published entry of a resource; None where there is none, and then nothing can be applied for."""

    def coded(self, connection: Connection, code: str) -> Mounted | None:
        """The published entry of a resource code, with what is mounted under it."""


class Calendars(Protocol):
    """The calendar of working days as it is known now."""

    def current(self, connection: Connection) -> Calendar:
        """All years whose notices are there."""


class Wanted(StrEnum):
    """What is asked of whoever makes grants."""

    PROVIDE = "provide"
    """Carry out the steps that are pending, in their order, and report each."""
    OPEN = "open"
    """All steps are done: the grant is active now."""
    SUSPEND = "suspend"
    END = "end"


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """One request; a later one of the same case replaces it."""

    case: str
    round: int
    """The number of the event that began this provisioning: results of an earlier one are refused."""
    event: int
    """The number of the event that the request comes from."""
    wanted: Wanted
    id: GrantId
    mode: DeliveryMode
    grant: Grant | None
    """None where nothing may be delivered: for ends, for modes that are asked for, and where ``excess`` says why."""
    steps: tuple[str, ...] = ()
    """The pending steps, in their order."""
    excess: tuple[str, ...] = ()
    """Codes of what keeps the grant from being made though it was decided: then no step may be done."""


class Provisioner(Protocol):
    """Makes, opens, suspends and ends grants on the bus."""

    def request(self, connection: Connection, request: GrantRequest) -> None:
        """Take a request on, in the transaction of the event that it comes from."""


def governed(entry: Entry, resource: Resource) -> Resource:
    """A resource narrowed to what its published entry lists and allows.

    Of two share types the narrower counts. An item that the entry does not list cannot be had.
    """
    listed = {comparable(item.name) for item in entry.items}
    items = tuple(item for item in resource.items if comparable(item.titles.zh) in listed)
    names = {item.name for item in items}
    share = max(entry.sharing.share_type, resource.share_type, key=_NARROWER.index)
    basis = entry.sharing.basis or entry.sharing.condition or resource.share_basis
    scope = tuple(name for name in resource.scope_items if name in names)
    changes = {"items": items, "share_type": share, "share_basis": basis, "scope_items": scope}
    return resource.model_copy(update=changes)
