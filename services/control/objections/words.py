"""The words of objections to the open directory: states, actions, and who takes them."""

from enum import StrEnum


class State(StrEnum):
    """Where an objection stands."""

    RECEIVED = "received"
    """With the department whose entry it is about, which answers in time."""
    ACCEPTED = "accepted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What can be done with an objection."""

    EXTEND = "extend"
    """More time, once, approved by who the rule names."""
    ACCEPT = "accept"
    DENY = "deny"
    WITHDRAW = "withdraw"


class Party(StrEnum):
    """Who may take an action."""

    PROVIDER = "provider"
    """The department whose entry it is about."""
    OBJECTOR = "objector"
    """The department that objected, or the authority that took it from the public."""
