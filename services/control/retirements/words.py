"""The words of retirements: where one stands, and why one is refused."""

from enum import StrEnum


class State(StrEnum):
    """Where the retirement of a version stands."""

    PLANNED = "planned"
    CANCELLED = "cancelled"
    RETIRED = "retired"
    """Its day has come, and no case of the version delivers any more."""


class Refusal(StrEnum):
    """Why a retirement is not planned, postponed or cancelled."""

    SUCCESSOR_UNKNOWN = "SUCCESSOR_UNKNOWN"
    SUCCESSOR_OTHER = "SUCCESSOR_OTHER"
    SUCCESSOR_NOT_NEWER = "SUCCESSOR_NOT_NEWER"
    SUCCESSOR_ENDS = "SUCCESSOR_ENDS"
    ALREADY_ENDING = "ALREADY_ENDING"
    BEGINS_TOO_EARLY = "BEGINS_TOO_EARLY"
    PARALLEL_TOO_SHORT = "PARALLEL_TOO_SHORT"
    NOT_PLANNED = "NOT_PLANNED"
    DAY_REACHED = "DAY_REACHED"
    DAY_NOT_LATER = "DAY_NOT_LATER"
    WHY_MISSING = "WHY_MISSING"
