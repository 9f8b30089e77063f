"""Why a step failed: a code with words in both languages and the detail beside it; for logs one text."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaException

from schemas.registry import RegistryRefused, RegistryUnavailable
from services.control.acknowledgements import NameEachInstance
from services.control.cases.provisioning import Fault
from services.control.copy_transactions import EpochInterrupted
from services.control.docket.written import UnknownForm
from services.control.fill import WaitForOperator
from services.control.policy_topic import AnotherApplyRuns, HeldGrantDelivers, PolicyUnreadable
from services.control.provisioning.ports import CannotProvide
from services.control.revoke import WithdrawalStuck
from services.control.store.cases.reading import DistrustCase
from services.control.store.errors import StoreError
from services.control.suspension.acts import LedgerNotReady
from services.control.suspension.bus import NoPolicyYet
from services.control.transitions import UseNewGrantId

_LONGEST: Final = 500
_DOWN: Final = "`govbus status` shows what is down; it is tried again"
_REMEDIES: Final[Mapping[type[Exception], str]] = {
    NoPolicyYet: "`govbus apply` makes the first policy",
    RegistryUnavailable: _DOWN,
    RegistryRefused: "`govbus doctor` checks the registry; a schema that may not follow needs a new version",
    PolicyUnreadable: _DOWN,
    AnotherApplyRuns: "wait until that apply or suspension has ended; it is tried again",
    HeldGrantDelivers: "`govbus grant list` names the suspension; resume it, then retry the step",
    UseNewGrantId: "terminate the case and apply anew",
    NameEachInstance: "end the member of the group that has no instance id; it is tried again",
    EpochInterrupted: "it is tried again, by a new epoch",
    WaitForOperator: "`govbus case provision --confirm-shrink GRANT` if that is meant, then retry the step",
    WithdrawalStuck: "it is tried again and goes on from there",
    LedgerNotReady: "`govbus apply` makes the ledger's place; it is tried again",
    KafkaException: _DOWN,
    UnknownForm: "install the govbus that wrote it, or a newer one",
    DistrustCase: "nothing is done for this case meanwhile",
    StoreError: "it is tried again",
    OSError: "look at the stack's folder; it is tried again",
}
_FAULTS: Final[Mapping[type[Exception], Fault]] = {
    NoPolicyYet: Fault.NO_POLICY,
    RegistryUnavailable: Fault.REGISTRY_SILENT,
    RegistryRefused: Fault.REGISTRY_REFUSED,
    PolicyUnreadable: Fault.BUS_SILENT,
    AnotherApplyRuns: Fault.OTHER_WRITER,
    HeldGrantDelivers: Fault.HELD,
    UseNewGrantId: Fault.GRANT_OF_OTHERS,
    NameEachInstance: Fault.INSTANCE_UNNAMED,
    EpochInterrupted: Fault.EPOCH_INTERRUPTED,
    WaitForOperator: Fault.SHRINKS,
    WithdrawalStuck: Fault.TRANSACTION_OPEN,
    LedgerNotReady: Fault.LEDGER_NOT_READY,
    KafkaException: Fault.BUS_SILENT,
    UnknownForm: Fault.CASE_UNREADABLE,
    DistrustCase: Fault.CASE_UNREADABLE,
    StoreError: Fault.DATABASE_BUSY,
    OSError: Fault.FOLDER_UNUSABLE,
}


def reason_of(error: Exception) -> str:
    """What is said of an error: a defect of ours is named by its class only, its text may hold anything."""
    if isinstance(error, CannotProvide):
        return str(error)[:_LONGEST]
    for kind, remedy in _REMEDIES.items():
        if isinstance(error, kind):
            return f"{error}"[: _LONGEST - len(remedy) - 2] + f"; {remedy}"
    return f"INTERNAL {type(error).__name__}; tell the engineers: the log of the control plane holds more"


def fault_of(error: Exception) -> Fault:
    """The code of an error; a defect of ours is ``INTERNAL``."""
    if isinstance(error, CannotProvide):
        return error.fault
    return next((fault for kind, fault in _FAULTS.items() if isinstance(error, kind)), Fault.INTERNAL)


def detail_of(error: Exception) -> str:
    """What happened, as the part said it that noticed; of a defect of ours only what it is."""
    fault = fault_of(error)
    if fault is Fault.INTERNAL:
        return type(error).__name__
    said = error.what if isinstance(error, CannotProvide) else str(error)
    return said[:_LONGEST] or type(error).__name__
