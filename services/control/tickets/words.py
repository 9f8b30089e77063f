"""The words of tickets about problem data: states, actions, who acts, reasons, duties, what a pack sets."""

from dataclasses import dataclass
from enum import StrEnum

from services.control.clocks.rules import ClockRule


class State(StrEnum):
    """Where a ticket stands."""

    REPORTED = "reported"
    """With the authority, which analyses and dispatches."""
    RETURNED = "returned"
    """Back with the reporter for supplement: the clock of the dispatch stands still."""
    VERIFYING = "verifying"
    """With the provider, which verifies and decides."""
    REFUSED = "refused"
    ESCALATED = "escalated"
    DISMISSED = "dismissed"
    """A ruling found nothing wrong with the record."""
    CORRECTING = "correcting"
    """The provider corrects at the source."""
    CORRECTED = "corrected"
    """The corrected record has come through capture; the reporter looks at it."""
    CONFIRMED = "confirmed"
    """The reporter agrees; not every consumer of the wrong version is told yet."""
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What can be done with a ticket."""

    FORWARD = "forward"
    """Where the pack has reports go to the provider: nobody dispatches them."""
    DISPATCH = "dispatch"
    RETURN = "return"
    SUPPLEMENT = "supplement"
    ACCEPT = "accept"
    REFUSE = "refuse"
    ARRIVE = "arrive"
    """A version that no longer says what is disputed has come."""
    REVERT = "revert"
    """The record says again what was disputed."""
    LIST = "list"
    """Who received the wrong version, from the ledger."""
    TELL = "tell"
    """A consumer was told."""
    CONFIRM = "confirm"
    REOPEN = "reopen"
    """The corrected record is still wrong."""
    CLOSE = "close"
    ESCALATE = "escalate"
    UPHOLD = "uphold"
    """The ruling has the provider correct the record."""
    DISMISS = "dismiss"
    WITHDRAW = "withdraw"


class Party(StrEnum):
    """Who may take an action: a role together with what its department is to the ticket."""

    REPORTER = "reporter"
    PROVIDER = "provider"
    AUTHORITY = "authority"
    """The authority, but nobody of the reporter's department."""
    ARBITER = "arbiter"
    """The authority's role in the department that rules at the level reached; never a party's own."""
    SYSTEM = "system"


class RefusalReason(StrEnum):
    """Why nothing is corrected: a closed list, documented in docs/tickets.md."""

    RECORD_IS_RIGHT = "RECORD_IS_RIGHT"
    EVIDENCE_INSUFFICIENT = "EVIDENCE_INSUFFICIENT"
    EVIDENCE_OUTDATED = "EVIDENCE_OUTDATED"
    NOT_OUR_FACT = "NOT_OUR_FACT"
    OTHER_PERSON = "OTHER_PERSON"
    SETTLED_ELSEWHERE = "SETTLED_ELSEWHERE"


class Route(StrEnum):
    """Who receives reports: ``workflow.problem.route`` of the policy pack."""

    PROVIDER = "provider"
    AUTHORITY = "authority"
    BOTH = "both"
    """The provider, and the authority is told."""


class Duty(StrEnum):
    """What a clock of a ticket runs for."""

    DISPATCH = "dispatch"
    VERIFY = "verify"
    CORRECT = "correct"


class NoticeKind(StrEnum):
    """What a consumer that has received the record is told about it."""

    DISPUTED = "disputed"
    CORRECTED = "corrected"
    UNFOUNDED = "unfounded"
    """What was said to be disputed is so no longer, and nothing was corrected."""


@dataclass(frozen=True, slots=True)
class TicketRules:
    """What a policy pack sets, bound to a ticket when it is opened; a duty without rule has no clock."""

    route: Route = Route.AUTHORITY
    dispatch: ClockRule | None = None
    verify: ClockRule | None = None
    correct: ClockRule | None = None
    dispute_levels: tuple[str, ...] = ()
    """The departments that rule, the lowest level first."""

    def clock(self, duty: Duty) -> ClockRule | None:
        """How the clock of that duty runs."""
        return {Duty.DISPATCH: self.dispatch, Duty.VERIFY: self.verify, Duty.CORRECT: self.correct}[duty]
