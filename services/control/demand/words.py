"""The words of needs, which departments state for data: states, actions, who acts, why one is declined."""

from enum import StrEnum


class State(StrEnum):
    """Where a need stands."""

    STATED = "stated"
    """With the authority, which assigns it or answers why not."""
    ASSIGNED = "assigned"
    """With the department that is to describe the data."""
    DRAFTED = "drafted"
    """An entry of the catalogue was begun for it; from here on the entry has its own life."""
    KNOWN = "known"
    """The data is in the catalogue: it can be applied for."""
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What can be done with a need."""

    ASSIGN = "assign"
    DECLINE = "decline"
    POINT = "point"
    """The authority names the published entry that has the data."""
    HAND_BACK = "hand_back"
    """The department says that it is not the one that holds the data."""
    DRAFT = "draft"
    WITHDRAW = "withdraw"


class Party(StrEnum):
    """Who may take an action: a role together with what its department is to the need."""

    CONSUMER = "consumer"
    """The department that stated it."""
    ASSIGNEE = "assignee"
    """The department that it is assigned to, as a provider."""
    AUTHORITY = "authority"
    """The authority, but nobody of the department that stated it."""


class DeclineReason(StrEnum):
    """Why a need is not followed: a closed list."""

    NOBODY_HOLDS_IT = "NOBODY_HOLDS_IT"
    DUTY_NOT_SHOWN = "DUTY_NOT_SHOWN"
    LAW_FORBIDS = "LAW_FORBIDS"
    NOT_GOVERNMENT_DATA = "NOT_GOVERNMENT_DATA"
    MORE_THAN_NEEDED = "MORE_THAN_NEEDED"
