"""What the verifier can find wrong, each with a name of its own; docs/auditor.md explains them."""

from enum import StrEnum


class Fault(StrEnum):
    """Why a bundle proves nothing; the first one that is found is named."""

    BUNDLE_MALFORMED = "BUNDLE_MALFORMED"
    TRUST_MALFORMED = "TRUST_MALFORMED"
    ALGORITHM_MISSING = "ALGORITHM_MISSING"
    OTHER_LOG = "OTHER_LOG"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    KEY_NOT_VALID = "KEY_NOT_VALID"
    SIGNATURE_WRONG = "SIGNATURE_WRONG"
    FILE_ALTERED = "FILE_ALTERED"
    RANGE_NOT_COVERED = "RANGE_NOT_COVERED"
    CHECKPOINT_CHAIN = "CHECKPOINT_CHAIN"
    ENTRY_MISPLACED = "ENTRY_MISPLACED"
    ROOT_DIFFERS = "ROOT_DIFFERS"
    FORKED = "FORKED"
    WITNESS_NOT_REACHED = "WITNESS_NOT_REACHED"
    PROOF_WRONG = "PROOF_WRONG"
    ENTRY_UNREADABLE = "ENTRY_UNREADABLE"
    CHAIN_BROKEN = "CHAIN_BROKEN"
    POLICY_MISSING = "POLICY_MISSING"
    NOT_ALLOWED = "NOT_ALLOWED"
    AFTER_CUT = "AFTER_CUT"
    STATEMENT_WRONG = "STATEMENT_WRONG"
    RECEIPT_INCOMPLETE = "RECEIPT_INCOMPLETE"


class Faulty(Exception):  # noqa: N818 - it is a finding, not an error of the program
    """The evidence does not hold: what is wrong and where."""

    def __init__(self, fault: Fault, where: str, detail: str) -> None:
        super().__init__(f"{fault} at {where}: {detail}")
        self.fault, self.where, self.detail = fault, where, detail
