"""The words of sharing cases: states, actions, who acts, reasons, what a policy pack sets, problems."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.control.catalogue.vocabulary import Grade


class State(StrEnum):
    """Where a case stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PRECHECK = "precheck"
    """The authority looks whether the application is in order, where the policy pack wants it."""
    DECIDING = "deciding"
    RETURNED = "returned"
    """Returned for supplement: the clock of the decision stands still."""
    APPROVED = "approved"
    REFUSED = "refused"
    NEGOTIATING = "negotiating"
    ESCALATED = "escalated"
    REFUSED_FINALLY = "refused_finally"
    """Dismissed by a ruling."""
    PROVISIONING = "provisioning"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """Taken back by the applicant."""


class Action(StrEnum):
    """What can be done with a case."""

    EDIT = "edit"
    SUBMIT = "submit"
    REQUEST_PRECHECK = "request_precheck"
    ACCEPT = "accept"
    REQUEST_DECISION = "request_decision"
    ACCEPT_UNCONDITIONAL = "accept_unconditional"
    """The entry is shared unconditionally: no decision is needed."""
    RETURN = "return"
    SUPPLEMENT = "supplement"
    APPROVE = "approve"
    APPROVE_IN_PART = "approve_in_part"
    REFUSE = "refuse"
    APPEAL = "appeal"
    NEGOTIATE = "negotiate"
    AGREE = "agree"
    """The parties agree that the case is decided anew."""
    ESCALATE = "escalate"
    UPHOLD = "uphold"
    """The ruling gives the applicant what it names."""
    DISMISS = "dismiss"
    WITHDRAW = "withdraw"
    PROVISION = "provision"
    STEP_DONE = "step_done"
    STEP_FAILED = "step_failed"
    RETRY_STEP = "retry_step"
    ACTIVATE = "activate"
    ROLL_BACK = "roll_back"
    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"
    EXPIRE = "expire"
    COMPLAIN = "complain"
    REPLY = "reply"
    """The authority's written reply to the oldest open complaint (requirement A6-10)."""
    IMPORT = "import"
    """A grant that definitions declared becomes a case, as it is; only the control plane does it."""
    EXTEND = "extend"
    """More time for the duty that runs, once, approved by whom the clock's rule names (conflict C18)."""


class Role(StrEnum):
    """As whom somebody acts."""

    CONSUMER = "consumer"
    PROVIDER = "provider"
    AUTHORITY = "authority"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    OVERSEER = "overseer"
    SYSTEM = "system"
    """The control plane itself."""


class Party(StrEnum):
    """Who may take an action: a role together with what its department is to the case."""

    APPLICANT = "applicant"
    PROVIDER = "provider"
    """The provider of the resource, unless it is the applicant."""
    DECIDER = "decider"
    """The provider or the authority, as the policy pack says; never of the applicant's department."""
    AUTHORITY = "authority"
    """The authority, but nobody of the applicant's department."""
    ANY_AUTHORITY = "any_authority"
    """The authority, whoever applied: for what only takes away."""
    ARBITER = "arbiter"
    """The authority's role in the department that rules at the level reached; never the applicant's."""
    OPERATOR = "operator"
    SYSTEM = "system"
    ANYONE = "anyone"
    """Every person, in whatever role."""


class DeliveryMode(StrEnum):
    """How the data is served."""

    SUBSCRIBE = "subscribe"
    QUERY = "query"
    VERIFICATION = "verification"
    BATCH = "batch"


SERVED: Final = frozenset({DeliveryMode.SUBSCRIBE, DeliveryMode.BATCH})
"""The modes that there is a way for: the bus pushes, and answers no query yet (A7-01, A7-02)."""


class RefusalReason(StrEnum):
    """Why an application is refused: a closed list, documented in docs/cases.md."""

    BASIS_INSUFFICIENT = "BASIS_INSUFFICIENT"
    PURPOSE_UNCLEAR = "PURPOSE_UNCLEAR"
    ITEMS_BEYOND_NEED = "ITEMS_BEYOND_NEED"
    ROWS_BEYOND_NEED = "ROWS_BEYOND_NEED"
    MODE_BEYOND_NEED = "MODE_BEYOND_NEED"
    COMBINATION_RISK = "COMBINATION_RISK"
    LAW_FORBIDS = "LAW_FORBIDS"
    NOT_HELD = "NOT_HELD"
    SECURITY_INADEQUATE = "SECURITY_INADEQUATE"


class StopReason(StrEnum):
    """Why a case is suspended or terminated: a closed list, documented in docs/cases.md."""

    UNLAWFUL_USE = "UNLAWFUL_USE"
    BEYOND_SCOPE = "BEYOND_SCOPE"
    RISK = "RISK"
    BASIS_GONE = "BASIS_GONE"
    NO_LONGER_NEEDED = "NO_LONGER_NEEDED"
    RESOURCE_ENDED = "RESOURCE_ENDED"


class Decides(StrEnum):
    """Who decides on conditional entries (conflict C2)."""

    PROVIDER = "provider"
    AUTHORITY = "authority"


class Unconditional(StrEnum):
    """How unconditional entries are had (conflict C3)."""

    AUTO = "auto"
    FILE_AND_COMMIT = "file_and_commit"
    """With a filing form and a commitment letter, and still without a decision."""


class Batch(StrEnum):
    """Whether batch delivery has to be justified (conflict C10)."""

    LAST_RESORT = "last_resort"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class CaseRules:
    """What a policy pack sets for a case; bound to it when it is opened."""

    precheck: bool = False
    decides: Decides = Decides.PROVIDER
    unconditional: Unconditional = Unconditional.AUTO
    batch: Batch = Batch.LAST_RESORT
    dispute_levels: tuple[str, ...] = ()
    """The departments that rule, the lowest level first (conflict C16)."""
    masked_from: Grade | None = None
    """From which grade on an item goes out masked only, unless the decision says why not (A3-11)."""
    checked_from: Grade | None = None
    """From which grade on the authority checks an application first."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or the control plane, in a role and of a department."""

    person: str
    role: Role
    department: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct: a stable code, which field, what is wrong and what to do."""

    code: str
    field: str
    what: str
    remedy: str
